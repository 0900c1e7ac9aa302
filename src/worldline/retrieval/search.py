"""Search: filter in the store, evaluate structure on the survivors, rank, merge and explain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from worldline.core.errors import InputError
from worldline.core.provenance import Origin
from worldline.retrieval.alike import Alike, Asked, find_alike
from worldline.retrieval.candidates import Candidates, columns_for, holds_of_nothing
from worldline.retrieval.colors import seen_as
from worldline.retrieval.evaluate import UNKNOWN_LABEL, find_matches
from worldline.retrieval.evidence import Match, StoredEvent, Video
from worldline.retrieval.plan import Plan
from worldline.retrieval.query import Event, Query, events_in
from worldline.retrieval.schema import COMMON_QUANTITIES, EVENTS, VIDEOS
from worldline.retrieval.store import Store
from worldline.retrieval.where import AllOf, AnyOf, Contains, IsIn, Measured, Where

__all__ = ["Hit", "SearchResult", "event_filter", "search"]

_FIRST_VIDEOS, _MOST_VIDEOS = 24, 1000
"""How many videos are evaluated at first, and at most, before it is seen whether it takes more."""


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
    alike: Alike | None = None

    @property
    def score(self) -> float:
        return self.match.score * (1.0 if self.alike is None else max(0.0, self.alike.similarity))


def search(
    store: Store,
    plan: Plan,
    *,
    limit: int,
    is_clean: bool = True,
    like: Asked | None = None,
) -> SearchResult:
    """Answer a plan.

    Args:
        store: of a library.
        plan: with a query, unless `like` is given.
        limit: most hits.
        is_clean: whether all rows of `events` are surely those of videos as they are now.
        like: motion that hits must resemble.

    Raises:
        InputError: neither a query nor motion to compare with.
    """
    if like is not None:
        plan = replace(plan, like=like.name)
    if plan.query is None and like is None:
        raise InputError("the plan holds no query; name something that happens, such as `fall`")
    if like is None:
        assert plan.query is not None
        found = _by_structure(store, plan.query, limit, is_clean)
    else:
        found = _by_motion(store, like)
        if plan.query is not None:
            found = _both(_evaluate(store, plan.query, {f.video["uri"] for f in found}), found)
    found.sort(key=_order)
    return SearchResult(plan, tuple(_hit(f) for f in found[:limit]))


def event_filter(query: Query) -> Where:
    """What the store itself can tell of the events that bear on a query, denied ones included."""
    return AnyOf(tuple(_one_filter(event) for event in events_in(query)))


def _one_filter(event: Event) -> Where:
    parts: list[Where] = [IsIn("type", (event.type,))]
    parts += [
        Measured(c.quantity, c.op, c.value)
        for c in (compare.loosely() for compare in event.where)
        if c.quantity in COMMON_QUANTITIES
    ]
    for _, who in event.roles:
        if who.labels:
            parts.append(Contains("labels", (*who.labels, UNKNOWN_LABEL)))
        if who.colors:
            parts.append(Contains("colors", (*seen_as(who.colors), "")))
    return AllOf(tuple(parts))


def _order(found: _Found) -> tuple[float, float, str, float]:
    return -found.score, -found.match.margin, found.video["uri"], found.match.start_s


def _by_structure(store: Store, query: Query, limit: int, is_clean: bool) -> list[_Found]:
    """The best `limit` matches, from no more videos than it takes to be sure of them."""
    names = columns_for(query)
    if is_clean:
        events = store.columns(EVENTS, event_filter(query), names)
    else:
        events = store.columns(EVENTS, event_filter(query), [*names, "ingest_id"])
        claimed = set(store.columns(VIDEOS, None, ["ingest_id"])["ingest_id"].to_pylist())
        # of a table without rows there would be no type to tell a mask by
        own = (name in claimed for name in events["ingest_id"].to_pylist())
        events = events.filter(np.fromiter(own, dtype=bool))
    every_uri = None
    if holds_of_nothing(query):
        every_uri = store.columns(VIDEOS, None, ["uri"])["uri"].to_pylist()
    bounds = iter(Candidates(query, events, every_uri))
    found: list[_Found] = []
    size = _FIRST_VIDEOS + 2 * limit
    while batch := list(islice(bounds, size)):
        if len(found) == limit and _order(found[-1])[:3] <= batch[0].key:
            break
        found += _evaluate(store, query, {bound.uri for bound in batch})
        found = sorted(found, key=_order)[:limit]
        size = min(2 * size, _MOST_VIDEOS)
    return found


def _evaluate(store: Store, query: Query, uris: Collection[str]) -> list[_Found]:
    """All matches in these videos, joined where they overlap."""
    videos = _videos(store, uris)
    here = IsIn("uri", tuple(sorted(videos)))
    events: dict[str, list[StoredEvent]] = {}
    if holds_of_nothing(query):
        events = {uri: [] for uri in videos}
    for row in store.read(EVENTS, AllOf((here, event_filter(query)))):
        if row["ingest_id"] == videos[row["uri"]]["ingest_id"]:
            events.setdefault(row["uri"], []).append(StoredEvent(row))
    return _merge(
        [
            _Found(videos[uri], match)
            for uri, own in events.items()
            for match in find_matches(query, Video(videos[uri], tuple(sorted(own, key=_number))))
        ]
    )


def _videos(store: Store, uris: Collection[str]) -> dict[str, dict[str, Any]]:
    rows = store.read(VIDEOS, IsIn("uri", tuple(sorted(uris))))
    return {row["uri"]: row for row in sorted(rows, key=lambda row: row["ingest_id"])}


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


def _by_motion(store: Store, asked: Asked) -> list[_Found]:
    """Segments whose objects move like those of a scene, one per stretch of a video."""
    alike = find_alike(store, asked)
    videos = _videos(store, {a.uri for a in alike})
    return _best_apart(
        [
            _Found(videos[a.uri], Match(a.start_s, a.end_s, 1.0, a.end_s), a)
            for a in alike
            if a.uri in videos  # or it was removed meanwhile
        ]
    )


def _best_apart(found: Sequence[_Found]) -> list[_Found]:
    """The best of overlapping stretches: windows of one video overlap by construction."""
    kept: dict[str, list[_Found]] = {}
    for f in sorted(found, key=lambda f: (-f.score, f.video["uri"], f.match.start_s)):
        own = kept.setdefault(f.video["uri"], [])
        if not any(_overlap(k.match, f.match) for k in own):
            own.append(f)
    return [f for own in kept.values() for f in own]


def _overlap(a: Match, b: Match) -> bool:
    return a.start_s <= b.end_s and b.start_s <= a.end_s


def _both(found: Sequence[_Found], alike: Sequence[_Found]) -> list[_Found]:
    """Structural matches that overlap a stretch of similar motion, with that similarity."""
    by_uri: dict[str, list[_Found]] = {}
    for a in alike:
        by_uri.setdefault(a.video["uri"], []).append(a)
    result = []
    for f in found:
        near = [a for a in by_uri.get(f.video["uri"], ()) if _overlap(a.match, f.match)]
        if near:
            best = max(near, key=lambda a: a.score)
            result.append(replace(f, alike=best.alike))
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
    if found.alike is not None:
        why["similarity"] = found.alike.similarity
        why["alike"] = [dict(pair) for pair in found.alike.pairs()]
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
