"""Small scenes drawn with known truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from worldline.core import Provenance, Scene
from worldline.readout import PixelReadout

cv2.setNumThreads(1)  # many small pictures: threads cost more than they give

Place = tuple[float, float]
Frames = list[tuple[float, np.ndarray]]
COLORS = ((200, 40, 40), (40, 60, 200), (230, 200, 40))


def _background(size: int, texture: float, rng: np.random.Generator) -> np.ndarray:
    """A wall and a floor; the texture's standard deviation is in grey levels."""
    image = np.full((size, size, 3), (180.0, 175.0, 165.0))
    image[int(size * 0.7) :] = (120.0, 110.0, 100.0)
    coarse = rng.normal(0, 1, (size // 4, size // 4, 3))
    return image + texture * cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def _draw_disc(image: np.ndarray, at: Place, radius: float, color: Sequence[int]) -> np.ndarray:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    cover = np.clip(radius + 0.5 - np.hypot(x - at[0], y - at[1]), 0, 1)[..., None]
    return image * (1 - cover) + np.array(color) * cover


def _make_frames(
    path: Callable[[int], list[Place]],
    *,
    num_frames: int = 32,
    step_s: float = 0.1,
    size: int = 64,
    radius: float = 4.0,
    colors: Sequence[Sequence[int]] = COLORS,
    texture: float = 0.0,
    noise: float = 0.0,
    finish: Callable[[np.ndarray, int], np.ndarray] = lambda image, k: image,
) -> Frames:
    """Discs over a background; `finish` may change each picture before the noise is added."""
    rng = np.random.default_rng(3)
    background = _background(size, texture, rng)
    frames: Frames = []
    for k in range(num_frames):
        image = background
        for at, color in zip(path(k), colors, strict=False):
            image = _draw_disc(image, at, radius, color)
        image = finish(image, k) + noise * rng.normal(0, 1, image.shape)
        frames.append((k * step_s, np.clip(np.round(image), 0, 255).astype(np.uint8)))
    return frames


@dataclass(frozen=True)
class Match:
    """The object that lies nearest to a true path, over the frames in which it is visible."""

    row: int
    errors_px: np.ndarray
    frames: np.ndarray


def _match(scene: Scene, path: Callable[[int], list[Place]], which: int = 0) -> Match:
    truth = np.array([path(k)[which] for k in range(scene.num_frames)])
    found = []
    for row in range(scene.num_objects):
        seen = np.flatnonzero(scene.visible[row])
        errors = np.linalg.norm(scene.center_px[row, seen] - truth[seen], axis=1)
        found.append(Match(row, errors, seen))
    assert found, "no object was found"
    return min(found, key=lambda match: float(np.median(match.errors_px)))


@pytest.fixture
def make_frames() -> Callable[..., Frames]:
    return _make_frames


@pytest.fixture
def match() -> Callable[..., Match]:
    return _match


@pytest.fixture
def read() -> Callable[..., Scene]:
    def read_frames(frames: Frames, **config: float) -> Scene:
        return PixelReadout.Config(**config).build().read(iter(frames), provenance=Provenance())

    return read_frames
