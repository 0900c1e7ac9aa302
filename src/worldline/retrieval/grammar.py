"""The grammar: how clauses are joined. `clause.py` reads each of them.

    query       = clauses joined by "then", "followed by", "before" (in order) or "after" (reversed)
    clauses     = parts joined by "and" or a comma
    part        = alternatives, then perhaps "without", "but not", "never" and what must be absent
    alternative = clauses of one event each, joined by "or"

A conjunction joins events only where each side has one; elsewhere it joins what the event is about
("a ball and a box collide"). A verb without a subject of its own takes that of the clause before it
("hits a box, then falls"), and the plan ties both to one object by a variable. Near-misses are
looked up before collisions because the longest known phrase wins. Words that are not known never
decide anything: they are listed in the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from worldline.core.errors import InputError
from worldline.retrieval.clause import Reader
from worldline.retrieval.plan import Plan
from worldline.retrieval.profiles import by_profile
from worldline.retrieval.query import (
    And,
    Count,
    Event,
    Not,
    Or,
    Query,
    Relate,
    Then,
    Who,
    events_in,
)
from worldline.retrieval.ranges import spread_ranges
from worldline.retrieval.vocabulary import Entry, Kind
from worldline.retrieval.words import Item, read_words

__all__ = ["parse"]

_NAMES = "xyzuvw"


def parse(text: str) -> Plan:
    """Read a question into a plan.

    Raises:
        InputError: nothing that can happen is named, a number cannot be read or used, or limits
            or negations undo each other; the message says what can be asked.
    """
    items = spread_ranges(read_words(text))
    profiles = [item for item in items if item.kind is Kind.PROFILE]
    items = [item for item in items if item.kind is not Kind.PROFILE]
    reader = Reader()
    if not _has_event(items):
        raise InputError(_advice(text, items))
    query = _named(_sequence(items, reader))
    for item in profiles:
        judged = by_profile(query, item.entry.text)
        if judged == query:
            reader.ignore([item])
        query = judged
    guesses, ignored = reader.remarks(items)
    return Plan(query, text, guesses, ignored)


def _advice(text: str, items: Sequence[Item]) -> str:
    examples = "`something falls from a height` or `near-miss between a car and a person`"
    if not text.strip():
        return f"the query is empty; ask for something that happens, such as {examples}"
    unknown = [item.words for item in items if item.kind is Kind.UNKNOWN]
    reason = f" (not known: {', '.join(unknown)})" if unknown else ""
    from worldline.physics import ONTOLOGY

    known = ", ".join(name.replace("_", " ") for name in ONTOLOGY)
    return (
        f"the query names nothing that can happen{reason}; ask for one of {known}, "
        f"for example {examples}"
    )


def _has_event(items: Sequence[Item]) -> bool:
    return any(item.kind is Kind.EVENT for item in items)


def _split(
    items: Sequence[Item], is_joint: Callable[[Item], bool]
) -> tuple[list[list[Item]], list[Item]]:
    """Pieces between joints, and the joints."""
    pieces: list[list[Item]] = [[]]
    joints: list[Item] = []
    for item in items:
        if is_joint(item):
            joints.append(item)
            pieces.append([])
        else:
            pieces[-1].append(item)
    return pieces, joints


def _sequence(items: list[Item], reader: Reader) -> Query:
    first = next(i for i, item in enumerate(items) if item.kind not in (Kind.FILLER, Kind.ARTICLE))
    opener = items[first]
    if opener.kind in (Kind.AFTER, Kind.THEN):
        # "after a fall, a ball bounces": what comes first is said first, up to the comma.
        rest = items[first + 1 :]
        comma = next((i for i, item in enumerate(rest) if item.kind is Kind.COMMA), None)
        if comma is not None and _has_event(rest[:comma]) and _has_event(rest[comma:]):
            early, late = _sequence(rest[:comma], reader), _sequence(rest[comma + 1 :], reader)
            return Then(early, late) if opener.kind is Kind.AFTER else Then(late, early)
        items = rest
    pieces, joints = _split(items, lambda item: item.kind in (Kind.THEN, Kind.AFTER))
    while len(pieces) > 1 and not _has_event(pieces[0]):
        pieces[1] = pieces[0] + pieces[1]
        del pieces[0], joints[0]
    within_s, pieces[0] = (None, pieces[0])
    if joints and joints[0].kind is Kind.AFTER:
        within_s, pieces[0] = _within(pieces[0])
    query = _conjunction(pieces[0], reader)
    for joint, piece in zip(joints, pieces[1:], strict=True):
        limit_s, piece = _within(piece)
        within_s = limit_s if limit_s is not None else within_s
        if not _has_event(piece):
            reader.ignore(piece)
            continue
        part = _conjunction(piece, reader)
        late = joint.kind is Kind.AFTER
        query = Then(part, query, within_s) if late else Then(query, part, within_s)
        within_s = None
    return query


def _within(piece: list[Item]) -> tuple[float | None, list[Item]]:
    """Take "within 2 s" out of a piece: there it limits the wait, not the event."""
    for i, item in enumerate(piece[:-1]):
        after = piece[i + 1]
        if item.kind is Kind.WITHIN and after.kind is Kind.MEASURE and after.unit == "s":
            if after.entry.value <= 0:
                raise InputError(f"{item.words} {after.words} leaves no time; give more than 0 s")
            return after.entry.value, piece[:i] + piece[i + 2 :]
    return None, piece


def _conjunction(items: list[Item], reader: Reader) -> Query:
    segments, _ = _split(items, lambda item: item.kind in (Kind.AND, Kind.COMMA))
    merged: list[list[Item]] = []
    waiting: list[Item] = []
    for segment in segments:
        if _has_event(segment):
            merged.append(waiting + segment)
            waiting = []
        elif merged and _open_between(merged[-1]):
            merged[-1] = merged[-1] + segment
        else:
            waiting += segment
    if waiting:
        merged[-1] = merged[-1] + waiting
    parts: list[Query] = []
    without = False
    for segment in merged:
        positive, negative, denied, wide = _negation(segment)
        if without and not denied and not negative and _continues(segment):
            parts.append(Not(_alternatives(positive, reader)))
            continue
        without = wide
        if positive:
            part = _alternatives(positive, reader)
            parts.append(Not(part) if denied else part)
        parts += [Not(_alternatives(tail, reader)) for tail in negative]
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _open_between(items: Sequence[Item]) -> bool:
    """Whether "between" still waits for its second object."""
    kinds = [item.kind for item in items]
    if Kind.BETWEEN not in kinds:
        return False
    after = kinds[kinds.index(Kind.BETWEEN) :]
    return sum(kind in (Kind.NOUN, Kind.ANYTHING, Kind.PLACE) for kind in after) < 2


def _continues(segment: Sequence[Item]) -> bool:
    """Whether a segment goes on with "without bouncing *and rolling*"."""
    return segment[0].kind is Kind.EVENT and segment[0].words.endswith("ing")


def _negation(segment: list[Item]) -> tuple[list[Item], list[list[Item]], bool, bool]:
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
            again = last is not None and not _has_event(current)
            if again or (denied and item.words in ("without", "without any", "without ever")):
                raise InputError(
                    f"`{' '.join(i.words for i in segment)}` denies one thing twice; say what "
                    "happens, or deny it once"
                )
            last = item
        if item.kind is Kind.NOTHING:
            denied = True
            current.append(Item(Entry(Kind.ANYTHING), item.words))
        elif item.kind is not Kind.NOT:
            current.append(item)
        elif _has_event(current):
            tails.append([_NO] if item.words.endswith(("no", "any")) else [])
            wide = "without" in item.words
        else:
            denied = denied or not tails
            if item.words.endswith("no"):
                current.append(_NO)
    return first, [tail for tail in tails if _has_event(tail)], denied, wide


_NO = Item(Entry(Kind.ARTICLE), "no")


def _alternatives(items: list[Item], reader: Reader) -> Query:
    pieces, joints = _split(items, lambda item: item.kind is Kind.OR)
    grouped: list[list[Item]] = [pieces[0]]
    for joint, piece in zip(joints, pieces[1:], strict=True):
        if _has_event(piece) and _has_event(grouped[-1]):
            grouped.append(piece)
        else:
            grouped[-1] = [*grouped[-1], joint, *piece]
    queries = tuple(reader.clause(group) for group in grouped)
    return queries[0] if len(queries) == 1 else Or(queries)


def _named(query: Query) -> Query:
    """Keep the names that tie two roles together, as short variables."""
    counts: dict[str, int] = {}
    for event in events_in(query):
        for _, who in event.roles:
            if who.name:
                counts[who.name] = counts.get(who.name, 0) + 1
    shared = [name for name, count in counts.items() if count > 1]
    names = dict(zip(shared, _NAMES, strict=False))

    def rename(part: Query) -> Query:
        match part:
            case Event(_, _, roles):
                renamed = ((role, replace(w, name=names.get(w.name or ""))) for role, w in roles)
                return replace(part, roles=tuple(r for r in renamed if r[1] != Who()))
            case Then(first, second) | Relate(first, _, second):
                return replace(part, first=rename(first), second=rename(second))
            case And(parts) | Or(parts):
                return replace(part, parts=tuple(rename(p) for p in parts))
            case Not(inner) | Count(inner):
                return replace(part, part=rename(inner))
            case _:
                raise AssertionError(f"{type(part).__name__} is not a query expression")

    return rename(query)
