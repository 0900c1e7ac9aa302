"""Ranges such as "between 1 and 2 m", as two limits."""

from __future__ import annotations

from dataclasses import replace

from worldline.core.errors import InputError
from worldline.retrieval.numerals import quoted
from worldline.retrieval.query import Op
from worldline.retrieval.vocabulary import Entry, Kind
from worldline.retrieval.words import Item

__all__ = ["ABOUT", "EXACTLY", "spread_ranges"]

ABOUT = 0.1
"""How far "about 2 m" reaches to either side, as a part of it."""

EXACTLY = 0.02
"""How far "exactly 2 m" does: measured sizes are never equal to a number."""

_LIMIT = [Kind.COMPARATOR, Kind.MEASURE]
_SIZES = (Kind.NUMBER, Kind.MEASURE)


def spread_ranges(items: list[Item]) -> list[Item]:
    """Turn "between 1 and 2 m" and "1 to 2 m" into "at least 1 m, at most 2 m".

    The smaller number is the lower limit, whichever is said first.

    Raises:
        InputError: a range has limits of different kinds, counts events, or follows a comparator.
    """
    items = _shared_units(items)
    result: list[Item] = []
    at = 0
    while at < len(items):
        if near := _near(items[at : at + 2]):
            result += near
            at += 2
            continue
        size = _length(items[at:])
        if size == 0:
            result.append(items[at])
            at += 1
            continue
        told = [item for item in result if item.words != "of"]
        hint = [item for item in told[-1:] if item.kind in (Kind.QUANTITY, Kind.LASTING)]
        low, high = _limits(items[at : at + size], has_hint=bool(hint))
        if result and result[-1].kind in (Kind.COMPARATOR, Kind.WITHIN):
            words = " ".join(item.words for item in items[at : at + size])
            raise InputError(
                f"`{result[-1].words} {quoted(words)}` is a limit and a range at once; give one of "
                "them"
            )
        result += [Item(Entry(Kind.COMPARATOR, Op.GE), "at least"), low]
        result += [*hint, Item(Entry(Kind.COMPARATOR, Op.LE), "at most"), high]
        at += size
    return result


def _shared_units(items: list[Item]) -> list[Item]:
    """ "At least 2 but less than 5 s": the first number is in the unit of the second."""
    result = list(items)
    for at, item in enumerate(items):
        rest = [i for i in items[at + 1 : at + 4] if i.kind not in (Kind.AND, Kind.COMMA)]
        if item.kind is not Kind.NUMBER or [i.kind for i in rest[:2]] != _LIMIT:
            continue
        if at == 0 or items[at - 1].kind is not Kind.COMPARATOR:
            continue
        value = float(f"{item.entry.value * rest[1].factor:.12g}")
        entry = Entry(Kind.MEASURE, "", value)
        result[at] = replace(item, entry=entry, unit=rest[1].unit, factor=rest[1].factor)
    return result


def _near(items: list[Item]) -> list[Item]:
    """ "About 2 m" and "exactly 2 m" as two limits a little apart: nothing measures 2 m itself."""
    if [item.kind for item in items[1:]] != [Kind.MEASURE]:
        return []
    said, size = items
    if said.kind is Kind.COMPARATOR and said.entry.text == Op.EQ:
        part = EXACTLY
    elif said.kind in (Kind.ABOUT, Kind.NEARLY):
        part = ABOUT
    else:
        return []
    words = f"{said.words} {size.words}"
    low, high = (
        replace(size, entry=Entry(Kind.MEASURE, "", float(f"{size.entry.value * by:.12g}")))
        for by in (1 - part, 1 + part)
    )
    meaning = f"within {part:.0%} of it"
    least = Item(Entry(Kind.COMPARATOR, Op.GE), words, guessed=True, meaning=meaning)
    return [least, low, Item(Entry(Kind.COMPARATOR, Op.LE), "at most"), high]


def _length(items: list[Item]) -> int:
    """How many items a range takes that begins here; 0 for none."""
    kinds = [item.kind for item in items[:4]]
    if kinds[:1] == [Kind.BETWEEN] and kinds[2:3] == [Kind.AND]:
        return 4 if len(kinds) == 4 and kinds[1] in _SIZES and kinds[3] in _SIZES else 0
    told = len(kinds) > 2 and items[1].words == "to"
    return 3 if told and kinds[0] in _SIZES and kinds[2] in _SIZES else 0


def _limits(said: list[Item], *, has_hint: bool) -> tuple[Item, Item]:
    """The two ends of a range, in order, in one unit."""
    words = " ".join(item.words for item in said)
    low, high = (item for item in said if item.kind in _SIZES)
    if high.kind is Kind.NUMBER and not has_hint:
        raise InputError(
            f"`{quoted(words)}` has no unit that is known; give a range as 1 to 2 m, and of a "
            "count only one limit, such as at least 2 times"
        )
    if low.kind is Kind.NUMBER and high.kind is Kind.MEASURE:
        value = float(f"{low.entry.value * high.factor:.12g}")
        low = replace(low, entry=Entry(Kind.MEASURE, "", value), unit=high.unit)
    if low.unit != high.unit:
        raise InputError(
            f"`{quoted(words)}` has limits in units of different kinds; give both in one"
        )
    return (low, high) if low.entry.value <= high.entry.value else (high, low)
