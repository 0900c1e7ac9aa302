"""What a body takes up of the ground: a disc about its path."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from worldline.physics.kinematics import Track

__all__ = ["disc_radius", "ground_path"]


def disc_radius(track: Track) -> float:
    """Disc radius: half the mean of the two horizontal sides, or half the root of the box area."""
    if not track.is_metric:
        return track.scale / 2
    sides = track.size[0]
    flat = sides[np.abs(track.up) < 0.5] if np.all(np.isfinite(sides)) else np.zeros(1)
    return float(np.mean(flat)) / 2


def ground_path(track: Track) -> Float[np.ndarray, "k 2"]:
    """Path of the centre across gravity (metres), or of the foot of the box (pixels)."""
    if not track.is_metric:
        return track.position + np.stack([0 * track.size[:, 1], track.size[:, 1] / 2], axis=1)
    axes = np.linalg.svd(track.up[None, :])[2][1:]
    return track.position @ axes.T
