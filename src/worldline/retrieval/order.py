"""Order in time that is said at a distance: "X, Y afterwards", "had already X when Y", lists."""

from __future__ import annotations

from dataclasses import replace

from worldline.retrieval.compounds import THINGS
from worldline.retrieval.vocabulary import Entry, Kind
from worldline.retrieval.words import Item, has_event

__all__ = ["in_order"]

_ORDER = (Kind.THEN, Kind.AFTER, Kind.RELATION)
_LATE = ("afterwards", "later", "after that", "subsequently", "next", "later on")


def in_order(items: list[Item]) -> list[Item]:
    """The same words, with "then" between the events where it is meant."""
    return _listed(_already(_trailing(items)))


def _trailing(items: list[Item]) -> list[Item]:
    """ "A turn, braking afterwards" as "a turn, then braking"."""
    if not items or items[-1].words not in _LATE:
        return items
    for at in range(len(items) - 2, 0, -1):
        joint = items[at].kind in (Kind.COMMA, Kind.AND)
        if joint and has_event(items[:at]) and has_event(items[at:]):
            return [*items[:at], items[-1], *items[at + 1 : -1]]
    return items


def _already(items: list[Item]) -> list[Item]:
    """ "Had already stopped when a person crossed": a stop, then a crossing."""
    told = [i for i, item in enumerate(items) if item.words == "already"]
    joint = [i for i, item in enumerate(items) if item.words == "when"]
    if not told or not joint or told[0] > joint[0] or not has_event(items[: joint[0]]):
        return items
    result = list(items)
    result[told[0]] = replace(items[told[0]], entry=Entry(Kind.FILLER))
    result[joint[0]] = replace(items[joint[0]], entry=Entry(Kind.THEN))
    return result


def _listed(items: list[Item]) -> list[Item]:
    """ "A bottle tips, rolls, falls": verbs in a row without "and" are told in their order."""
    if any(item.kind in (*_ORDER, Kind.AND, Kind.OR, Kind.NOT, Kind.NOTHING) for item in items):
        return items
    commas = [i for i, item in enumerate(items) if item.kind is Kind.COMMA]
    pieces = [items[a + 1 : b] for a, b in zip([-1, *commas], [*commas, len(items)], strict=True)]
    verbs = [p for p in pieces[1:] if has_event(p) and not any(i.kind in THINGS for i in p)]
    if len(verbs) < 2 or len(verbs) < len(pieces) - 2:
        return items
    result = list(items)
    first = next((n for n, p in enumerate(pieces) if has_event(p)), 0)
    for comma in commas[first:]:
        result[comma] = replace(items[comma], entry=Entry(Kind.THEN), guessed=True, meaning="then")
    return result
