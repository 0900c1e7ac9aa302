"""Verbs of several words that a sentence takes apart, and verbs that say nothing alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from worldline.retrieval.inflection import forms_of
from worldline.retrieval.vocabulary import LEXICON, LIGHT, Entry, Kind
from worldline.retrieval.words import Item

__all__ = ["joined"]

_PARTICLES = (
    *("up", "down", "over", "off", "out", "away", "apart", "along", "around", "aside", "together"),
    *("in", "back", "forward", "back down", "into pieces", "to pieces", "to bits", "in two"),
    *("in half", "into bits", "past"),
)
_PHRASE = (Kind.ARTICLE, Kind.COLOR, Kind.NOUN, Kind.ANYTHING, Kind.PRONOUN, Kind.NUMBER)
_EMPTY = Entry(Kind.FILLER)


def joined(items: list[Item]) -> list[Item]:
    """ "Picks the ball up" as "picks up the ball"; "makes a turn" as "a turn"."""
    return _aspect(_light(_separated(items)))


def _separated(items: list[Item]) -> list[Item]:
    result = list(items)
    at = 0
    while at < len(result):
        end = _end_of_things(result, at + 1)
        verb = result[at]
        if end > at + 1 and end < len(result) and verb.kind in (Kind.EVENT, Kind.UNKNOWN):
            particle = result[end].words
            entry = LEXICON.get(f"{verb.words} {particle}")
            sized = [i.kind for i in result[end + 1 : end + 2]]
            free = sized not in ([Kind.MEASURE], [Kind.NUMBER]) and not _leads(result, end)
            if particle in _PARTICLES and entry is not None and entry.kind is Kind.EVENT and free:
                words = f"{verb.words} {particle}"
                result[at] = replace(verb, entry=entry, words=words, guessed=False)
                del result[end]
        at += 1
    return result


def _end_of_things(items: Sequence[Item], at: int) -> int:
    while at < len(items) and items[at].kind in _PHRASE:
        at += 1
    return at


def _leads(items: Sequence[Item], at: int) -> bool:
    """Whether a particle is the preposition of what comes after it: "down the ramp"."""
    after = [i.kind for i in items[at + 1 : at + 2]]
    return after in ([Kind.ARTICLE], [Kind.NOUN], [Kind.PLACE], [Kind.COLOR])


def _light(items: list[Item]) -> list[Item]:
    """ "Makes a turn", "has an accident": the noun says what happens, the verb nothing."""
    result = list(items)
    for at, item in enumerate(items):
        if item.words not in LIGHT or item.kind not in (Kind.UNKNOWN, Kind.FILLER):
            continue
        rest = at + 1
        while rest < len(items) and items[rest].kind in (Kind.ARTICLE, Kind.HARD, Kind.SIDE):
            rest += 1
        if rest < len(items) and items[rest].kind is Kind.EVENT:
            result[at] = replace(item, entry=_EMPTY, guessed=False)
    return result


def _aspect(items: list[Item]) -> list[Item]:
    """ "Starts rolling" and "keeps rolling" are rolling, "stops rolling" is a stop."""
    result = list(items)
    for at in range(len(items) - 1):
        item, after = items[at], items[at + 1]
        if item.words in _BEGINS and after.words == "on" and at + 2 < len(items):
            after = items[at + 2]  # "keeps on rolling"
        gerund = after.kind is Kind.EVENT and after.words.split()[0].endswith("ing")
        if not gerund:
            continue
        if item.words in _BEGINS:
            result[at] = replace(item, entry=_EMPTY, guessed=False)
        elif item.words in _STOPS and after.entry.text in ("roll", "slide"):
            result[at + 1] = replace(after, entry=_EMPTY, guessed=False)
        elif item.words in _STOPS:
            result[at + 1] = replace(after, entry=Entry(Kind.VAGUE), guessed=False)
    return result


_BEGINS = frozenset(f for verb in ("start", "begin", "keep", "continue") for f in forms_of(verb))
_STOPS = frozenset(f for verb in ("stop", "cease", "finish", "quit") for f in forms_of(verb))
