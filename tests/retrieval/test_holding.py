"""A query asked of one scene, without a library."""

from __future__ import annotations

import pytest

from worldline.retrieval import Collide, Fall, Not, height_m
from worldline.retrieval.holding import chance_in
from worldline.sim import make_clip


def test_what_happens_holds_and_what_does_not_does_not():
    clip = make_clip("drop", 0, seed=1)
    assert clip.scene is not None
    assert clip.scene.events
    assert chance_in(Fall(), clip.scene) == pytest.approx(1.0)
    assert chance_in(Fall(height_m > 50), clip.scene) == 0.0
    assert chance_in(Fall() & Not(Collide()), clip.scene) == pytest.approx(1.0)


def test_events_are_found_where_none_are_told():
    from dataclasses import replace

    clip = make_clip("drop", 0, seed=1)
    assert clip.scene is not None
    bare = replace(clip.scene, events=())
    assert chance_in(Fall(), bare) == pytest.approx(chance_in(Fall(), clip.scene))
