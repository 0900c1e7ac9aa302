from __future__ import annotations

from dataclasses import replace

import numpy as np

from worldline.core import Outcome
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.laws import truth_of


def test_the_heavier_side_goes_down_and_the_lying_box_is_thrown_up():
    seen = set()
    for index in range(5):
        clip = make_clip("seesaw", index, seed=0, events=False)
        truth = truth_of(clip)
        first, last = truth.position_m[:, 0], truth.position_m[:, -1]
        np.testing.assert_allclose(truth.position_m[0], np.tile(first[0], (32, 1)), atol=1e-9)
        falls = "falls" in clip.caption
        seen.add(falls)
        assert last[2, 2] < first[2, 2] - 0.1
        if falls:
            rise = truth.position_m[1, :, 2].max() - first[1, 2]
            assert rise > 0.05
        else:
            arms = truth.position_m[1:, 0] @ _along(truth)
            torque = np.abs(arms) * truth.mass_kg[1:]
            assert torque[1] > 1.2 * torque[0]
            assert last[1, 2] > first[1, 2] + 0.1
    assert seen == {True, False}


def _along(truth) -> np.ndarray:
    heading = truth.fact("heading_rad")
    return np.array([np.cos(heading), np.sin(heading), 0.0])


def test_the_self_test_sees_other_weights():
    clip = make_clip("seesaw", 0, seed=0, events=False)
    assert clip.scene is not None
    assert clip.scene.mass_kg is not None
    swapped = clip.scene.mass_kg[[0, 2, 1]]
    wrong = replace(clip, scene=replace(clip.scene, mass_kg=swapped))
    assert FAMILIES["seesaw"].self_check(wrong)[0].outcome is Outcome.FAIL
