"""Phrases with the plans that they must give: the data of the tests and of `benchmarks/parser.py`.

A line of a `.txt` file is `phrase => expression`, with the names of `worldline.retrieval`,
`q("period_s")` for a quantity, `deg(90)` for an angle, `the("red ball x")` for a `Who` with a name,
or `refused`. Lines under `# known failures` are those that the grammar does not get right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from worldline import retrieval
from worldline.core.errors import InputError
from worldline.retrieval import And, Count, Event, Not, Or, Query, Relate, Then, Who, parse
from worldline.retrieval.colors import COLORS
from worldline.retrieval.query import events_in

__all__ = ["SETS", "Phrase", "like_terms", "plan_of", "read_phrases"]

SETS = (
    *("development", "held_out", "second_held_out", "new_events"),
    *("blind", "second_blind", "third_blind"),
    *("fourth_blind", "fifth_blind", "sixth_blind"),
)
"""In the order of writing: the grammar was mended on each before the next was written."""

_GROUPS = {"vehicle": ("car", "truck", "bus", "motorcycle")}


def the(words: str) -> Who:
    """Read "red|blue ball x": colours, then labels, then a variable."""
    labels: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()
    name = None
    for word in words.split(" "):
        if len(word) == 1:
            name = word
        elif set(word.split("|")) <= set(COLORS):
            colors = tuple(word.split("|"))
        else:
            labels = _GROUPS.get(word, tuple(w.replace("_", " ") for w in word.split("|")))
    return Who(labels, colors, name)


_NAMES: dict[str, Any] = {
    **{name: getattr(retrieval, name) for name in retrieval.__all__},
    "the": the,
    "deg": math.radians,
    "q": retrieval.Quantity,
    "refused": None,
}


@dataclass(frozen=True)
class Phrase:
    """What somebody types, and the query it must give: None where it must be refused."""

    text: str
    query: Query | None
    is_known_failure: bool = False


def read_phrases(name: str) -> list[Phrase]:
    """The phrases of one file."""
    phrases = []
    failing = False
    for line in (Path(__file__).parent / f"{name}.txt").read_text().splitlines():
        if line.startswith("#"):
            failing = line == "# known failures"
        elif line:
            text, _, expression = line.rpartition(" => ")
            phrases.append(Phrase(text, eval(expression, _NAMES), failing))
    return phrases


def plan_of(text: str) -> Query | None:
    """The query that the grammar gives, in like terms; None where it refuses."""
    try:
        query = parse(text).query
    except InputError:
        return None
    return None if query is None else like_terms(query)


def like_terms(query: Query, digits: int = 10) -> Query:
    """The query with roles and conditions sorted, values to so many digits, variables in order.

    What is said of a variable once is said wherever it stands: "the box" is the red box it was.

    Two queries that are equal then ask for the same in the same order.
    """
    names: dict[str, str] = {}
    described: dict[str, Who] = {}
    for event in events_in(query):
        for _, who in sorted(event.roles, key=lambda pair: pair[0]):
            if who.name:
                names.setdefault(who.name, f"object {len(names)}")
                if who.labels or who.colors:
                    described.setdefault(who.name, who)

    def same(who: Who) -> Who:
        return replace(described.get(who.name or "", who), name=names.get(who.name or ""))

    def likened(part: Query) -> Query:
        match part:
            case Event(kind, where, roles):
                rounded = (replace(c, value=float(f"{c.value:.{digits}g}")) for c in where)
                named = ((role, same(who)) for role, who in roles)
                return Event(
                    kind,
                    tuple(sorted(rounded, key=lambda c: (c.quantity, c.op))),
                    tuple(sorted(named, key=lambda pair: pair[0])),
                )
            case Then(first, second, within_s):
                return Then(likened(first), likened(second), within_s)
            case Relate(first, relation, second):
                return Relate(likened(first), relation, likened(second))
            case And(parts):
                return And(tuple(likened(p) for p in parts))
            case Or(parts):
                return Or(tuple(likened(p) for p in parts))
            case Not(inner):
                return Not(likened(inner))
            case Count(inner, op, number):
                return Count(likened(inner), op, number)
            case _:
                raise AssertionError(type(part))

    return likened(query)
