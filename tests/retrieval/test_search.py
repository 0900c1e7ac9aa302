from __future__ import annotations

import json
import math

import numpy as np
import pytest

from worldline.core.errors import InputError
from worldline.core.provenance import Origin
from worldline.core.scene import STATIC, Event
from worldline.retrieval.lance import LanceStore
from worldline.retrieval.library import Library
from worldline.retrieval.query import (
    Bounce,
    Collide,
    Fall,
    NearMiss,
    Quantity,
    Roll,
    Topple,
    Who,
    height_m,
    ttc_s,
)
from worldline.retrieval.store import ArrayStore


def fall(start_s, end_s, *, who=0, confidence=1.0, **quantities):
    return Event("fall", start_s, end_s, {"object": who}, quantities, confidence)


def one(kind, start_s, end_s, who=0, confidence=1.0, **quantities):
    return Event(kind, start_s, end_s, {"object": who}, quantities, confidence)


def pair(kind, start_s, end_s, a=0, b=1, confidence=1.0, **quantities):
    return Event(kind, start_s, end_s, {"a": a, "b": b}, quantities, confidence)


def sources(result):
    return [hit.source for hit in result.hits]


def test_a_threshold_divides_and_the_margin_ranks(fill):
    library = fill(
        [fall(0, 1, height_m=2.5)],
        [fall(0, 1, height_m=1.9)],
        [fall(0, 1, height_m=8.0)],
        [fall(0, 1)],
    )
    assert sources(library.search(Fall(height_m > 2))) == ["v2", "v0"]
    assert sources(library.search(Fall(height_m < 2))) == ["v1"]
    assert sources(library.search("something falls less than 200 cm")) == ["v1"]


def test_confidence_ranks_before_margin(fill):
    library = fill(
        [fall(0, 1, confidence=0.6, height_m=9)], [fall(0, 1, confidence=0.9, height_m=3)]
    )
    result = library.search(Fall(height_m > 2))
    assert [(h.source, h.score) for h in result.hits] == [("v1", 0.9), ("v0", 0.6)]


def test_an_uncertain_measure_gives_a_normal_probability(fill):
    library = fill([fall(0, 1, confidence=0.8, height_m=2.5, height_m_std=0.5)])
    (hit,) = library.search(Fall(height_m > 2)).hits
    one_sigma = 0.5 * (1 + math.erf(1 / math.sqrt(2)))
    assert hit.score == pytest.approx(0.8 * one_sigma)
    (comparison,) = hit.why["comparisons"]
    assert comparison["margin"] == pytest.approx(0.5)
    assert comparison["probability"] == pytest.approx(one_sigma)
    assert comparison["threshold"] == 2


def test_a_rare_quantity_is_filtered_in_python(fill):
    library = fill([one("topple", 0, 1, tilt_rad=1.5)], [one("topple", 0, 1, tilt_rad=0.9)])
    assert sources(library.search(Topple(Quantity("tilt_rad") > 1))) == ["v0"]


def test_near_miss_and_collision_are_kept_apart(fill):
    library = fill([pair("near_miss", 0, 1, ttc_s=0.8)], [pair("collide", 0, 1)])
    assert sources(library.search("two objects nearly collide")) == ["v0"]
    assert sources(library.search("two objects collide")) == ["v1"]
    assert sources(library.search(NearMiss(ttc_s < 0.5))) == []


def test_roles_of_a_pair_may_be_said_in_either_order(fill):
    library = fill([pair("collide", 0, 1, a=0, b=1)], [pair("collide", 0, 1, a=0, b=2)])
    assert sources(library.search(Collide().between("box", "ball"))) == ["v0"]
    assert sources(library.search(Collide().between("ball", "box"))) == ["v0"]
    assert sources(library.search("a ball and a ball collide")) == ["v1"]
    assert sources(library.search("a red ball hits a blue ball")) == ["v1"]
    assert sources(library.search("a red box hits a ball")) == []


