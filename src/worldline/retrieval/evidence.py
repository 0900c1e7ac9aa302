"""What a search rests on: stored events, how they satisfy a query, and matches made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from worldline.retrieval.query import PAIR_TYPES
from worldline.retrieval.weighing import BY_DEFINITION
from worldline.retrieval.where import Row

__all__ = ["Evidence", "Match", "StoredEvent", "Video"]


@dataclass(frozen=True)
class StoredEvent:
    """A row of the `events` table."""

    row: Row

    @cached_property
    def quantities(self) -> Mapping[str, float]:
        """Every measured quantity."""
        return json.loads(self.row["quantities"])

    @property
    def start_s(self) -> float:
        """Begin of the event."""
        return self.row["start_s"]

    @property
    def end_s(self) -> float:
        """End of the event."""
        return self.row["end_s"]

    @cached_property
    def who(self) -> Mapping[str, tuple[int, str, str]]:
        """Role to (track, label, colour)."""
        parts = zip(self.row["tracks"], self.row["labels"], self.row["colors"], strict=True)
        return dict(zip(self.row["roles"], parts, strict=True))

    @property
    def is_from_pixels(self) -> bool:
        """Whether it was read from pixels and weighed."""
        return BY_DEFINITION in self.quantities

    @cached_property
    def castings(self) -> tuple[Mapping[str, tuple[int, str, str]], ...]:
        """The ways in which its objects can fill its roles: two where the order says nothing."""
        if self.row["type"] in PAIR_TYPES and {"a", "b"} <= self.who.keys():
            return self.who, {**self.who, "a": self.who["b"], "b": self.who["a"]}
        return (self.who,)


@dataclass(frozen=True)
class Evidence:
    """An event as it bears on a query, with how it satisfies the query's conditions."""

    event: StoredEvent
    comparisons: tuple[Mapping[str, Any], ...] = ()
    unconfirmed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a hit's "why"."""
        row = self.event.row
        record: dict[str, Any] = {
            "number": row["number"],
            "type": row["type"],
            "start_s": row["start_s"],
            "end_s": row["end_s"],
            "confidence": row["confidence"],
            "tracks": list(row["tracks"]),
            "labels": list(row["labels"]),
            "roles": {
                role: {"track": track, "label": label, "color": color or None}
                for role, (track, label, color) in self.event.who.items()
            },
            "calibrated": BY_DEFINITION in self.event.quantities,
            "guessed": self.event.quantities.get(BY_DEFINITION) == 0,
            "quantities": dict(self.event.quantities),
            "comparisons": [dict(c) for c in self.comparisons],
            "definition_version": row["definition_version"],
        }
        if self.unconfirmed:
            record["unconfirmed"] = list(self.unconfirmed)
        return record


@dataclass(frozen=True)
class Match:
    """A way in which a query holds.

    Attributes:
        start_s, end_s: interval.
        score: probability that it happened as asked.
        done_s: moment from which "then" counts: the end, or the onset of a hit or the like.
        margin: smallest distance to a threshold, as |log2(value / threshold)|; 0 without one.
        evidence: the events it rests on.
        absent: what did not happen, in words.
        bindings: variable to object id.
        by_onset: whether `done_s` is an onset (`query.ONSET_TYPES`).
    """

    start_s: float
    end_s: float
    score: float
    done_s: float
    margin: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    absent: tuple[str, ...] = ()
    bindings: Mapping[str, int] = field(default_factory=dict)
    by_onset: bool = False

    @property
    def interval(self) -> tuple[float, float]:
        """Begin and end, s."""
        return self.start_s, self.end_s

    def joined(self, other: Match) -> Match:
        """Both at once, as independent."""
        known = {id(e.event) for e in self.evidence}
        margins = [m.margin for m in (self, other) if m.margin > 0]
        last = max(self, other, key=lambda m: (m.done_s, m.by_onset))
        return Match(
            min(self.start_s, other.start_s),
            max(self.end_s, other.end_s),
            self.score * other.score,
            last.done_s,
            min(margins, default=0.0),
            self.evidence + tuple(e for e in other.evidence if id(e.event) not in known),
            self.absent + other.absent,
            {**self.bindings, **other.bindings},
            last.by_onset,
        )


@dataclass(frozen=True)
class Video:
    """What is known of one video."""

    row: Row
    events: tuple[StoredEvent, ...] = ()
