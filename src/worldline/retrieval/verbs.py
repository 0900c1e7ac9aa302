"""The roles of those who take part in what happens, by the verb that says so."""

from __future__ import annotations

from collections.abc import Mapping

from worldline.retrieval.inflection import is_past

__all__ = [
    "BEING",
    "CAUSED",
    "COUNTED",
    "DOING",
    "GROUPS",
    "HANDLED",
    "SECOND_ROLE",
    "TO_ANOTHER",
    "is_participle",
    "is_turned_round",
]

SECOND_ROLE: Mapping[str, str] = {
    "fall": "support",
    "bounce": "support",
    "roll": "support",
    "slide": "support",
    "occlude": "occluder",
    "reappear": "occluder",
    "break": "against",
}
"""Role of the object named after "on", "off" or "behind", for events of one object."""

DOING: Mapping[str, tuple[str, str]] = {
    "push": ("agent", "object"),
    "carry": ("agent", "object"),
    "pick_up": ("agent", "object"),
    "put_down": ("agent", "object"),
    "support": ("support", "object"),
    "follow": ("object", "leader"),
    "overtake": ("object", "overtaken"),
    "contain": ("vessel", "object"),
    "pour": ("agent", "object"),
}
"""Events that one object does to another: the roles of the verb's subject and of its object."""

GROUPS = frozenset(["converge", "diverge", "flow", "collapse"])
"""Events of several objects at once: a number before their subject says how many."""

HANDLED = frozenset(["push", "carry", "pick_up", "put_down"])
"""Events of `DOING` after which "it" is the thing done to: "a robot lifts a box, then it falls"."""

COUNTED = HANDLED | {"overtake", "follow"}
"""Events of `DOING` of which each is about one thing done to: "lifts two boxes" is two of them."""

TO_ANOTHER = frozenset(["occlude", "break", "deform"])
"""Events of one object that a verb may say of who does it to the object: "a box hides a ball"."""

CAUSED = frozenset(
    ["fall", "throw", "bounce", "roll", "slide", "topple", "oscillate", "rotate", "stop", "start"]
)
"""Events of one object whose verb may name it after somebody else: "a person drops a ball"."""

BEING = frozenset(["is", "are", "was", "were", "be", "been", "being", "gets", "get", "got"])
_PARTICIPLES = ("ed", "en", "ing", "own", "hit", "put", "set", "ung", "uck")


def is_participle(words: str) -> bool:
    """Whether a verb can stand before its noun: "falling", "thrown"."""
    return words.split()[0].endswith(_PARTICIPLES)


def is_turned_round(words: str, before: str, link: str) -> bool:
    """Whether the roles of a verb of `DOING` are the other way round.

    Args:
        words: the verb: "pushed by", "stands on" and "falls into" are, "pushes" is not.
        before: the word before it: "is pushed" is.
        link: the preposition after it: "pushed by" is.
    """
    verb = words.split()[0]
    passive = is_past(verb)
    return (passive and (before in BEING or link == "by")) or words.endswith(
        (" on", " upon", " in", " into", " inside", " within")
    )
