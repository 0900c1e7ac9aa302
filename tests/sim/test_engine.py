from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.sim.engine import drive, simulate
from worldline.sim.model import build_model, damping_ratio, restitution_of
from worldline.sim.stage import Body, Glide, Hinge, Prop, Rod, Shape


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


def block(position_m, **options) -> Body:
    return Body(Shape.BOX, (0.3, 0.2, 0.1), position_m, 1.0, (1.0, 0.0, 0.0), "red", **options)


def test_a_driven_body_moves_as_it_is_driven_whatever_it_meets(stage_of):
    pusher = block((-1.0, 0.0, 0.1), mount=Glide())
    heavy = replace(block((0.0, 0.0, 0.1)), mass_kg=500.0)
    stage = stage_of(pusher, heavy, num_frames=50, friction=0.5, restitution=0.1)
    rollout = simulate(stage, lambda model, data, _: drive(model, data, 0, (1.5, 0.0)))
    np.testing.assert_allclose(rollout.position_m[0, :, 0], -1 + 1.5 * stage.time_s, atol=1e-3)
    assert rollout.position_m[1, -1, 0] > 0.7
    # it rests on the floor in every physics step, with its weight
    resting = (rollout.touches.a == 0) & (rollout.touches.b == -1)
    np.testing.assert_allclose(np.diff(rollout.touches.time_s[resting]), 0.001, atol=1e-9)
    np.testing.assert_allclose(rollout.touches.impulse_ns[resting], 1.0 * 9.81 * 0.001)
    assert ((rollout.touches.a == 1) & (rollout.touches.b == 0)).any()


def test_a_hinge_holds_and_turns_as_it_is_driven(stage_of):
    wheel = block((0.0, 0.0, 1.0), mount=Hinge((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), is_driven=True))
    rollout = simulate(stage_of(wheel), lambda model, data, _: drive(model, data, 0, [2.0]))
    np.testing.assert_allclose(rollout.position_m[0], np.tile([0, 0, 1.0], (40, 1)), atol=1e-9)
    np.testing.assert_allclose(rollout.angular_velocity_radps[0, 1:, 1], 2.0, atol=1e-6)
    free = block((0.5, 0.0, 2.0), mount=Hinge((0.0, 0.0, 2.0), (0.0, 1.0, 0.0)))
    swing = simulate(stage_of(free)).position_m[0]
    np.testing.assert_allclose(np.hypot(swing[:, 0], swing[:, 2] - 2), 0.5, atol=1e-6)
    assert swing[:, 2].min() < 1.6


def test_a_swivelling_rod_keeps_a_spinning_body_from_falling(stage_of):
    rod = Rod((0.0, 0.0, 1.0), (0.0, 0.0, 1.0), 0.02, swivels=True)
    # a body's own z is along the rod
    turn = (np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0)
    top = Body(
        Shape.CYLINDER, (0.3, 0.3, 0.05), (0.5, 0.0, 1.0), 1.0, (1, 0, 0), "red",
        rotation_wxyz=turn, rod=rod, angular_velocity_radps=(200.0, 0.0, 0.0),
    )  # fmt: skip
    place = simulate(stage_of(top)).position_m[0]
    assert np.abs(place[:, 2] - 1).max() < 0.05
    still = simulate(stage_of(replace(top, angular_velocity_radps=(0.0, 0.0, 0.0)))).position_m[0]
    assert still[:, 2].min() < 0.55


def test_a_cup_holds_what_falls_into_it(stage_of, ball):
    cup = Body(Shape.CUP, (0.4, 0.4, 0.4), (0.0, 0.0, 0.4), 3.0, (0, 0, 1), "blue")
    stage = stage_of(cup, ball((0.05, 0.0, 1.5), radius_m=0.15), num_frames=60, restitution=0.1)
    rollout = simulate(stage)
    x, y, z = rollout.position_m[1, -1]
    assert np.hypot(x, y) < 0.3
    assert 0.15 < z < 0.35
    assert np.abs(rollout.position_m[0, -1] - (0, 0, 0.4)).max() < 0.03


def test_bodies_go_through_what_is_not_solid(stage_of, ball):
    shelf = Prop(Shape.BOX, (1.0, 1.0, 0.1), (0.0, 0.0, 1.0), (0.5, 0.5, 0.5))
    held = simulate(stage_of(ball(), num_frames=60, props=(shelf,)))
    through = simulate(stage_of(ball(), num_frames=60, props=(replace(shelf, is_solid=False),)))
    assert held.position_m[0, -1, 2] > 1.3
    assert through.position_m[0, -1, 2] < 0.9


def test_a_longer_physics_step_is_kept_to(stage_of, ball):
    stage = replace(stage_of(ball(), step_s=0.05), max_step_s=0.002)
    assert build_model(stage).opt.timestep == pytest.approx(0.002)
