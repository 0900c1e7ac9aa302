from __future__ import annotations

from dataclasses import replace

import numpy as np

from worldline.core import Outcome
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.laws import truth_of


def test_what_falls_into_the_box_ends_between_its_walls():
    for index in range(4):
        truth = truth_of(make_clip("contain", index, seed=0, events=False))
        inner, depth = truth.fact("inner_m"), truth.fact("depth_m")
        assert (truth.position_m[:, 0, 2] > depth).all()
        last = truth.position_m[0, -1]
        assert last[2] < depth
        assert np.hypot(*last[:2]) < np.sqrt(2) * inner


def test_the_self_test_sees_a_body_that_goes_through_the_wall():
    clip = make_clip("contain", 1, seed=0, events=False)
    scene = clip.scene
    assert scene is not None
    assert scene.position_m is not None
    through = scene.position_m.copy()
    through[0, -1, 0] += 2.0
    wrong = replace(clip, scene=replace(scene, position_m=through))
    assert FAMILIES["contain"].self_check(wrong)[0].outcome is Outcome.FAIL
