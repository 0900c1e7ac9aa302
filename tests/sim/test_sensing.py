"""Readings of simulated sensors against closed forms and the truth beside them."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.sim import make_clip
from worldline.sim.engine import simulate
from worldline.sim.sensing import HINGE, IMU, PUSHER, read_sensors
from worldline.sim.stage import Hinge

T = 12


def column(readings, name):
    return readings.values[:, readings.names.index(name)]


def test_a_falling_body_feels_nothing_and_a_resting_one_the_floor(stage_of, ball):
    stage = stage_of(ball((0.0, 0.0, 30.0), angular_velocity_radps=(1.0, 0.0, 0.0)), num_frames=T)
    falling = read_sensors(stage, simulate(stage))
    assert falling.names == IMU
    np.testing.assert_allclose(falling.values[1:, :3], 0, atol=0.02)
    np.testing.assert_allclose(column(falling, "gyro_x_radps"), 1.0, atol=1e-3)
    assert not falling.known[0, :3].any()
    assert falling.known[1:].all()
    assert falling.known[0, 3:].all()
    radius = ball().half_m[2]
    stage = stage_of(ball((0.0, 0.0, radius)), num_frames=T)
    resting = read_sensors(stage, simulate(stage))
    np.testing.assert_allclose(column(resting, "accel_z_mps2")[4:], 9.81, atol=0.2)


def test_forces_are_felt_in_the_bodys_own_axes(stage_of, ball):
    """A body that lies on its side feels the floor from its side."""
    radius = ball().half_m[2]
    side = (np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0)  # a quarter turn about x: own y points up
    stage = stage_of(ball((0.0, 0.0, radius), rotation_wxyz=side), num_frames=T)
    felt = read_sensors(stage, simulate(stage)).values[4:, :3]
    np.testing.assert_allclose(felt[:, 2], 0, atol=0.05)
    assert (np.abs(np.abs(felt[:, 1]) - 9.81) < 0.2).all()


def test_a_hinge_counts_turns(stage_of, ball):
    wheel = ball(
        (0.0, 0.0, 1.0),
        mount=Hinge((0.0, 0.0, 1.0), (0.0, 1.0, 0.0)),
        angular_velocity_radps=(0.0, 7.0, 0.0),
    )
    stage = stage_of(wheel, num_frames=T)
    readings = read_sensors(stage, simulate(stage))
    np.testing.assert_allclose(column(readings, HINGE[1]), 7.0, rtol=0.02)
    expected = 7.0 * (stage.time_s - stage.time_s[0])
    np.testing.assert_allclose(column(readings, HINGE[0]), expected, atol=0.1)


def test_a_pendulum_swings_about_its_lowest_point():
    clip = make_clip("pendulum", 0, seed=0, size_px=16, events=False)
    angle, rate = (column(clip.state, name) for name in HINGE)
    dt = np.diff(clip.time_s)
    np.testing.assert_allclose(np.diff(angle), 0.5 * (rate[1:] + rate[:-1]) * dt, atol=0.02)
    assert np.ptp(angle) > 0.2


def test_the_pusher_feels_what_it_touches():
    clip = make_clip("push", 0, seed=0, size_px=16, events=False)
    force = column(clip.state, PUSHER[0])
    step_s = float(np.median(np.diff(clip.time_s)))
    met = [c for c in clip.scene.contacts if 0 in (c.a, c.b) and -1 not in (c.a, c.b)]
    assert met
    assert (force >= 0).all()
    for t in range(1, clip.num_frames):
        near = any(
            c.start_s <= clip.time_s[t] + 1e-3 and c.end_s >= clip.time_s[t] - step_s - 1e-3
            for c in met
        )
        assert near or force[t] == 0
    assert force.max() > 0


@pytest.mark.parametrize("family", ["disc_uniform", "driven_disc"])
def test_flat_scenes_have_no_sensors(family):
    assert make_clip(family, 0, seed=0, size_px=16, events=False).state is None
