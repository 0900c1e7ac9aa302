"""What curation looks at in a clip: brightness, motion, and a perceptual hash."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8, UInt64

from worldline.core.clip import Clip
from worldline.data.windows import MIN_CHANGE

__all__ = ["ClipMeasure", "distance_bits", "measure"]

THUMBNAIL_PX = 32
"""Side of the grey pictures that are compared; also noise and coding errors average out there."""

_MOTION_PX = 64
_EDGE = 4  # grey levels; smaller steps between neighbours are noise and would be random bits


@dataclass(frozen=True, eq=False)
class ClipMeasure:
    """Numbers about a clip.

    Attributes:
        brightness: mean in [0, 1].
        light: brightness that 5 % of the pixels of the lightest frame exceed, in [0, 1].
        motion: mean share of pixels that change from one frame to the next, in [0, 1].
        change: largest share of pixels that differ between the first frame and any other one, or
            between neighbours, in [0, 1]; 0 if nothing ever moves.
        thumbnails: grey, of the first, middle and last frame.
        hashes: difference hash of each of them, 64 bits.
    """

    brightness: float
    light: float
    motion: float
    change: float
    thumbnails: UInt8[np.ndarray, "3 s s"]
    hashes: UInt64[np.ndarray, " 3"]


def measure(clip: Clip) -> ClipMeasure:
    """Look at a clip.

    The hash has a bit for each pair of horizontal neighbours on a grid of 8 by 9 cells: whether it
    gets darker from left to right (the "dHash" of image search, with a margin against noise).
    """
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip.frames]
    small = [_shrink(frame, _MOTION_PX) for frame in clip.frames]
    first = small[0].astype(np.int16)
    before, motion, change = first, [], [0.0]
    for frame in small[1:]:
        now = frame.astype(np.int16)
        motion.append(_share(now, before))
        change += [motion[-1], _share(now, first)]
        before = now
    picked = [grey[0], grey[len(grey) // 2], grey[-1]]
    return ClipMeasure(
        brightness=float(np.mean([g.mean() for g in grey])) / 255,
        light=max(float(np.quantile(g, 0.95)) for g in grey) / 255,
        motion=float(np.mean(motion)) if motion else 0.0,
        change=max(change),
        thumbnails=np.stack([_shrink(g, THUMBNAIL_PX) for g in picked]),
        hashes=np.array([_hash(g) for g in picked]),
    )


def distance_bits(
    one: UInt64[np.ndarray, "*#n"], other: UInt64[np.ndarray, "*#n"]
) -> UInt8[np.ndarray, ...]:
    """Number of bits in which hashes differ."""
    return np.bitwise_count(one ^ other)


def _shrink(image: np.ndarray, side_px: int) -> np.ndarray:
    return cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_AREA)


def _share(one: np.ndarray, other: np.ndarray) -> float:
    return float((np.abs(one - other).max(axis=-1) > MIN_CHANGE).mean())


def _hash(grey: np.ndarray) -> np.uint64:
    cells = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    darker = cells[:, :-1] > cells[:, 1:] + _EDGE
    return np.packbits(darker.ravel()).view(np.uint64)[0]
