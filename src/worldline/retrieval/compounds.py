"""Phrases of several things: lists, colours after their noun, and things with others in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from worldline.retrieval.query import PAIR_TYPES
from worldline.retrieval.verbs import CAUSED, DOING, TO_ANOTHER
from worldline.retrieval.vocabulary import Entry, Kind
from worldline.retrieval.words import Item, has_event

__all__ = ["THINGS", "apart", "compound", "end_of_noun", "shared"]

THINGS = (Kind.NOUN, Kind.ANYTHING, Kind.PLACE)
"""Kinds of words that name something which takes part."""

_ORDER = (Kind.THEN, Kind.AFTER, Kind.RELATION)
_HOLDS = {"in it": ("contain", 2), "on it": ("support", 2), "on top": ("support", 2)}
"""What says where the one of two things is, with the event it means and its number of words."""


def compound(items: list[Item]) -> list[Item]:
    """The same words with every list joined by "or", and things that hold others spelled out."""
    return _listed(_relative(_held(_streams(_piled(_twice(_coloured(items)))))))


def _start_of_noun(items: Sequence[Item], end: int) -> int | None:
    """Where the noun phrase begins that ends just before `end`; None where none does."""
    if end < 1 or items[end - 1].kind not in (*THINGS, Kind.COLOR):
        return None
    start = end - 1
    while start > 0 and items[start - 1].kind in (Kind.COLOR, Kind.ARTICLE):
        start -= 1
    return start


def end_of_noun(
    items: Sequence[Item], start: int, led: Sequence[Kind] = (Kind.COLOR, Kind.ARTICLE)
) -> int | None:
    """Where the noun phrase ends that begins at `start` with such words; None where none does."""
    end = start
    while end < len(items) and items[end].kind in led:
        end += 1
    return end + 1 if end < len(items) and items[end].kind in THINGS else None


def _coloured(items: list[Item]) -> list[Item]:
    """ "Something red falls" as "red something falls"."""
    result = list(items)
    for at in range(1, len(items)):
        after = items[at + 1].kind if at + 1 < len(items) else None
        loose = items[at].kind is Kind.COLOR and after not in (*THINGS, Kind.COLOR, Kind.OR)
        if loose and items[at - 1].kind in THINGS:
            result[at - 1], result[at] = items[at], items[at - 1]
    return result


_GENERAL = ("conflict", "conflicts")


def _twice(items: list[Item]) -> list[Item]:
    """ "A rear end collision", "a crossing conflict": two words for one event."""
    result = list(items)
    for at in range(1, len(items)):
        before, item = items[at - 1], items[at]
        if before.kind is not Kind.EVENT or item.kind is not Kind.EVENT:
            continue
        if before.entry == item.entry:
            result[at - 1] = replace(before, entry=Entry(Kind.FILLER), guessed=False)
        elif item.words in _GENERAL:
            result[at] = replace(item, entry=Entry(Kind.FILLER))
    return result


def _piled(items: list[Item]) -> list[Item]:
    """ "A tower of blocks falls down" is a collapse; what it is made of takes part."""
    result = list(items)
    for at, item in enumerate(items):
        if item.kind is not Kind.PILE:
            continue
        made = [i.words for i in items[at + 1 : at + 2]] == ["of"]
        then = next((i for i in range(at, len(items)) if items[i].kind is Kind.EVENT), None)
        made = made or (
            then is not None
            and then == at + 1
            and not items[then].words.endswith(("s", "ed", "ing"))
        )
        result[at] = replace(item, entry=Entry(Kind.FILLER if made else Kind.ANYTHING))
        if then is not None and items[then].entry.text in ("fall", "topple", "break", "deform"):
            entry = Entry(Kind.EVENT, "collapse")
            result[then] = replace(items[then], entry=entry, guessed=True)
    return result


def _streams(items: list[Item]) -> list[Item]:
    """ "A stream of balls flows" names its event twice."""
    flows = [i for i, item in enumerate(items) if item.entry == Entry(Kind.EVENT, "flow")]
    if len(flows) > 1 and [i.words for i in items[flows[0] + 1 : flows[0] + 2]] == ["of"]:
        first = items[flows[0]]
        return [
            *items[: flows[0]],
            replace(first, entry=Entry(Kind.FILLER)),
            *items[flows[0] + 1 :],
        ]
    return items


def _held(items: list[Item]) -> list[Item]:
    """ "A bowl with a ball in it tips over" as "a ball is in a bowl, and the bowl tips over"."""
    for at, item in enumerate(items):
        start, end = _start_of_noun(items, at), end_of_noun(items, at + 1)
        if (
            item.words not in ("with", "has", "have", "had", "having")
            or start is None
            or end is None
        ):
            continue
        place = " ".join(i.words for i in items[end : end + 2])
        event, length = _HOLDS.get(place, ("", 2))
        told = items[end].entry.text if end < len(items) else ""
        if place.endswith(" it") and told in ("contain", "support"):
            event = told  # "has a kettle standing on it"
        if not event and place.startswith("inside"):
            event, length = "contain", 1
        if not event:
            continue
        verb = Item(Entry(Kind.EVENT, event), f"is {'in' if event == 'contain' else 'on'}")
        holder, held, rest = items[start:at], items[at + 1 : end], items[end + length :]
        again: list[Item] = []
        if has_event(rest):
            again = [Item(Entry(Kind.AND), "and"), Item(Entry(Kind.ARTICLE), "the"), holder[-1]]
        return [*items[:start], *held, verb, *holder, *again, *rest]
    return items


_RELATIVE = ("that", "which", "who", "whom")


def _relative(items: list[Item]) -> list[Item]:
    """ "The box that the robot picked up" as "the robot picked up the box"."""
    for at in range(1, len(items) - 2):
        start, end = _start_of_noun(items, at), end_of_noun(items, at + 1)
        if items[at].words not in _RELATIVE or start is None or end is None:
            continue
        verb = end
        while verb < len(items) and items[verb].words in ("has", "had", "is", "was", "were"):
            verb += 1
        if verb >= len(items) or items[verb].kind is not Kind.EVENT:
            continue
        takes = items[verb].entry.text in (*DOING, *PAIR_TYPES, *CAUSED, *TO_ANOTHER)
        if not takes or end_of_noun(items, verb + 1) is not None:
            continue
        head, rest = items[start:at], items[verb + 1 :]
        again: list[Item] = []
        if has_event(rest):
            again = [Item(Entry(Kind.AND), "and"), Item(Entry(Kind.ARTICLE), "the"), head[-1]]
        return [*items[:start], *items[at + 1 : verb + 1], *head, *again, *rest]
    return items


def _listed(items: list[Item]) -> list[Item]:
    """ "A car, truck or bus turns" as "a car or truck or bus turns"."""
    result = list(items)
    for at, item in enumerate(items):
        if item.kind is not Kind.OR or at == 0:
            continue
        before = at - 1 if items[at - 1].kind is Kind.COMMA else at
        commas = [before] if before < at else []
        start = _start_of_noun(items, before)
        while start is not None and start > 0 and items[start - 1].kind is Kind.COMMA:
            earlier = _start_of_noun(items, start - 1)
            if earlier is None:
                break
            commas.append(start - 1)
            start = earlier
        if start is None or not commas or _is_between_events(items, start, at):
            continue
        for comma in commas:
            dropped = comma == before < at
            result[comma] = replace(items[comma], entry=Entry(Kind.FILLER)) if dropped else item
    return result


def _is_between_events(items: Sequence[Item], start: int, end: int) -> bool:
    """Whether a clause ends before a list, and another begins with it."""
    first = next((i for i in range(start, 0, -1) if items[i - 1].kind in _ORDER), 0)
    last = next((i for i in range(end, len(items)) if items[i].kind in _ORDER), len(items))
    return has_event(items[first:start]) and has_event(items[end:last])


def apart(items: list[Item]) -> list[list[Item]]:
    """A clause for each of several things that would mix: "a black dog or a white cat".

    One `Who` has any of its labels with any of its colours, so that it holds a black cat as well.
    """
    for at, item in enumerate(items):
        if item.kind is not Kind.OR:
            continue
        start, end = _start_of_noun(items, at), end_of_noun(items, at + 1)
        if start is None or end is None:
            continue
        one, other = items[start:at], items[at + 1 : end]
        if one[-1].kind not in THINGS or one[-1].entry == other[-1].entry:
            continue
        colors = [{i.entry.text for i in part if i.kind is Kind.COLOR} for part in (one, other)]
        own = colors[1] or other[0].kind is Kind.ARTICLE
        if colors[0] != colors[1] and own:
            before, after = items[:start], items[end:]
            return [[*before, *one, *after], *apart([*before, *other, *after])]
    return [items]


def shared(clauses: list[list[Item]]) -> list[list[Item]]:
    """ "A collision or a near miss between two cars": both are between them."""
    result = list(clauses)
    for i in range(len(clauses) - 2, -1, -1):
        event = next(item for item in clauses[i] if item.kind is Kind.EVENT)
        at = clauses[i].index(event)
        nexts = result[i + 1]
        end = next(k for k, item in enumerate(nexts) if item.kind is Kind.EVENT)
        tail = nexts[end + 1 :]
        takes = event.entry.text in (*DOING, *PAIR_TYPES)
        bare = not any(item.kind in THINGS for item in clauses[i][at + 1 :])
        own = any(item.kind in THINGS for item in nexts[:end])
        if takes and bare and not own and any(item.kind in THINGS for item in tail):
            result[i] = [*clauses[i], *tail]
    return result
