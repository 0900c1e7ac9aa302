"""Weighing: probabilities in the place of confidences, and guesses beside definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.retrieval.conftest import build_scene

from worldline.core.scene import Event
from worldline.physics import ONTOLOGY
from worldline.retrieval.chances import Chances, Step
from worldline.retrieval.ingest import Seen
from worldline.retrieval.library import Library
from worldline.retrieval.proposals import propose
from worldline.retrieval.rows import rows_of
from worldline.retrieval.store import ArrayStore
from worldline.retrieval.weighing import BY_DEFINITION, LEAST_KEPT, weigh

FALL = Event("fall", 0.2, 1.0, {"object": 0}, {"height_m": 3.0}, confidence=0.7)


def table(*, odds: float, steps: tuple[Step, ...] = (), version: int | None = None) -> Chances:
    known = ONTOLOGY["fall"].version if version is None else version
    return Chances({"fall": known}, {"fall": odds}, {"fall": steps})


def falls(scene):
    return [event for event in scene.events if event.type == "fall"]


def test_the_confidence_becomes_the_probability_and_the_old_one_is_kept():
    (event,) = [
        e
        for e in falls(weigh(build_scene([FALL]), table(odds=2.0)))
        if e.quantities.get("height_m")
    ]
    assert event.confidence == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert event.quantities[BY_DEFINITION] == 0.7


def test_a_newer_definition_keeps_its_own_confidence():
    (event,) = falls(weigh(build_scene([FALL]), table(odds=2.0, version=999)))
    assert event.confidence == 0.7
    assert BY_DEFINITION not in event.quantities


def test_guesses_are_kept_only_where_they_are_likely():
    likely = falls(weigh(build_scene(), table(odds=1.0)))
    assert likely
    assert all(event.quantities[BY_DEFINITION] == 0 for event in likely)
    assert all(event.confidence < 0.5 for event in likely)  # never more likely than not
    unlikely = np.log(0.5 * LEAST_KEPT)
    assert not falls(weigh(build_scene(), table(odds=float(unlikely))))


def test_a_guess_about_the_same_lends_its_probability_to_what_was_measured():
    # guesses have confidence 0 by definition: these steps make them likelier than the other
    steps = (Step("confidence", 0.5, 2.0, -2.0, 0.0),)
    found = falls(weigh(build_scene([FALL]), table(odds=0.0, steps=steps)))
    (measured,) = [event for event in found if event.roles["object"] == 0]
    assert measured.quantities["height_m"] == 3.0
    assert measured.confidence == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_scenes_that_are_known_are_neither_weighed_nor_guessed_at():
    scene = build_scene([FALL])
    assert propose(replace(scene, position_m=np.zeros((*scene.center_px.shape[:2], 3)))) == ()
    facts = {"uri": "v", "content_hash": "h", "damage": "", "definitions": ""}
    assert [row["confidence"] for row in rows_of(scene, evidence="given", **facts).events] == [0.7]


def test_a_hit_says_whether_its_score_is_calibrated(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    scene = build_scene([FALL, Event("strange", 0.0, 1.0, {"object": 0})])
    library = Library(ArrayStore(), look=lambda path: Seen(scene, "pixels"))
    library.ingest([tmp_path / "a.mp4"])
    (hit,) = library.search("something falls", limit=1).hits
    assert hit.why["events"][0]["calibrated"] is True
    assert hit.why["events"][0]["guessed"] is False
