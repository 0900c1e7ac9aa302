"""How likely an event really happened that was read from pixels, learned from simulated clips.

For each type of event a logistic regression on what the spotter and the definition say (`BASE`),
held to that of all types together, so that a type with few examples stays near what is common; and
upon it a sum of steps in all traits (boosted decision stumps on the logistic loss, Friedman 2001).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from worldline.core.scene import Event
from worldline.retrieval.logistic import fit_logistic
from worldline.retrieval.traits import Traits

__all__ = ["BASE", "TABLE", "Chances", "Step", "bundled_chances", "fit_chances", "table_digest"]

TABLE = Path(__file__).with_name("chances.json")
"""The table that comes with the package, made by `worldline eval retrieval --calibrate`."""

NUM_STEPS, LEARNING_RATE, MIN_LEAF = 80, 0.15, 6
"""Of the boosting: most steps, their size, and least examples to each side of a threshold."""

BASE = ("spot_track", "spot_step", "spot_window", "nobody", "strange", "confidence")
"""Traits that every event has, and that the regression is on; NaN counts as 0."""

RIDGE = 4.0
"""Weight, in examples, with which each step is held back."""

_START = np.array([-1.0, 0.3, 0.3, 0.3, 0.0, 0.0, 1.0])
"""Offset and weights before any example."""

PRIOR = (2.0, 20.0)
"""Ridge of the offset, and of the weights, that hold a type to all types."""

LEAST, MOST = 0.005, 0.995
"""No probability is beyond these."""

_NUM_THRESHOLDS = 16
_NUM_FOLDS = 5


@dataclass(frozen=True)
class Step:
    """Adds `above` to the log odds where a trait is above the threshold, `below` where it is below,
    `unknown` where it is not known."""

    trait: str
    threshold: float
    below: float
    above: float
    unknown: float

    def value(self, traits: Traits) -> float:
        """What it adds."""
        value = traits.get(self.trait, math.nan)
        if math.isnan(value):
            return self.unknown
        return self.above if value > self.threshold else self.below


@dataclass(frozen=True)
class Chances:
    """The table.

    Attributes:
        versions: event type to the version of the definition that it was learned for.
        offsets: event type to log odds before anything is known.
        weights: event type to the weights of `BASE`.
        steps: event type to steps.
    """

    versions: Mapping[str, int]
    offsets: Mapping[str, float]
    weights: Mapping[str, Sequence[float]]
    steps: Mapping[str, Sequence[Step]]

    def knows(self, event_type: str, version: int) -> bool:
        """Whether it was learned for this definition."""
        return self.versions.get(event_type) == version

    def of(self, event: Event, traits: Traits) -> float:
        """Probability that an event of a known type happened."""
        base = zip(self.weights[event.type], BASE, strict=True)
        odds = self.offsets[event.type]
        odds += sum(w * traits[name] for w, name in base if not math.isnan(traits[name]))
        odds += sum(s.value(traits) for s in self.steps[event.type])
        return float(np.clip(1 / (1 + math.exp(-odds)), LEAST, MOST))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        return {
            name: {
                "version": self.versions[name],
                "offset": round(self.offsets[name], 4),
                "weights": [round(weight, 4) for weight in self.weights[name]],
                "steps": [
                    [
                        s.trait,
                        *(float(f"{v:.4g}") for v in (s.threshold, s.below, s.above, s.unknown)),
                    ]
                    for s in self.steps[name]
                ],
            }
            for name in sorted(self.versions)
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Chances:
        """Inverse of `to_json`."""
        return cls(
            {name: own["version"] for name, own in record.items()},
            {name: own["offset"] for name, own in record.items()},
            {name: tuple(own["weights"]) for name, own in record.items()},
            {name: tuple(Step(*step) for step in own["steps"]) for name, own in record.items()},
        )


@cache
def bundled_chances() -> Chances:
    """The table that comes with the package."""
    return Chances.from_json(json.loads(TABLE.read_text()))


@cache
def table_digest() -> str:
    """Digest of the bundled table."""
    return hashlib.sha256(TABLE.read_bytes()).hexdigest()[:16]


@dataclass(frozen=True)
class _Examples:
    names: tuple[str, ...]
    values: Float[np.ndarray, "n f"]
    true: Bool[np.ndarray, " n"]
    groups: np.ndarray


def fit_chances(
    examples: Mapping[str, Sequence[tuple[Traits, bool, int]]], versions: Mapping[str, int]
) -> Chances:
    """Learn a table.

    Args:
        examples: event type to (traits, whether it happened, number of its clip).
        versions: of the definitions.
    """
    offsets, weights, steps = {}, {}, {}
    every = [row for own in examples.values() for row in own]
    if not every:
        return Chances({}, {}, {}, {})
    pooled = _regress(every, _START, np.full(len(_START), 1e-2))
    for name, own in examples.items():
        fit = _regress(own, pooled, np.array([PRIOR[0], *[PRIOR[1]] * len(BASE)]))
        offsets[name], weights[name] = float(fit[0]), tuple(fit[1:].tolist())
        steps[name] = _boost(_pack(own), _base_of(own) @ fit)
    return Chances({name: versions[name] for name in offsets}, offsets, weights, steps)


def _base_of(own: Sequence[tuple[Traits, bool, int]]) -> Float[np.ndarray, "n f"]:
    rows = [[1.0, *(traits[name] for name in BASE)] for traits, _, _ in own]
    return np.nan_to_num(np.array(rows))


def _regress(
    own: Sequence[tuple[Traits, bool, int]], prior: np.ndarray, ridge: np.ndarray
) -> Float[np.ndarray, " f"]:
    return fit_logistic(_base_of(own), np.array([true for _, true, _ in own]), prior, ridge)


def _pack(own: Sequence[tuple[Traits, bool, int]]) -> _Examples:
    names = tuple(sorted({name for traits, _, _ in own for name in traits}))
    values = np.array([[traits.get(n, math.nan) for n in names] for traits, _, _ in own])
    true = np.array([t for _, t, _ in own])
    return _Examples(names, values, true, np.array([g for _, _, g in own]))


def _boost(examples: _Examples, start: Float[np.ndarray, " n"]) -> tuple[Step, ...]:
    """As many steps as serve clips that were left out."""
    n = len(examples.true)
    if min(examples.true.sum(), n - examples.true.sum()) < MIN_LEAF:
        return ()
    folds = np.unique(examples.groups, return_inverse=True)[1] * 7919 % _NUM_FOLDS
    losses = np.zeros((_NUM_FOLDS, NUM_STEPS + 1))
    for fold in range(_NUM_FOLDS):
        kept, out = folds != fold, folds == fold
        if not out.any() or not kept.any():
            continue
        odds = start[out]
        losses[fold] = _loss(odds, examples.true[out])
        for i, step in enumerate(_steps(examples, kept, start, NUM_STEPS)):
            odds = odds + _apply(step, examples, out)
            losses[fold, i + 1 :] = _loss(odds, examples.true[out])
    num = int(np.argmin(losses.sum(axis=0)))
    return tuple(_steps(examples, np.ones(n, dtype=bool), start, num))


def _loss(odds: np.ndarray, true: np.ndarray) -> float:
    return float(np.sum(np.logaddexp(0, np.where(true, -odds, odds))))


def _apply(step: Step, examples: _Examples, rows: np.ndarray) -> np.ndarray:
    value = examples.values[rows, examples.names.index(step.trait)]
    added = np.where(value > step.threshold, step.above, step.below)
    return np.where(np.isnan(value), step.unknown, added)


def _steps(
    examples: _Examples, rows: np.ndarray, start: Float[np.ndarray, " n"], num: int
) -> list[Step]:
    values, true = examples.values[rows], examples.true[rows].astype(np.float64)
    n, num_traits = values.shape
    known = ~np.isnan(values)
    shares = np.linspace(0.04, 0.96, _NUM_THRESHOLDS)
    levels = np.zeros((num_traits, _NUM_THRESHOLDS))
    bins = np.full((n, num_traits), _NUM_THRESHOLDS + 1)  # the last one: not known
    for column in range(num_traits):
        own = values[known[:, column], column]
        if len(own) >= 2 * MIN_LEAF:
            levels[column] = np.quantile(own, shares)
            bins[known[:, column], column] = np.searchsorted(levels[column], own)
    width = _NUM_THRESHOLDS + 2
    place = (bins + width * np.arange(num_traits)).ravel()

    def sums(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Below and above each threshold `[F, L]`, and where not known `[F, 1]`."""
        total = np.bincount(place, np.repeat(weights, num_traits), num_traits * width)
        total = total.reshape(num_traits, width)
        below = np.cumsum(total[:, :-1], axis=1)
        return below[:, :-1], below[:, -1:] - below[:, :-1], total[:, -1:]

    counts = sums(np.ones(n))
    allowed = np.minimum(counts[0], counts[1]) >= MIN_LEAF
    if not allowed.any():
        return []
    odds, steps = start[rows], []
    for _ in range(num):
        chance = 1 / (1 + np.exp(-odds))
        slopes, weights = sums(true - chance), sums(chance * (1 - chance))
        gain = sum(s * s / (w + 0.25 * RIDGE) for s, w in zip(slopes, weights, strict=True))
        column, cut = np.unravel_index(np.argmax(np.where(allowed, gain, -1.0)), allowed.shape)
        below, above, unknown = (
            LEARNING_RATE
            * float(s[column, min(cut, s.shape[1] - 1)])
            / (float(w[column, min(cut, w.shape[1] - 1)]) + 0.25 * RIDGE)
            for s, w in zip(slopes, weights, strict=True)
        )
        steps.append(
            Step(examples.names[column], float(levels[column, cut]), below, above, unknown)
        )
        own = bins[:, column]
        odds = odds + np.where(own > _NUM_THRESHOLDS, unknown, np.where(own > cut, above, below))
    return steps
