"""Variables of a plan: which roles are the same object."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from worldline.retrieval.query import (
    And,
    Count,
    Event,
    Not,
    Or,
    Query,
    Relate,
    Then,
    Who,
    events_in,
)

__all__ = ["tied"]

_NAMES = "xyzuvw"


def _counts(query: Query) -> Counter[str]:
    """How often each name is used at once: of alternatives only one holds."""
    match query:
        case Event(_, _, roles):
            return Counter(who.name for _, who in roles if who.name)
        case Or(parts):
            most: Counter[str] = Counter()
            for part in parts:
                most |= _counts(part)
            return most
        case And(parts):
            return sum((_counts(part) for part in parts), Counter())
        case Then(first, second) | Relate(first, _, second):
            return _counts(first) + _counts(second)
        case Not(part) | Count(part):
            return _counts(part)
        case _:
            raise AssertionError(f"{type(query).__name__} is not a query expression")


def tied(query: Query) -> Query:
    """The query with the names that tie two roles together, as short variables.

    A name that only one role of an alternative bears gives way to what it stands for: in "a car
    brakes or turns" both are about a car, not about one and the same.
    """
    shared = [name for name, count in _counts(query).items() if count > 1]
    names = dict(zip(shared, _NAMES, strict=False))

    described: dict[str | None, Who] = {}
    for event in events_in(query):
        for _, who in event.roles:
            if who.labels or who.colors:
                described.setdefault(who.name, who)

    def rename(part: Query) -> Query:
        match part:
            case Event(_, _, roles):
                told = (
                    (role, w if w.name in names else described.get(w.name, w)) for role, w in roles
                )
                renamed = ((role, replace(w, name=names.get(w.name or ""))) for role, w in told)
                return replace(part, roles=tuple(r for r in renamed if r[1] != Who()))
            case Then(first, second) | Relate(first, _, second):
                return replace(part, first=rename(first), second=rename(second))
            case And(parts) | Or(parts):
                return replace(part, parts=tuple(rename(p) for p in parts))
            case Not(inner) | Count(inner):
                return replace(part, part=rename(inner))
            case _:
                raise AssertionError(f"{type(part).__name__} is not a query expression")

    return rename(query)
