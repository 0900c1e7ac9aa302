"""Which videos to look at first: bounds on how well each can satisfy a query, from columns alone.

Before any row becomes a Python object, each video gets the highest score and margin that its events
allow. Videos are then evaluated in the order of these bounds, and no more of them than it takes for
the hits found to be the best there are (the threshold algorithm: Fagin, Lotem and Naor, PODS 2001,
section 4, with one list).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from worldline.retrieval.evaluate import ABSENT_BELOW, UNCONFIRMED
from worldline.retrieval.query import (
    And,
    Count,
    Event,
    Not,
    Op,
    Or,
    Query,
    Relate,
    Then,
    events_in,
)
from worldline.retrieval.schema import COMMON_QUANTITIES
from worldline.retrieval.tally import LEAST_CHANCE

__all__ = ["Bound", "Candidates", "columns_for", "holds_of_nothing"]

_MARGIN = 60.0
"""No margin is larger: `evaluate` takes this one where a ratio says nothing."""


_COMPARE = {
    Op.GT: np.greater,
    Op.GE: np.greater_equal,
    Op.LT: np.less,
    Op.LE: np.less_equal,
    Op.EQ: np.equal,
}


@dataclass(frozen=True)
class Bound:
    """No match in the video comes before this in the order of hits.

    Attributes:
        score, margin: upper bounds.
        uri: of the video.
    """

    score: float
    margin: float
    uri: str

    @property
    def key(self) -> tuple[float, float, str]:
        """Sorts as hits do, best first."""
        return -self.score, -self.margin, self.uri


def columns_for(query: Query) -> list[str]:
    """Columns of `events` that bounds on this query need."""
    names = ["uri", "type", "confidence"]
    for event in events_in(query):
        names += [c.quantity for c in event.where if c.quantity in COMMON_QUANTITIES]
        names += ["labels"] * any(who.labels for _, who in event.roles)
        names += ["colors"] * any(who.colors for _, who in event.roles)
    return list(dict.fromkeys(names))


def holds_of_nothing(query: Query) -> bool:
    """Whether a video without any of the query's events can satisfy it."""
    match query:
        case Event():
            return False
        case Then(first, second) | Relate(first, _, second):
            return holds_of_nothing(first) and holds_of_nothing(second)
        case And(parts):
            return all(holds_of_nothing(part) for part in parts)
        case Or(parts):
            return any(holds_of_nothing(part) for part in parts)
        case Not(part):
            return not holds_of_nothing(part)
        case Count(_, op, number):
            return op.holds(0, number)
        case _:
            raise AssertionError(f"{type(query).__name__} is not a query expression")


@dataclass(frozen=True)
class _Bounds:
    """Upper bounds for each video; a score below 0 says that there can be no match."""

    score: Float[np.ndarray, " v"]
    margin: Float[np.ndarray, " v"]


