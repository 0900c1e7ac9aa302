"""Words whose part depends on what stands around them, settled before clauses are told apart.

"A bounce following a fall" is an order, "a person following a dog" an event; "as" and "when" join
events only where both sides have one; "less than 2 s later" limits a wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from worldline.physics import ONTOLOGY
from worldline.retrieval.compounds import THINGS, compound
from worldline.retrieval.inflection import forms_of
from worldline.retrieval.insides import located, placed
from worldline.retrieval.nearly import nearly
from worldline.retrieval.order import in_order
from worldline.retrieval.phrasal import joined
from worldline.retrieval.query import PAIR_TYPES, Op, Relation
from worldline.retrieval.units import QUANTITIES, name_of
from worldline.retrieval.verbs import DOING
from worldline.retrieval.vocabulary import MOVING, Entry, Kind
from worldline.retrieval.words import Item, has_event

__all__ = ["IMMEDIATELY_S", "second_clause", "settle"]

IMMEDIATELY_S = 1.0
"""What "immediately" is taken to mean at most."""

_ORDER = (Kind.THEN, Kind.AFTER, Kind.RELATION)
_LATER = ("later", "and later", "afterwards", "after that", "and after that", "after", "before")
_MOVES = (
    *("move", "moves", "moving", "moved", "travel", "travels", "traveling", "travelling"),
    *("travelled", "drive", "drives", "driving", "drove", "go", "goes", "going", "run", "runs"),
    *("running", "ran", "walk", "walks", "walking", "walked"),
)
_FOLLOWS = ("following", "followed by", "followed")


def settle(items: list[Item]) -> list[Item]:
    """The same words with their parts in the sentence settled; some change places."""
    items = located(compound(placed(joined(nearly(_commanded(_measured(_gaining(items))))))))
    items = _implied(_follows(_changing(_opened(_numbered(items)))))
    items = _in_turn(_forward(_moving(in_order(items))))
    items = _waits(items)
    items = _turned(items)
    items = _at_once(items)
    return [_settled(i, items, at) if _is_idle(items, at) else i for at, i in enumerate(items)]


def _settled(item: Item, items: Sequence[Item], at: int) -> Item:
    """A joint that relates no events; what begins after it may be a clause of an unknown verb."""
    _, right = _sides(items, at)
    kinds = [i.kind for i in right if i.kind is not Kind.ARTICLE]
    if has_event(items[:at]) and kinds[:1] == [Kind.NOUN] and Kind.UNKNOWN in kinds[1:2]:
        return replace(item, entry=Entry(Kind.COMMA))
    return _filler(item)


def _filler(item: Item) -> Item:
    return replace(item, entry=Entry(Kind.FILLER), guessed=False)


def _moving(items: list[Item]) -> list[Item]:
    """ "A car moves faster than 50 km/h" asks for motion at a speed."""
    result = list(items)
    for at, item in enumerate(items):
        if item.words not in _MOVES or item.kind not in (Kind.FILLER, Kind.UNKNOWN):
            continue
        rest = at + 1
        while rest < len(items) and items[rest].kind in (Kind.FILLER, Kind.COMPARATOR):
            rest += 1
        sized = rest < len(items) and items[rest].kind is Kind.MEASURE
        if sized and items[rest].unit in ("mps", "px_s"):
            meaning = "starts, stops, rolls or slides, or in pixels comes or goes, at this speed"
            result[at] = replace(item, entry=MOVING, guessed=True, meaning=meaning)
    return result


def _implied(items: list[Item]) -> list[Item]:
    """ "TTC below 1 s" alone speaks of a near miss."""
    if has_event(items):
        return items
    for item in items:
        event, _ = (
            QUANTITIES.get(item.entry.text, ("", "")) if item.kind is Kind.QUANTITY else ("", "")
        )
        if event:
            meaning = f"read as a {event.replace('_', ' ')}"
            implied = Item(Entry(Kind.EVENT, event), item.words, guessed=True, meaning=meaning)
            return [Item(Entry(Kind.ARTICLE), "a"), implied, *items]
    return items


def _opened(items: list[Item]) -> list[Item]:
    """ "Once the ball stops, ..." as "after the ball stops, ..."."""
    for at, item in enumerate(items):
        if item.words == "once" and any(i.kind is Kind.COMMA for i in items[at:]):
            return [*items[:at], replace(item, entry=Entry(Kind.AFTER)), *items[at + 1 :]]
        if item.kind not in (Kind.FILLER, Kind.ARTICLE):
            break
    return items


def _gaining(items: list[Item]) -> list[Item]:
    """ "Gains 10 km/h", "loses 3 m/s": a change of speed."""
    result = list(items)
    for at, item in enumerate(items):
        kind = _GAINS.get(item.words)
        rest = [i for i in items[at + 1 : at + 4] if i.kind is not Kind.COMPARATOR][:1]
        if kind and rest and rest[0].kind is Kind.MEASURE and rest[0].unit == "mps":
            result[at] = replace(item, entry=Entry(Kind.EVENT, kind), guessed=False)
    return result


_GAINS = {
    **dict.fromkeys(forms_of("gain"), "accelerate"),
    **dict.fromkeys((*forms_of("lose"), *forms_of("shed")), "brake"),
}


def _measured(items: list[Item]) -> list[Item]:
    """ "A throw with rise at least 2 m": what is compared is a measure of the event before."""
    result = list(items)
    kind = ""
    for at, item in enumerate(items):
        led = at > 0 and items[at - 1].words in ("with", "and")
        compared = at + 1 < len(items) and items[at + 1].kind is Kind.COMPARATOR
        if led and compared and kind and item.kind in (Kind.EVENT, Kind.UNKNOWN):
            names = [q for q in ONTOLOGY[kind].quantities if name_of(q) == item.words]
            if names:
                result[at] = replace(item, entry=Entry(Kind.QUANTITY, names[0]), guessed=False)
                continue
        kind = item.entry.text if item.kind is Kind.EVENT else kind
    return result


def _commanded(items: list[Item]) -> list[Item]:
    """ "Tilt the jug" names no quantity."""
    result = list(items)
    for at in range(len(items) - 1):
        if items[at].kind is Kind.QUANTITY and items[at + 1].kind is Kind.ARTICLE:
            result[at] = replace(items[at], entry=Entry(Kind.VAGUE))
    return result


def _numbered(items: list[Item]) -> list[Item]:
    """ "First the ball falls, second the box": what comes second comes then."""
    spoken = [i for i in items if i.kind not in (Kind.ARTICLE, Kind.COMMA)]
    if not spoken or spoken[0].words not in ("first", "firstly", "at first"):
        return items
    result: list[Item] = []
    for at, item in enumerate(items):
        before = items[at - 1].kind if at else None
        if item.words in _NEXT and before in (Kind.COMMA, Kind.AND):
            result[-1] = replace(item, entry=Entry(Kind.THEN))
        else:
            result.append(item)
    return result


_NEXT = ("second", "secondly", "third", "thirdly", "finally", "lastly", "last")


def _changing(items: list[Item]) -> list[Item]:
    """ "TTC drops under 1 s": what drops there is a number."""
    result = list(items)
    for at in range(1, len(items)):
        before, item = items[at - 1], items[at]
        changes = item.kind is Kind.EVENT and item.entry.text in ("fall", "rise")
        if before.kind is Kind.QUANTITY and changes:
            result[at] = _filler(item)
    return result


def _forward(items: list[Item]) -> list[Item]:
    """ "And the box then slides" as "then the box slides"."""
    for at, item in enumerate(items):
        if item.words != "then" or at == 0 or items[at - 1].kind is not Kind.NOUN:
            continue
        start = at - 1
        while start > 0 and items[start - 1].kind in (Kind.ARTICLE, Kind.COLOR):
            start -= 1
        joined = start > 1 and items[start - 1].kind in (Kind.AND, Kind.COMMA)
        if joined and has_event(items[: start - 1]) and has_event(items[at:]):
            moved = [*items[: start - 1], item, *items[start:at], *items[at + 1 :]]
            return _forward(moved)
    return items


def _in_turn(items: list[Item]) -> list[Item]:
    """ "Is thrown, bounces, and then stops": the commas of a list that ends so mean "then" too."""
    result = list(items)
    for at, item in enumerate(items):
        if item.words not in ("then", "and then"):
            continue
        left, _ = _sides(items, at)
        kinds = {i.kind for i in left}
        if kinds & {Kind.AND, Kind.NOT, Kind.NOTHING, Kind.BETWEEN, Kind.OR}:
            continue
        start = at - len(left)
        commas = [start + i for i, other in enumerate(left) if other.kind is Kind.COMMA]
        ends = [*commas, at] if commas and commas[-1] != at - 1 else commas
        pieces = [items[a:b] for a, b in zip([start, *ends], ends, strict=False)]
        if len(pieces) > 1 and all(map(has_event, pieces)):
            for comma in ends[:-1]:
                result[comma] = replace(items[comma], entry=Entry(Kind.THEN))
    return result


def _is_time(item: Item) -> bool:
    return item.kind is Kind.MEASURE and item.unit == "s"


def _waits(items: list[Item]) -> list[Item]:
    """Bring every limit on a wait to "then within 2 s" and "within 2 s after"."""
    result: list[Item] = []
    at = 0
    while at < len(items):
        item, rest = items[at], items[at + 1 : at + 4]
        late = [i.words in _LATER for i in rest[1:2]] == [True]
        if _is_time(item) and late and rest[0].words.startswith("or ") and _limits(rest[0]):
            items = [*items[: at + 1], *items[at + 2 :]]  # "2 s or less after"
            result.append(Item(Entry(Kind.COMPARATOR, Op.LE), "at most"))
            rest = items[at + 1 : at + 4]
        if _is_time(item) and rest and rest[0].words == "apart":
            if result and _limits(result[-1]):
                result.pop()
            result += [Item(Entry(Kind.WITHIN), "within"), item]
            at += 2
        elif _is_time(item) and rest and rest[0].words in _LATER and not _lasts(result):
            limit = result.pop() if result and _limits(result[-1]) else None
            meaning = "" if limit is not None else f"within {item.words}"
            joint, within = rest[0], Item(Entry(Kind.WITHIN), "within", meaning=meaning)
            if joint.kind is Kind.AFTER and joint.words == "after":
                result += [within, item, joint]
            elif joint.words == "before":
                result += [joint, within, item]
            else:
                result += [replace(joint, entry=Entry(Kind.THEN)), within, item]
            at += 2
        elif item.kind is Kind.AFTER and (wait := _wait(items, at)):
            result += wait[0]
            at += wait[1]
        elif (
            item.kind is Kind.WITHIN
            and len(rest) > 1
            and _is_time(rest[0])
            and rest[1].words == "of"
            and has_event(items[at + 3 :])
        ):
            result += [item, rest[0], Item(Entry(Kind.AFTER), "of")]
            at += 3
        else:
            result.append(item)
            at += 1
    return result


def _wait(items: Sequence[Item], at: int) -> tuple[list[Item], int] | None:
    """ "After at most 2 s" as "within 2 s", and how many words say so."""
    rest = items[at + 1 : at + 3]
    limited = bool(rest) and _limits(rest[0])
    size = 2 if limited else 1
    if items[at].words != "after" or len(rest) < size or not _is_time(rest[size - 1]):
        return None
    meaning = "" if limited else f"within {rest[size - 1].words}"
    return [Item(Entry(Kind.WITHIN), "within", meaning=meaning), rest[size - 1]], size + 1


def _lasts(before: Sequence[Item]) -> bool:
    """Whether these words, such as "for more than", make a time the length of an event."""
    compared = bool(before) and before[-1].kind is Kind.COMPARATOR
    if compared and not _limits(before[-1]):
        return True
    words = before[:-1] if compared else before
    return bool(words) and words[-1].kind is Kind.LASTING


def _limits(item: Item) -> bool:
    upper = item.kind is Kind.COMPARATOR and Op(item.entry.text) in (Op.LT, Op.LE)
    return upper or item.kind is Kind.WITHIN


def _turned(items: list[Item]) -> list[Item]:
    """ "A box behind which a ball disappears" as "a ball disappears behind a box"."""
    for at in range(1, len(items) - 1):
        preposition, relative = items[at], items[at + 1]
        if relative.words != "which" or preposition.kind not in (Kind.ON, Kind.FROM):
            continue
        start = at
        while start > 0 and items[start - 1].kind in (Kind.ARTICLE, Kind.COLOR, Kind.NOUN):
            start -= 1
        if start < at and not has_event(items[:at]):
            return [*items[:start], *items[at + 2 :], preposition, *items[start:at]]
    return items


def _sides(items: Sequence[Item], at: int) -> tuple[list[Item], list[Item]]:
    """What stands to both sides of a joint, as far as the next one."""
    start = at
    while start > 0 and items[start - 1].kind not in _ORDER:
        start -= 1
    end = at + 1
    while end < len(items) and items[end].kind not in _ORDER:
        end += 1
    return list(items[start:at]), list(items[at + 1 : end])


def second_clause(items: Sequence[Item]) -> int | None:
    """Where "a turn the truck brakes" begins anew: a subject after a noun or a named event."""
    for at in range(1, len(items)):
        before, item = items[at - 1], items[at]
        begins = item.kind in (Kind.ARTICLE, Kind.NOUN, Kind.NUMBER, Kind.ANYTHING)
        begins = begins or (item.kind is Kind.PRONOUN and has_event(items[at + 1 : at + 2]))
        led = at > 1 and items[at - 2].kind is Kind.ARTICLE
        gerund = before.words.endswith("ing") and before.entry.text not in (*DOING, *PAIR_TYPES)
        pronoun = item.kind is Kind.PRONOUN
        ends = before.kind in THINGS or (before.kind is Kind.EVENT and (led or gerund or pronoun))
        if begins and ends and has_event(items[:at]) and has_event(items[at:]):
            return at
    return None


def _opens(items: Sequence[Item]) -> bool:
    """Whether these are a clause, a comma, and another clause."""
    comma = next((i for i, item in enumerate(items) if item.kind is Kind.COMMA), len(items))
    both = has_event(items[:comma]) and has_event(items[comma:])
    return both or second_clause(items) is not None


def _follows(items: list[Item]) -> list[Item]:
    """ "Following" between two things, rather than between two events, is what one of them does."""
    result = list(items)
    for at, item in enumerate(items):
        if item.words not in _FOLLOWS:
            continue
        left, right = _sides(items, at)
        spoken = [i for i in left if i.kind not in (Kind.FILLER, Kind.ARTICLE)]
        opens = not spoken and _opens(right)
        if not (has_event(left) and has_event(right)) and not opens:
            result[at] = replace(item, entry=Entry(Kind.EVENT, "follow"))
    return result


def _at_once(items: list[Item]) -> list[Item]:
    """ "A falls and B topples at the same time": the "and" becomes "while"."""
    result = list(items)
    for at, item in enumerate(items):
        if item.kind is not Kind.AT_ONCE:
            continue
        left, right = _sides(result, at)
        start = at - len(left)
        joints = [
            start + i
            for i, joint in enumerate([*left, item, *right])
            if joint.kind in (Kind.AND, Kind.COMMA)
            and has_event([*left, item, *right][:i])
            and has_event([*left, item, *right][i + 1 :])
            and (start + i < at or not has_event(left))
        ]
        if joints:
            meanwhile = Entry(Kind.RELATION, Relation.WHILE)
            result[joints[-1]] = replace(result[joints[-1]], entry=meanwhile)
            result[at] = replace(item, entry=Entry(Kind.FILLER))
    return result


def _is_idle(items: Sequence[Item], at: int) -> bool:
    """Whether a word such as "as" or "when" relates no two events here."""
    if items[at].kind is not Kind.RELATION:
        return False
    left, right = _sides(items, at)
    spoken = [i for i in left if i.kind not in (Kind.FILLER, Kind.ARTICLE, Kind.COMMA)]
    if not spoken:  # "while turning, a car brakes"
        return not _opens(right)
    return not (has_event(left) and has_event(right))
