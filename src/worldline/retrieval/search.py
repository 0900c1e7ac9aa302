"""Search: filter in the store, evaluate structure on the survivors, rank, merge and explain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from worldline.core.errors import InputError
from worldline.core.provenance import Origin
from worldline.core.scene import Scene
from worldline.retrieval.evaluate import UNKNOWN_LABEL, Match, StoredEvent, Video, find_matches
from worldline.retrieval.motion import Motion, describe_motions, max_similarity
from worldline.retrieval.plan import Plan
from worldline.retrieval.query import And, Count, Event, Not, Or, Query, Relate, Then, events_in
from worldline.retrieval.schema import COMMON_QUANTITIES, EVENTS, MOTIONS, VIDEOS
from worldline.retrieval.store import Store
from worldline.retrieval.where import AllOf, AnyOf, Contains, IsIn, Measured, Where

__all__ = ["Hit", "SearchResult", "event_filter", "search"]

_CANDIDATES = 2048
"""Nearest stored motions per motion of a `like` video whose segments are then compared in full."""


@dataclass(frozen=True)
class Hit:
    """A stretch of a video in which the plan holds.

    Attributes:
        source: URI of the video.
        start_s, end_s: interval.
        score: probability that it happened as asked, times similarity where `like` was given.
        why: what it rests on: events with tracks, roles, labels, quantities and margins.
        origin: recorded, simulated or generated.
    """

    source: str
    start_s: float
    end_s: float
    score: float
    why: Mapping[str, Any]
    origin: Origin

    @property
    def synthetic(self) -> bool:
        """Not recorded by a camera."""
        return self.origin is not Origin.RECORDED

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "source": self.source,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "score": self.score,
            "why": dict(self.why),
            "synthetic": self.synthetic,
            "origin": str(self.origin),
        }


@dataclass(frozen=True)
class SearchResult:
    """Hits, best first, and the plan that they answer. No hits is an answer."""

    plan: Plan
    hits: tuple[Hit, ...]

    def to_json(self) -> dict[str, Any]:
        """`{"plan": ..., "hits": [...]}`."""
        return {"plan": self.plan.to_json(), "hits": [hit.to_json() for hit in self.hits]}


@dataclass(frozen=True)
class _Found:
    video: Mapping[str, Any]
    match: Match
    similarity: float | None = None
    pairs: tuple[Mapping[str, Any], ...] = ()

    @property
    def score(self) -> float:
        return self.match.score * (1.0 if self.similarity is None else max(0.0, self.similarity))


def search(
    store: Store,
    plan: Plan,
    *,
    limit: int,
    like: Scene | None = None,
    like_name: str = "",
) -> SearchResult:
    """Answer a plan.

    Args:
        store: of a library.
        plan: with a query, unless `like` is given.
        limit: most hits.
        like: scene whose motion hits must resemble.
        like_name: how to call it.

    Raises:
        InputError: neither a query nor motion to compare with.
    """
    rows = sorted(store.read(VIDEOS), key=lambda row: row["ingest_id"])
    videos = {row["uri"]: row for row in rows}
    if like is not None:
        plan = replace(plan, like=like_name)
    if plan.query is None and like is None:
        raise InputError("the plan holds no query; name something that happens, such as `fall`")
    found = [] if plan.query is None else _merge(_by_structure(store, plan.query, videos))
    if like is not None:
        alike = _by_motion(store, like, videos, like_name)
        found = alike if plan.query is None else _both(found, alike)
    found.sort(key=lambda f: (-f.score, -f.match.margin, f.video["uri"], f.match.start_s))
    return SearchResult(plan, tuple(_hit(f) for f in found[:limit]))


def event_filter(query: Query) -> Where:
    """What the store itself can tell of the events that bear on a query, denied ones included."""
    return AnyOf(tuple(_one_filter(event) for event in events_in(query)))


def _one_filter(event: Event) -> Where:
    parts: list[Where] = [IsIn("type", (event.type,))]
    parts += [
        Measured(c.quantity, c.op, c.value) for c in event.where if c.quantity in COMMON_QUANTITIES
    ]
    for _, who in event.roles:
        if who.labels:
            parts.append(Contains("labels", (*who.labels, UNKNOWN_LABEL)))
        if who.colors:
            parts.append(Contains("colors", (*who.colors, "")))
    return AllOf(tuple(parts))


def _holds_of_nothing(query: Query) -> bool:
    """Whether a video without any of the query's events can satisfy it."""
    match query:
        case Event():
            return False
        case Then(first, second) | Relate(first, _, second):
            return _holds_of_nothing(first) and _holds_of_nothing(second)
        case And(parts):
            return all(_holds_of_nothing(part) for part in parts)
        case Or(parts):
            return any(_holds_of_nothing(part) for part in parts)
        case Not(part):
            return not _holds_of_nothing(part)
        case Count(_, op, number):
            return op.holds(0, number)
        case _:
            raise AssertionError(f"{type(query).__name__} is not a query expression")


