from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import Outcome
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.laws import truth_of


def test_the_wheel_goes_round_at_the_rate_of_a_fast_top():
    truth = truth_of(make_clip("gyroscope", 1, seed=0, events=False))
    arm = truth.position_m[0] - [0, 0, truth.fact("pivot_z_m")]
    length = np.linalg.norm(arm[0])
    np.testing.assert_allclose(np.linalg.norm(arm, axis=1), length, rtol=1e-6)
    spin = (truth.angular_velocity_radps[0] * arm).sum(axis=1) / length
    radius = truth.extent_m[0, 0] / 2
    rate = np.diff(np.unwrap(np.arctan2(arm[:, 1], arm[:, 0]))) / np.diff(truth.time_s)
    # m g l / (I omega) with I = m r^2 / 2, exact for a level axle and near for any fast one
    simple = 9.81 * length / (radius**2 / 2 * spin.mean())
    assert rate.mean() == pytest.approx(simple, rel=0.15)
    assert np.ptp(rate) < 1e-3
    assert abs(spin.mean()) > 10 * abs(rate.mean())


def test_the_self_test_sees_another_gravity_and_a_sinking_wheel():
    clip = make_clip("gyroscope", 0, seed=0, events=False)
    scene = clip.scene
    assert scene is not None
    assert scene.position_m is not None
    weak = replace(clip, scene=replace(scene, gravity_mps2=np.array([0.0, 0.0, -8.0])))
    assert FAMILIES["gyroscope"].self_check(weak)[0].outcome is Outcome.FAIL
    lower = scene.position_m - np.linspace(0, 0.2, 32)[:, None] * [0, 0, 1]
    sinking = replace(clip, scene=replace(scene, position_m=lower))
    assert FAMILIES["gyroscope"].self_check(sinking)[1].outcome is Outcome.FAIL
