"""Colours of surfaces, computed from hit points: no image files, no texture memory."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from worldline.sim.stage import Body, Floor, Pattern, Sky, Soft

__all__ = ["body_albedo", "floor_albedo", "sky_color"]

FOG_M = 40.0
"""Distance over which the floor fades into the horizon; it also hides far aliasing."""


def _mix(
    share: np.ndarray, first: tuple[float, float, float], second: tuple[float, float, float]
) -> np.ndarray:
    a, b = np.asarray(first, np.float32), np.asarray(second, np.float32)
    return a + np.asarray(share, np.float32)[..., None] * (b - a)


def _value_noise(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Smooth noise in [0, 1] with one random value per unit cell corner (value noise)."""
    table = np.random.default_rng(seed).random((16, 16), dtype=np.float32)
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = x - x0, y - y0
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    i, j = x0.astype(np.int64) & 15, y0.astype(np.int64) & 15
    i1, j1 = (i + 1) & 15, (j + 1) & 15
    low = table[i, j] * (1 - fx) + table[i1, j] * fx
    high = table[i, j1] * (1 - fx) + table[i1, j1] * fx
    return low * (1 - fy) + high * fy


def floor_albedo(floor: Floor, x_m: np.ndarray, y_m: np.ndarray) -> Float[np.ndarray, "p 3"]:
    """Colour of the floor at points of the plane z = 0."""
    cos, sin = np.cos(floor.angle_rad), np.sin(floor.angle_rad)
    u = (cos * x_m + sin * y_m) / floor.scale_m
    v = (cos * y_m - sin * x_m) / floor.scale_m
    if floor.pattern is Pattern.CHECKER:
        share = (np.floor(u) + np.floor(v)) % 2
    elif floor.pattern is Pattern.STRIPES:
        share = np.floor(u) % 2
    elif floor.pattern is Pattern.NOISE:
        share = 0.65 * _value_noise(u, v, floor.seed)
        share = share + 0.35 * _value_noise(2.7 * u, 2.7 * v, floor.seed + 1)
    elif floor.pattern is Pattern.GRADIENT:
        share = 0.5 + 0.5 * np.sin(u)
    else:
        share = np.zeros_like(u)
    return _mix(share, floor.color, floor.second_color)


def body_albedo(body: Body | Soft, local_m: np.ndarray) -> Float[np.ndarray, "p 3"]:
    """Colour of a body at points in its own frame, so that patterns show how it turns."""
    x, y, z = (local_m / np.asarray(body.half_m, np.float32)).T
    if body.pattern is Pattern.HALVES:
        share = x > 0
    elif body.pattern is Pattern.STRIPES:
        share = (
            np.floor(2 * z + 100.5) % 2 if body.shape == "ball" else np.arctan2(y, x) % 1.6 > 0.8
        )
    elif body.pattern is Pattern.CHECKER:
        share = ((x > 0) ^ (y > 0)) ^ (z > 0)
    else:
        share = np.zeros(len(local_m), dtype=bool)
    return _mix(share, body.color, body.second_color)


def sky_color(sky: Sky, up: np.ndarray) -> Float[np.ndarray, "p 3"]:
    """Colour seen along unit directions whose z components are `up`."""
    return _mix(np.clip(up, 0, 1) ** 0.7, sky.horizon, sky.zenith)
