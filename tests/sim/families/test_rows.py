from __future__ import annotations

from dataclasses import replace

import numpy as np

from worldline.core import Outcome
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.laws import truth_of


def test_most_dominoes_fall_one_after_the_other():
    shares = []
    for index in range(4):
        truth = truth_of(make_clip("dominoes", index, seed=0, events=False))
        assert 4 <= len(truth.rows) <= 8
        drop = truth.position_m[:, 0, 2] - truth.position_m[:, -1, 2]
        fallen = drop > 0.15 * truth.extent_m[:, 2]
        # what has fallen is the front of the row
        assert fallen[: fallen.sum()].all()
        shares.append(fallen.mean())
    assert np.mean(shares) > 0.6


def test_the_self_test_sees_a_domino_that_falls_by_itself_and_one_out_of_turn():
    clip = make_clip("dominoes", 1, seed=0, events=False)
    scene = clip.scene
    assert scene is not None
    assert scene.rotation_wxyz is not None
    rotation = scene.rotation_wxyz.copy()
    rotation[-1] = rotation[0]
    early = replace(clip, scene=replace(scene, rotation_wxyz=rotation))
    assert FAMILIES["dominoes"].self_check(early)[0].outcome is Outcome.FAIL
    later = tuple(
        replace(c, start_s=c.start_s + 5.0, end_s=c.end_s + 5.0) if {c.a, c.b} == {0, 1} else c
        for c in scene.contacts
    )
    swapped = replace(clip, scene=replace(scene, contacts=later))
    assert FAMILIES["dominoes"].self_check(swapped)[1].outcome is Outcome.FAIL
