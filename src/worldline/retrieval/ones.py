"""What stands for a noun that was said before: `a red ball hits a blue one`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from worldline.retrieval.vocabulary import Entry, Kind
from worldline.retrieval.words import Item

__all__ = ["named_ones"]

_WORDS = {"one", "ones"}
_NOUNS = (Kind.NOUN, Kind.ANYTHING)


def named_ones(items: Sequence[Item]) -> list[Item]:
    """The same words with `one` after a colour read as the noun before it, or as anything.

    Without a colour it stays the number that it is: `one of them falls`.
    """
    out: list[Item] = []
    for item in items:
        if item.words in _WORDS and out and out[-1].kind is Kind.COLOR:
            noun = next((i.entry for i in reversed(out) if i.kind in _NOUNS), Entry(Kind.ANYTHING))
            item = replace(item, entry=noun)
        out.append(item)
    return out
