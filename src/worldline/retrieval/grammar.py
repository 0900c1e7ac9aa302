"""The grammar: how clauses are joined. `clause.py` reads each of them.

    query       = related joined by "then", "followed by", "before" (in order) or "after" (reversed)
    related     = clauses joined by "while", "during", "until" and the like
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

import re
from collections.abc import Callable, Sequence

from worldline.core.errors import InputError
from worldline.physics import ONTOLOGY
from worldline.retrieval.bursts import near_in_time
from worldline.retrieval.clause import Reader
from worldline.retrieval.compounds import THINGS, apart, shared
from worldline.retrieval.exclusion import quantified, set_aside
from worldline.retrieval.joints import IMMEDIATELY_S, second_clause, settle
from worldline.retrieval.lost import without_part
from worldline.retrieval.negation import (
    RELATIVE,
    denied_last,
    split_at_negations,
    without_last_not,
)
from worldline.retrieval.numerals import quoted
from worldline.retrieval.ones import named_ones
from worldline.retrieval.plan import Plan
from worldline.retrieval.profiles import by_profile
from worldline.retrieval.query import (
    And,
    Event,
    Not,
    Or,
    Query,
    Relate,
    Relation,
    Then,
)
from worldline.retrieval.ranges import spread_ranges
from worldline.retrieval.standing import another
from worldline.retrieval.thesaurus import Thesaurus, suggest
from worldline.retrieval.variables import tied
from worldline.retrieval.vocabulary import Entry, Kind
from worldline.retrieval.waits import far_waits
from worldline.retrieval.words import Item, has_event, read_words

__all__ = ["parse"]

_EXPRESSION = re.compile(r"\b[A-Z][A-Za-z]+\((\)|[a-z]+_[a-z0-9_]+\s*[<>=])")
"""Such as `Fall(height_m > 2)` or `Fall()`, whose 2 would be read as a count."""


def parse(text: str, thesaurus: Thesaurus | None = None) -> Plan:
    """Read a question into a plan.

    Args:
        text: the question.
        thesaurus: tells what unknown words may mean; that is shown and decides nothing.

    Raises:
        InputError: nothing that can happen is named, a number cannot be read or used, or limits
            or negations undo each other; the message says what can be asked.
    """
    if _EXPRESSION.search(text):
        raise InputError(
            "the query looks like a typed expression, which Python takes; ask in words, such as "
            "`a ball falls more than 2 m`, or pass the plan as JSON"
        )
    words, excluded = set_aside(named_ones(read_words(text)))
    words, lower_limits = far_waits(spread_ranges(words))
    items = denied_last(settle(words))
    profiles = [item for item in items if item.kind is Kind.PROFILE]
    items = [item for item in items if item.kind is not Kind.PROFILE]
    reader = Reader()
    if not has_event(items):
        raise InputError(_advice(text, items, thesaurus))
    reader.several = sum(item.kind is Kind.EVENT for item in items) > 1
    reader.remarks.add(quantified(words))
    for said in (*excluded, *lower_limits):
        reader.remarks.drop(said)
    query = tied(_sequence(items, reader))
    for item in profiles:
        judged = by_profile(query, item.entry.text)
        if judged == query:
            reader.remarks.ignore([item])
        query = judged
    guesses, ignored = reader.remarks.of(items)
    ignored += without_part(items, query, guesses, ignored)
    unknown = [item.words for item in items if item.kind is Kind.UNKNOWN]
    return Plan(query, text, guesses, ignored, suggestions=suggest(unknown, thesaurus))


def _advice(text: str, items: Sequence[Item], thesaurus: Thesaurus | None) -> str:
    examples = "`something falls from a height` or `near-miss between a car and a person`"
    if not text.strip():
        return f"the query is empty; ask for something that happens, such as {examples}"
    unknown = [item.words for item in items if item.kind is Kind.UNKNOWN]
    reason = f" (not known: {quoted(', '.join(unknown))})" if unknown else ""
    near = [f"{s.known} by {s.words}" for s in suggest(unknown, thesaurus)]
    fast = {"fast", "slow", "quick", "quickly", "slowly"} & {*text.lower().split()}
    if fast:
        return (
            f"the query does not say how {quoted(min(fast))}; give a speed, as in `a car moves "
            "faster than 50 km/h`, or ask for something that happens, such as " + examples
        )
    reason += f"; did you mean {' or '.join(near)}?" if near else ""
    known = ", ".join(name.replace("_", " ") for name in ONTOLOGY)
    return (
        f"the query names nothing that can happen{reason}; ask for one of {known}, "
        f"for example {examples}"
    )


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
    quiet = (Kind.FILLER, Kind.ARTICLE, Kind.COMMA, Kind.ONLY)
    first = next(i for i, item in enumerate(items) if item.kind not in quiet)
    opener = items[first]
    within_s: float | None = None
    if opener.kind is Kind.WITHIN and [i.kind for i in items[first + 2 : first + 3]] == [
        Kind.AFTER
    ]:
        within_s, items = _within(items, reader)  # "within 2 s of braking, a car turns"
        opener = items[first]
    if opener.kind in (Kind.AFTER, Kind.THEN, Kind.RELATION):
        # "after a fall, a ball bounces": what comes first is said first, up to the comma.
        rest = items[first + 1 :]
        comma = next((i for i, item in enumerate(rest) if item.kind is Kind.COMMA), None)
        if comma is not None and has_event(rest[:comma]) and has_event(rest[comma:]):
            return _opened(opener, rest[:comma], rest[comma + 1 :], within_s, reader)
        second = None if comma is not None else second_clause(rest)
        if second is not None:
            return _opened(opener, rest[:second], rest[second:], within_s, reader)
        items = rest
    pieces, joints = _split(items, lambda item: item.kind in (Kind.THEN, Kind.AFTER))
    while len(pieces) > 1 and not has_event(pieces[0]):
        pieces[1] = pieces[0] + pieces[1]
        del pieces[0], joints[0]
    within_s, pieces[0] = (None, pieces[0])
    if joints and joints[0].kind is Kind.AFTER:
        within_s, pieces[0] = _within(pieces[0], reader)
    pieces[0], is_absent = without_last_not(pieces[0])
    query, wait_s = _ordered_pair(pieces[0], reader, is_last=not joints)
    within_s = within_s if within_s is not None else wait_s
    for joint, piece in zip(joints, pieces[1:], strict=True):
        limit_s, piece = _within(piece, reader)
        within_s = limit_s if limit_s is not None else within_s
        if joint.entry.text == "soon" and within_s is None:
            within_s = IMMEDIATELY_S
            reader.remarks.guess(joint.words, f"within {within_s:g} s")
        again = [i for i in piece if i.kind not in (Kind.FILLER, Kind.ARTICLE, Kind.COMMA)]
        if isinstance(query, Event) and [i.words in _AGAIN for i in again] == [True]:
            query, within_s = Then(query, another(query), within_s), None
            continue
        if not has_event(piece):
            query = _elsewhere(query, joint, piece, within_s, reader)
            within_s = None
            continue
        if joint.words.split()[0] in ("which", "that", "who") or _ends_relative(joint):
            reader.mentions.follow_last()
        piece, next_is_absent = without_last_not(piece)
        part = _related(piece, reader)
        part = Not(part) if is_absent else part
        is_absent = next_is_absent
        late = joint.kind is Kind.AFTER
        query = Then(part, query, within_s) if late else Then(query, part, within_s)
        within_s = None
    return query


_AGAIN = ("another", "another one", "again", "a second one", "second one", "one more")


def _ends_relative(joint: Item) -> bool:
    return joint.words.split()[-1] == "which" and joint.words != "after which"


def _opened(
    opener: Item, early: list[Item], late: list[Item], within_s: float | None, reader: Reader
) -> Query:
    """ "After a fall, a ball bounces", "while turning, a car brakes"."""
    spoken = [i for i in early if i.kind not in (Kind.FILLER, Kind.ARTICLE)]
    gerund = spoken[0].kind is Kind.EVENT and spoken[0].words.split()[0].endswith("ing")
    nameless = gerund or not any(item.kind in THINGS for item in early)
    if opener.kind is Kind.AFTER and within_s is None and not _ordered(late):
        within_s, late = _within(late, reader)
    told = any(i.kind is Kind.PRONOUN for i in late) and any(i.kind in THINGS for i in early)
    if (opener.kind is Kind.RELATION or nameless) and not told:
        main = _sequence(late, reader)
        other = _sequence(early, reader)
    else:
        other = _sequence(early, reader)
        main = _sequence(late, reader)
    if opener.kind is Kind.RELATION:
        return _relate(main, Relation(opener.entry.text), other)
    if opener.entry.text == "soon":
        within_s = IMMEDIATELY_S
        reader.remarks.guess(opener.words, f"within {IMMEDIATELY_S:g} s")
    if opener.kind is Kind.AFTER:
        return Then(other, main, within_s)
    return Then(main, other, within_s)


def _ordered(items: Sequence[Item]) -> bool:
    return any(item.kind in (Kind.THEN, Kind.AFTER) for item in items)


def _elsewhere(
    query: Query, joint: Item, piece: list[Item], within_s: float | None, reader: Reader
) -> Query:
    """ "A collision without braking before it": what is absent, is so before or after the rest."""
    words = {item.words for item in piece}
    refers = words <= _REFERRING and isinstance(query, And) and isinstance(query.parts[-1], Not)
    if not refers or not isinstance(query, And):
        reader.remarks.ignore([joint, *piece])
        return query
    rest, absent = query.parts[:-1], query.parts[-1]
    wanted = rest[0] if len(rest) == 1 else And(rest)
    if joint.words in ("before", "beforehand", "earlier", "previously"):
        return Then(absent, wanted, within_s)
    return Then(wanted, absent, within_s)


_REFERRING = frozenset(["it", "that", "them", "happens", "which", "hand"])


def _ordered_pair(
    items: list[Item], reader: Reader, *, is_last: bool
) -> tuple[Query, float | None]:
    """A piece, where "drops and bounces within 1 s" is an order; else perhaps a wait to come."""
    segments, _ = _split(items, lambda item: item.kind is Kind.AND)
    if is_last and len(segments) == 2 and all(map(has_event, segments)):
        events = [i for i, item in enumerate(segments[1]) if item.kind is Kind.EVENT]
        tail = segments[1][events[-1] :]
        plain = not any(i.kind in (Kind.NOT, Kind.NOTHING) for i in items)
        near = any(i.entry.text == "near_miss" for i in segments[1])
        within_s, rest = _within(tail, reader)
        if within_s is not None and plain and not near:
            head = segments[1][: events[-1]]
            first = _related(segments[0], reader)
            second = _related([*head, *rest], reader)
            if any(i.words in ("each other", "one another") for i in rest):
                return near_in_time(first, second, within_s), None
            return Then(first, second, within_s), None
    return _related(items, reader), None


def _related(items: list[Item], reader: Reader) -> Query:
    pieces, joints = _split(items, lambda item: item.kind is Kind.RELATION)
    query = _conjunction(pieces[0], reader)
    for joint, piece in zip(joints, pieces[1:], strict=True):
        part = _conjunction(piece, reader)
        relation = Relation(joint.entry.text)
        turned = joint.words in ("throughout", "during which")
        query = _relate(part, relation, query) if turned else _relate(query, relation, part)
    return query


def _relate(first: Query, relation: Relation, second: Query) -> Query:
    if isinstance(first, Not) and isinstance(second, Not):
        return And((first, second))
    if isinstance(first, Not) and relation in (Relation.WHILE, Relation.DURING):
        return Relate(second, Relation.WHILE, first)
    return Relate(first, relation, second)


def _within(piece: list[Item], reader: Reader) -> tuple[float | None, list[Item]]:
    """Take "within 2 s" out of a piece: there it limits the wait, not the event."""
    for i, item in enumerate(piece[:-1]):
        after = piece[i + 1]
        if item.kind is Kind.WITHIN and after.kind is Kind.MEASURE and after.unit == "s":
            if after.entry.value <= 0:
                raise InputError(f"{item.words} {after.words} leaves no time; give more than 0 s")
            if item.meaning:
                reader.remarks.guess(after.words, item.meaning)
            return after.entry.value, piece[:i] + piece[i + 2 :]
    return None, piece


def _conjunction(items: list[Item], reader: Reader) -> Query:
    segments, _ = _split(items, lambda item: item.kind in (Kind.AND, Kind.COMMA))
    merged: list[list[Item]] = []
    waiting: list[Item] = []
    for at, segment in enumerate(segments):
        if merged and _open_between(merged[-1]):
            merged[-1] = merged[-1] + segment
        elif has_event(segment):
            merged.append(waiting + segment)
            waiting = []
        elif _does_unknown(segment):
            subject = _lone_subject(segment, segments[at + 1 : at + 2])
            reader.remarks.ignore([item for item in segment if item not in subject])
            waiting += [*subject, _AND] if subject else []
        elif segment:
            waiting += [*segment, _AND]
    if waiting:
        merged[-1] = [*merged[-1], _AND, *waiting[:-1]]
    parts: list[Query] = []
    without, before = False, None
    for segment in merged:
        if before and before[-1].kind in THINGS and segment[0].words.split()[0] in RELATIVE:
            reader.mentions.follow_last()  # "hits a box, which hits a wall"
        before = segment
        positive, negative, denied, wide = split_at_negations(segment)
        if without and not denied and not negative and _continues(segment):
            parts.append(Not(_alternatives(positive, reader)))
            continue
        without = wide
        if positive:
            part = _alternatives(positive, reader)
            parts.append(_denying(part, segment, reader) if denied else part)
        for tail in negative:
            main = reader.mentions.subject
            if tail[0].words.split()[0] in RELATIVE:
                reader.mentions.follow_last()
            parts.append(_denying(_alternatives(tail, reader), segment, reader))
            reader.mentions.subject = main
    parts.sort(key=lambda part: isinstance(part, Not))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _denying(part: Query, segment: Sequence[Item], reader: Reader) -> Not:
    """The denial of a clause; of several events together it is said, as it may not be meant."""
    if any(isinstance(p, And) for p in (part, *(part.parts if isinstance(part, Or) else ()))):
        said = next(i.words for i in segment if i.kind in (Kind.NOT, Kind.NOTHING))
        reader.remarks.guess(said, "denies all of it together")
    return Not(part)


def _does_unknown(segment: Sequence[Item]) -> bool:
    """Whether something does what is not known: "a keeper dives" names no subject of others."""
    things = [i for i, item in enumerate(segment) if item.kind in THINGS]
    numbers = any(item.kind in (Kind.NUMBER, Kind.MEASURE) for item in segment)
    after = segment[things[0] + 1 :] if things else ()
    return not numbers and bool(after) and after[0].kind is Kind.UNKNOWN


def _lone_subject(segment: list[Item], following: Sequence[list[Item]]) -> list[Item]:
    """The subject of "a worker trips" where "and falls" comes after it, which lacks its own."""
    quiet = (Kind.FILLER, Kind.HARD, Kind.ONLY)
    rest = [item for items in following for item in items if item.kind not in quiet]
    if not rest or rest[0].kind is not Kind.EVENT:
        return []
    end = next(i for i, item in enumerate(segment) if item.kind in THINGS)
    return segment[: end + 1]


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


_AND = Item(Entry(Kind.AND), "and")


def _alternatives(items: list[Item], reader: Reader) -> Query:
    pieces, joints = _split(items, lambda item: item.kind is Kind.OR)
    grouped: list[list[Item]] = [pieces[0]]
    for joint, piece in zip(joints, pieces[1:], strict=True):
        if has_event(piece) and has_event(grouped[-1]):
            grouped.append(piece)
        else:
            grouped[-1] = [*grouped[-1], joint, *piece]
    grouped = [one for group in shared(grouped) for one in apart(group)]
    queries = tuple(reader.clause(group) for group in grouped)
    return queries[0] if len(queries) == 1 else Or(queries)
