"""Weighing: probabilities in the place of confidences, and guesses beside definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.retrieval.conftest import build_scene

from worldline.core.scene import Event
from worldline.physics import ONTOLOGY
from worldline.retrieval.chances import BASE, Chances, Step
from worldline.retrieval.ingest import Seen
from worldline.retrieval.library import Library
from worldline.retrieval.rows import rows_of
from worldline.retrieval.spotting.spots import Spot, Spots, load_spotter
from worldline.retrieval.store import ArrayStore
from worldline.retrieval.weighing import BY_DEFINITION, LEAST_KEPT, MOST_JUMP, unsteady, weigh

FALL = Event("fall", 0.2, 1.0, {"object": 0}, {"height_m": 3.0}, confidence=0.7)


def table(*, odds: float, steps: tuple[Step, ...] = (), version: int | None = None) -> Chances:
    known = ONTOLOGY["fall"].version if version is None else version
    return Chances({"fall": known}, {"fall": odds}, {"fall": (0.0,) * len(BASE)}, {"fall": steps})


def spots(*, track: int = 1, first: int = 2, last: int = 8, strangeness: float = 0.5) -> Spots:
    """A spotter that sees one fall, of one of the objects."""
    types = load_spotter().config.types
    fall = types.index("fall")
    odds = np.full((3, 25, 2 * len(types)), -9.0)
    odds[track, first : last + 1, fall] = 1.0
    one = Spot(
        grid_s=np.arange(25) * 0.08,
        tracks=np.arange(3),
        seen=np.ones((3, 25), bool),
        track=odds,
        step=odds[track, :, : len(types)],
        window=odds[track, :, : len(types)].max(axis=0),
        again=np.full(len(types), -9.0),
        color=("", "", ""),
        strangeness=strangeness,
    )
    return Spots(types, (one,))


def falls(scene):
    return [event for event in scene.events if event.type == "fall"]


def test_the_confidence_becomes_the_probability_and_the_old_one_is_kept():
    (event,) = [
        e
        for e in falls(weigh(build_scene([FALL]), spots(), table(odds=2.0)))
        if e.roles == {"object": 0}
    ]
    assert event.confidence == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert event.quantities[BY_DEFINITION] == 0.7


def test_a_newer_definition_keeps_its_own_confidence():
    (event,) = falls(weigh(build_scene([FALL]), spots(), table(odds=2.0, version=999)))
    assert event.confidence == 0.7
    assert BY_DEFINITION not in event.quantities


def test_guesses_are_kept_only_where_they_are_likely():
    likely = falls(weigh(build_scene(), spots(), table(odds=1.0)))
    assert likely
    assert all(event.quantities[BY_DEFINITION] == 0 for event in likely)
    unlikely = np.log(0.5 * LEAST_KEPT)
    assert not falls(weigh(build_scene(), spots(), table(odds=float(unlikely))))


def test_in_a_strange_video_guesses_are_never_more_likely_than_not():
    (usual,) = falls(weigh(build_scene(), spots(), table(odds=3.0)))
    (strange,) = falls(weigh(build_scene(), spots(strangeness=1.5), table(odds=3.0)))
    assert usual.confidence > 0.9
    assert 0.4 < strange.confidence < 0.5


def jumping(scene, *, by: float):
    """A scene whose first box grows from one frame to the next in the middle of the fall."""
    size = scene.size_px.copy()
    size[0, 12:] *= 1 + by
    return replace(scene, size_px=size)


def test_a_box_that_jumps_is_no_body_that_flies():
    scene = build_scene([FALL])
    assert not unsteady(scene, FALL)
    assert not unsteady(jumping(scene, by=0.9 * MOST_JUMP), FALL)
    assert unsteady(jumping(scene, by=1.5 * MOST_JUMP), FALL)
    later = replace(FALL, start_s=scene.time_s[18], end_s=scene.time_s[22])
    assert not unsteady(jumping(scene, by=1.5 * MOST_JUMP), later)
    stop = Event("stop", 0.2, 1.0, {"object": 0})
    assert not unsteady(jumping(scene, by=1.5 * MOST_JUMP), stop)


def test_the_fall_of_a_jumping_box_is_doubted_in_strange_videos_alone():
    scene = jumping(build_scene([FALL]), by=1.5 * MOST_JUMP)
    for strangeness, doubted in ((0.5, False), (1.5, True)):
        seen = weigh(scene, spots(strangeness=strangeness), table(odds=3.0))
        (own,) = [e for e in falls(seen) if e.roles == {"object": 0}]
        assert (own.confidence < 0.5) is doubted
        assert own.quantities[BY_DEFINITION] == 0.7


def test_in_a_strange_video_definitions_are_weighed_without_the_spotter():
    weights = dict.fromkeys(BASE, 0.0) | {"spot_window": 2.0}
    known = table(odds=0.0)
    asked = replace(known, weights={"fall": tuple(weights.values())})
    (usual,) = falls(weigh(build_scene([FALL]), spots(track=0), asked))
    (strange,) = falls(weigh(build_scene([FALL]), spots(track=0, strangeness=1.5), asked))
    assert usual.confidence > 0.8
    assert strange.confidence == pytest.approx(0.5)


def test_a_guess_about_the_same_lends_its_probability_to_what_was_measured():
    # guesses have confidence 0 by definition: these steps make them likelier than the other
    steps = (Step("confidence", 0.5, 2.0, -2.0, 0.0),)
    same = spots(track=0)
    (measured,) = falls(weigh(build_scene([FALL]), same, table(odds=0.0, steps=steps)))
    assert measured.quantities["height_m"] == 3.0
    assert measured.confidence == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_scenes_that_are_known_are_neither_weighed_nor_guessed_at():
    scene = build_scene([FALL])
    facts = {"uri": "v", "content_hash": "h", "damage": "", "definitions": ""}
    assert [row["confidence"] for row in rows_of(scene, evidence="given", **facts).events] == [0.7]


def test_a_hit_says_whether_its_score_is_calibrated(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    scene = build_scene([FALL, Event("strange", 0.0, 1.0, {"object": 0})])
    library = Library(ArrayStore(), look=lambda path: Seen(scene, "pixels", spots=spots(track=0)))
    library.ingest([tmp_path / "a.mp4"])
    (hit,) = library.search("something falls", limit=1).hits
    assert hit.why["events"][0]["calibrated"] is True
    assert hit.why["events"][0]["guessed"] is False