def test_who_falls_after_the_hit_decides(fill):
    hit = pair("collide", 0.0, 0.2, a=0, b=1)
    library = fill([hit, fall(0.3, 1, who=0)], [hit, fall(0.3, 1, who=1)])
    assert sources(library.search("a ball hits a box, then falls")) == ["v0"]
    assert sources(library.search("a box hits a ball, then falls")) == ["v1"]
    assert sources(library.search("a ball hits a box, then the box falls")) == ["v1"]


def test_then_needs_the_order_and_the_wait(fill):
    library = fill(
        [fall(0.0, 0.5), one("bounce", 0.5, 0.6)],
        [fall(1.0, 1.5), one("bounce", 0.5, 0.6)],
        [fall(0.0, 0.5), one("bounce", 1.9, 2.0)],
    )
    query = Fall().then(Bounce(), within_s=1)
    (hit,) = library.search(query).hits
    assert (hit.source, hit.start_s, hit.end_s) == ("v0", 0.0, 0.6)
    assert [e["type"] for e in hit.why["events"]] == ["fall", "bounce"]
    assert sources(library.search(Fall().then(Bounce()))) == ["v0", "v2"]


def test_absence_beside_an_event_and_of_a_whole_video(fill):
    library = fill(
        [fall(0, 1), one("bounce", 1, 1.1)],
        [fall(0, 1)],
        [fall(0, 1), one("bounce", 1, 1.1, confidence=0.2)],
        [one("roll", 0, 1)],
        [fall(0, 1), one("bounce", 30, 31)],
    )
    result = library.search(Fall() & ~Bounce())
    assert [(h.source, round(h.score, 3)) for h in result.hits] == [
        ("v1", 1.0),
        ("v4", 1.0),
        ("v2", 0.8),
    ]
    assert result.hits[0].why["absent"] == ["a bounce"]
    assert sources(library.search("nothing falls")) == ["v3"]
    (hit,) = library.search("no fall").hits
    assert (hit.start_s, hit.end_s) == (0.0, 2.0)


def test_absence_of_the_same_object_only(fill):
    library = fill([fall(0, 1, who=0), one("bounce", 1, 1.1, who=2)])
    assert sources(library.search("a ball falls without bouncing")) == ["v0"]
    assert sources(library.search("a fall without a bounce")) == []


def test_counts(fill):
    library = fill([fall(0, 1)], [fall(0, 1), fall(0.2, 1, who=1)], [])
    assert sources(library.search("at least two falls")) == ["v1"]
    assert sources(library.search("exactly one fall")) == ["v0"]
    assert sources(library.search("at most one fall")) == ["v0", "v2"]
    (hit,) = library.search("exactly 0 falls").hits
    assert (hit.source, hit.why["events"], hit.why["absent"]) == ("v2", [], ["a fall"])
    (hit,) = (
        fill([fall(0, 1, confidence=0.8), fall(2, 3, confidence=0.5)]).search(Fall().times(2)).hits
    )
    assert hit.score == pytest.approx(0.4)


def test_overlapping_hits_are_merged_and_others_are_not(fill):
    library = fill([fall(0, 1, who=0), fall(0.5, 1.5, who=1, confidence=0.7), fall(1.8, 2, who=2)])
    hits = library.search(Fall()).hits
    assert [(h.start_s, h.end_s, h.score) for h in hits] == [(0, 1.5, 1.0), (1.8, 2, 1.0)]
    assert [e["tracks"] for e in hits[0].why["events"]] == [[0], [1]]


def test_an_unrecognised_object_is_a_doubt_and_another_one_a_no(fill):
    library = fill([fall(0, 1, confidence=0.9)], labels=("object",), colors=((np.nan,) * 3,))
    (hit,) = library.search("a ball falls").hits
    assert hit.score == pytest.approx(0.27)
    assert "not recognised" in hit.why["events"][0]["unconfirmed"][0]
    assert sources(library.search("something falls")) == ["v0"]
    assert sources(fill([fall(0, 1)]).search("a box falls")) == []


