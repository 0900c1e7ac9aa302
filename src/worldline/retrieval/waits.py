"""Time between events that is said at a distance: "and topples at most 1.5 s later".

A plan limits a wait from above only. A lower limit ("more than 1 s after a bounce") is taken out
and listed, rather than read as how long one of the events takes.
"""

from __future__ import annotations

from collections.abc import Sequence

from worldline.retrieval.query import Op
from worldline.retrieval.vocabulary import LEXICON, Entry, Kind
from worldline.retrieval.words import Item, has_event

__all__ = ["far_waits"]

_ORDER = (Kind.THEN, Kind.AFTER, Kind.RELATION)
_LATER = ("later", "afterwards", "after that", "and later", "and after that", "thereafter")
_REFERS = ("it", "that", "them", "this")
_JOINTS = (Kind.AND, Kind.COMMA)
_MUTUAL = ("each other", "one another")


def far_waits(items: Sequence[Item]) -> tuple[list[Item], list[str]]:
    """The sentence with such times where its events are joined, and the limits without a part."""
    kept, dropped = _without_least(_in_time(_again(list(items))))
    kept, lost = _of_nothing(_leading(_trailing(kept)))
    return kept, dropped + lost


def _is_time(items: Sequence[Item], at: int) -> bool:
    return at < len(items) and items[at].kind is Kind.MEASURE and items[at].unit == "s"


def _orders(items: Sequence[Item], at: int) -> bool:
    if at >= len(items):
        return False
    return items[at].words in (*_LATER, "after", "before") or items[at].kind is Kind.AFTER


def _without_least(items: list[Item]) -> tuple[list[Item], list[str]]:
    """Take "more than 1 s" out before "after", "before" and "later"."""
    result: list[Item] = []
    dropped: list[str] = []
    at = 0
    while at < len(items):
        item = items[at]
        opens = item.words == "after" and _is_time(items, at + 1) and not has_event(result)
        if opens and [i.words for i in items[at + 2 : at + 3]] != ["of"]:
            dropped.append(f"after {items[at + 1].words}")
            at += 2
            continue
        least = item.kind is Kind.COMPARATOR and Op(item.entry.text) in (Op.GT, Op.GE)
        lasting = bool(result) and result[-1].kind in (Kind.LASTING, Kind.QUANTITY)
        lasting = lasting or item.words.startswith(("longer", "no shorter"))
        if least and not lasting and _is_time(items, at + 1):
            ranged = items[at + 2 : at + 3]
            most = bool(ranged) and ranged[0].kind is Kind.COMPARATOR and _is_time(items, at + 3)
            if _orders(items, at + 2) or (most and _orders(items, at + 4)):
                size = items[at + 1]
                unit = "" if " " in size.words else " s"
                dropped.append(f"{item.words} {size.words}{unit}")
                at += 2
                continue
        result.append(item)
        at += 1
    return result, dropped


def _in_time(items: list[Item]) -> list[Item]:
    """ "In 2 s" as "within 2 s"; what "is within 2 s" is in nothing."""
    result: list[Item] = []
    for at, item in enumerate(items):
        verb, _, last = item.words.rpartition(" ")
        placed = item.entry.text == "contain" and item.words == "is within"
        if (placed or item.words == "in") and _is_time(items, at + 1):
            result.append(Item(Entry(Kind.WITHIN), "within"))
        elif last == "in" and verb in LEXICON and _is_time(items, at + 1):
            result += [Item(LEXICON[verb], verb), Item(Entry(Kind.WITHIN), "within")]
        else:
            result.append(item)
    return result


def _again(items: list[Item]) -> list[Item]:
    """ "The second bounce is within 0.3 s of the first": two of them."""
    words = [item.words for item in items]
    for at in range(1, len(items) - 4):
        limits = words[at + 1] in ("within", "is within") and _is_time(items, at + 2)
        of_first = [w for w in words[at + 3 :] if w not in ("the", "one")] == ["of", "first"]
        if items[at].kind is Kind.EVENT and words[at - 1] == "another" and limits and of_first:
            wait = [Item(Entry(Kind.THEN), "then"), Item(Entry(Kind.WITHIN), "within")]
            return [*items[: at - 1], items[at], *wait, items[at + 2], items[at - 1]]
    return items


def _of_nothing(items: list[Item]) -> tuple[list[Item], list[str]]:
    """Take out "within 2 s of it" where no event is named that it is a wait for."""
    for at in range(len(items) - 2):
        last = items[at + 2]
        limits = items[at].kind is Kind.WITHIN and _is_time(items, at + 1)
        mutual = " ".join(item.words for item in items[at + 3 : at + 5]).startswith(_MUTUAL)
        if limits and last.words == "of" and not mutual and not has_event(items[at + 3 :]):
            said = " ".join(item.words for item in items[at : at + 3])
            return [*items[:at], *items[at + 3 :]], [said]
    return items, []


def _trailing(items: list[Item]) -> list[Item]:
    """ "Hit by a ball and topples at most 1.5 s later" as "then within 1.5 s topples"."""
    for at in range(1, len(items)):
        of_it = [i.words for i in items[at + 1 : at + 2]] == ["of"]
        of_it = of_it and [i.words in _REFERS for i in items[at + 2 : at + 3]] == [True]
        if not _is_time(items, at) or not (of_it or _orders(items, at + 1)):
            continue
        start = at
        if items[at - 1].kind is Kind.WITHIN or _limits(items[at - 1]):
            start -= 1
        end = at + 2
        if end < len(items) and items[end].words in _REFERS:
            end += 1
        elif items[at + 1].words in ("after", "before"):
            continue
        if items[at + 1].words == "before":
            continue
        stop = next((i for i in range(end, len(items)) if items[i].kind in _ORDER), len(items))
        if has_event(items[end:stop]) or start == 0:
            continue
        first = start
        while first > 0 and items[first - 1].kind not in _ORDER:
            first -= 1
        for joint in range(start - 1, first, -1):
            both = has_event(items[first:joint]) and has_event(items[joint:start])
            if items[joint].kind in _JOINTS and both:
                wait = [Item(Entry(Kind.WITHIN), "within", meaning=_meaning(items, start, at))]
                wait = [Item(Entry(Kind.THEN), "then"), *wait, items[at]]
                clause = items[joint + 1 : start]
                return _trailing([*items[:joint], *wait, *clause, *items[end:]])
    return items


def _meaning(items: Sequence[Item], start: int, at: int) -> str:
    return "" if start < at else f"within {items[at].words}"


def _limits(item: Item) -> bool:
    return item.kind is Kind.COMPARATOR and Op(item.entry.text) in (Op.LT, Op.LE)


def _leading(items: list[Item]) -> list[Item]:
    """ "Hits a box and within two seconds the box falls" as "then within two seconds"."""
    result = list(items)
    for at in range(1, len(items) - 2):
        joint, limit = items[at], items[at + 1]
        if (
            joint.kind not in _JOINTS
            or limit.kind is not Kind.WITHIN
            or not _is_time(items, at + 2)
        ):
            continue
        after = items[at + 3 :]
        if after and (after[0].words == "of" or after[0].kind in (*_ORDER, *_JOINTS)):
            continue
        end = next((i for i, item in enumerate(after) if item.kind in (*_ORDER, *_JOINTS)), None)
        if has_event(items[:at]) and has_event(after[:end]):
            result[at] = Item(Entry(Kind.THEN), "then")
    return result
