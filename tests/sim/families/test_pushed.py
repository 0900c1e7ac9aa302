from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import Outcome
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.laws import truth_of
from worldline.sim.families.pushed import PUSHER


def test_the_pusher_is_where_its_actions_bring_it():
    clip = make_clip("push", 3, seed=0, events=False)
    truth = truth_of(clip)
    assert clip.actions is not None
    assert clip.actions.shape == (32, 2)
    step_s = np.diff(truth.time_s)[:, None]
    travelled = np.cumsum(clip.actions[:-1] * step_s, axis=0)
    np.testing.assert_allclose(truth.position_m[PUSHER, 1:, :2], travelled, atol=1e-6)
    np.testing.assert_allclose(truth.velocity_mps[PUSHER, 1:, :2], clip.actions[:-1], atol=1e-6)
    # smooth: no step is more than the share of the speed that the policy may change
    speed = truth.fact("speed_mps")
    changes = np.linalg.norm(np.diff(clip.actions, axis=0), axis=1)
    assert changes.max() <= 0.3 * 2 * 1.3 * speed


def test_actions_point_to_the_right_and_away_in_the_image():
    clip = make_clip("push", 0, seed=0, events=False)
    assert clip.scene is not None
    assert clip.scene.camera is not None
    pose = clip.scene.camera.world_from_camera[0]
    np.testing.assert_allclose(pose[:3, 0], [1, 0, 0], atol=0.15)
    assert pose[1, 2] > 0.3
    moved = np.diff(clip.scene.center_px[PUSHER], axis=0)
    assert clip.actions is not None
    for axis, sign in ((0, 1.0), (1, -1.0)):
        clear = np.abs(clip.actions[:-1, axis]) > 0.3
        assert clear.any()
        assert (sign * moved[clear, axis] * clip.actions[:-1, axis][clear] > 0).all()


def test_bodies_rest_until_they_are_touched_and_are_touched():
    touched = 0
    for index in range(4):
        truth = truth_of(make_clip("push", index, seed=0, events=False))
        for row in truth.rows[1:]:
            before = truth.time_s < truth.first_meeting_s(row)
            away = np.linalg.norm(truth.position_m[row] - truth.position_m[row, 0], axis=1)
            assert away[before].max() < 0.01
            touched += bool(away.max() > 0.1)
    assert touched >= 4


@pytest.mark.parametrize("law", ["action", "cause"])
def test_the_self_test_sees_other_actions_and_motion_without_touch(law: str):
    clip = make_clip("push", 0, seed=0, events=False)
    assert clip.scene is not None
    assert clip.actions is not None
    if law == "action":
        wrong = replace(clip, actions=clip.actions[::-1])
    else:
        alone = tuple(c for c in clip.scene.contacts if c.b < 0)
        wrong = replace(clip, scene=replace(clip.scene, contacts=alone))
    verdicts = {v.law: v.outcome for v in FAMILIES["push"].self_check(wrong)}
    assert verdicts[law] is Outcome.FAIL
