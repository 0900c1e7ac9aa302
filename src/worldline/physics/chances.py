"""How likely claims are, learned from ones whose truth is known: a regression over their traits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["FAR", "LEAST", "MOST", "RIDGE", "Chances", "Traits", "fit_chances"]

LEAST, MOST = 0.02, 0.98
"""No probability is beyond these: there are not films enough to say more."""

RIDGE = 6.0
"""Weight, in claims, with which each standardised trait is held to saying nothing."""

FAR = 4.0
"""Standardised traits are cut off here, so that what films never showed cannot decide alone."""

_BOUNDS: dict[int, tuple[float | None, float | None]] = {
    -1: (None, 0.0),
    0: (None, None),
    1: (0.0, None),
}

Traits = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Chances:
    """One regression for each kind of claim.

    Attributes:
        centers, spreads: kind to the mean and standard deviation of each trait on the films.
        weights: kind to the weight of each trait, standardised;
        offsets: and to the log odds of a claim with mean traits.
        measured: how well they did on films that they were not learned from.
    """

    centers: Mapping[str, Traits]
    spreads: Mapping[str, Traits]
    weights: Mapping[str, Traits]
    offsets: Mapping[str, float]
    measured: Mapping[str, Any] = field(default_factory=dict)

    def of(self, kind: str, traits: Traits) -> float:
        """Probability that a claim is right."""
        odds = self.offsets[kind]
        for name, weight in self.weights[kind].items():
            value = (traits[name] - self.centers[kind][name]) / self.spreads[kind][name]
            odds += weight * float(np.clip(value, -FAR, FAR))
        return float(np.clip(_logistic(odds), LEAST, MOST))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        kinds = {
            kind: {
                "offset": round(self.offsets[kind], 4),
                "traits": {
                    name: [
                        float(f"{table[kind][name]:.5g}")
                        for table in (self.centers, self.spreads, self.weights)
                    ]
                    for name in self.weights[kind]
                },
            }
            for kind in self.weights
        }
        return {"kinds": kinds, "measured": dict(self.measured)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Chances:
        """Inverse of `to_json`."""
        kinds = record["kinds"]
        tables = [
            {
                kind: {name: row[k] for name, row in own["traits"].items()}
                for kind, own in kinds.items()
            }
            for k in range(3)
        ]
        offsets = {kind: own["offset"] for kind, own in kinds.items()}
        return cls(tables[0], tables[1], tables[2], offsets, record.get("measured", {}))


def fit_chances(
    claims: Mapping[str, tuple[Sequence[Traits], Bool[np.ndarray, " n"]]],
    *,
    importance: Mapping[str, Float[np.ndarray, " n"]] | None = None,
    ridge: float = RIDGE,
    signs: Mapping[str, int] | None = None,
) -> Chances:
    """Learn from claims of each kind and whether they were right.

    Logistic regression with a ridge on all but the offset (le Cessie and van Houwelingen 1992,
    eq. 1).

    Args:
        claims: of each kind, their traits and whether they were right.
        importance: of each kind's claims, as if each were there so often; 1 if not given.
        ridge: weight, in claims, with which each standardised trait is held to saying nothing.
        signs: traits that can only speak for a claim (1) or against it (-1).

    Raises:
        ValueError: claims of a kind that are all right, or all wrong.
    """
    centers, spreads, weights, offsets = {}, {}, {}, {}
    for kind, (traits, right) in claims.items():
        if not len(traits) or right.min() == right.max():
            raise ValueError(f"claims of the kind {kind} have to be right and wrong to learn from")
        names = sorted(traits[0])
        table = np.array([[own[name] for name in names] for own in traits])
        center, spread = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-6)
        columns = np.clip((table - center) / spread, -FAR, FAR)
        count = np.ones(len(columns)) if importance is None else importance[kind]
        bounds = [_BOUNDS[(signs or {}).get(name, 0)] for name in names]
        found = _regress(columns, right.astype(np.float64), count, ridge, bounds)
        offsets[kind] = float(found[-1])
        for into, values in ((centers, center), (spreads, spread), (weights, found[:-1])):
            into[kind] = {name: float(v) for name, v in zip(names, values, strict=True)}
    return Chances(centers, spreads, weights, offsets)


def _regress(
    columns: Float[np.ndarray, "n f"],
    right: Float[np.ndarray, " n"],
    count: Float[np.ndarray, " n"],
    ridge: float,
    bounds: list[tuple[float | None, float | None]],
) -> Float[np.ndarray, " _"]:
    """Weights of the columns, then the offset."""
    from scipy.optimize import minimize  # here: who only asks needs no SciPy

    x = np.hstack([columns, np.ones((len(columns), 1))])
    held = np.append(np.full(columns.shape[1], ridge), 0.0)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        odds = x @ w
        value = float(np.sum(count * (np.logaddexp(0, odds) - right * odds)) + 0.5 * held @ w**2)
        return value, x.T @ (count * (_logistic(odds) - right)) + held * w

    start, free = np.zeros(x.shape[1]), [*bounds, _BOUNDS[0]]
    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=free).x


def _logistic(odds: Any) -> Any:
    return 1 / (1 + np.exp(-odds))
