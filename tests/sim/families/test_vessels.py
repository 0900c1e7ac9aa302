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
        assert (truth.position_m[:-1, 0, 2] > depth).all()
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


def test_the_cup_pours_its_grains_into_the_box():
    clip = make_clip("pour", 1, seed=0, events=False)
    truth = truth_of(clip)
    assert truth.scene.labels == ("cup", "grains", "bin")
    assert 20 <= truth.fact("num_grains") <= 36
    assert truth.fact("num_first") == truth.fact("num_last") == truth.fact("num_grains")
    cup, grains, _ = truth.position_m[:, 0]
    assert np.linalg.norm(grains - cup) < truth.extent_m[0].max() / 2
    assert truth.position_m[1, -1, 2] < grains[2] - 0.3
    assert clip.segmentation is not None
    assert set(np.unique(clip.segmentation)) == {-1, 0, 1, 2}
    # at last, most of the grains are in sight, and in their common box
    x = np.nonzero(clip.segmentation[-1] == 1)[1]
    assert len(x) > 30
    assert np.ptp(x) <= truth.scene.size_px[1, -1, 0] + 1


def test_the_self_test_sees_a_lost_grain_and_a_cup_that_stays_upright():
    clip = make_clip("pour", 1, seed=0, events=False)
    scene = clip.scene
    assert scene is not None
    assert scene.rotation_wxyz is not None
    details = dict(scene.provenance.details) | {"num_last": "5.0"}
    told = replace(scene.provenance, details=tuple(sorted(details.items())))
    upright = np.repeat(scene.rotation_wxyz[:, :1], 32, axis=1)
    wrong = replace(scene, provenance=told, rotation_wxyz=upright)
    outcomes = {v.law: v.outcome for v in FAMILIES["pour"].self_check(replace(clip, scene=wrong))}
    assert outcomes["count"] is Outcome.FAIL
    assert outcomes["tipping"] is Outcome.FAIL
