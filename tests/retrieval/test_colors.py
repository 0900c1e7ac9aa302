"""Colour words, and what may be taken for what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.retrieval.conftest import build_scene

from worldline.core.scene import Event
from worldline.retrieval.colors import COLORS, LOOKS_LIKE, SHADED, color_name, seen_as
from worldline.retrieval.grammar import parse
from worldline.retrieval.library import Library
from worldline.retrieval.store import ArrayStore
from worldline.retrieval.weighing import BY_DEFINITION


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((0.9, 0.1, 0.1), "red"),
        ((0.9, 0.5, 0.1), "orange"),
        ((0.45, 0.25, 0.1), "brown"),
        ((0.9, 0.9, 0.9), "white"),
        ((0.5, 0.5, 0.5), "gray"),
        ((0.05, 0.05, 0.1), "black"),
        ((np.nan, 0.0, 0.0), ""),
    ],
)
def test_everyday_words(rgb, name):
    assert color_name(np.array(rgb)) == name


def test_every_colour_has_others_that_it_may_look_like():
    assert set(LOOKS_LIKE) == set(COLORS)
    for color, others in LOOKS_LIKE.items():
        assert color not in others
        assert set(others) <= set(COLORS)
    assert seen_as(("red",))[0] == "red"
    assert len(set(seen_as(COLORS))) == len(COLORS)


def test_in_pixels_a_near_colour_is_a_doubt_and_not_a_no():
    def library(**quantities):
        made = Library(ArrayStore())
        fall = Event("fall", 0.0, 1.0, {"object": 0}, quantities, confidence=0.8)
        made.add(build_scene([fall]), uri="v", content_hash="1")  # object 0 is red
        return made

    pixels, truth = library(**{BY_DEFINITION: 0.5}), library()
    for asked in (pixels, truth):
        (hit,) = asked.search("a red object falls").hits
        assert hit.score == pytest.approx(0.8)
        assert not asked.search("a blue object falls").hits
    (hit,) = pixels.search("an orange object falls").hits
    assert hit.score < 0.5
    assert "it looks red" in hit.why["events"][0]["unconfirmed"][0]
    assert not truth.search("an orange object falls").hits


def test_a_known_white_body_in_the_shade_is_a_doubt_too():
    truth = Library(ArrayStore())
    gray = ((0.65, 0.66, 0.65), (0.9, 0.1, 0.1), (0.1, 0.1, 0.9))
    scene = build_scene([Event("fall", 0.0, 1.0, {"object": 0}, confidence=0.8)])
    scene = replace(scene, color_rgb=np.array(gray[: scene.num_objects]))
    truth.add(scene, uri="v", content_hash="1")
    (exact,) = truth.search("a grey object falls").hits
    (doubted,) = truth.search("a white object falls").hits
    assert doubted.score < exact.score
    assert "it looks gray" in doubted.why["events"][0]["unconfirmed"][0]
    assert not truth.search("a black object falls").hits


def test_olive_is_a_green():
    assert seen_as(("white",), SHADED) == ("white", "gray")
    assert parse("an olive ball falls").query == parse("a green ball falls").query
