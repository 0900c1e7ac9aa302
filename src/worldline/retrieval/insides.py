"""What is in, on or behind what: "drops a ball into a bin", "a ball in a cup", "enters a bin"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from worldline.retrieval.forms import WAYS_INTO
from worldline.retrieval.inflection import forms_of
from worldline.retrieval.vocabulary import LEXICON, Entry, Kind
from worldline.retrieval.words import Item

__all__ = ["located", "placed"]

_VESSELS = frozenset(
    [
        "bin|cup|bowl|basket|bucket|jar|tray",
        "cup",
        "bowl",
        "basket",
        "bucket",
        "jar",
        "tray",
        "bin",
        "drawer",
        "pot",
        "bag",
        "glass",
        "jug",
        "kettle",
        "hoop",
        "sink",
        "pan",
        "sack",
        "backpack",
        "handbag",
        "suitcase",
        "barrel",
        "carton",
        "tube",
        "pipe",
        "vase",
        "cart",
        "trolley",
        "package",
        "parcel",
        "microwave",
        "oven",
        "refrigerator",
        "toaster",
    ]
)
"""Labels of what is hollow."""

_MOVERS = frozenset(
    [
        "person",
        "car",
        "truck",
        "bus",
        "van",
        "train",
        "bicycle",
        "motorcycle",
        "scooter",
        "airplane",
        "forklift",
        "boat",
        "skateboard",
        "robot",
        "drone",
        "dog",
        "cat",
        "bird",
        "horse",
        "sheep",
        "cow",
        "elephant",
        "bear",
        "zebra",
        "giraffe",
        "tractor",
        "ambulance",
        "wheelchair",
        "trailer",
        "toy|car",
        "helicopter",
        "car|truck|bus|motorcycle",
    ]
)
"""Labels of what goes its own way, so that it can be followed."""

_PUTS = frozenset(
    form
    for verb in ("put", "place", "drop", "throw", "toss", "lower", "set", "lay", "insert", "load",
                 "stuff", "stow", "chuck", "fling")
    for form in forms_of(verb)
)  # fmt: skip
_HOLDS = frozenset(forms_of("hold"))
_INTO = ("in", "into", "inside")
_LOCATED = {"in": "contain", "inside": "contain", "into": "contain", "on": "support"}
_NOUNS = (Kind.NOUN, Kind.ANYTHING, Kind.PRONOUN)
_PHRASE = (Kind.ARTICLE, Kind.COLOR)


def placed(items: list[Item]) -> list[Item]:
    """The same words, with every way of saying where something comes to be as one event."""
    return _behind(_into(_entered(_held(_put(items)))))


def _noun_after(items: Sequence[Item], at: int) -> Item | None:
    """The thing named at a place, past its article and colour."""
    while at < len(items) and items[at].kind in _PHRASE:
        at += 1
    return items[at] if at < len(items) and items[at].kind in (*_NOUNS, Kind.PLACE) else None


def _is_vessel(item: Item | None) -> bool:
    return item is not None and item.entry.text in _VESSELS


def _put(items: list[Item]) -> list[Item]:
    """ "Puts the ball into a bin" as "the ball goes into a bin"; who puts it takes no part."""
    result = list(items)
    for at, item in enumerate(items):
        if item.words not in _PUTS:
            continue
        end = at + 1
        while end < len(items) and items[end].kind in _PHRASE:
            end += 1
        thing = end < len(items) and items[end].kind in _NOUNS
        after = items[end + 1].words if end + 1 < len(items) else ""
        if not thing or after not in _INTO or _noun_after(items, end + 2) is None:
            continue
        result[at] = replace(item, entry=Entry(Kind.FILLER), guessed=False)
        result[end + 1] = Item(Entry(Kind.EVENT, "contain"), "goes into")
    return result


def _held(items: list[Item]) -> list[Item]:
    """ "A bucket holding a sponge" has it inside."""
    result = list(items)
    for at in range(1, len(items)):
        if items[at].words in _HOLDS and _is_vessel(items[at - 1]):
            result[at] = Item(Entry(Kind.EVENT, "contain"), "holds")
    return result


def _entered(items: list[Item]) -> list[Item]:
    """ "A ball enters the bin" is about the bin, not about the picture."""
    result = list(items)
    for at, item in enumerate(items):
        enters = item.kind is Kind.EVENT and item.entry.text == "enter" and " " not in item.words
        if enters and _is_vessel(_noun_after(items, at + 1)):
            result[at] = Item(Entry(Kind.EVENT, "contain"), "goes into")
    return result


def _into(items: list[Item]) -> list[Item]:
    """ "Rolls into a bin" ends in it, "rolls into a domino" hits it."""
    result = list(items)
    for at, item in enumerate(items):
        noun = _noun_after(items, at + 1)
        verb, _, place = item.words.rpartition(" ")
        if item.entry.text == "contain" and noun is None and place in _INTO and verb in LEXICON:
            result[at] = replace(item, entry=LEXICON[verb], words=verb)  # "no fall in the video"
        if item.kind is not Kind.EVENT or item.words not in WAYS_INTO or noun is None:
            continue
        if not _is_vessel(noun) and noun.kind is not Kind.PRONOUN:
            hollow = noun.entry.text in ("box", "truck") or noun.kind is Kind.ANYTHING
            kind = "contain" if hollow else "collide"
            meaning = f"read as {'comes to be inside' if hollow else 'hits'}"
            entry = Entry(Kind.EVENT, kind)
            result[at] = replace(item, entry=entry, guessed=True, meaning=meaning)
    return result


def _behind(items: list[Item]) -> list[Item]:
    """ "Walks behind a person" follows, "walks behind a tree" goes out of sight."""
    result = list(items)
    for at, item in enumerate(items):
        follows = item.kind is Kind.EVENT and item.entry.text == "follow"
        noun = _noun_after(items, at + 1) if item.words.endswith(" behind") else None
        if follows and noun is not None and noun.entry.text not in _MOVERS:
            hides = Entry(Kind.EVENT, "occlude")
            result[at] = replace(item, entry=hides, guessed=True, meaning="goes out of sight")
    return result


def located(items: list[Item]) -> list[Item]:
    """ "A ball in a cup" and "a bin contains a ball", where nothing else happens."""
    if any(item.kind is Kind.EVENT for item in items):
        return items
    for at in range(1, len(items)):
        item, before = items[at], items[at - 1]
        noun = _noun_after(items, at + 1)
        if before.kind not in _NOUNS or noun is None:
            continue
        kind = _LOCATED.get(item.words, "")
        if kind == "contain" and noun.kind is Kind.PLACE:
            continue
        if kind:
            said = f"is {'in' if kind == 'contain' else 'on'}"
            return [*items[:at], Item(Entry(Kind.EVENT, kind), said), *items[at + 1 :]]
        if item.words in ("contain", "contains", "containing", "holding", "holds"):
            return [*items[:at], Item(Entry(Kind.EVENT, "contain"), "holds"), *items[at + 1 :]]
    return items
