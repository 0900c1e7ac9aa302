"""What nearly happens: "almost hits" and "narrowly avoids touching" are near misses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from worldline.retrieval.vocabulary import AVOIDS, LIGHT, Entry, Kind
from worldline.retrieval.words import Item

__all__ = ["nearly"]

_NEAR = ("near", "close to", "near to")
_MISSED = ("collide", "contact", "near_miss")
_QUIET = (Kind.ARTICLE, Kind.FILLER)


def nearly(items: list[Item]) -> list[Item]:
    """The same words, with a touch that nearly happens as one near miss.

    What else nearly happens is not told from what does: the adverb is left for the remarks.
    """
    result: list[Item] = []
    at = 0
    while at < len(items):
        item = items[at]
        end = _end(items, at) if _begins(item) else at
        if end > at:
            words = " ".join(i.words for i in items[at : end + 1])
            result.append(Item(Entry(Kind.EVENT, "near_miss"), words))
            at = end + 1
            continue
        if item.kind is Kind.NEARLY and item.words in _NEAR:
            item = replace(item, entry=Entry(Kind.FROM))
        result.append(item)
        at += 1
    return result


def _begins(item: Item) -> bool:
    """Whether words that turn a touch into a near miss may begin here."""
    return item.kind is Kind.NEARLY or item.words == "near" or item.words in AVOIDS


def _end(items: Sequence[Item], at: int) -> int:
    """Where the near miss ends that begins here: at the touch that it keeps from happening."""
    last = at
    for end in range(at + 1, len(items)):
        item = items[end]
        if item.kind is Kind.EVENT and item.entry.text in _MISSED and item.words not in AVOIDS:
            return end
        if item.words in AVOIDS:
            last = end
        elif not (item.kind in _QUIET or item.words in LIGHT or item.kind is Kind.NEARLY):
            break
    return last
