"""The last look at a plan: numbers and negations of the sentence that ended up in no part of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from worldline.retrieval.plan import Guess
from worldline.retrieval.query import (
    PAIR_TYPES,
    And,
    Count,
    Event,
    Not,
    Or,
    Query,
    Relate,
    Then,
)
from worldline.retrieval.vocabulary import Kind
from worldline.retrieval.words import Item

__all__ = ["without_part"]

_NUMBERS = (Kind.NUMBER, Kind.MEASURE, Kind.TIMES)


def without_part(
    items: Sequence[Item], query: Query, guesses: Sequence[Guess], ignored: Sequence[str]
) -> tuple[str, ...]:
    """Words of number, time and negation that no part of the plan holds and nothing tells of.

    Whatever the grammar does with a sentence, such a word either shows in the plan, or is listed.
    """
    parts = list(_parts(query))
    sizes = [value for part in parts for value in _sizes(part)]
    counts = sizes + [value for part in parts for value in _counts(part)]
    told = [guess.words for guess in guesses] + list(ignored)
    lost = []
    for item in items:
        value = item.entry.value
        if item.kind not in _NUMBERS or (value in (0.0, 1.0) and item.kind is not Kind.MEASURE):
            continue
        values = sizes if item.kind is Kind.MEASURE else counts
        held = any(math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-12) for other in values)
        if not held and not any(item.words in words for words in told):
            lost.append(item.words)
    denials = [item.words for item in items if item.kind in (Kind.NOT, Kind.NOTHING)]
    held = sum(isinstance(part, Not) for part in parts)
    counted = any(isinstance(part, Count) for part in parts)  # "no more than two"
    if held < len(denials) and not counted:
        lost += [words for words in denials[held:] if not any(words in other for other in told)]
    return tuple(lost)


def _parts(query: Query) -> Iterator[Query]:
    yield query
    match query:
        case And() | Or():
            inner: tuple[Query, ...] = query.parts
        case Not() | Count():
            inner = (query.part,)
        case Then() | Relate():
            inner = (query.first, query.second)
        case _:
            inner = ()
    for part in inner:
        yield from _parts(part)


def _sizes(part: Query) -> Iterator[float]:
    """The measures that a part of a plan holds."""
    if isinstance(part, Event):
        yield from (compare.value for compare in part.where)
    elif isinstance(part, Then) and part.within_s is not None:
        yield part.within_s


def _counts(part: Query) -> Iterator[float]:
    """How many of something a part of a plan asks for: two of a kind are a 2, as are any two."""
    match part:
        case Event():
            who = [(who.labels, who.colors) for _, who in part.roles]
            if part.type in PAIR_TYPES and (not who or (len(who) == 2 and who[0] == who[1])):
                yield 2.0
        case Count():
            yield float(part.number)
        case Then() | Relate():
            first, second = part.first, part.second
            kinds = [event.type for event in (first, second) if isinstance(event, Event)]
            if len(kinds) == 2 and kinds[0] == kinds[1]:
                yield 2.0
        case _:
            pass
