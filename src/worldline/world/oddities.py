"""Measures of what is odd about outlines: another look, something that hangs, two in one place."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float

from worldline.world.outlines import Blob, Box, Outline, Portrait, gap_px

__all__ = ["compare_looks", "hanging_share", "shared_width", "unexplained"]

_COLOR_LEVELS = 12.0
_DRIFT_SHARE = 0.04
"""A line that was fitted to a few frames is off by this share of the way along it."""

_ABOVE_PX = 14
_BARED_LEVELS, _UNLIKE_LEVELS = 20, 25


def compare_looks(seen: Sequence[Outline], was: Portrait, frame: int) -> dict[str, float]:
    """How unlike what it was a thing is that has come out again.

    Args:
        seen: the last outlines of it.
        was: before it was hidden.
        frame: number of the last outline's frame.

    Returns:
        colour: mean difference over 12 levels; outline: sum of the log ratios of width, height,
        area and, twice, of how full the box is; displaced: pixels from where it should be, over
        the error of such a forecast.
    """
    size = np.median([outline.size for outline in seen], axis=0)
    area = float(np.median([outline.area for outline in seen]))
    color = np.median([outline.color for outline in seen], axis=0)
    fullness = np.log(area / size.prod()) - np.log(was.area / was.size.prod())
    ratios = np.abs(np.log(size / was.size)).sum() + abs(np.log(area / was.area))
    away = float(np.linalg.norm(was.velocity)) * (frame - was.last)
    off = float(np.linalg.norm(seen[-1].place - was.at(frame)))
    return {
        "colour": float(np.abs(color - was.color).mean()) / _COLOR_LEVELS,
        "outline": float(ratios + 2 * abs(fullness)),
        "displaced": off / (1 + _DRIFT_SHARE * away),
    }


def hanging_share(
    start: Float[np.ndarray, "h w 3"],
    now: Float[np.ndarray, "h w 3"],
    blobs: Sequence[Blob],
    boxes: Sequence[Box],
) -> float:
    """Along how much of its upper edge a place that was left borders on something unlike it.

    Where a thing stood free, what its leaving bares goes on above it without an edge.

    Args:
        start: frame before it moved.
        now: the frame now.
        blobs: of the thing, from when it began to move.
        boxes: of all that moves now.

    Returns:
        0 to 1; 0 where it has not left, or something moves there.
    """
    x0, y0, x1, y1 = (int(side) for side in blobs[0].box)
    top = max(0, y0 - _ABOVE_PX)
    left = abs(blobs[-1].place[0] - blobs[0].place[0]) >= 0.8 * (x1 - x0)
    if not left or any(gap_px(box, (x0, top, x1, y1)) == 0 for box in boxes):
        return 0.0
    bared = np.abs(now - start).max(-1) > _BARED_LEVELS
    edges = []
    for x in range(x0, x1):
        rows = top + np.flatnonzero(bared[top : y1 + 2, x])
        if len(rows) >= 3 and rows[0] >= 2:
            unlike = np.abs(now[rows[0] - 2, x] - now[rows[0] + 1, x]).max() > _UNLIKE_LEVELS
            edges.append(bool(unlike))
    share = float(np.mean(edges)) if len(edges) >= 4 else 0.0
    return share if share > 0.6 else 0.0


def shared_width(one: Outline, two: Outline, both: Outline) -> float:
    """How much of the narrower one's width two things share that were side by side: up to 1."""
    if abs(one.place[0] - two.place[0]) <= 2 or both.area >= 0.95 * (one.area + two.area):
        return 0.0
    shared = one.size[0] + two.size[0] - both.size[0]
    return float(np.clip(shared / min(one.size[0], two.size[0]), 0.0, 1.0))


def unexplained(
    before: Float[np.ndarray, "h w 3"],
    now: Float[np.ndarray, "h w 3"],
    flow: Float[np.ndarray, "h w 2"],
) -> float:
    """Largest mean squared error over 5 x 5 pixels of a frame to which the flow goes on.

    Args:
        before, now: in 0 to 255.
        flow: velocity of each pixel of the one before, in pixels per frame.
    """
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    carried = cv2.remap(
        before,
        x - flow[..., 0],
        y - flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    error = np.square((carried - now) / 255).mean(-1)
    return float(cv2.boxFilter(error, -1, (5, 5)).max())
