from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import Clip, Outcome
from worldline.physics import detect_events
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.grasped import HAND, THING
from worldline.sim.families.laws import truth_of

SHOWN = {
    "carries it aside and puts it down": {"pick_up", "carry", "put_down"},
    "holds it up": {"pick_up"},
    "lowers": {"put_down"},
    "drops it": {"pick_up", "carry", "fall"},
    "pushes": {"push"},
}
"""Part of the caption to the events of what the hand does."""


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return [make_clip("hand", index, seed=4) for index in range(16)]


def test_what_the_caption_says_is_what_happens_and_no_more(clips):
    handling = {"pick_up", "carry", "put_down", "push", "fall", "support"}
    told = set()
    for clip in clips:
        deed = next(part for part in SHOWN if part in clip.caption)
        told.add(deed)
        found = [e for e in clip.scene.events if e.type in handling]
        assert {e.type for e in found} == SHOWN[deed], clip.caption
        for event in found:
            if event.type != "fall":
                assert event.roles == {"agent": HAND, "object": THING}
    assert told == set(SHOWN)


def test_things_are_lifted_and_carried_as_far_as_planned(clips):
    compared = 0
    for clip in clips:
        truth = truth_of(clip)
        for event in detect_events(truth.scene):
            if event.type == "pick_up":
                lift_m = truth.fact("lift_m")
                assert event.quantities["height_m"] == pytest.approx(lift_m, abs=0.15 * lift_m)
                compared += 1
    assert compared >= 5


@pytest.mark.parametrize("law", ["holding", "cause"])
def test_the_self_test_sees_what_slips_and_what_moves_by_itself(clips, law: str):
    clip = next(c for c in clips if "puts it down" in c.caption)
    place = clip.scene.position_m.copy()
    contacts = clip.scene.contacts
    if law == "holding":
        place[THING] += np.linspace(0, 0.5, place.shape[1])[:, None]
    else:
        contacts = tuple(c for c in contacts if {c.a, c.b} != {HAND, THING})
    wrong = replace(clip, scene=replace(clip.scene, position_m=place, contacts=contacts))
    verdicts = {v.law: v.outcome for v in FAMILIES["hand"].self_check(wrong)}
    assert verdicts[law] is Outcome.FAIL
