"""Ways of bodies in closed form."""

from __future__ import annotations

import numpy as np

__all__ = ["G", "bounce_path", "drop_px"]

G = 9.80665


def drop_px(t: np.ndarray, *, scale: float, top: float, height_px: float) -> np.ndarray:
    """Image y of a body released at rest at t = 0 that stays where it lands."""
    return np.minimum(top + G / scale * np.maximum(t, 0) ** 2 / 2, top + height_px)


def bounce_path(t: np.ndarray, height: float, restitution: float, g: float) -> np.ndarray:
    """Height over the floor of a bouncing point, in closed form."""
    out, start, speed, level = np.zeros_like(t), 0.0, 0.0, height
    while start < t[-1]:
        flight = (speed + np.sqrt(speed**2 + 2 * g * level)) / g
        own = (t >= start) & (t < start + flight)
        u = t[own] - start
        out[own] = level + speed * u - g * u**2 / 2
        speed, level, start = restitution * (g * flight - speed), 0.0, start + flight
        if speed < 0.05:
            break
    return out
