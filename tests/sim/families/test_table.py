from __future__ import annotations

from dataclasses import replace

import numpy as np

from worldline.core import Outcome
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.laws import truth_of


def test_the_first_ball_hits_another_and_all_stay_on_the_table():
    for index in range(4):
        truth = truth_of(make_clip("billiards", index, seed=0, events=False))
        assert 4 <= len(truth.rows) <= 7
        assert 1.6 <= np.linalg.norm(truth.velocity_mps[0, 0]) <= 3.4
        np.testing.assert_allclose(truth.velocity_mps[1:, 0], 0, atol=1e-6)
        assert any(0 in (c.a, c.b) and c.b != -1 for c in truth.scene.contacts)
        height = truth.position_m[..., 2] - truth.extent_m[:, None, 2] / 2
        assert np.abs(height).max() < 0.02


def test_the_camera_looks_down_on_the_whole_table():
    clip = make_clip("billiards", 0, seed=0, events=False)
    truth = truth_of(clip)
    assert truth.scene.camera is not None
    pose = truth.scene.camera.world_from_camera[0]
    assert pose[2, 2] < -0.75
    assert truth.scene.visible.all()


def test_the_self_test_sees_a_lost_push_and_gained_energy():
    clip = make_clip("billiards", 2, seed=0, events=False)
    scene = clip.scene
    assert scene is not None
    assert scene.velocity_mps is not None
    unmoved = scene.velocity_mps.copy()
    unmoved[1:] = 0
    family = FAMILIES["billiards"]
    wrong = replace(clip, scene=replace(scene, velocity_mps=unmoved))
    assert family.self_check(wrong)[0].outcome is Outcome.FAIL
    faster = scene.velocity_mps * np.linspace(1, 2, 32)[:, None]
    wrong = replace(clip, scene=replace(scene, velocity_mps=faster))
    assert family.self_check(wrong)[1].outcome is Outcome.FAIL
