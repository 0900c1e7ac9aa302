"""Ranges such as "between 1 and 2 m", as two limits."""

from __future__ import annotations

from dataclasses import replace

from worldline.core.errors import InputError
from worldline.retrieval.query import Op
from worldline.retrieval.vocabulary import Entry, Kind
from worldline.retrieval.words import Item

__all__ = ["spread_ranges"]

_SIZES = (Kind.NUMBER, Kind.MEASURE)


def spread_ranges(items: list[Item]) -> list[Item]:
    """Turn "between 1 and 2 m" and "1 to 2 m" into "at least 1 m, at most 2 m".

    The smaller number is the lower limit, whichever is said first.

    Raises:
        InputError: a range has limits of different kinds, counts events, or follows a comparator.
    """
    result: list[Item] = []
    at = 0
    while at < len(items):
        size = _length(items[at:])
        if size == 0:
            result.append(items[at])
            at += 1
            continue
        hint = [item for item in result[-1:] if item.kind in (Kind.QUANTITY, Kind.LASTING)]
        low, high = _limits(items[at : at + size], has_hint=bool(hint))
        if result and result[-1].kind in (Kind.COMPARATOR, Kind.WITHIN):
            words = " ".join(item.words for item in items[at : at + size])
            raise InputError(
                f"`{result[-1].words} {words}` is a limit and a range at once; give one of them"
            )
        result += [Item(Entry(Kind.COMPARATOR, Op.GE), "at least"), low]
        result += [*hint, Item(Entry(Kind.COMPARATOR, Op.LE), "at most"), high]
        at += size
    return result


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
            f"`{words}` has no unit that is known; give a range as 1 to 2 m, and of a count only "
            "one limit, such as at least 2 times"
        )
    if low.kind is Kind.NUMBER and high.kind is Kind.MEASURE:
        value = float(f"{low.entry.value * high.factor:.12g}")
        low = replace(low, entry=Entry(Kind.MEASURE, "", value), unit=high.unit)
    if low.unit != high.unit:
        raise InputError(f"`{words}` has limits in units of different kinds; give both in one")
    return (low, high) if low.entry.value <= high.entry.value else (high, low)
