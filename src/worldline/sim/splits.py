"""Splits, and the ranges from which each split draws: plain data that a test can inspect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

__all__ = ["Interval", "Ranges", "Split", "seed_of"]

Interval = tuple[float, float]


class Split(StrEnum):
    """Which part of the parameter space a clip is drawn from."""

    TRAIN = "train"
    """What models learn from: the ranges without the hole and without the held-out pairs."""

    HELD_OUT = "held-out"
    """The ranges of TRAIN with other seeds."""

    INTERPOLATION = "interpolation"
    """The hole inside the ranges of TRAIN: each value is familiar, this region of values is not."""

    OUT_OF_DISTRIBUTION = "out-of-distribution"
    """Values beyond the ranges of TRAIN."""

    COMBINATORIAL = "combinatorial"
    """Combinations that TRAIN never shows together, though it shows each part."""


_CODES = {split: code for code, split in enumerate(Split)}


@dataclass(frozen=True)
class Ranges:
    """Ranges of the continuous parameters of a family.

    Attributes:
        train: parameter to intervals of which one is drawn in proportion to its length.
        beyond: the intervals for OUT_OF_DISTRIBUTION. A parameter without an entry keeps `train`;
            those with one are all drawn from `beyond` at once.
        hole: parameter to one interval. TRAIN and HELD_OUT reject a draw that lies inside the hole
            in every parameter named here; INTERPOLATION draws these parameters from it.
        corner: like the hole, at the edge of the ranges: TRAIN and HELD_OUT reject it and
            COMBINATORIAL draws from it. Empty where the held-out combination is one of colour and
            shape (`worldline.sim.appearance.HELD_OUT_PAIRS`).
    """

    train: Mapping[str, tuple[Interval, ...]]
    beyond: Mapping[str, tuple[Interval, ...]] = field(default_factory=dict)
    hole: Mapping[str, Interval] = field(default_factory=dict)
    corner: Mapping[str, Interval] = field(default_factory=dict)

    def intervals(self, name: str, split: Split) -> tuple[Interval, ...]:
        """Intervals of one parameter in a split, before holes are taken out."""
        if split is Split.OUT_OF_DISTRIBUTION and name in self.beyond:
            return self.beyond[name]
        if split is Split.INTERPOLATION and name in self.hole:
            return (self.hole[name],)
        if split is Split.COMBINATORIAL and name in self.corner:
            return (self.corner[name],)
        return self.train[name]

    def draw(self, split: Split, rng: np.random.Generator) -> dict[str, float]:
        """One value for each parameter."""
        while True:
            values = {name: _draw(self.intervals(name, split), rng) for name in self.train}
            learned = split in (Split.TRAIN, Split.HELD_OUT)
            if not (learned and (_inside(values, self.hole) or _inside(values, self.corner))):
                return values


def _inside(values: Mapping[str, float], region: Mapping[str, Interval]) -> bool:
    return bool(region) and all(low <= values[name] <= high for name, (low, high) in region.items())


def _draw(intervals: tuple[Interval, ...], rng: np.random.Generator) -> float:
    lengths = np.array([high - low for low, high in intervals])
    if lengths.sum() == 0:
        return float(intervals[int(rng.integers(len(intervals)))][0])
    low, high = intervals[int(rng.choice(len(intervals), p=lengths / lengths.sum()))]
    return float(rng.uniform(low, high))


def seed_of(family: str, split: Split, seed: int, index: int) -> np.random.Generator:
    """The generator of clip `index`, which depends on nothing else."""
    name = int.from_bytes(family.encode(), "little")
    return np.random.default_rng(np.random.SeedSequence([name, _CODES[split], seed, index]))
