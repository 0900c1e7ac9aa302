"""Evaluating a query on what is known of one video: structure, order, absence and counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from worldline.core.scene import STATIC
from worldline.retrieval.colors import LOOKS_LIKE, SHADED, seen_as
from worldline.retrieval.evidence import Evidence, Match, StoredEvent, Video
from worldline.retrieval.intervals import stand
from worldline.retrieval.plan import say
from worldline.retrieval.query import (
    BLUR_S,
    NEARBY_S,
    ONSET_TYPES,
    TOUCH_S,
    And,
    Compare,
    Count,
    Event,
    Not,
    Op,
    Or,
    Query,
    Relate,
    Then,
    Who,
)
from worldline.retrieval.tally import LEAST_CHANCE, chance_of, likeliest

__all__ = ["ABSENT_BELOW", "UNCONFIRMED", "UNKNOWN_LABEL", "find_matches"]

ABSENT_BELOW = 0.5
"""An event with a lower confidence does not contradict a `Not`; it lowers the score instead."""

UNCONFIRMED = 0.3
"""Factor on the score for a label or colour that was asked for and is not known of the object."""

UNKNOWN_LABEL = "object"


def find_matches(query: Query, video: Video) -> list[Match]:
    """Every way in which the query holds in a video, in order of time."""
    match query:
        case Event():
            found = _event_matches(query, video.events)
        case Then():
            found = _then_matches(query, video)
        case Relate():
            found = _relate_matches(query, video)
        case And(parts):
            found = _and_matches(parts, video)
        case Or(parts):
            found = [m for part in parts for m in find_matches(part, video)]
        case Not(part):
            found = _whole_video(video, (part,))
        case Count():
            found = _count_matches(query, video)
        case _:
            raise AssertionError(f"{type(query).__name__} is not a query expression")
    return sorted(found, key=lambda m: (m.start_s, m.end_s))


def _event_matches(query: Event, events: Sequence[StoredEvent]) -> list[Match]:
    found = []
    by_onset = query.type in ONSET_TYPES
    for event in events:
        if event.row["type"] != query.type:
            continue
        judged = [_judge(c, event.quantities) for c in query.where]
        if any(j is None for j in judged):
            continue
        comparisons = tuple(j for j in judged if j is not None)
        doubtful = tuple(_doubt_of(j) for j in comparisons if j["probability"] < 0.5)
        chance = math.prod([c["probability"] for c in comparisons], start=event.row["confidence"])
        margin = min((c["margin_log2"] for c in comparisons), default=0.0)
        for bindings, unconfirmed in _cast(query, event):
            evidence = Evidence(event, comparisons, (*doubtful, *unconfirmed))
            score = chance * UNCONFIRMED ** len(unconfirmed)
            span = event.start_s, event.end_s
            done_s = event.start_s if by_onset else event.end_s
            found.append(Match(*span, score, done_s, margin, (evidence,), (), bindings, by_onset))
    return found


def _cast(query: Event, event: StoredEvent) -> Iterator[tuple[Mapping[str, int], tuple[str, ...]]]:
    """Bindings and unconfirmed wishes of each casting that fits; different ones only."""
    seen: set[tuple[tuple[str, int], ...]] = set()
    for casting in event.castings:
        bindings: dict[str, int] = {}
        unconfirmed: list[str] = []
        for role, who in query.roles:
            if role not in casting:
                break
            track, label, color = casting[role]
            doubts = _doubts(who, track, label, color, from_pixels=event.is_from_pixels)
            if doubts is None or bindings.get(who.name or "", track) != track:
                break
            unconfirmed += doubts
            if who.name:
                bindings[who.name] = track
        else:
            key = tuple(sorted(bindings.items()))
            if key not in seen:
                seen.add(key)
                yield bindings, tuple(unconfirmed)


def _doubts(who: Who, track: int, label: str, color: str, *, from_pixels: bool) -> list[str] | None:
    """What could not be confirmed of an object, or None where it is known to be another."""
    doubts = []
    if who.labels and label not in who.labels:
        if label != UNKNOWN_LABEL or track == STATIC:
            return None
        doubts.append(f"object {track} may not be a {' or '.join(who.labels)}: not recognised")
    if who.colors and color not in who.colors:
        looks_so = color in seen_as(who.colors, LOOKS_LIKE if from_pixels else SHADED)
        if track == STATIC or (color and not looks_so):
            return None
        why = f"it looks {color}" if color else "colour not known"
        doubts.append(f"object {track} may not be {' or '.join(who.colors)}: {why}")
    return doubts


def _judge(compare: Compare, quantities: Mapping[str, float]) -> Mapping[str, Any] | None:
    """How likely a measured quantity satisfies a condition, or None where it hardly can."""
    value = quantities.get(compare.quantity)
    if value is None:
        return None
    std = quantities.get(f"{compare.quantity}_std")
    holds = compare.op.holds(value, compare.value)
    chance = float(holds)
    if std is not None and std > 0 and compare.op is not Op.EQ:
        chance = compare.chance(value, std)
    if not holds and chance < LEAST_CHANCE:
        return None
    ratio = abs(math.log2(value / compare.value)) if value * compare.value > 0 else 60.0
    return {
        "quantity": compare.quantity,
        "op": str(compare.op),
        "threshold": compare.value,
        "value": value,
        "std": std,
        "margin": value - compare.value,
        "margin_log2": ratio if value != compare.value else 0.0,
        "probability": chance,
    }


def _doubt_of(comparison: Mapping[str, Any]) -> str:
    value, std, threshold = (comparison[name] for name in ("value", "std", "threshold"))
    what = comparison["quantity"]
    return f"{what} {comparison['op']} {threshold:g} may not hold: {value:.3g} +- {std:.2g}"


def _agree(a: Mapping[str, int], b: Mapping[str, int]) -> bool:
    return all(b.get(name, track) == track for name, track in a.items())


def _follows(first: Match, second: Match, within_s: float | None) -> bool:
    """Whether `second` begins after `first`, counted as `Query.then` says."""
    wait_s = second.start_s - first.done_s
    if first.by_onset:
        is_sharp = second.by_onset and second.done_s == second.start_s
        is_later = wait_s > 0 if is_sharp else wait_s >= -BLUR_S
    else:
        is_later = second.start_s > first.start_s and wait_s >= -TOUCH_S
    return is_later and (within_s is None or wait_s <= within_s)


def _then_matches(query: Then, video: Video) -> list[Match]:
    def follows(first: Match, second: Match) -> bool:
        return _follows(first, second, query.within_s)

    match query:
        case Then(Not(part), second):
            wanted = find_matches(second, video)
            return _apart(wanted, part, video, lambda after, before: follows(before, after))
        case Then(first, Not(part)):
            return _apart(find_matches(first, video), part, video, follows)
    return _paired(query.first, query.second, video, follows)


def _relate_matches(query: Relate, video: Video) -> list[Match]:
    def stands(first: Match, second: Match) -> bool:
        return stand(first.interval, query.relation, second.interval)

    if isinstance(query.second, Not):
        return _apart(find_matches(query.first, video), query.second.part, video, stands)
    return _paired(query.first, query.second, video, stands)


def _paired(
    first: Query, second: Query, video: Video, fits: Callable[[Match, Match], bool]
) -> list[Match]:
    """Each first with the best, and of equals the earliest, second that fits to it."""
    seconds = find_matches(second, video)
    found = []
    for one in find_matches(first, video):
        near = [
            s
            for s in seconds
            if fits(one, s) and _agree(one.bindings, s.bindings) and not _share_event(one, s)
        ]
        if near:
            found.append(one.joined(max(near, key=lambda s: (s.score, -s.start_s))))
    return found


def _apart(
    wanted: Sequence[Match], part: Query, video: Video, fits: Callable[[Match, Match], bool]
) -> list[Match]:
    """The matches to which none of `part`, which must not happen, fits."""
    contrary = find_matches(part, video)
    found = []
    for one in wanted:
        near = [c for c in contrary if fits(one, c) and _agree(one.bindings, c.bindings)]
        if all(c.score < ABSENT_BELOW for c in near):
            found.append(one.joined(_absence(one, part, near)))
    return found


def _share_event(a: Match, b: Match) -> bool:
    return not {id(e.event) for e in a.evidence}.isdisjoint(id(e.event) for e in b.evidence)


def _and_matches(parts: Sequence[Query], video: Video) -> list[Match]:
    wanted = [p for p in parts if not isinstance(p, Not)]
    absent = [p.part for p in parts if isinstance(p, Not)]
    if not wanted:
        return _whole_video(video, absent)
    combos = find_matches(wanted[0], video)
    for part in wanted[1:]:
        others = find_matches(part, video)
        combos = [
            combo.joined(other)
            for combo in combos
            for other in others
            if _gap_s(combo, other) <= NEARBY_S
            and _agree(combo.bindings, other.bindings)
            and not _share_event(combo, other)
        ]
    for part in absent:
        combos = _apart(combos, part, video, lambda a, c: _gap_s(a, c) <= NEARBY_S)
    return combos


def _gap_s(a: Match, b: Match) -> float:
    return max(0.0, a.start_s - b.end_s, b.start_s - a.end_s)


def _absence(where: Match, part: Query, contrary: Sequence[Match]) -> Match:
    chance = math.prod(1 - c.score for c in contrary)
    bare = replace(where, margin=0.0, evidence=(), bindings={})
    return replace(bare, score=chance, absent=(say(part),))


def _whole_video(video: Video, absent: Sequence[Query]) -> list[Match]:
    duration_s = video.row["duration_s"]
    whole = Match(0.0, duration_s, 1.0, duration_s)
    for part in absent:
        contrary = find_matches(part, video)
        if any(c.score >= ABSENT_BELOW for c in contrary):
            return []
        whole = whole.joined(_absence(whole, part, contrary))
    return [whole]


def _count_matches(query: Count, video: Video) -> list[Match]:
    """The video, where the part happens so often; "at least" may be likely where none of it is."""
    matches: list[Match] = []
    for m in find_matches(query.part, video):
        if not any(_share_event(m, other) for other in matches):
            matches.append(m)
    score = chance_of([m.score for m in matches], query.op, query.number)
    at_least = query.op in (Op.GT, Op.GE)
    num_certain = sum(m.score >= ABSENT_BELOW for m in matches)
    if score < LEAST_CHANCE if at_least else not query.op.holds(num_certain, query.number):
        return []
    most = query.number + (query.op is Op.GT) if at_least else 0
    certain = likeliest(matches, most, ABSENT_BELOW)
    start_s = min((m.start_s for m in certain), default=0.0)
    end_s = max((m.end_s for m in certain), default=video.row["duration_s"])
    evidence = tuple(e for m in certain for e in m.evidence)
    absent = () if certain else (say(query.part),)
    return [Match(start_s, end_s, score, end_s, evidence=evidence, absent=absent)]
