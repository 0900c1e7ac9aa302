from __future__ import annotations

from dataclasses import replace

import numpy as np

from worldline.core import Outcome
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.laws import mechanical_energy, truth_of


def test_a_stack_fails_where_the_centre_of_mass_is_beyond_the_edge_and_only_there():
    for index in range(4):
        truth = truth_of(make_clip("unstable_stack", index, seed=0, events=False))
        support = int(truth.fact("support"))
        moved = np.linalg.norm(truth.position_m[:, 5] - truth.position_m[:, 0], axis=1)
        fallen = np.linalg.norm(truth.position_m[:, -1] - truth.position_m[:, 0], axis=1)
        assert moved[:support].max(initial=0.0) < 0.02
        assert fallen[support + 1 :].max() > 0.2
        shift = truth.position_m[support + 1, 0] - truth.position_m[support, 0]
        overhang = np.hypot(shift[0], shift[1]) / (truth.extent_m[support, 0] / 2)
        assert 1.2 <= overhang <= 1.5


def test_the_self_test_sees_a_stack_that_hangs_in_the_air():
    clip = make_clip("unstable_stack", 0, seed=0, events=False)
    scene = clip.scene
    assert scene is not None
    assert scene.position_m is not None
    hanging = np.repeat(scene.position_m[:, :1], 32, axis=1)
    wrong = replace(clip, scene=replace(scene, position_m=hanging))
    outcomes = {v.law: v.outcome for v in FAMILIES["unstable_stack"].self_check(wrong)}
    assert outcomes["collapse"] is Outcome.FAIL


def test_energy_of_a_fall_and_a_turn_is_counted_in_full():
    truth = truth_of(make_clip("drop", 0, seed=0, events=False))
    energy = mechanical_energy(truth)
    for row in truth.rows:
        (first, *_) = truth.free_runs(row, min_frames=4)
        mine = energy[row, first]
        np.testing.assert_allclose(mine, mine[0], rtol=2e-3)
