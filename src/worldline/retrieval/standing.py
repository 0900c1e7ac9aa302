"""How the words of one clause stand to each other: what is before a verb, attributes, relatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from worldline.retrieval.draft import Said
from worldline.retrieval.mentions import Named
from worldline.retrieval.query import PAIR_TYPES, Event
from worldline.retrieval.verbs import DOING, is_participle
from worldline.retrieval.vocabulary import LEXICON, Kind
from worldline.retrieval.words import Item

__all__ = ["EACH_OTHER", "another", "is_attribute", "is_handler", "is_joined", "is_relative"]
__all__ += ["is_support", "word"]

_RELATIVE = ("which", "that", "who")
EACH_OTHER = ("each other", "one another")


def another(event: Event) -> Event:
    """The same event of somebody else."""
    roles = ((role, replace(who, name=None)) for role, who in event.roles)
    return replace(event, roles=tuple(roles))


def is_handler(named: Sequence[Named]) -> bool:
    """Whether it is somebody who pours, and not what is poured."""
    return any({"person", "robot", "hand", "gripper"} & set(n.who.labels) for n in named)


def word(items: Sequence[Item], at: int) -> str:
    """The words at a place, or "" outside."""
    return items[at].words if 0 <= at < len(items) else ""


def is_attribute(items: Sequence[Item], said: Said, *named: Named) -> bool:
    """Whether a participle stands before its noun: "a falling ball", "a thrown red ball"."""
    verb = said.item.words
    if not named or not is_participle(verb) or items[named[0].at].kind is Kind.PRONOUN:
        return False
    to_another = said.item.entry.text in DOING or said.item.entry.text in PAIR_TYPES
    led = said.at > 0 and items[said.at - 1].kind is Kind.ARTICLE
    if to_another and verb.split()[0].endswith("ing") and not led:
        return False  # "pushing boxes", unlike "a pushing robot"
    between = items[said.at + 1 : named[0].at]
    return named[0].at > said.at and all(i.kind in (Kind.COLOR, Kind.UNKNOWN) for i in between)


def is_relative(items: Sequence[Item], said: Said, named: Named) -> bool:
    """Whether the nearest noun is the event's subject: "which topples", "a car turning left"."""
    between = items[named.at + 1 : said.at]
    if any(i.words.split()[0] in _RELATIVE for i in between):
        return True
    return said.item.words.split()[0].endswith("ing") and not between


def is_joined(items: Sequence[Item], said: Said, named: Named) -> bool:
    """Whether an "and" parts somebody from the verb before."""
    return any(i.kind is Kind.AND for i in items[said.at : named.at])


def is_support(named: Named) -> bool:
    """Whether something is said to be what an event happens on: "on a ramp", "off a wall"."""
    across = named.is_place and named.link in ("across", "over")
    entry = LEXICON.get(named.link)
    on = entry is not None and entry.kind is Kind.ON and named.link != "out of"
    return across or on
