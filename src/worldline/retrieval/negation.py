"""What a clause denies: "no", "not", "never", "without", "nothing"."""

from __future__ import annotations

from collections.abc import Sequence

from worldline.core.errors import InputError
from worldline.retrieval.compounds import THINGS, end_of_noun
from worldline.retrieval.joints import second_clause
from worldline.retrieval.numerals import quoted
from worldline.retrieval.vocabulary import Entry, Kind
from worldline.retrieval.words import Item, has_event

__all__ = ["RELATIVE", "denied_last", "split_at_negations", "without_last_not"]

RELATIVE = ("that", "which", "who")
_ORDER = (Kind.THEN, Kind.AFTER, Kind.RELATION)


def denied_last(items: list[Item]) -> list[Item]:
    """ "Without bouncing a ball falls" as "a ball falls without bouncing"."""
    quiet = (Kind.FILLER, Kind.ARTICLE, Kind.COMMA)
    start = next((i for i, item in enumerate(items) if item.kind not in quiet), 0)
    item = items[start] if items else None
    if item is None or item.kind is not Kind.NOT:
        return items
    rest = items[start + 1 :]
    gerund = bool(rest) and rest[0].words.split()[0].endswith("ing")
    if not gerund and not item.words.startswith(("with", "unless", "instead", "rather")):
        return items
    first = next((i for i, other in enumerate(rest) if other.kind is Kind.EVENT), len(rest))
    stop = next((i for i, other in enumerate(rest) if other.kind in _ORDER), len(rest))
    comma = next((i for i, other in enumerate(rest[:stop]) if other.kind is Kind.COMMA), None)
    if comma is not None and has_event(rest[:comma]) and has_event(rest[comma:stop]):
        denied, main = rest[:comma], rest[comma + 1 : stop]
    else:
        end = second_clause(rest[:stop])
        named = [_NO, *rest[:stop]]
        if end is None and not gerund and (end := second_clause(named)) is not None:
            end -= 1
        if end is None or end <= first:
            return items
        denied, main = rest[:end], rest[end:stop]
    joints = (Kind.AND, Kind.NOT, Kind.NOTHING)
    if any(i.kind in joints for i in (*denied, *main)) or any(i.kind is Kind.OR for i in main):
        return items
    if main[0].kind is Kind.PRONOUN and (end := end_of_noun(denied, 0)):
        main, denied = [*denied[:end], *main[1:]], [main[0], *denied[end:]]
    return [*items[:start], *main, item, *denied, *rest[stop:]]


def _relative(segment: list[Item]) -> tuple[list[Item], list[Item]] | None:
    """ "A car *that does not brake* hits a person": the clause without it, and what it denies."""
    for at, item in enumerate(segment):
        if has_event(segment[:at]):
            return None
        if item.kind is not Kind.NOT:
            continue
        start = at
        while start > 0 and segment[start - 1].kind is Kind.FILLER:
            start -= 1
        told = item.words.startswith("with") or any(
            i.words.split()[0] in RELATIVE for i in segment[start:at]
        )
        events = [i for i in range(at, len(segment)) if segment[i].kind is Kind.EVENT]
        if start == 0 or segment[start - 1].kind not in THINGS or len(events) < 2:
            return None
        if not told and not segment[events[0]].words.split()[0].endswith("ing"):
            return None
        end = events[1]
        while segment[end - 1].kind in (Kind.FILLER, Kind.NOT):
            end -= 1
        return [*segment[:start], *segment[end:]], [*_being(item), *segment[at + 1 : end]]
    return None


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
    if relative := _relative(segment):
        first, tails, denied, _ = split_at_negations(relative[0])
        return first, [*tails, relative[1]], denied, False
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
            relative = [] if not tails and "without" in item.words else _led(current)
            being = [_NO] if item.words.endswith(("no", "any")) else _being(item)
            tails.append([*relative, *being])
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


def _led(said: Sequence[Item]) -> list[Item]:
    """The relative word that ends what is said, where it speaks of the thing before it."""
    led = len(said) > 1 and said[-1].kind is Kind.FILLER and said[-2].kind in THINGS
    return [said[-1]] if led and said[-1].words.split()[0] in RELATIVE else []


def _being(negation: Item) -> list[Item]:
    """What is left of "is not": the verb after it may be a passive."""
    said = {"is", "are", "was", "were"} & set(negation.words.split())
    return [Item(Entry(Kind.FILLER), said.pop())] if said else []


_NO = Item(Entry(Kind.ARTICLE), "no")
