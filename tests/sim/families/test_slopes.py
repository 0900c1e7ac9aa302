from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import Clip, Outcome
from worldline.sim import FAMILIES, make_clip
from worldline.sim.families.laws import truth_of


def outcomes(clip: Clip) -> dict[str, Outcome]:
    family = FAMILIES[clip.provenance.source or ""]
    return {verdict.law: verdict.outcome for verdict in family.self_check(clip)}


def with_motion(clip: Clip, **arrays) -> Clip:
    assert clip.scene is not None
    return replace(clip, scene=replace(clip.scene, **arrays))


def test_both_bodies_keep_to_their_own_slope_law():
    clip = make_clip("ramp", 0, seed=0, events=False)
    truth = truth_of(clip)
    assert truth.scene.labels == ("ball", "box")
    slope, mu = truth.fact("slope_rad"), truth.fact("friction")
    speed = np.linalg.norm(truth.velocity_mps, axis=-1)
    t = truth.time_s
    rolling, sliding = (np.diff(v[2:10]).mean() / (t[3] - t[2]) for v in speed)
    assert rolling == pytest.approx(5 / 7 * 9.81 * np.sin(slope), rel=5e-3)
    assert sliding == pytest.approx(9.81 * (np.sin(slope) - mu * np.cos(slope)), rel=5e-3)
    assert 2 / 7 * np.tan(slope) < mu < np.tan(slope)


def test_the_ramp_test_sees_another_friction_and_another_inertia():
    clip = make_clip("ramp", 0, seed=0, events=False)
    truth = truth_of(clip)
    slower = truth.velocity_mps * 0.75
    assert outcomes(with_motion(clip, velocity_mps=slower)) == {
        "rolling": Outcome.FAIL,
        "sliding": Outcome.FAIL,
    }


def test_the_ball_in_a_valley_comes_back_and_loses_no_more_than_it_has():
    for index in (1, 2):
        clip = make_clip("u_slope", index, seed=0, events=False)
        truth = truth_of(clip)
        height = truth.position_m[0, :, 2]
        climbing = np.diff(height) > 1e-3
        assert not climbing[0]
        assert climbing[4:].sum() > 3
        assert height[1:].max() <= height[0] + 1e-3
        assert outcomes(clip)["energy"] is Outcome.PASS


def test_the_valley_test_sees_gained_energy():
    clip = make_clip("u_slope", 1, seed=0, events=False)
    faster = truth_of(clip).velocity_mps * np.linspace(1, 1.6, 32)[:, None]
    assert outcomes(with_motion(clip, velocity_mps=faster))["energy"] is Outcome.FAIL
