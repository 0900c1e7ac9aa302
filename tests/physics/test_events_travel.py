"""Events of one body's way, on paths in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.core import Contact, Event, Scene
from worldline.physics import detect_events

T = np.arange(90) / 30


def of(scene: Scene, kind: str) -> list[Event]:
    return [e for e in detect_events(scene) if e.type == kind]


def along_x(x: np.ndarray, z: float = 0.2) -> np.ndarray:
    return np.stack([x, np.zeros_like(x), np.full_like(x, z)], axis=1)


def ramp(t: np.ndarray, before: float, after: float, start_s: float, end_s: float) -> np.ndarray:
    """Way at a speed that changes evenly between two moments."""
    speed = np.interp(t, [start_s, end_s], [before, after])
    step = np.diff(t, prepend=t[0])
    return np.cumsum(speed * step)


@pytest.mark.parametrize(
    ("before", "after", "kind"), [(0.5, 3.0, "accelerate"), (3.0, 0.5, "brake")]
)
def test_a_steady_change_of_speed_is_measured(metric_scene, before, after, kind):
    scene = metric_scene([along_x(ramp(T, before, after, 0.8, 1.8))], T)
    (event,) = of(scene, kind)
    assert event.roles == {"object": 0}
    assert event.quantities["delta_v_mps"] == pytest.approx(2.5, rel=0.1)
    assert event.start_s == pytest.approx(0.8, abs=0.25)
    assert event.end_s == pytest.approx(1.8, abs=0.25)
    assert not of(scene, "brake" if kind == "accelerate" else "accelerate")


def test_a_change_of_speed_in_pixels_is_in_sizes(pixel_scene):
    rng = np.random.default_rng(0)
    x = 50 + ramp(T, 40, 140, 0.8, 1.8)
    path = np.stack([x, np.full_like(x, 240)], axis=1) + rng.normal(0, 0.3, (90, 2))
    (event,) = of(pixel_scene([path], T), "accelerate")
    assert event.quantities["delta_v_sizes_s"] == pytest.approx(5.0, rel=0.2)
    assert event.confidence < 1


def test_steady_motion_and_falls_are_no_acceleration(pixel_scene, metric_scene):
    x = 50 + 100 * T
    assert not of(pixel_scene([np.stack([x, 0 * x + 240], 1)], T), "accelerate")
    t = np.arange(40) / 30
    drop = np.stack([np.full(40, 300.0), 30 + 9.81 / 0.02 * t**2 / 2], axis=1)
    scene = pixel_scene([drop], t)
    assert of(scene, "fall")
    assert not of(scene, "accelerate")
    fall = np.stack([0 * t, 0 * t, 10 - 9.81 * t**2 / 2], axis=1)
    assert not of(metric_scene([fall], t), "accelerate")


def test_who_comes_nearer_at_one_speed_does_not_accelerate(pixel_scene):
    depth = 10 - 2.5 * T
    center = np.stack([320 + 300 * 1.0 / depth, np.full_like(depth, 240)], axis=1)
    size = np.repeat((300 * 0.6 / depth)[:, None], 2, axis=1)
    scene = pixel_scene([center], T, size=size[None])
    assert not of(scene, "accelerate")


def test_a_blow_is_no_acceleration(metric_scene):
    x = np.where(T < 1.5, 0.5 * T, 0.75 + 3.0 * (T - 1.5))
    other = along_x(np.where(T < 1.5, -4.5 + 3.0 * T + 0.0, 0.0))
    scene = metric_scene([along_x(x), other], T, contacts=(Contact(0, 1, 1.5, 1.53),))
    assert not [e for e in of(scene, "accelerate") if e.roles["object"] == 0]


@pytest.mark.parametrize("way", [1, -1])
def test_a_curve_is_a_turn_by_its_angle(metric_scene, way):
    angle = way * np.clip((T - 0.7) / 1.2, 0, 1) * np.pi / 2
    speed = 1.5
    step = np.diff(T, prepend=0)
    x, y = np.cumsum(speed * np.cos(angle) * step), np.cumsum(speed * np.sin(angle) * step)
    scene = metric_scene([np.stack([x, y, np.full_like(x, 0.2)], axis=1)], T)
    (turn,) = of(scene, "turn")
    assert turn.quantities["angle_rad"] == pytest.approx(np.pi / 2, abs=0.15)
    assert turn.quantities["rightward_rad"] == pytest.approx(-way * np.pi / 2, abs=0.15)
    assert turn.quantities["radius_m"] == pytest.approx(speed * 1.2 / (np.pi / 2), rel=0.25)


def test_a_curve_in_pixels_is_a_turn_unless_the_box_jumps_in_size(pixel_scene):
    angle = np.clip((T - 0.7) / 1.2, 0, 1) * np.pi / 2
    step = np.diff(T, prepend=0)
    x, y = np.cumsum(90 * np.cos(angle) * step), np.cumsum(90 * np.sin(angle) * step)
    path = np.stack([100 + x, 100 + y], axis=1) + np.random.default_rng(4).normal(0, 0.3, (90, 2))
    (turn,) = of(pixel_scene([path], T), "turn")
    assert turn.quantities["rightward_rad"] == pytest.approx(np.pi / 2, abs=0.2)  # y goes down
    assert turn.quantities["radius_px"] == pytest.approx(90 * 1.2 / (np.pi / 2), rel=0.25)
    size = np.where(T[:, None] < 1.3, 16.0, 26.0) * np.ones(2)
    assert not of(pixel_scene([path], T, size=size[None]), "turn")


def test_a_straight_way_and_a_corner_are_no_turn(metric_scene, pixel_scene):
    assert not of(metric_scene([along_x(2 * T)], T), "turn")
    corner = np.stack([np.minimum(T, 1.5), np.maximum(T - 1.5, 0), 0 * T + 0.2], axis=1)
    assert not of(metric_scene([corner], T), "turn")
    t = np.arange(60) / 30
    throw = np.stack([100 + 100 * t, 300 - 400 * t + 490 * t**2 / 2], axis=1)
    assert not of(pixel_scene([throw], t), "turn")


def test_a_pendulum_oscillates_and_a_bouncing_ball_does_not(metric_scene, pixel_scene):
    t = np.arange(150) / 30
    swing = np.stack([0.5 * np.sin(2 * np.pi * t / 1.4), 0 * t, 0 * t + 1], axis=1)
    (event,) = of(metric_scene([swing], t), "oscillate")
    assert event.quantities["period_s"] == pytest.approx(1.4, rel=0.05)
    assert event.quantities["amplitude_m"] == pytest.approx(0.5, rel=0.05)
    assert event.quantities["num_swings"] >= 5
    seen = np.stack([320 + 80 * np.sin(2 * np.pi * t / 1.4), 0 * t + 200], axis=1)
    (event,) = of(pixel_scene([seen], t), "oscillate")
    assert event.quantities["amplitude_px"] == pytest.approx(80, rel=0.05)
    period = 0.8
    phase = np.mod(t, period)
    height = 9.81 / 2 * phase * (period - phase)
    bounces = np.stack([0 * t, 0 * t, 0.2 + height], axis=1)
    assert not of(metric_scene([bounces], t), "oscillate")


def test_a_wandering_body_does_not_oscillate(metric_scene):
    rng = np.random.default_rng(1)
    t = np.arange(150) / 30
    for _ in range(5):
        way = np.cumsum(np.cumsum(rng.normal(0, 0.004, (150, 3)), axis=0), axis=0)
        assert not of(metric_scene([way], t), "oscillate")


def test_a_spinning_body_rotates(metric_scene):
    spin = np.zeros((1, 90, 3))
    spin[0, 30:60, 2] = 4.0
    scene = metric_scene([along_x(0 * T)], T, angular_velocity_radps=spin)
    (event,) = of(scene, "rotate")
    assert event.quantities["angle_rad"] == pytest.approx(4.0, rel=0.05)
    assert event.quantities["spin_radps"] == pytest.approx(4.0, rel=0.01)
    assert not of(metric_scene([along_x(0 * T)], T), "rotate")


def test_bodies_of_unknown_and_of_no_size_do_no_harm(metric_scene, pixel_scene):
    path = [along_x(ramp(T, 0.5, 3.0, 0.8, 1.8)), along_x(ramp(T, 0.5, 3.0, 0.8, 1.8) + 2)]
    unknown = metric_scene(path, T, extent_m=np.full((2, 3), np.nan))
    assert len(of(unknown, "accelerate")) == 2
    assert not of(unknown, "follow")
    size = np.full((1, 90, 2), 20.0)
    size[0, 20:40] = 0.0
    x = 50 + ramp(T, 40, 140, 0.8, 1.8)
    detect_events(pixel_scene([np.stack([x, 0 * x + 240], axis=1)], T, size=size))
    detect_events(pixel_scene([np.stack([x, 0 * x + 240], axis=1)], T, size=0 * size))
