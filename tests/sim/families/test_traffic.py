from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import STATIC, Outcome
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.laws import truth_of


def test_one_brakes_to_a_stand_or_misses_by_the_wanted_gap():
    seen = set()
    for index in range(6):
        clip = make_clip("traffic", index, seed=0, events=False)
        truth = truth_of(clip)
        speed = np.linalg.norm(truth.velocity_mps, axis=-1)
        brakes = bool(truth.fact("brakes"))
        seen.add(brakes)
        assert ("brakes" in clip.caption) == brakes
        np.testing.assert_allclose(speed[0], speed[0, 0], rtol=1e-6)
        if brakes:
            slowing = -np.diff(speed[1]) / np.diff(truth.time_s)
            assert slowing.max() == pytest.approx(truth.fact("brake_mps2"), rel=0.02)
        else:
            np.testing.assert_allclose(speed[1], speed[1, 0], rtol=1e-6)
        # all of them stand on the road all the time
        resting = [c for c in truth.scene.contacts if c.b == STATIC]
        assert len(resting) == len(truth.rows) == len(truth.scene.contacts)
        assert all(c.end_s == pytest.approx(truth.time_s[-1]) for c in resting)
        assert set(truth.scene.labels) <= {"car", "van", "truck"}
    assert seen == {True, False}


def test_the_self_test_sees_a_crash_and_a_jerk():
    clip = make_clip("traffic", 0, seed=0, events=False)
    scene = clip.scene
    assert scene is not None
    assert scene.position_m is not None
    assert scene.velocity_mps is not None
    family = FAMILIES["traffic"]
    meeting = scene.position_m.copy()
    meeting[1] = meeting[0] + 0.1
    crash = replace(clip, scene=replace(scene, position_m=meeting))
    outcomes = {v.law: v.outcome for v in family.self_check(crash)}
    assert outcomes["interpenetration"] is Outcome.FAIL
    assert outcomes["motion"] is Outcome.FAIL
    jerk = scene.velocity_mps.copy()
    jerk[0, 10:] *= 0.5
    outcomes = {
        v.law: v.outcome
        for v in family.self_check(replace(clip, scene=replace(scene, velocity_mps=jerk)))
    }
    assert outcomes["braking"] is Outcome.FAIL
