from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.sim.engine import simulate
from worldline.sim.model import build_model, damping_ratio, restitution_of
from worldline.sim.stage import Body, Rod, Shape


def test_damping_ratio_inverts_the_dashpot_law():
    for restitution in (0.05, 0.1, np.exp(-2.0), 0.3, 0.7, 0.99):
        assert restitution_of(damping_ratio(float(restitution))) == pytest.approx(restitution)
    assert damping_ratio(1.0) == 0.0
    assert restitution_of(0.0) == 1.0


def test_restitution_is_continuous_at_critical_damping():
    assert restitution_of(1 - 1e-7) == pytest.approx(np.exp(-2), rel=1e-3)
    assert restitution_of(1 + 1e-7) == pytest.approx(np.exp(-2), rel=1e-3)


@pytest.mark.parametrize("restitution", [0.0, 1.2, -0.5])
def test_impossible_restitution_is_refused(restitution: float):
    with pytest.raises(ValueError, match="restitution is"):
        damping_ratio(restitution)


def test_a_thrown_ball_follows_the_parabola(stage_of, ball):
    stage = stage_of(ball(velocity_mps=(2.0, -1.0, 3.0)), num_frames=30)
    rollout = simulate(stage)
    t = stage.time_s[:, None]
    expected = np.array([0, 0, 3.0]) + np.array([2.0, -1.0, 3.0]) * t
    expected[:, 2] -= 0.5 * 9.81 * stage.time_s**2
    # the semi-implicit Euler step of h leaves an error of g h t / 2
    np.testing.assert_allclose(rollout.position_m[0], expected, atol=0.5 * 9.81 * 0.001 * 0.6)
    np.testing.assert_allclose(rollout.velocity_mps[0, :, 2], 3 - 9.81 * stage.time_s, atol=1e-9)


@pytest.mark.parametrize("restitution", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("height_m", [1.0, 2.3])
def test_a_ball_bounces_with_the_wanted_restitution(restitution, height_m, stage_of, ball):
    stage = stage_of(
        ball((0.0, 0.0, height_m + 0.3)), step_s=0.005, num_frames=300, restitution=restitution
    )
    rollout = simulate(stage)
    v = rollout.velocity_mps[0, :, 2]
    arriving, leaving = v.min(), v[np.argmin(v) :].max()
    assert -leaving / arriving == pytest.approx(restitution, abs=0.04)


def test_the_impulse_of_an_impact_is_the_change_of_momentum(stage_of, ball):
    stage = stage_of(ball(), step_s=0.005, num_frames=200, restitution=0.7)
    rollout = simulate(stage)
    assert set(rollout.touches.a.tolist()) == {0}
    assert set(rollout.touches.b.tolist()) == {-1}
    first = rollout.touches.time_s < rollout.touches.time_s[0] + 0.05
    impulse = rollout.touches.impulse_ns[first].sum()
    v = rollout.velocity_mps[0, :, 2]
    change = 2.0 * (v[np.argmin(v) :].max() - v.min())
    assert impulse == pytest.approx(change, rel=0.03)
    np.testing.assert_allclose(rollout.touches.point_m[:, :2], 0, atol=1e-9)


def test_a_box_slides_as_far_as_friction_lets_it(stage_of):
    box = Body(
        Shape.BOX,
        (0.4, 0.3, 0.2),
        (0.0, 0.0, 0.2),
        5.0,
        (1.0, 1.0, 1.0),
        "white",
        velocity_mps=(3, 0, 0),
    )
    rollout = simulate(stage_of(box, num_frames=80, restitution=0.1, friction=0.4))
    assert rollout.position_m[0, -1, 0] == pytest.approx(9 / (2 * 0.4 * 9.81), rel=0.02)
    assert np.abs(rollout.position_m[0, :, 2] - 0.2).max() < 0.005


def test_heavy_and_light_ball_exchange_momentum(stage_of, ball):
    left = replace(ball((-1.0, 0.0, 5.0), velocity_mps=(2.0, 0, 0)), mass_kg=3.0)
    right = ball((1.0, 0.0, 5.0), velocity_mps=(-1.0, 0, 0))
    rollout = simulate(stage_of(left, right, restitution=0.8, gravity_mps2=0.0, num_frames=60))
    v = rollout.velocity_mps[:, -1, 0]
    assert 3 * v[0] + 2 * v[1] == pytest.approx(3 * 2.0 - 2 * 1.0, abs=1e-6)
    assert (v[1] - v[0]) / 3.0 == pytest.approx(0.8, abs=0.04)


def test_angular_velocity_is_in_the_world_frame(stage_of, ball):
    turned = ball(
        (0, 0, 5.0), rotation_wxyz=(0.5, 0.5, 0.5, 0.5), angular_velocity_radps=(1.0, 2.0, 3.0)
    )
    rollout = simulate(stage_of(turned, num_frames=10))
    np.testing.assert_allclose(rollout.angular_velocity_radps[0, -1], (1, 2, 3), atol=1e-9)


def test_a_pendulum_keeps_its_rod_and_its_energy(stage_of, ball):
    bob = ball((1.5, 0.0, 3.0), rod=Rod((0.0, 0.0, 3.0), (0.0, 1.0, 0.0), 0.03))
    rollout = simulate(stage_of(bob, num_frames=100))
    length = np.linalg.norm(rollout.position_m[0] - [0, 0, 3.0], axis=1)
    np.testing.assert_allclose(length, 1.5, atol=1e-9)
    assert rollout.position_m[0, :, 2].min() == pytest.approx(1.5, abs=0.02)
    assert np.ptp(rollout.energy_j) < 0.01 * 2.0 * 9.81 * 1.5
    assert len(rollout.touches.time_s) == 0


def test_the_physics_step_divides_the_frame_step(stage_of, ball):
    for step_s in (1 / 30, 1 / 20, 1 / 15):
        model = build_model(stage_of(ball(), step_s=step_s))
        ratio = step_s / model.opt.timestep
        assert ratio == pytest.approx(round(ratio))
        assert model.opt.timestep <= 0.001 + 1e-12


def test_the_lead_is_simulated_but_not_recorded(stage_of, ball):
    stage = stage_of(ball(), lead_s=0.2)
    rollout = simulate(stage)
    assert rollout.velocity_mps[0, 0, 2] == pytest.approx(-9.81 * 0.2, abs=1e-6)
    assert rollout.touches.time_s.min() >= 0
