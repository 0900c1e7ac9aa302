"""How often something happened, where each time is only likely."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from worldline.retrieval.query import Op

__all__ = ["LEAST_CHANCE", "chance_of", "likeliest"]

LEAST_CHANCE = 0.05
"""At least so many times, but less likely than this, is no answer."""


@runtime_checkable
class _Scored(Protocol):
    @property
    def score(self) -> float: ...

    @property
    def start_s(self) -> float: ...


M = TypeVar("M", bound=_Scored)


def chance_of(scores: Iterable[float], op: Op, number: int) -> float:
    """Probability that the number of independent events of these probabilities is as asked."""
    chances = [1.0]
    for score in scores:
        stay = [c * (1 - score) for c in chances] + [0.0]
        rise = [0.0] + [c * score for c in chances]
        chances = [a + b for a, b in zip(stay, rise, strict=True)]
    return math.fsum(c for n, c in enumerate(chances) if op.holds(n, number))


def likeliest(matches: Sequence[M], most: int, above: float) -> list[M]:
    """What is at least so likely, and the `most` likeliest in any case, in order of time."""
    order = sorted(matches, key=lambda m: (-m.score, m.start_s))
    kept = [m for n, m in enumerate(order) if m.score >= above or n < most]
    return sorted(kept, key=lambda m: m.start_s)
