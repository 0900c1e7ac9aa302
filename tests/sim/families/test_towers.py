from __future__ import annotations

from dataclasses import replace

import numpy as np

from worldline.core import Outcome
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.laws import truth_of


def test_the_ball_reaches_the_tower_that_the_caption_counts():
    fallen = []
    for index in range(5):
        clip = make_clip("tower", index, seed=0, events=False)
        truth = truth_of(clip)
        assert truth.scene.labels[0] == "ball"
        assert np.isfinite(truth.first_meeting_s(0))
        blocks = len(truth.rows) - 1
        assert 3 <= blocks <= 5
        for count, word in enumerate(("three", "four", "five"), 3):
            assert word not in clip.caption or count == blocks
        top = truth.position_m[-1, :, 2]
        fallen.append(top[-1] < top[0] - 0.2)
    assert np.mean(fallen) >= 0.4


def test_the_self_test_sees_a_tower_that_falls_by_itself_and_a_ball_that_slips():
    clip = make_clip("tower", 2, seed=0, events=False)
    scene = clip.scene
    assert scene is not None
    assert scene.position_m is not None
    assert scene.angular_velocity_radps is not None
    moved = scene.position_m.copy()
    moved[-1] += np.linspace(0, 1, moved.shape[1])[:, None]
    early = replace(clip, scene=replace(scene, position_m=moved))
    outcomes = {v.law: v.outcome for v in FAMILIES["tower"].self_check(early)}
    assert outcomes["cause"] is Outcome.FAIL
    spin = replace(scene, angular_velocity_radps=0.5 * scene.angular_velocity_radps)
    outcomes = {v.law: v.outcome for v in FAMILIES["tower"].self_check(replace(clip, scene=spin))}
    assert outcomes["rolling"] is Outcome.FAIL
