"""How far frames are from a world's data, by what they are painted with and not by what they show.

A frame is described by how much of it has which colour and how much of it changes how sharply from
pixel to pixel. Where things are does not count; ground that dissolves, trails, blur and colours
that nothing had do. True frames spread in few directions, so their distribution is taken for a
normal one in those, with the same small variance in all others (probabilistic principal components,
Tipping and Bishop 1999); the distance of a frame is Mahalanobis' in it, in units of what is usual.

A world that is played keeps its own among its calibration, with a curve from distances to the
probability that a picture is right, by which sessions that go astray lose trust
(`worldline.audit.straying` fits it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from worldline.core.errors import InputError

__all__ = ["NUM_FEATURES", "Familiarity", "describe_frames"]

_LEVELS = 4
"""Of each colour channel."""

_EDGES = (0, 2, 4, 8, 16, 32, 64, 128, 1e9)
"""Of classes of change to the next pixels, in levels of 255."""

NUM_FEATURES = _LEVELS**3 + len(_EDGES) - 1
"""Numbers that describe a frame."""

_MOST_COMPONENTS = 8


def describe_frames(frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, "t d"]:
    """Square roots of the shares of 64 colours and of 8 classes of change.

    Square roots, because they make rare colours count and the distance of two frames Hellinger's.
    """
    num, pixels = len(frames), frames.shape[1] * frames.shape[2]
    coarse = frames // (256 // _LEVELS)
    codes = (coarse[..., 0].astype(int) * _LEVELS + coarse[..., 1]) * _LEVELS + coarse[..., 2]
    colors = _count(codes.reshape(num, -1), _LEVELS**3) / pixels
    light = frames.astype(np.float64).mean(axis=-1)
    across, down = np.diff(light, axis=2)[:, :-1], np.diff(light, axis=1)[:, :, :-1]
    change = np.hypot(across, down).reshape(num, -1)
    classes = np.searchsorted(_EDGES, change, side="right") - 1
    edges = _count(classes, len(_EDGES) - 1) / max(change.shape[1], 1)
    return np.sqrt(np.concatenate([colors, edges], axis=1))


def _count(numbers: np.ndarray, size: int) -> Float[np.ndarray, "t n"]:
    return np.stack([np.bincount(row, minlength=size) for row in numbers]).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Familiarity:
    """The distribution of true frames.

    Attributes:
        mean: `[D]` of descriptions.
        directions: `[K, D]` in which they spread, of unit length.
        variances: `[K]` along these.
        rest: variance in every other direction.
        usual: distance that half of other true frames do not exceed.
        slope, middle, offset: trust = 1 / (1 + exp(slope (log(distance + offset) - middle))); all
            frames are trusted alike, by 1, where the slope is 0.
        heeded: trust by the evidence of the context that counts as well in what a world made, where
            it is no more than this: as little as few true clips have. Above it says little: a
            world is surprised by true frames and never by its own blur.
    """

    mean: Float[np.ndarray, " d"]
    directions: Float[np.ndarray, "k d"]
    variances: Float[np.ndarray, " k"]
    rest: float
    usual: float = 1.0
    slope: float = 0.0
    middle: float = 0.0
    offset: float = 0.0
    heeded: float = 1.0

    @classmethod
    def fit(
        cls, frames: UInt8[np.ndarray, "t h w 3"], others: UInt8[np.ndarray, "n h w 3"]
    ) -> Familiarity:
        """Of true frames, and the unit of distance of others, of other episodes.

        Raises:
            InputError: there are fewer than four of them, or no others.
        """
        if len(frames) < 4 or not len(others):
            raise InputError(
                f"{len(frames)} and {len(others)} true frames; 4 and 1 are needed to know them by"
            )
        told = describe_frames(frames)
        mean = told.mean(axis=0)
        _, spread, rows = np.linalg.svd(told - mean, full_matrices=False)
        variances = np.square(spread) / (len(told) - 1)
        num = min(_MOST_COMPONENTS, len(told) // 2 - 1)
        size = told.shape[1]
        rest = max(float(variances[num:].sum()) / (size - num), 1e-6)
        known = cls(mean, rows[:num], np.maximum(variances[:num], rest), rest)
        usual = float(np.median(known.distances(others)))
        return cls(known.mean, known.directions, known.variances, rest, max(usual, 1e-6))

    def distances(self, frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, " t"]:
        """Of each frame, 1 for a usual true one."""
        away = describe_frames(frames) - self.mean
        along = away @ self.directions.T
        left = np.maximum(np.square(away).sum(axis=1) - np.square(along).sum(axis=1), 0.0)
        whole = (np.square(along) / self.variances).sum(axis=1) + left / self.rest
        return np.sqrt(whole / away.shape[1]) / self.usual

    def trust(self, frames: UInt8[np.ndarray, "t h w 3"]) -> float:
        """In [0, 1], by the mean distance of frames, how probably they are right."""
        if self.slope == 0:
            return 1.0
        logarithm = np.log(self.distances(frames).mean() + max(self.offset, 1e-12))
        return float(1 / (1 + np.exp(np.clip(self.slope * (logarithm - self.middle), -50, 50))))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "mean": self.mean.round(6).tolist(),
            "directions": self.directions.round(6).tolist(),
            "variances": self.variances.tolist(),
            "rest": self.rest,
            "usual": self.usual,
            "slope": self.slope,
            "middle": self.middle,
            "offset": self.offset,
            "heeded": self.heeded,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Familiarity:
        """Inverse of `to_json`."""
        mean, directions, variances = (
            np.asarray(record[name], np.float64) for name in ("mean", "directions", "variances")
        )
        names = ("rest", "usual", "slope", "middle", "offset")
        known = cls(mean, directions, variances, *(float(record[name]) for name in names))
        return replace(known, heeded=float(record.get("heeded", 1.0)))  # older worlds have none
