"""From a sentence to a list of meanings: the longest known phrase first, numbers with units."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from worldline.core.errors import InputError
from worldline.retrieval.numerals import plain_numbers, quoted
from worldline.retrieval.phrasing import spell_out
from worldline.retrieval.units import UNITS
from worldline.retrieval.verbs import DOING
from worldline.retrieval.vocabulary import GUESSED, LEXICON, Entry, Kind

__all__ = ["MAX_CHARACTERS", "MAX_WORDS", "Item", "has_event", "read_words"]

MAX_WORDS = 200
MAX_CHARACTERS = 4000
_LONGEST = max(phrase.count(" ") + 1 for phrase in LEXICON)
_LONGEST_UNIT = max(unit.count(" ") + 1 for unit in UNITS)
_TOKEN = re.compile(
    r"\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+|(?:km/h|(?:[cm]?m|ft|px|rad|deg|rev|sizes)/s2?)|>=|<=|==|->|[<>=&|;,]|"
    r"[^\W\d_]\w*"
)
_COUNTS = "|".join(phrase for phrase, entry in LEXICON.items() if entry.kind is Kind.NUMBER)
_NEGATIVE = re.compile(
    r"(?<![\w.)-])(?:-|(?:minus|negative)\s+)\.?\d[\d.]*"
    rf"|\b(?:minus|negative)\s+(?:{_COUNTS})\b"
)
"""A number below zero; "2-3 m" and "near-miss" hold none."""
_LONG_ENOUGH, _CLOSE = 5, 0.84
_SLIPPED = (Kind.EVENT, Kind.NOUN, Kind.COLOR)


def _slips(word: str) -> set[str]:
    """Short slips: a doubled letter single, or two letters after the first changed about."""
    pairs = range(1, len(word))
    undoubled = {word[:i] + word[i + 1 :] for i in pairs if word[i] == word[i - 1]}
    return undoubled | {
        word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 1)
    }


_SHORT_SLIPS = {
    slip: phrase
    for phrase, entry in LEXICON.items()
    if entry.kind in _SLIPPED and " " not in phrase and 3 <= len(phrase) <= _LONG_ENOUGH
    for slip in _slips(phrase)
    if slip not in LEXICON
}


def _letters(word: str) -> tuple[str, str]:
    """What words keep when letters after the first change places."""
    return word[:1], "".join(sorted(word))


_SPELLABLE = [phrase for phrase in LEXICON if " " not in phrase and len(phrase) >= _LONG_ENOUGH]

_SAME_LETTERS = {_letters(phrase): phrase for phrase in _SPELLABLE}


@dataclass(frozen=True)
class Item:
    """A word or phrase with its meaning.

    Attributes:
        entry: the meaning.
        words: as they were written, in lower case.
        unit: the stored unit of a measure, into which its value is already converted.
        factor: from the written unit to the stored one.
        guessed: the asker did not quite say this.
        meaning: how it was read where it was guessed, if the entry does not say so.
    """

    entry: Entry
    words: str
    unit: str = ""
    factor: float = 1.0
    guessed: bool = False
    meaning: str = ""

    @property
    def kind(self) -> Kind:
        """What it does in the sentence."""
        return self.entry.kind


def has_event(items: Sequence[Item]) -> bool:
    """Whether something happens in these words."""
    return any(item.kind is Kind.EVENT for item in items)


def read_words(text: str) -> list[Item]:
    """Read a sentence; words that are not known are kept as such.

    Raises:
        InputError: the sentence is longer than `MAX_WORDS` words or `MAX_CHARACTERS`, or holds a
            number below zero or one that cannot be read whole.
    """
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"the query has {len(text)} characters; ask in at most {MAX_CHARACTERS}, a few words "
            "for each thing that happens"
        )
    text = spell_out(text)
    if negative := _NEGATIVE.search(text):
        raise InputError(
            f"the query asks for {quoted(' '.join(negative[0].split()))}; heights, speeds, "
            "distances and times are measured as sizes, so ask with numbers of 0 or more"
        )
    text = plain_numbers(text)
    tokens = ["comma" if token == "," else token for token in _TOKEN.findall(text)]
    if len(tokens) > MAX_WORDS:
        raise InputError(f"the query has {len(tokens)} words; ask in at most {MAX_WORDS}")
    items: list[Item] = []
    at = 0
    while at < len(tokens):
        if tokens[at].startswith("named_"):
            items.append(Item(Entry(Kind.NAME, tokens[at][-1]), tokens[at]))
            at += 1
            continue
        item, length = _number(tokens, at) or _phrase(tokens, at) or _spelling(tokens[at])
        if items and (both := _sum(items[-1], item)):
            items[-1] = both
        else:
            items.append(item)
        at += length
    return items


def _sum(large: Item, small: Item) -> Item | None:
    """One measure in two units, such as "6 ft 2 in"."""
    if small.kind is not Kind.MEASURE or large.kind is not Kind.MEASURE:
        return None
    if small.unit != large.unit or small.factor >= large.factor:
        return None
    value = float(f"{large.entry.value + small.entry.value:.12g}")
    words = f"{large.words} {small.words}"
    return Item(Entry(Kind.MEASURE, "", value), words, small.unit, small.factor)


def _number(tokens: list[str], at: int) -> tuple[Item, int] | None:
    """A number, with the unit after it where there is one."""
    length, value = 1, None
    if tokens[at][0].isdecimal() or tokens[at][0] == ".":
        value = float(tokens[at])
    elif tokens[at : at + 2] == ["half", "a"]:
        value, length = 0.5, 2
    elif (entry := LEXICON.get(tokens[at])) is not None and entry.kind is Kind.NUMBER:
        value = entry.value
    if value is None:
        return None
    for size in range(_LONGEST_UNIT, 0, -1):
        unit = " ".join(tokens[at + length : at + length + size])
        if unit in UNITS:
            stored, factor = UNITS[unit]
            words = " ".join(tokens[at : at + length + size])
            if tokens[at + length + size :][:1] == ["per"]:
                words += f" {' '.join(tokens[at + length + size :][:2])}"
                raise InputError(
                    f"`{quoted(words)}` has a unit that is not known; write it as 2 m/s"
                )
            value = float(f"{value * factor:.12g}")  # 30 cm is 0.3 m, not 0.30000000000000004 m
            if not math.isfinite(value):
                raise InputError(f"`{quoted(words)}` is too large to be a finite number; give less")
            return Item(Entry(Kind.MEASURE, "", value), words, stored, factor), length + size
    return Item(Entry(Kind.NUMBER, "", value), " ".join(tokens[at : at + length])), length


def _phrase(tokens: list[str], at: int) -> tuple[Item, int] | None:
    for size in range(min(_LONGEST, len(tokens) - at), 0, -1):
        words = " ".join(tokens[at : at + size])
        if words in LEXICON and not _compares(tokens, at, size):
            if size > 1 and _begins(tokens[at + size - 1 :]):
                continue
            return Item(LEXICON[words], words, guessed=words in GUESSED), size
    return None


_STARTS = (Kind.COMPARATOR, Kind.NEARLY, Kind.RELATION, Kind.WITHIN, Kind.THEN)


def _begins(tokens: list[str]) -> bool:
    """Whether a phrase begins here, such as "no more than" in "and no more than 2 s later"."""
    phrases = (" ".join(tokens[:size]) for size in range(2, min(_LONGEST, len(tokens)) + 1))
    return any(p in LEXICON and LEXICON[p].kind in _STARTS for p in phrases)


def _compares(tokens: list[str], at: int, size: int) -> bool:
    """Whether a phrase's last word belongs to what comes after it.

    "Falls over 2 m" does not fall over, and "falls off a table" is a fall off it.
    """
    last, after = at + size - 1, at + size
    if size == 1 or after >= len(tokens):
        return False
    whole, short = LEXICON[" ".join(tokens[at:after])], LEXICON.get(" ".join(tokens[at:last]))
    if short is None or whole.kind not in (Kind.EVENT, Kind.HEIGHT):
        return False  # "comes within 2 m": no event without its last word
    if tokens[after] == "than":
        return True  # "goes faster than 2 m/s"
    kind = LEXICON[tokens[last]].kind if tokens[last] in LEXICON else Kind.UNKNOWN
    if _number(tokens, after) is not None:
        same = whole.kind is Kind.HEIGHT or short.kind is whole.kind
        return same and kind in (Kind.COMPARATOR, Kind.BETWEEN, Kind.WITHIN)
    things = (Kind.ARTICLE, Kind.NOUN, Kind.PLACE, Kind.COLOR, Kind.PRONOUN, Kind.ANYTHING)
    following = LEXICON.get(tokens[after], Entry(Kind.UNKNOWN)).kind
    alone = short == whole and short.text not in DOING  # "puts down a cup" keeps its "down"
    return alone and kind in (Kind.ON, Kind.FROM) and following in things


def _spelling(word: str) -> tuple[Item, int]:
    """The nearest known word, marked as a guess, or an unknown one."""
    close = _SHORT_SLIPS.get(word)
    close = close or _SAME_LETTERS.get(_letters(word))
    if close is None and len(word) >= _LONG_ENOUGH:
        close = next(iter(difflib.get_close_matches(word, _SPELLABLE, n=1, cutoff=_CLOSE)), None)
    if close is not None:
        return Item(LEXICON[close], word, guessed=True), 1
    return Item(Entry(Kind.UNKNOWN), word), 1