def _by_structure(
    store: Store, query: Query, videos: Mapping[str, Mapping[str, Any]]
) -> list[_Found]:
    events: dict[str, list[StoredEvent]] = {}
    if _holds_of_nothing(query):
        events = {uri: [] for uri in videos}
    for row in store.read(EVENTS, event_filter(query)):
        video = videos.get(row["uri"])
        if video is not None and row["ingest_id"] == video["ingest_id"]:
            events.setdefault(row["uri"], []).append(StoredEvent(row))
    return [
        _Found(videos[uri], match)
        for uri, own in events.items()
        for match in find_matches(query, Video(videos[uri], tuple(sorted(own, key=_number))))
    ]


def _number(event: StoredEvent) -> int:
    return event.row["number"]


def _merge(found: Sequence[_Found]) -> list[_Found]:
    """Join what overlaps in one video: its interval spans all, its score is the best one's."""
    merged: list[_Found] = []
    for f in sorted(found, key=lambda f: (f.video["uri"], f.match.start_s, -f.score)):
        last = merged[-1] if merged else None
        same = last is not None and last.video["uri"] == f.video["uri"]
        if last is None or not same or f.match.start_s > last.match.end_s:
            merged.append(f)
            continue
        lead, rest = sorted((last.match, f.match), key=lambda m: (-m.score, -m.margin))
        union = lead.joined(rest)
        joined = replace(
            union,
            score=lead.score,
            margin=lead.margin,
            absent=tuple(dict.fromkeys(union.absent)),
            bindings=lead.bindings,
        )
        merged[-1] = replace(last, match=joined)
    return merged


def _by_motion(
    store: Store, scene: Scene, videos: Mapping[str, Mapping[str, Any]], name: str
) -> list[_Found]:
    """Segments whose objects move like those of a scene, one per stretch of a video."""
    windows: dict[int, list[Motion]] = {}
    for motion in describe_motions(scene):
        windows.setdefault(motion.segment, []).append(motion)
    if not windows:
        raise InputError(f"{name}: nothing moves in it, so there is no motion to search for")
    near: set[str] = set()
    for motion in (m for group in windows.values() for m in group):
        rows = store.nearest(MOTIONS, motion.vector, limit=_CANDIDATES, columns=["uri"])
        near.update(row["uri"] for row in rows)
    columns = ["uri", "ingest_id", "segment", "start_s", "end_s", "track", "vector"]
    segments: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in store.read(MOTIONS, IsIn("uri", tuple(sorted(near))), columns):
        video = videos.get(row["uri"])
        if video is not None and row["ingest_id"] == video["ingest_id"]:
            segments.setdefault((row["uri"], row["segment"]), []).append(row)
    found = []
    for (uri, _), rows in segments.items():
        rows.sort(key=lambda row: row["track"])
        stored = np.array([row["vector"] for row in rows], dtype=np.float64)
        score, queried, partners = max(
            ((*max_similarity(_stack(group), stored), group) for group in windows.values()),
            key=lambda result: result[0],
        )[0:3]
        pairs = tuple(
            {
                "query_track": own.track,
                "track": rows[i]["track"],
                "start_s": rows[i]["start_s"],
                "end_s": rows[i]["end_s"],
            }
            for own, i in zip(partners, queried, strict=True)
        )
        start_s, end_s = min(p["start_s"] for p in pairs), max(p["end_s"] for p in pairs)
        found.append(_Found(videos[uri], Match(start_s, end_s, 1.0), score, pairs))
    return _best_apart(found)


def _stack(group: Sequence[Motion]) -> Float[np.ndarray, "q f"]:
    return np.stack([motion.vector for motion in group])


def _best_apart(found: Sequence[_Found]) -> list[_Found]:
    """The best of overlapping stretches: windows of one video overlap by construction."""
    kept: list[_Found] = []
    for f in sorted(found, key=lambda f: (-f.score, f.video["uri"], f.match.start_s)):
        if not any(k.video["uri"] == f.video["uri"] and _overlap(k.match, f.match) for k in kept):
            kept.append(f)
    return kept


def _overlap(a: Match, b: Match) -> bool:
    return a.start_s <= b.end_s and b.start_s <= a.end_s


def _both(found: Sequence[_Found], alike: Sequence[_Found]) -> list[_Found]:
    """Structural matches that overlap a stretch of similar motion, with that similarity."""
    result = []
    for f in found:
        near = [a for a in alike if a.video["uri"] == f.video["uri"] and _overlap(a.match, f.match)]
        if near:
            best = max(near, key=lambda a: a.score)
            result.append(replace(f, similarity=best.similarity, pairs=best.pairs))
    return result


def _hit(found: _Found) -> Hit:
    match, video = found.match, found.video
    why: dict[str, Any] = {
        "events": [e.to_json() for e in match.evidence],
        "absent": list(match.absent),
        "evidence": video["evidence"],
    }
    if match.evidence:
        lead = match.evidence[0]
        why = {**_lead(lead.to_json()), **why}
    if found.similarity is not None:
        why["similarity"] = found.similarity
        why["alike"] = [dict(pair) for pair in found.pairs]
    return Hit(
        source=video["uri"],
        start_s=match.start_s,
        end_s=match.end_s,
        score=found.score,
        why=why,
        origin=Origin(video["origin"]),
    )


def _lead(record: Mapping[str, Any]) -> dict[str, Any]:
    """The strongest event's facts once more, where a reader looks first."""
    keys = ("type", "tracks", "roles", "labels", "quantities", "comparisons", "definition_version")
    return {key: record[key] for key in keys}
