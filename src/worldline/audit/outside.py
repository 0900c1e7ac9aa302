"""Video that lies outside what simulated worlds look like, made without any download.

A trust score must fall on material that a world was not trained on. Here is such material, by four
recipes that share nothing with the simulator: natural-image statistics under camera motion, the
same with moving patches, frames in wrong order, and cuts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from worldline.core.clip import Clip
from worldline.core.provenance import Origin, Provenance

__all__ = ["make_outside_clips"]


def make_outside_clips(
    num_clips: int, *, seed: int, size_px: int, num_frames: int, inside: Sequence[Clip] = ()
) -> Iterator[Clip]:
    """Clips by the recipes in turn; clip i depends only on (seed, i).

    Args:
        num_clips, seed, size_px, num_frames: what to make.
        inside: clips of the usual kind, for the recipes that spoil one; without them these
            recipes spoil a panned texture instead.
    """
    for i in range(num_clips):
        generator = np.random.default_rng((seed, i))
        ordinary = inside[i % len(inside)].frames[:num_frames] if inside else None
        kind = i % 4
        if kind == 0:
            frames = _pan(generator, size_px, num_frames)
        elif kind == 1:
            frames = _paste(generator, _pan(generator, size_px, num_frames))
        elif kind == 2:
            base = ordinary if ordinary is not None else _pan(generator, size_px, num_frames)
            frames = base[generator.permutation(len(base))]
        else:
            base = ordinary if ordinary is not None else _pan(generator, size_px, num_frames)
            frames = np.concatenate([base[::2], _pan(generator, size_px, num_frames)[::2]])
            frames = np.roll(frames, int(generator.integers(2, 7)), axis=0)
        yield Clip(
            frames=np.ascontiguousarray(frames),
            time_s=np.arange(len(frames)) * 0.05,
            provenance=Provenance(Origin.SIMULATED, f"outside-{kind}", "worldline", seed),
        )


def _texture(generator: np.random.Generator, side: int) -> Float[np.ndarray, "side side 3"]:
    """Coloured noise with power falling as 1 / frequency^2, as in natural images (Field 1987)."""
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]
    amplitude = 1.0 / np.maximum(np.hypot(fy, fx), 1.0 / side)
    luma = np.fft.irfft2(
        amplitude * np.exp(2j * np.pi * generator.random(amplitude.shape)), (side, side)
    )
    chroma = np.fft.irfft2(
        amplitude * np.exp(2j * np.pi * generator.random(amplitude.shape)), (side, side)
    )
    image = luma[..., None] / luma.std() + 0.5 * chroma[
        ..., None
    ] / chroma.std() * generator.normal(size=3)
    return np.clip(0.5 + generator.uniform(0.12, 0.25) * image, 0, 1)


def _pan(
    generator: np.random.Generator, size_px: int, num_frames: int
) -> UInt8[np.ndarray, "t h w 3"]:
    """A camera that drifts, turns and zooms over a texture."""
    side = 4 * size_px
    picture = _texture(generator, side).astype(np.float32)
    speed = generator.uniform(-2.5, 2.5, 2)
    turn, zoom = generator.uniform(-0.02, 0.02), generator.uniform(-0.01, 0.01)
    start = generator.uniform(0, 2 * np.pi)
    frames = []
    for t in range(num_frames):
        matrix = cv2.getRotationMatrix2D(
            (side / 2, side / 2), float(np.degrees(start + turn * t)), float(np.exp(zoom * t))
        )
        matrix[:, 2] += speed * t + (size_px - side) / 2
        frame = cv2.warpAffine(
            picture, matrix, (size_px, size_px), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
        )
        frames.append((frame * 255).round().astype(np.uint8))
    return np.stack(frames)


def _paste(
    generator: np.random.Generator, frames: UInt8[np.ndarray, "t h w 3"]
) -> UInt8[np.ndarray, "t h w 3"]:
    """Textured patches that wander over the frames."""
    num_frames, size_px = frames.shape[:2]
    frames = frames.copy()
    for _ in range(int(generator.integers(1, 4))):
        side = int(generator.integers(size_px // 6, size_px // 2))
        patch = (_texture(generator, side) * 255).astype(np.uint8)
        path = generator.uniform(0, size_px - side, 2) + np.cumsum(
            generator.normal(0, 1.5, (num_frames, 2)), axis=0
        )
        for t, (x, y) in enumerate(np.clip(path, 0, size_px - side).astype(int)):
            frames[t, y : y + side, x : x + side] = patch
    return frames
