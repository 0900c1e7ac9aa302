"""Measures of what is odd about outlines: another look, something that hangs, two in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import gaussian_filter

from worldline.world.outlines import Blob, Box, Outline, Portrait, gap_px

__all__ = [
    "Falls",
    "Palette",
    "compare_looks",
    "hanging_share",
    "lift",
    "order_x",
    "shared_width",
    "unexplained",
]

_COLOR_LEVELS = 12.0
_DRIFT_SHARE = 0.04
"""A line that was fitted to a few frames is off by this share of the way along it."""

_ABOVE_PX = 14
_BARED_LEVELS, _UNLIKE_LEVELS = 20, 25
_LEAST_PX = 8
_BODY_PX = 20
_BINS, _SURE = 6, 0.65


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


class Falls:
    """How fast things came down lately, and where: what leaves the floor there is no faster.

    Speeds are in pixels per frame.
    """

    _FRAMES = 8

    def __init__(self) -> None:
        self._known: list[tuple[int, Float[np.ndarray, " 2"], float]] = []

    def note(self, frame: int, blobs: Sequence[Blob]) -> None:
        """What comes down in a frame."""
        self._known = [fall for fall in self._known if frame - fall[0] < self._FRAMES]
        for blob in blobs:
            if blob.velocity[1] > 0.6 and blob.area >= _BODY_PX:
                self._known.append((frame, blob.place, float(blob.velocity[1])))

    def gain(self, frame: int, recent: Sequence[Blob]) -> float:
        """By how much a thing that rises is faster than what came down there; 0 if nothing did.

        Args:
            frame: number of it.
            recent: last blobs of the thing, at least two.
        """
        up = min(-float(blob.velocity[1]) for blob in recent[-2:])
        if up < 0.8 or min(blob.area for blob in recent[-2:]) < _BODY_PX:
            return 0.0
        near = [
            speed
            for when, place, speed in self._known
            if abs(place[0] - recent[-1].place[0]) < 8
            and abs(place[1] - recent[-1].place[1]) < 6 + (frame - when) * max(up, speed)
        ]
        return max(up - max(near) - 0.3, 0.0) if near else 0.0


def lift(ways: Float[np.ndarray, "n 2"]) -> float:
    """How much faster something rises than it did, if it became so bit by bit: pixels per frame.

    A bounce is sudden, friction stops things; nothing but a force upward does this.
    """
    up = -ways[:, 1]
    steps = np.diff(up)
    gained = float(up[-1] - up[0])
    smooth = steps.min() > -0.05 and steps.max() < 0.35 * gained
    return gained if up[-1] > 0.3 and up[0] > -0.5 and smooth else 0.0


def shared_width(one: Outline, two: Outline, both: Outline) -> float:
    """How much of the narrower one's width two things share that were side by side: up to 1."""
    if abs(one.place[0] - two.place[0]) <= 2 or both.area >= 0.95 * (one.area + two.area):
        return 0.0
    shared = one.size[0] + two.size[0] - both.size[0]
    return float(np.clip(shared / min(one.size[0], two.size[0]), 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Palette:
    """Which of two things a pixel is likely of, by colour.

    Attributes:
        share: of the first, for each of `_BINS` steps of red, green and blue.
    """

    share: Float[np.ndarray, "r g b"]

    @classmethod
    def of(
        cls, one: Float[np.ndarray, "n 3"], two: Float[np.ndarray, "m 3"], unlike: float = 0.4
    ) -> Palette | None:
        """From pixels of both; None where they are too few or too alike to tell them apart."""
        if min(len(one), len(two)) < _LEAST_PX:
            return None
        counts = [_histogram(pixels) for pixels in (one, two)]
        apart = 0.5 * float(np.abs(counts[0] - counts[1]).sum())
        if apart < unlike:
            return None
        first, second = (gaussian_filter(count, 0.6) + 1e-4 for count in counts)
        return cls(first / (first + second))

    def of_first(self, pixels: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """How likely each pixel is of the first thing."""
        red, green, blue = _bins(pixels).T
        return self.share[red, green, blue]


def order_x(
    now: Float[np.ndarray, "h w 3"],
    plate: Float[np.ndarray, "h w 3"],
    palette: Palette,
    box: Box,
) -> float | None:
    """How far the first of two things is to the right of the second: pixels.

    Args:
        now, plate: the frame, and what lies behind.
        palette: of the two.
        box: where to look.

    Returns:
        None where one of them does not show.
    """
    height, width = now.shape[:2]
    x0, y0, x1, y1 = (round(side) for side in box)
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    part = now[y0:y1, x0:x1]
    if part.size == 0:
        return None
    unlike = np.abs(part - plate[y0:y1, x0:x1]).max(-1) > _BARED_LEVELS
    _, x = np.nonzero(unlike)
    share = palette.of_first(part[unlike])
    ours, theirs = x[share > _SURE], x[share < 1 - _SURE]
    if min(len(ours), len(theirs)) < _LEAST_PX:
        return None
    return float(np.median(ours) - np.median(theirs))


def _bins(pixels: np.ndarray) -> Int[np.ndarray, "n 3"]:
    return np.clip(pixels * _BINS / 256, 0, _BINS - 1).astype(int)


def _histogram(pixels: np.ndarray) -> Float[np.ndarray, "r g b"]:
    found = np.zeros((_BINS, _BINS, _BINS))
    np.add.at(found, tuple(_bins(pixels).T), 1 / len(pixels))
    return found


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