def test_the_static_world_can_be_named(fill):
    library = fill([pair("contact", 0, 1, a=0, b=STATIC)], [pair("contact", 0, 1, a=0, b=1)])
    assert sources(library.search("a ball hits the floor")) == ["v0"]
    assert sources(library.search("a ball touches a box")) == ["v1"]


def test_hits_say_where_they_come_from(fill):
    for origin in Origin:
        (hit,) = fill([fall(0, 1, height_m=3)], origin=origin).search(Fall()).hits
        record = hit.to_json()
        assert record["origin"] == str(origin)
        assert record["synthetic"] is (origin is not Origin.RECORDED)
        assert record["why"]["type"] == "fall"
        assert record["why"]["roles"] == {"object": {"track": 0, "label": "ball", "color": "red"}}
        assert record["why"]["quantities"]["height_m"] == 3
        assert record["why"]["definition_version"].startswith("fall/")
        json.dumps(record, allow_nan=False)


def test_nothing_found_is_an_answer(fill):
    result = fill([fall(0, 1)]).search("two objects collide")
    assert result.hits == ()
    assert result.to_json()["plan"]["sentence"] == "A collision."
    assert fill().search("fall").hits == ()


@pytest.mark.parametrize("query", ["", "  ", "blue", {"op": "dance"}, {"query": None}, {}])
def test_a_query_for_nothing_is_refused(fill, query):
    with pytest.raises(InputError):
        fill([fall(0, 1)]).search(query)


def test_limit(fill):
    library = fill(*[[fall(0, 1, height_m=k + 1)] for k in range(5)])
    assert sources(library.search(Fall(height_m > 0.5), limit=2)) == ["v4", "v3"]
    with pytest.raises(InputError, match="limit"):
        library.search(Fall(), limit=0)


def test_json_and_typed_queries_answer_like_words(fill):
    library = fill([fall(0, 1, height_m=3)], [fall(0, 1, height_m=1)])
    words = library.search("a ball falls more than 2 m")
    assert sources(library.search(words.plan.to_json())) == ["v0"]
    assert sources(library.search(Fall(height_m > 2).of("ball"))) == ["v0"]


def path(kind: str, *, scale=1.0, shift=0.0, flip=1.0) -> np.ndarray:
    t = np.linspace(0, 2, 40)
    x, y = {
        "drop": (0 * t, 30 * t**2),
        "slide": (60 * t - 12 * t**2, 0 * t),
        "hop": (30 * t, -60 * t + 30 * t**2),
    }[kind]
    return np.stack([100 + shift + flip * scale * x, 100 + scale * y], axis=1)[None]


def test_like_finds_the_same_motion_in_other_looks(fill, make_scene):
    library = Library(ArrayStore())
    looks = {"ball": (0.9, 0.1, 0.1), "box": (0.1, 0.9, 0.1)}
    for kind in ("drop", "slide", "hop"):
        for (label, color), scale in zip(looks.items(), (1.0, 2.0), strict=True):
            scene = make_scene(
                [fall(0, 1)],
                labels=[label],
                colors=[color],
                paths_px=path(kind, scale=scale, shift=7 * scale, flip=3 - 2 * scale),
            )
            library.add(scene, uri=f"{kind} {label}", content_hash="1")
    for kind in ("drop", "slide", "hop"):
        asked = make_scene(labels=["disc"], colors=[(0, 0, 1)], paths_px=path(kind, scale=1.5))
        result = library.search(like=asked)
        assert {source.split()[0] for source in sources(result)[:2]} == {kind}
        assert result.hits[0].score > 0.95 > result.hits[2].score + 0.1
        alike = result.hits[0].why["alike"]
        assert {pair["kind"] for pair in alike} == {"field", "body"}
        assert all(pair["query_tracks"] == pair["tracks"] == [0] for pair in alike)
        assert sum(pair["share"] for pair in alike) == pytest.approx(1.0)
        mean = sum(pair["share"] * pair["similarity"] for pair in alike)
        assert mean == pytest.approx(result.hits[0].why["similarity"], abs=1e-6)
    both = library.search("a box falls", like=make_scene(labels=["x"], colors=[(0, 0, 1)],
                                                         paths_px=path("hop")))  # fmt: skip
    assert sources(both)[0] == "hop box"
    assert len(both.hits) == 3


