"""Looking at the best bounds first gives what looking at every video gives."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.core.scene import Event
from worldline.retrieval import search as room
from worldline.retrieval.candidates import Candidates, columns_for, holds_of_nothing
from worldline.retrieval.commit import known_videos
from worldline.retrieval.grammar import parse
from worldline.retrieval.lance import LanceStore
from worldline.retrieval.library import Library
from worldline.retrieval.query import Bounce, Collide, Count, Fall, Not, Op, Or, height_m
from worldline.retrieval.schema import EVENTS

TYPES = ("fall", "bounce", "collide", "topple", "near_miss")
QUERIES = (
    Fall(),
    Fall(height_m > 1),
    Fall(height_m > 1, height_m < 3).of("ball"),
    Not(Fall()),
    Not(Fall(height_m > 2)),
    Fall().then(Bounce(), within_s=1),
    Or((Fall(height_m > 2), Collide())),
    Or((Not(Fall()), Collide())),
    *(Count(Fall(), op, 2) for op in (Op.GE, Op.LE, Op.EQ, Op.LT)),
    Count(Collide().between("ball", "box"), Op.GE, 1),
    *(
        parse(text).query
        for text in (
            "a red ball hits a box",
            "something falls without bouncing",
            "no near miss",
            "something hits a box, then something falls",
            "a box falls but never bounces",
        )
    ),
)


def random_events(rng: np.random.Generator) -> list[Event]:
    events = [Event("filler", 0.0, 0.0)]
    for _ in range(rng.poisson(3)):
        kind = str(rng.choice(TYPES))
        start_s = float(rng.uniform(0, 1.5))
        a, b = (int(n) for n in rng.permutation(3)[:2])
        roles = {"a": a, "b": b} if kind in ("collide", "near_miss") else {"object": a}
        measured = {"height_m": float(rng.choice([0.5, 1.0, 2.0, 4.0])), "height_m_std": 0.3}
        confidence = float(rng.choice([1.0, 1.0, 0.8, 0.4, rng.uniform()]))
        end_s = start_s + float(rng.uniform(0.1, 1))
        events.append(Event(kind, start_s, end_s, roles, measured, confidence))
    return events


@pytest.fixture
def few_at_a_time(monkeypatch):
    monkeypatch.setattr(room, "_FIRST_VIDEOS", 1)
    monkeypatch.setattr(room, "_MOST_VIDEOS", 3)


@pytest.fixture
def library(fill):
    rng = np.random.default_rng(0)
    return fill(*(random_events(rng) for _ in range(60)), labels=("ball", "object", "box"))


@pytest.mark.parametrize("query", QUERIES, ids=[str(number) for number in range(len(QUERIES))])
def test_the_best_hits_are_those_of_an_exhaustive_search(library, few_at_a_time, query):
    store = library.store
    every = sorted(room._evaluate(store, query, known_videos(store)), key=room._order)
    assert every
    for limit in (1, 4, 200):
        hits = library.search(query, limit=limit).hits
        assert [hit.to_json() for hit in hits] == [room._hit(f).to_json() for f in every[:limit]]


@pytest.mark.parametrize("query", QUERIES, ids=[str(number) for number in range(len(QUERIES))])
def test_no_match_comes_before_its_bound(library, query):
    store = library.store
    events = store.columns(EVENTS, room.event_filter(query), columns_for(query))
    videos = known_videos(store)
    every_uri = list(videos) if holds_of_nothing(query) else None
    bounds = {bound.uri: bound for bound in Candidates(query, events, every_uri)}
    for found in room._evaluate(store, query, videos):
        assert bounds[found.video["uri"]].key <= room._order(found)[:3]


def test_few_videos_are_looked_at(library, few_at_a_time, monkeypatch):
    looked, whole = [], room._evaluate
    monkeypatch.setattr(room, "_evaluate", lambda *a: looked.extend(a[2]) or whole(*a))
    assert len(library.search("something falls", limit=1).hits) == 1
    assert len(looked) == 3


@pytest.mark.parametrize("op", [Op.GE, Op.GT])
def test_no_table_is_made_for_more_events_than_there_are(library, op):
    assert library.search(Fall().times(10**12, op)).hits == ()
    most = max(len(hit.why["events"]) for hit in library.search(Fall()).hits)
    assert library.search(Fall().times(most)).hits


def test_dead_rows_do_not_count(tmp_path, make_scene):
    """Those of a writer that was killed are neither seen nor taken for a presence."""
    library = Library(LanceStore(str(tmp_path / "library")))
    library.add(make_scene([Event("bounce", 0, 1, {"object": 0})]), uri="a", content_hash="1")
    dead = {**library.store.read(EVENTS)[0], "type": "fall", "ingest_id": "0"}
    library.store.append(EVENTS, [dead])
    assert [hit.source for hit in library.search(Not(Fall())).hits] == ["a"]
    assert library.search(Fall()).hits == ()
