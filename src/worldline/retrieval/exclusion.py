"""Who is said *not* to be meant: "everything but a ball", "a non-red ball", "a car, not a bus".

A plan can ask for labels and colours, not for their absence. Such words are taken out of the
sentence and listed as having no part in the plan, so that it finds more than was asked for, and
says so, rather than the opposite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from worldline.retrieval.compounds import THINGS, end_of_noun
from worldline.retrieval.plan import Guess
from worldline.retrieval.vocabulary import Entry, Kind
from worldline.retrieval.words import Item

__all__ = ["quantified", "set_aside"]

_EVERYTHING = ("everything", "anything", "something", "nothing", "none", "nobody", "no one")
_EXCEPT = ("except", "excepting", "excluding", "besides")
_EXCEPT_FROM = ("except for", "other than", "apart from", "aside from")
_LED = (Kind.ARTICLE, Kind.COLOR, Kind.FILLER, Kind.NUMBER)
_DENIES = ("not", "but not", "and not", "is not", "are not", "was not", "were not", "but is not")
_QUANTIFIERS = ("all", "all the", "every", "each")
_BEING = ("is", "are", "was", "were", "has", "have")
_NOUNS = ("ion", "ions", "miss", "misses", "accident", "accidents")


def set_aside(items: Sequence[Item]) -> tuple[list[Item], list[str]]:
    """The sentence without the exclusions that no plan can hold, and their words."""
    result: list[Item] = []
    dropped: list[str] = []
    at = 0
    while at < len(items):
        size, stand_in = _excluded(items, at, result)
        if size:
            dropped.append(" ".join(i.words for i in items[at : at + size]))
            result += stand_in
            at += size
            closing = items[at : at + 1]
            opened = result and result[-1].kind is Kind.COMMA
            if opened and closing and closing[0].kind is Kind.COMMA:
                result.pop()  # "a car, not a bus, brakes"
                at += 1
            elif opened and not closing:
                result.pop()
        else:
            result.append(items[at])
            at += 1
    return result, dropped


def quantified(items: Sequence[Item]) -> list[Guess]:
    """What "all", "each" and "only" before things are read as: one of them is looked for."""
    guesses = []
    for at, item in enumerate(items):
        end = at + 1
        while end < len(items) and items[end].kind in (Kind.COLOR, Kind.UNKNOWN, Kind.ARTICLE):
            end += 1
        if end >= len(items) or items[end].kind is not Kind.NOUN:
            continue
        after = items[end + 1] if end + 1 < len(items) else None
        does = after is not None and (after.kind is Kind.EVENT or after.words in _BEING)
        listed = after is None or after.words.endswith(_NOUNS) or _is_gerund(after)
        singular = not items[end].words.endswith(("s", "people", "men", "children", "dice"))
        listed = listed or (item.words == "all" and singular)  # "all car crashes"
        words = f"{item.words} {items[end].words}"
        if item.words in _QUANTIFIERS and at > 0 and items[at - 1].kind is Kind.NOT:
            guesses.append(Guess(f"{items[at - 1].words} {words}", "none of them"))
        elif item.words in _QUANTIFIERS and does and not listed:
            guesses.append(Guess(words, "at least one of them"))
        elif item.words == "only":
            guesses.append(Guess(words, "these; whether others do too is not looked at"))
    return guesses


def _is_gerund(item: Item) -> bool:
    return item.words.split()[0].endswith("ing")


def _excluded(items: Sequence[Item], at: int, said: Sequence[Item]) -> tuple[int, list[Item]]:
    """How many items from here exclude somebody, and what stands for them."""
    item = items[at]
    if item.kind is Kind.NOT and [i.words for i in items[at + 1 : at + 2]] == ["only"]:
        counted = [i.kind for i in items[at + 2 : at + 3]] in ([Kind.NUMBER], [Kind.TIMES])
        return (0, []) if counted else (2, [])
    if item.words == "non":
        if [i.kind for i in items[at + 1 : at + 2]] == [Kind.COLOR]:
            return 2, []
        if [i.kind for i in items[at + 1 : at + 2]] == [Kind.NOUN]:
            return 2, [replace(items[at + 1], entry=Entry(Kind.ANYTHING))]
    size = _excepts(items, at, said)
    end = end_of_noun(items, at + size, _LED) if size else None
    if item.words == "all but" and (end := end_of_noun(items, at + 1, _LED)):
        return end - at, [Item(Entry(Kind.ANYTHING), "everything")]
    if end and said and item.words == "but" and said[-1].kind is Kind.NOTHING:
        return 0, []
    if end:
        return end - at, []
    if item.kind is Kind.NOTHING and [i.words for i in items[at + 1 : at + 2]] == ["but"]:
        return (2, []) if end_of_noun(items, at + 2, _LED) else (0, [])
    if item.kind is Kind.NOT and item.words in _DENIES:
        return _denied(items, at, said), []
    return 0, []


def _excepts(items: Sequence[Item], at: int, said: Sequence[Item]) -> int:
    """How many items say "except" here."""
    if items[at].words == "but":
        return int(bool(said) and said[-1].words in _EVERYTHING)
    if " ".join(i.words for i in items[at : at + 2]) in _EXCEPT_FROM:
        return 2
    return int(items[at].words in (*_EXCEPT, *_EXCEPT_FROM))


def _denied(items: Sequence[Item], at: int, said: Sequence[Item]) -> int:
    """How many items deny a colour ("which isn't red") or one beside the subject ("not a bus")."""
    spoken = [i for i in said if i.kind not in (Kind.FILLER, Kind.COMMA)]
    of_thing = bool(spoken) and spoken[-1].kind in THINGS
    led = bool(said) and said[-1].kind is Kind.ARTICLE
    following = [i.kind for i in items[at + 1 : at + 3]]
    if following[:1] == [Kind.COLOR] and (led or (of_thing and following[1:] != [Kind.NOUN])):
        return 2
    end = end_of_noun(items, at + 1, _LED)
    if not end or not spoken:
        return 0
    ends = end == len(items) or items[end].kind in (Kind.COMMA, Kind.THEN, Kind.AFTER)
    happened = any(i.kind is Kind.EVENT for i in said)
    return end - at if (ends and (happened or of_thing)) or (of_thing and not happened) else 0
