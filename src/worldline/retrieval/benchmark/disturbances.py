"""What disturbs a picture without anything happening: noise, shake, flicker, drifting shade."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, UInt8
from scipy.ndimage import gaussian_filter, gaussian_filter1d

__all__ = ["DISTURBANCES", "Frames", "add_noise"]

Frames = UInt8[np.ndarray, "t h w 3"]


def add_noise(frames: Frames, std: float, rng: np.random.Generator) -> Frames:
    """Sensor noise, independent in every value, with this standard deviation in steps of 255."""
    noise = rng.normal(0.0, std, frames.shape).astype(np.float32)
    return _to_bytes(frames.astype(np.float32) + noise)


def heavy_noise(frames: Frames, rng: np.random.Generator) -> Frames:
    """Noise of a dark room."""
    return add_noise(frames, float(rng.uniform(6, 11)), rng)


def shake(frames: Frames, rng: np.random.Generator) -> Frames:
    """A camera held by hand: the picture wanders by some per cent of its width."""
    t, h, w = frames.shape[:3]
    reach = max(2, round(0.05 * w))
    path = gaussian_filter1d(rng.normal(0, 1, (t, 2)), 2.5, axis=0)
    path *= reach / np.abs(path).max()
    padded = np.pad(frames, ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="reflect")
    moved = []
    for frame, (dy, dx) in zip(padded, np.rint(path).astype(int) + reach, strict=True):
        moved.append(frame[dy : dy + h, dx : dx + w])
    return np.stack(moved)


def flicker(frames: Frames, rng: np.random.Generator) -> Frames:
    """A lamp whose light flickers."""
    gain = 1 + gaussian_filter1d(rng.normal(0, float(rng.uniform(0.06, 0.14)), len(frames)), 0.7)
    return _to_bytes(frames.astype(np.float32) * gain[:, None, None, None])


def drifting_shade(frames: Frames, rng: np.random.Generator) -> Frames:
    """Shadows of clouds that drift over everything."""
    t, h, w = frames.shape[:3]
    wide = w + 2 * t
    cloud = gaussian_filter(rng.normal(0, 1, (h, wide)), 0.16 * h, mode="wrap")
    cloud = 1 - 0.3 * (cloud - cloud.min()) / np.ptp(cloud)
    shaded = [frame * cloud[:, 2 * i : 2 * i + w, None] for i, frame in enumerate(frames)]
    return _to_bytes(np.stack(shaded))


def _to_bytes(values: Float[np.ndarray, "t h w 3"]) -> Frames:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


DISTURBANCES: dict[str, Callable[[Frames, np.random.Generator], Frames]] = {
    "heavy_noise": heavy_noise,
    "shake": shake,
    "flicker": flicker,
    "drifting_shade": drifting_shade,
}
"""By name; each takes frames and a generator."""
