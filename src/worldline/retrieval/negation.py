"""What a clause denies: "no", "not", "never", "without", "nothing"."""

from __future__ import annotations

from worldline.core.errors import InputError
from worldline.retrieval.joints import has_event
from worldline.retrieval.numerals import quoted
from worldline.retrieval.vocabulary import Entry, Kind
from worldline.retrieval.words import Item

__all__ = ["split_at_negations", "without_last_not"]


def without_last_not(piece: list[Item]) -> tuple[list[Item], bool]:
    """Take the negation of a joint off the end of a piece: "a fall *not* followed by a bounce"."""
    end = len(piece)
    while end and piece[end - 1].kind in (Kind.FILLER, Kind.COMMA):
        end -= 1
    if end > 1 and piece[end - 1].kind is Kind.NOT and has_event(piece[: end - 1]):
        return piece[: end - 1], True
    return piece, False


def split_at_negations(segment: list[Item]) -> tuple[list[Item], list[list[Item]], bool, bool]:
    """Split a segment at its negations.

    Returns:
        what is said first, what each later negation denies, whether what is said first is denied
        itself, and whether the last negation ("without") may go on after an "and".

    Raises:
        InputError: a negation is itself denied, as in "not not falling".
    """
    first: list[Item] = []
    tails: list[list[Item]] = []
    denied = wide = False
    last: Item | None = None
    for item in segment:
        current = tails[-1] if tails else first
        if item.kind in (Kind.NOTHING, Kind.NOT):
            again = last is not None and not has_event(current)
            if again or (denied and item.words in ("without", "without any", "without ever")):
                raise InputError(
                    f"`{quoted(' '.join(i.words for i in segment))}` denies one thing twice; "
                    "say what happens, or deny it once"
                )
            last = item
        if item.kind is Kind.NOTHING and item.words == "none":
            denied = True  # "none of the balls"
        elif item.kind is Kind.NOTHING:
            denied = True
            label = item.entry.text
            thing = Entry(Kind.NOUN, label) if label else Entry(Kind.ANYTHING)
            current.append(Item(thing, item.words))
        elif item.kind is not Kind.NOT:
            current.append(item)
        elif has_event(current):
            tails.append([_NO] if item.words.endswith(("no", "any")) else _being(item))
            wide = "without" in item.words
        else:
            denied = denied or not tails
            current += [_NO] if item.words.endswith("no") else _being(item)
    for tail in tails:
        if not has_event(tail):
            said = " ".join(item.words for item in segment)
            raise InputError(
                f"`{quoted(said)}` denies nothing that can happen; name what must not happen, or "
                "leave the negation out"
            )
    return first, tails, denied, wide


def _being(negation: Item) -> list[Item]:
    """What is left of "is not": the verb after it may be a passive."""
    said = {"is", "are", "was", "were"} & set(negation.words.split())
    return [Item(Entry(Kind.FILLER), said.pop())] if said else []


_NO = Item(Entry(Kind.ARTICLE), "no")
