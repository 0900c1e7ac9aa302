"""Clips painted by hand: textured background, discs of known place and colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from worldline.core import Clip, Origin, Provenance

PaintClip = Callable[..., Clip]
SUBPIXELS = 4


def paint_background(size_px: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = gaussian_filter(rng.normal(size=(size_px, size_px, 3)), 3, axes=(0, 1))
    return np.clip(0.55 + 0.6 * noise, 0, 1)


def paint_clip(
    paths: Sequence[Sequence[tuple[float, float]]],
    colors: Sequence[tuple[float, float, float]],
    *,
    radius_px: float = 4.0,
    size_px: int = 64,
    seed: int = 0,
    family: str = "painted",
) -> Clip:
    """Discs along paths of (x, y) per frame, antialiased, later ones in front."""
    plate = paint_background(size_px, seed)
    num_frames = len(paths[0])
    fine = (np.arange(size_px * SUBPIXELS) + 0.5) / SUBPIXELS
    frames = np.repeat(plate[None], num_frames, axis=0)
    segmentation = np.full((num_frames, size_px, size_px), -1)
    for index, (path, color) in enumerate(zip(paths, colors, strict=True)):
        for t, (x, y) in enumerate(path):
            inside = (fine[None] - x) ** 2 + (fine[:, None] - y) ** 2 < radius_px**2
            cover = inside.reshape(size_px, SUBPIXELS, size_px, SUBPIXELS).mean((1, 3))
            shade = np.asarray(color) * (1 - 0.01 * (np.arange(size_px) - y))[:, None, None]
            frames[t] += cover[..., None] * (shade - frames[t])
            segmentation[t][cover > 0.5] = index
    return Clip(
        frames=np.rint(np.clip(frames, 0, 1) * 255).astype(np.uint8),
        time_s=np.arange(num_frames) * 0.1,
        provenance=Provenance(Origin.SIMULATED, family),
        segmentation=segmentation,
        background=np.rint(plate * 255).astype(np.uint8)[None],
    )


@pytest.fixture(name="paint_clip", scope="session")
def _paint_clip() -> PaintClip:
    return paint_clip


@pytest.fixture(scope="session")
def crossing() -> Clip:
    """24 frames: a red disc going right at 1.5 px a frame, a blue one going down at 1."""
    red = [(10 + 1.5 * t, 20.0) for t in range(24)]
    blue = [(45.0, 20 + 1.0 * t) for t in range(24)]
    return paint_clip([red, blue], [(0.8, 0.1, 0.1), (0.1, 0.2, 0.9)])
