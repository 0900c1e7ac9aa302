"""How the pixels of clips move: a baseline that knows no objects, and its mirror image."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["describe_flow", "mirror_flow"]

_DIRECTIONS = 8
_SPEEDS = (0.002, 0.006, 0.014, 0.03)
"""Edges between classes of speed, in image widths per frame; below the first nothing moves."""


def describe_flow(frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, " f"]:
    """Histogram of optical flow over the clip, as unit vector of square roots (Hellinger).

    DIS flow between successive frames; each pixel that moves counts in one of 8 directions and 4
    classes of speed (image widths per frame). The first third of the clip, the second and the last
    have histograms of their own (after Chaudhry et al., CVPR 2009, who bind directions likewise).
    """
    parts = 3
    counts = np.zeros((parts, len(_SPEEDS), _DIRECTIONS))
    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    steps = max(len(grey) - 1, 1)
    for step in range(len(grey) - 1):
        flow = engine.calc(grey[step], grey[step + 1], np.zeros((*grey[0].shape, 2), np.float32))
        x, y = (flow[..., axis].ravel() / frames.shape[2] for axis in (0, 1))
        level = np.digitize(np.hypot(x, y), _SPEEDS) - 1
        turn = np.floor(np.arctan2(y, x) / (2 * np.pi) * _DIRECTIONS + 0.5).astype(int)
        moving = level >= 0
        np.add.at(
            counts,
            (step * parts // steps, level[moving], turn[moving] % _DIRECTIONS),
            1.0,
        )
    total = max(counts.sum(), 1.0)
    return np.sqrt(counts / total).ravel()


def mirror_flow(vectors: Float[np.ndarray, "n f"]) -> Float[np.ndarray, "n f"]:
    """The histograms of the same clips seen in a mirror."""
    opposite = (_DIRECTIONS // 2 - np.arange(_DIRECTIONS)) % _DIRECTIONS
    bins = vectors.reshape(len(vectors), -1, _DIRECTIONS)
    return bins[..., opposite].reshape(vectors.shape)
