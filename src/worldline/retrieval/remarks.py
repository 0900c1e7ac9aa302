"""What is noted while a sentence is read: words that were guessed at, and words without a part."""

from __future__ import annotations

from collections.abc import Sequence

from worldline.retrieval.plan import Guess
from worldline.retrieval.used import unused
from worldline.retrieval.vocabulary import Kind
from worldline.retrieval.words import Item

__all__ = ["Remarks"]

_QUIET = (Kind.FILLER, Kind.ARTICLE, Kind.AND, Kind.COMMA, Kind.UNKNOWN, Kind.PRONOUN)
_QUIET += (Kind.VAGUE, Kind.NEARLY)


_LOST = (Kind.UNKNOWN, Kind.VAGUE, Kind.NEARLY)


def _sized(item: Item | None) -> bool:
    """Whether a vague word such as "high" only says which way a size is measured."""
    return item is not None and item.kind is Kind.MEASURE


class Remarks:
    """Guesses and ignored words, in the order of reading."""

    def __init__(self) -> None:
        self._guesses: list[Guess] = []
        self._ignored: list[str] = []

    def guess(self, words: str, meaning: str) -> None:
        """Note that these words were read in a way that was not spelled out."""
        self._guesses.append(Guess(words, meaning))

    def add(self, guesses: Sequence[Guess]) -> None:
        """Note several guesses."""
        self._guesses += guesses

    def withdraw(self, meaning: str) -> None:
        """Take back the guesses of this meaning: the plan says what was asked."""
        self._guesses = [g for g in self._guesses if g.meaning != meaning]

    def drop(self, words: str) -> None:
        """Note that a word played no part."""
        self._ignored.append(words)

    def ignore(self, items: Sequence[Item]) -> None:
        """Note that these said nothing, apart from words that never do.

        Raises:
            InputError: there is a number among them.
        """
        for item in items:
            if item.kind is Kind.NUMBER:
                raise unused(items, item)
        self._ignored += [item.words for item in items if item.kind not in _QUIET]

    def of(self, items: Sequence[Item]) -> tuple[tuple[Guess, ...], tuple[str, ...]]:
        """All guesses, and all ignored words, with those that show in the sentence's own words."""
        spelled = [
            Guess(
                item.words,
                item.meaning or f"read as {item.entry.text or item.kind}".replace("_", " "),
            )
            for item in items
            if item.guessed and item.kind is not Kind.COMPARATOR
        ]
        pairs = zip([None, *items], items, strict=False)
        unknown = [i.words for before, i in pairs if i.kind in _LOST and not _sized(before)]
        return tuple(spelled + self._guesses), tuple(unknown + self._ignored)