def test_like_a_still_scene_is_refused(fill, make_scene):
    still = make_scene(labels=["x"], colors=[(0, 0, 1)], paths_px=np.full((1, 40, 2), 50.0))
    with pytest.raises(InputError, match=r"nothing is seen to move in it .40 frames"):
        fill([fall(0, 1)]).search(like=still)


QUERIES = (
    Fall(),
    Fall(height_m > 2),
    Fall(height_m > 1).of("ball", color="red"),
    Fall().then(Bounce(), within_s=1.0),
    Fall() & ~Bounce(),
    ~Fall(),
    Fall().times(2),
    NearMiss(ttc_s < 1.0) | Collide(),
    Collide().between("ball", "box"),
    Collide().between(Who(("ball",), name="x"), Who()).then(Fall().of(name="x")),
    Roll(Quantity("spin_radps") > 3),
    Fall().of("it's a ball"),
)


def test_reference_and_lancedb_rank_alike(tmp_path, make_scene):
    rng = np.random.default_rng(0)
    reference, lance = Library(ArrayStore()), Library(LanceStore(str(tmp_path / "lib")))
    for number in range(25):
        events = []
        for _ in range(int(rng.integers(1, 8))):
            start_s = float(rng.uniform(0, 1.5))
            when = start_s, start_s + float(rng.uniform(0.1, 0.5))
            confidence = float(rng.uniform(0.3, 1))
            kind = str(rng.choice(["fall", "bounce", "roll", "collide", "near_miss"]))
            measured = {
                "fall": {"height_m": float(rng.uniform(0, 5)), "height_m_std": 0.3},
                "roll": {"spin_radps": float(rng.uniform(0, 6))},
                "near_miss": {"ttc_s": float(rng.uniform(0, 2))},
            }.get(kind, {})
            a, b = (int(i) for i in rng.permutation(3)[:2])
            roles = {"a": a, "b": b} if kind in ("collide", "near_miss") else {"object": a}
            events.append(Event(kind, *when, roles, measured, confidence))
        paths_px = np.cumsum(rng.normal(size=(3, 40, 2)), axis=1) * 8 + 100
        scene = make_scene(events, paths_px=paths_px)
        for library in (reference, lance):
            library.add(scene, uri=f"v{number}", content_hash="1")
    asked = make_scene(paths_px=np.cumsum(rng.normal(size=(3, 40, 2)), axis=1) * 8 + 100)
    num_hits = 0
    for query in QUERIES:
        expected = reference.search(query, limit=50)
        assert lance.search(query, limit=50) == expected
        num_hits += len(expected.hits)
    assert num_hits > 60
    expected = reference.search(like=asked, limit=50)
    assert lance.search(like=asked, limit=50) == expected
    assert len(expected.hits) == 25
    assert lance.search("fall", like=asked) == reference.search("fall", like=asked)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("limit", ["5", None, 2.5, 0, True])
def test_a_limit_is_a_whole_number(fill, limit):
    with pytest.raises(InputError, match=r"limit is .*whole numbers"):
        fill().search(Fall(), limit=limit)


def test_a_limit_may_be_larger_than_any_counter(fill):
    assert len(fill([fall(0, 1)]).search(Fall(), limit=10**30).hits) == 1