class Candidates:
    """Videos that may satisfy a query, by what a store's columns say of their events."""

    def __init__(self, query: Query, events: Any, every_uri: Sequence[str] | None = None) -> None:
        """Find the bounds.

        Args:
            query: what is asked.
            events: Arrow table of the events that bear on it, with `columns_for(query)`.
            every_uri: of all videos, where one without such events can satisfy the query.
        """
        # Sorted, so that a stable sort by bounds leaves equals in the order of URIs.
        encoded = events["uri"].combine_chunks().dictionary_encode()
        names = np.array(encoded.dictionary.to_pylist(), dtype=object)
        order = np.argsort(names) if len(names) else np.zeros(0, dtype=np.int64)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        self._uris: list[str] = names[order].tolist()
        self._video: Int[np.ndarray, " e"] = place[np.asarray(encoded.indices, dtype=np.int64)]
        self._events = events
        self._confidence: Float[np.ndarray, " e"] = events["confidence"].to_numpy()
        self._query = query
        self._others = [] if every_uri is None else sorted(set(every_uri) - set(self._uris))

    def __iter__(self) -> Iterator[Bound]:
        """Bounds, best first."""
        bounds = self._bounds(self._query)
        order = np.lexsort((-bounds.margin, -bounds.score))
        ranked = (
            Bound(float(bounds.score[i]), float(bounds.margin[i]), self._uris[i])
            for i in order
            if bounds.score[i] >= 0
        )
        others = (Bound(1.0, 0.0, uri) for uri in self._others)
        return heapq.merge(others, ranked, key=lambda bound: bound.key)

    def _bounds(self, query: Query) -> _Bounds:
        num = len(self._uris)
        match query:
            case Event():
                rows = self._rows_of(query)
                return _Bounds(
                    self._best(rows, self._scores(query, rows)),
                    self._best(rows, self._margins(query, rows)),
                )
            case Then(first, second) | Relate(first, _, second):
                return self._all_of((first, second))
            case And(parts):
                return self._all_of(parts)
            case Or(parts):
                each = [self._bounds(part) for part in parts]
                return _Bounds(
                    np.max([b.score for b in each], axis=0),
                    np.max([b.margin for b in each], axis=0),
                )
            case Not(part):
                return _Bounds(self._absence(part), np.zeros(num))
            case Count(part, op, number):
                return _Bounds(self._counted(part, op, number), np.zeros(num))
            case _:
                raise AssertionError(f"{type(query).__name__} is not a query expression")

    def _all_of(self, parts: Sequence[Query]) -> _Bounds:
        """Scores are multiplied, so the least of them bounds all; an absence counts only nearby."""
        wanted = [self._bounds(part) for part in parts if not isinstance(part, Not)]
        if not wanted:
            wanted = [self._bounds(part) for part in parts]
        score = np.min([b.score for b in wanted], axis=0)
        return _Bounds(score, np.max([b.margin for b in wanted], axis=0))

    def _absence(self, part: Query) -> Float[np.ndarray, " v"]:
        score = np.ones(len(self._uris))
        if isinstance(part, Event) and _is_plain(part):
            rows = self._rows_of(part)
            confidence = self._confidence[rows]
            np.multiply.at(score, self._video[rows], 1 - confidence)
            score[self._video[rows]] *= 1 + 1e-12  # the order of factors may differ
            score[self._video[rows[confidence >= ABSENT_BELOW]]] = -1.0
        return score

    def _counted(self, part: Query, op: Op, number: int) -> Float[np.ndarray, " v"]:
        """Exact for plain events; at least some of others are at most as likely as all of them."""
        num = len(self._uris)
        if not isinstance(part, Event):
            return np.ones(num)
        rows = self._rows_of(part)
        scores = self._scores(part, rows)
        if op in (Op.GT, Op.GE):
            chance = self._at_least(rows, scores, number + (op is Op.GT))
            return np.where(chance >= LEAST_CHANCE, chance, -1.0)
        likely = np.bincount(self._video[rows[scores >= ABSENT_BELOW]], minlength=num)
        if _is_plain(part):
            return np.where([op.holds(int(n), number) for n in likely], 1.0, -1.0)
        return np.ones(num)

    def _at_least(
        self, rows: Int[np.ndarray, " r"], scores: Float[np.ndarray, " r"], least: int
    ) -> Float[np.ndarray, " v"]:
        """Chance of so many of independent events: it grows with that of each."""
        num = len(self._uris)
        if least > len(rows):
            return np.zeros(num)  # and no table of as many rows as somebody asks for
        chances = np.zeros((least + 1, num))  # of 0, 1, ... events, the last one of all above, too
        chances[0] = 1.0
        order = np.argsort(self._video[rows], kind="stable")
        video, score = self._video[rows][order], scores[order]
        rank = np.arange(len(video)) - np.searchsorted(video, video)
        for turn in range(int(rank.max(initial=-1)) + 1):
            here = rank == turn
            v, p = video[here], score[here]
            now = chances[:, v]
            rise = now * p
            now = now - rise
            now[1:] += rise[:-1]
            now[-1] += rise[-1]
            chances[:, v] = now
        return np.minimum(1.0, chances[-1] * (1 + 1e-12))

    def _rows_of(self, event: Event) -> Int[np.ndarray, " r"]:
        from pyarrow import compute

        kept: Bool[np.ndarray, " e"] = compute.call_function(
            "equal", [self._events["type"], event.type]
        ).to_numpy()
        for compare in (compare.loosely() for compare in event.where):
            if compare.quantity in COMMON_QUANTITIES:
                values = self._events[compare.quantity].to_numpy()
                kept = kept & _COMPARE[compare.op](values, compare.value)
        return np.flatnonzero(kept)

    def _scores(self, event: Event, rows: Int[np.ndarray, " r"]) -> Float[np.ndarray, " r"]:
        doubts = np.zeros(len(rows), dtype=np.int64)
        for _, who in event.roles:
            for column, names in (("labels", who.labels), ("colors", who.colors)):
                if names:
                    doubts += ~self._holds(column, names)[rows]
        # The same factors as in `evaluate`, so that equal scores come out equal.
        return (
            self._confidence[rows]
            * np.array([UNCONFIRMED**n for n in range(2 * len(event.roles) + 1)])[doubts]
        )

    def _holds(self, column: str, names: tuple[str, ...]) -> Bool[np.ndarray, " e"]:
        """Whether an event's list holds one of the names."""
        import pyarrow as pa
        from pyarrow import compute

        lists = self._events[column].combine_chunks()
        wanted = pa.array(list(names), pa.string())
        found = compute.call_function(
            "is_in", [lists.flatten()], compute.SetLookupOptions(value_set=wanted)
        )
        holds = np.zeros(len(lists), dtype=bool)
        holds[np.asarray(lists.value_parent_indices())[np.asarray(found)]] = True
        return holds

    def _margins(self, event: Event, rows: Int[np.ndarray, " r"]) -> Float[np.ndarray, " r"]:
        if not event.where:
            return np.zeros(len(rows))
        margins = np.full(len(rows), _MARGIN)
        for compare in (compare.loosely() for compare in event.where):
            if compare.quantity in COMMON_QUANTITIES and compare.value > 0:
                values = self._events[compare.quantity].to_numpy()[rows]
                ratio = np.where(values > 0, values / compare.value, 1.0)
                far = np.where(values > 0, np.abs(np.log2(ratio)), _MARGIN)
                margins = np.minimum(margins, far)
        return margins * (1 + 1e-12)

    def _best(
        self, rows: Int[np.ndarray, " r"], values: Float[np.ndarray, " r"]
    ) -> Float[np.ndarray, " v"]:
        best = np.full(len(self._uris), -1.0)
        np.maximum.at(best, self._video[rows], values)
        return best


def _is_plain(event: Event) -> bool:
    """Whether the score of each such event is its confidence, without further conditions."""
    return not event.where and not event.roles
