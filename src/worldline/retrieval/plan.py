"""A plan: the typed query with what was read into it, as JSON and as a plain sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from worldline.core.errors import InputError
from worldline.core.wording import write_number
from worldline.physics import PROFILES
from worldline.retrieval.plan_json import Fields, read_query
from worldline.retrieval.profiles import by_profile
from worldline.retrieval.query import (
    NEARBY_S,
    And,
    Compare,
    Count,
    Event,
    Not,
    Op,
    Or,
    Query,
    Relate,
    Relation,
    Then,
    Who,
)
from worldline.retrieval.verbs import DOING

__all__ = ["Guess", "Plan", "Suggestion", "noun_of", "query_from_json", "query_to_json", "say"]
__all__ += ["with_article"]


@dataclass(frozen=True)
class Guess:
    """Words that were read in a way that the asker did not spell out, and how."""

    words: str
    meaning: str


@dataclass(frozen=True)
class Suggestion:
    """A known word that an unknown one may have been meant as; it has no part in the plan.

    Attributes:
        words: not known.
        known: the near word.
        by: "spelling" or "meaning".
    """

    words: str
    known: str
    by: str


@dataclass(frozen=True)
class Plan:
    """What a search will look for.

    Attributes:
        query: the typed expression; None when only physical similarity is asked for.
        text: what was asked, where it was asked in words.
        guesses: words with an assumed meaning.
        ignored: words that played no part.
        like: the video whose motion is to be matched.
        suggestions: what may have been meant by ignored words, to be asked about.
    """

    query: Query | None
    text: str = ""
    guesses: tuple[Guess, ...] = ()
    ignored: tuple[str, ...] = ()
    like: str | None = None
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def sentence(self) -> str:
        """The plan in plain English."""
        if self.query is None:
            return f"Motion like that in {self.like}."
        text = say(self.query)
        if self.like is not None:
            text += f", with motion like that in {self.like}"
        return text[0].upper() + text[1:] + "."

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "text": self.text,
            "sentence": self.sentence,
            "query": None if self.query is None else query_to_json(self.query),
            "guesses": [{"words": g.words, "meaning": g.meaning} for g in self.guesses],
            "ignored": list(self.ignored),
            "like": self.like,
            "suggestions": [
                {"words": s.words, "known": s.known, "by": s.by} for s in self.suggestions
            ],
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Plan:
        """Inverse of `to_json`; a bare query record is taken as a plan without remarks.

        Raises:
            InputError: the record is not a query; the message names what is wrong.
        """
        if "op" in record:
            return cls(query_from_json(record))
        known = ("text", "sentence", "query", "guesses", "ignored", "like", "suggestions")
        plan = Fields(record, "plan", known=known)
        query = plan.optional("query", dict)
        guesses = []
        for guess in plan.parts("guesses", known=("words", "meaning")):
            guesses.append(Guess(guess.needed("words", str), guess.needed("meaning", str)))
        suggestions = [
            Suggestion(s.needed("words", str), s.needed("known", str), s.needed("by", str))
            for s in plan.parts("suggestions", known=("words", "known", "by"))
        ]
        return cls(
            None if query is None else query_from_json(query),
            plan.optional("text", str) or "",
            tuple(guesses),
            plan.texts("ignored"),
            plan.optional("like", str),
            tuple(suggestions),
        )


def query_to_json(query: Query) -> dict[str, Any]:
    """Plain dictionary with an "op" key: event, then, relate, and, or, not or count."""
    match query:
        case Event(kind, where, roles):
            return {
                "op": "event",
                "type": kind,
                "where": [
                    {"quantity": c.quantity, "op": str(c.op), "value": c.value} for c in where
                ],
                "roles": {
                    role: {"labels": list(w.labels), "colors": list(w.colors), "name": w.name}
                    for role, w in roles
                },
            }
        case Then(first, second, within_s):
            return {
                "op": "then",
                "first": query_to_json(first),
                "second": query_to_json(second),
                "within_s": within_s,
            }
        case Relate(first, relation, second):
            return {
                "op": "relate",
                "first": query_to_json(first),
                "relation": str(relation),
                "second": query_to_json(second),
            }
        case And(parts):
            return {"op": "and", "parts": [query_to_json(p) for p in parts]}
        case Or(parts):
            return {"op": "or", "parts": [query_to_json(p) for p in parts]}
        case Not(part):
            return {"op": "not", "part": query_to_json(part)}
        case Count(part, op, number):
            return {
                "op": "count",
                "part": query_to_json(part),
                "comparator": str(op),
                "number": number,
            }
        case _:
            raise InputError(f"{type(query).__name__} is not a query expression")


def query_from_json(record: Mapping[str, Any]) -> Query:
    """Inverse of `query_to_json`.

    Raises:
        InputError: a key is missing, unknown or of the wrong kind; names the field.
    """
    return read_query(record)


_WORDS = {Op.GT: "more than", Op.GE: "at least", Op.LT: "less than", Op.LE: "at most"}
_UNITS = {
    "mps": "m/s",
    "mps2": "m/s²",
    "radps": "rad/s",
    "rad": "rad",
    "m": "m",
    "s": "s",
    "ns": "Ns",
    "px": "px",
    "px/s": "px/s",
    "px/s2": "px/s²",
    "sizes/s": "sizes/s",
    "sizes/s2": "sizes/s²",
}


def say(query: Query) -> str:
    """The query in plain English, without a full stop."""
    match query:
        case Event():
            return _say_event(query)
        case Then(first, second, within_s):
            limit = "" if within_s is None else f" within {write_number(within_s, 6)} s"
            return f"{_say_part(first)}, then{limit} {_say_part(second)}"
        case Relate(first, relation, second):
            return f"{say(first)} {_RELATIONS[relation]} {_say_part(second)}"
        case And(parts):
            wanted = [say(p) for p in parts if not isinstance(p, Not)]
            absent = [say(p.part) for p in parts if isinstance(p, Not)]
            text = " together with ".join(wanted) if wanted else "a video"
            near = f" (within {NEARBY_S:g} s)"
            return text + (" without " + " or ".join(absent) if absent else "") + near
        case Or(parts):
            return _say_profile(query) or " or ".join(say(p) for p in parts)
        case Not(part):
            return f"{_say_part(query)} in the whole video"
        case Count(part, op, number):
            times = "once" if number == 1 else f"{number} times"
            return f"{_WORDS.get(op, 'exactly')} {times} {say(part)}"
        case _:
            raise InputError(f"{type(query).__name__} is not a query expression")


def _say_profile(query: Or) -> str:
    """Such as "a near miss by SUMO" where that is what the alternatives are; else nothing."""
    first = query.parts[0] if query.parts else None
    if not isinstance(first, Event) or first.type != "near_miss":
        return ""
    plain = replace(first, where=())
    named = (name for name in PROFILES if by_profile(plain, name) == query)
    return next((f"{say(plain)} by {name.upper()}" for name in named), "")


_RELATIONS = {
    Relation.WHILE: "at the same time as",
    Relation.DURING: "during",
    Relation.OVERLAPS: "overlapping",
    Relation.MEETS: "until",
    Relation.STARTS: "beginning together with",
    Relation.FINISHES: "ending together with",
}


def _say_part(query: Query) -> str:
    """A part of a sequence or relation: there absence is not that of the whole video."""
    if not isinstance(query, Not):
        return say(query)
    return f"no {say(query.part).removeprefix('an ').removeprefix('a ')}"


_NOUNS = {
    "accelerate": "acceleration",
    "brake": "braking",
    "carry": "carrying",
    "collide": "collision",
    "contain": "containment",
    "converge": "convergence",
    "cross": "crossing",
    "deform": "deformation",
    "diverge": "divergence",
    "enter": "entry",
    "follow": "following",
    "occlude": "occlusion",
    "oscillate": "oscillation",
    "overtake": "overtaking",
    "pick_up": "lifting",
    "pour": "pouring",
    "put_down": "putting down",
    "reappear": "reappearance",
    "rotate": "rotation",
    "still": "standstill",
}
_JOINTS = {
    "support": "on",
    "occluder": "behind",
    "object": "of",
    "a": "of",
    "b": "of",
    "against": "on",
}
_DOER_JOINTS = {"support": "on", "contain": "in"}
_PLURALS = ("grains",)


def noun_of(kind: str) -> str:
    """What an event of a kind is called."""
    return _NOUNS.get(kind, kind.replace("_", " "))


def _say_event(event: Event) -> str:
    text = with_article(noun_of(event.type))
    roles = dict(event.roles)
    if event.type in DOING:
        doer, done = DOING[event.type]
        for role, joint in ((done, "of"), (doer, _DOER_JOINTS.get(event.type, "by"))):
            if role in roles:
                text += f" {joint} {_say_who(roles.pop(role))}"
    if "a" in roles and "b" in roles:
        text += f" between {_say_who(roles.pop('a'))} and {_say_who(roles.pop('b'))}"
    elif "b" in roles:
        text += f" of an object and {_say_who(roles.pop('b'))}"
    for role, who in sorted(roles.items(), key=lambda pair: pair[0] != "object"):
        text += f" {_JOINTS.get(role, 'with')} {_say_who(who)}"
    sides = [_SIDES[c] for c in event.where if c in _SIDES]
    where = [_say_compare(c) for c in event.where if c not in _SIDES]
    text += "".join(f" {side}" for side in sides)
    return text + (" with " + " and ".join(where) if where else "")


_SIDES = {
    Compare("rightward_rad", Op.LT, 0.0): "to the left",
    Compare("rightward_rad", Op.GT, 0.0): "to the right",
}


def _say_who(who: Who) -> str:
    noun = " or ".join(who.labels) if who.labels else "object"
    text = f"{' or '.join(who.colors)} {noun}" if who.colors else noun
    text = text if noun in _PLURALS else with_article(text)
    text = "the static world" if who.labels == ("static",) else text
    return f"{text} ({who.name})" if who.name else text


def with_article(words: str) -> str:
    """ "a fall", "an entry"."""
    return ("an " if words[0] in "aeiou" else "a ") + words


def _say_compare(compare: Compare) -> str:
    whole = compare.quantity.replace("_px_s", "_px/s").replace("_sizes_s", "_sizes/s")
    name, _, unit = whole.rpartition("_")
    if unit not in _UNITS:
        name, unit = compare.quantity, ""
    value = f"{write_number(compare.value, 6)} {_UNITS.get(unit, '')}".strip()
    said = "relative bend" if name == "bend" else name.replace("_", " ")  # to bend is an event
    return f"{said} {_WORDS.get(compare.op, 'exactly')} {value}"
