"""Falls, throws and bounces, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from tests.physics.paths import G, bounce_path, drop_px

from worldline.core import STATIC, Contact, Event, Scene
from worldline.physics import detect_contacts, detect_events


def of(scene: Scene, kind: str) -> list[Event]:
    return [e for e in detect_events(scene) if e.type == kind]


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("scale", [0.002, 0.005, 0.012])
def test_fall_in_pixels_gives_metres_without_a_scale(pixel_scene, noise, scale) -> None:
    rng, t = np.random.default_rng(0), np.arange(60) / 30
    path = np.stack([np.full(60, 300.0), drop_px(t, scale=scale, top=60, height_px=320)], axis=1)
    scene = pixel_scene([path + rng.normal(0, noise, path.shape)], t)
    (fall,) = of(scene, "fall")
    q = fall.quantities
    assert fall.roles["object"] == 0
    assert abs(q["height_m"] - 320 * scale) < max(4 * q["height_m_std"], 0.02 * 320 * scale)
    assert q["metres_per_px"] == pytest.approx(scale, rel=0.1)
    assert fall.end_s == pytest.approx(np.sqrt(2 * 320 * scale / G), abs=0.03)
    assert q["acceleration_px_s2"] == pytest.approx(G / scale, rel=0.1)


def test_fall_at_uneven_times_with_unseen_frames(pixel_scene) -> None:
    rng = np.random.default_rng(1)
    t = np.cumsum(rng.uniform(0.02, 0.05, 40))
    path = np.stack([np.full(40, 200.0), drop_px(t - t[0], scale=0.005, top=50, height_px=360)], 1)
    path[[5, 9, 10]] = np.nan
    (fall,) = of(pixel_scene([path], t), "fall")
    assert fall.quantities["height_m"] == pytest.approx(1.8, rel=0.02)


def test_few_frames_give_a_fall_without_height(pixel_scene) -> None:
    t = np.arange(12) / 8
    path = np.stack([np.full(12, 200.0), drop_px(t - 0.3, scale=0.003, top=50, height_px=300)], 1)
    falls = of(pixel_scene([path], t), "fall")
    assert all("height_m" not in fall.quantities for fall in falls)


def test_too_low_a_frame_rate_says_which_would_do(pixel_scene) -> None:
    scale, height = 0.005, 300.0

    def fall_at(fps: float) -> Event:
        t = np.arange(int(1.2 * fps)) / fps
        y = drop_px(t, scale=scale, top=50, height_px=height)
        path = np.stack([np.full(len(t), 200.0), y], axis=1)
        path[t >= np.sqrt(2 * height * scale / G)] = np.nan  # it falls out of sight
        (event,) = of(pixel_scene([path], t), "fall")
        return event

    slow = fall_at(7.0)
    assert "height_m" not in slow.quantities
    needed = slow.quantities["needed_fps"]
    assert 7.0 < needed < 30.0
    quick = fall_at(1.3 * needed)
    assert "needed_fps" not in quick.quantities
    fallen_s = quick.quantities["duration_s"]
    assert quick.quantities["height_m"] == pytest.approx(G * fallen_s**2 / 2, rel=0.05)


@pytest.mark.parametrize("noise", [0.4, 1.5])
def test_the_error_bar_of_a_height_holds_as_often_as_it_should(pixel_scene, noise) -> None:
    rng, t, misses = np.random.default_rng(3), np.arange(36) / 30, []
    for _ in range(40):
        scale, height = rng.uniform(0.003, 0.006), rng.uniform(200, 330)
        path = np.stack(
            [np.full(36, 300.0), drop_px(t, scale=scale, top=60, height_px=height)], axis=1
        )
        (fall,) = of(pixel_scene([path + rng.normal(0, noise, path.shape)], t), "fall")
        q = fall.quantities
        misses.append(abs(q["height_m"] - height * scale) / q["height_m_std"])
    assert np.mean(np.array(misses) <= 2) >= 0.85  # 95% if all were normal and the ends exact
    assert np.median(misses) > 0.2  # 0.67; far below, the bar would be wide for nothing


def not_falls(t: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Motions in pixels that are no falls: centre and box size over time."""
    one = np.ones_like(t)
    near = 1 / (1 - 0.35 * t / t[-1])
    walk = np.stack([60 + 120 * t, 240 + 4 * np.sin(2 * np.pi * 1.9 * t)], axis=1)
    sit = np.stack([300 * one, 200 + 40 / (1 + np.exp(-(t - 1.5) / 0.12))], axis=1)
    car = np.stack([320 + 30 * (near - 1), 140 + 120 * near], axis=1)
    lift = np.stack([300 * one, 100 + 90 * t], axis=1)
    swing = 0.9 * np.cos(np.sqrt(G / 1.0) * t)
    pendulum = np.stack([320 + 200 * np.sin(swing), 100 + 200 * np.cos(swing)], axis=1)
    slide = np.stack([100 + 40 * t**2, 100 + 25 * t**2], axis=1)
    return {
        "walk": (walk, np.stack([50 * one, 150 * one], axis=1)),
        "sit": (sit, np.stack([50 * one, 150 * one], axis=1)),
        "car": (car, np.stack([60 * near, 45 * near], axis=1)),
        "lift": (lift, np.stack([30 * one, 30 * one], axis=1)),
        "pendulum": (pendulum, np.stack([20 * one, 20 * one], axis=1)),
        "slide down a slope": (slide, np.stack([20 * one, 20 * one], axis=1)),
    }


@pytest.mark.parametrize("name", not_falls(np.arange(75) / 25))
@pytest.mark.parametrize("noise", [0.2, 1.5])
def test_what_is_no_fall_gives_none(pixel_scene, name, noise) -> None:
    t = np.arange(75) / 25
    center, size = not_falls(t)[name]
    for seed in range(5):
        rng = np.random.default_rng(seed)
        scene = pixel_scene([center + rng.normal(0, noise, center.shape)], t, size=size[None])
        assert of(scene, "fall") == []
        assert of(scene, "throw") == []


def test_an_absurd_scale_is_no_fall(pixel_scene) -> None:
    """A parabola so slow that the thing would be tens of metres tall: a plane, a cloud."""
    t = np.arange(90) / 30
    path = np.stack([np.full(90, 300.0), 60 + 40 * t**2], axis=1)
    assert of(pixel_scene([path], t, size=(150.0, 90.0)), "fall") == []


def test_metric_fall_height_and_support(metric_scene) -> None:
    t = np.arange(40) / 20
    land = np.sqrt(2 * 2.0 / 9.81)
    z = np.where(t < land, 2.2 - 9.81 * t**2 / 2, 0.2)
    path = np.stack([0 * t, 0 * t, z], axis=1)
    scene = metric_scene([path], t, contacts=(Contact(0, STATIC, land, 1.95),))
    (fall,) = of(scene, "fall")
    assert fall.quantities["height_m"] == pytest.approx(2.0, abs=0.005)
    assert fall.quantities["duration_s"] == pytest.approx(land, abs=1e-3)
    assert fall.quantities["impact_speed_mps"] == pytest.approx(9.81 * land, rel=0.01)
    assert dict(fall.roles) == {"object": 0, "support": STATIC}


def test_fall_under_other_gravity_and_none_without(metric_scene) -> None:
    t = np.arange(32) / 10
    path = np.stack([1 + 1.5 * t, 0 * t, 14 - 2.5 * t**2 / 2], axis=1)
    weak = metric_scene([path], t, gravity_mps2=np.array([0.0, 0.0, -2.5]))
    (fall,) = of(weak, "fall")
    assert fall.quantities["height_m"] == pytest.approx(2.5 * 3.1**2 / 2, rel=1e-3)
    assert of(metric_scene([path], t), "fall") == []
    assert of(metric_scene([path], t, gravity_mps2=np.zeros(3)), "fall") == []
    sideways = path[:, [0, 2, 1]]
    planar = metric_scene([sideways], t, gravity_mps2=np.array([0.0, -2.5, 0.0]))
    assert of(planar, "fall")[0].quantities["height_m"] == pytest.approx(12.01, rel=1e-3)


def test_throw_and_its_fall(metric_scene) -> None:
    t = np.arange(24) / 20
    path = np.stack([3 * t, 0 * t, 1 + 5 * t - 9.81 * t**2 / 2], axis=1)
    scene = metric_scene([path], t)
    (throw,) = of(scene, "throw")
    assert throw.quantities["speed_mps"] == pytest.approx(np.hypot(3, 5), rel=1e-3)
    assert throw.quantities["launch_angle_rad"] == pytest.approx(np.arctan2(5, 3), rel=1e-3)
    assert throw.quantities["rise_m"] == pytest.approx(25 / (2 * 9.81), rel=1e-3)
    (fall,) = of(scene, "fall")
    assert fall.start_s == pytest.approx(5 / 9.81, abs=1e-3)
    (rise,) = of(scene, "rise")
    assert rise.quantities["height_m"] == pytest.approx(25 / (2 * 9.81), rel=0.03)


@pytest.mark.parametrize("restitution", [0.5, 0.8])
def test_bounce_in_metres(metric_scene, restitution) -> None:
    t = np.arange(60) / 30
    z = 0.2 + bounce_path(t, 2.0, restitution, 9.81)
    first = np.sqrt(2 * 2.0 / 9.81)
    second = first * (1 + 2 * restitution)
    contacts = tuple(Contact(0, STATIC, m, m + 0.01) for m in (first, second) if m < t[-1])
    scene = metric_scene([np.stack([0 * t, 0 * t, z], axis=1)], t, contacts=contacts)
    bounces = of(scene, "bounce")
    assert bounces[0].quantities["restitution"] == pytest.approx(restitution, abs=0.02)
    assert bounces[0].quantities["speed_before_mps"] == pytest.approx(9.81 * first, rel=0.03)
    assert bounces[0].roles["support"] == STATIC
    falls = of(scene, "fall")
    assert falls[1].quantities["height_m"] == pytest.approx(restitution**2 * 2.0, rel=0.02)
    assert of(scene, "throw") == []


def test_bounce_in_pixels_is_a_static_contact(pixel_scene) -> None:
    rng, t = np.random.default_rng(3), np.arange(60) / 30
    y = 400 - 200 * bounce_path(t, 1.5, 0.75, G)
    path = np.stack([100 + 50 * t, y], axis=1) + rng.normal(0, 0.4, (60, 2))
    scene = pixel_scene([path], t)
    first = np.sqrt(2 * 1.5 / G)
    bounce = of(scene, "bounce")[0]
    assert bounce.start_s == pytest.approx(first, abs=0.04)
    assert bounce.quantities["restitution"] == pytest.approx(0.75, abs=0.05)
    contact = detect_contacts(scene)[0]
    assert (contact.a, contact.b) == (0, STATIC)
    assert contact.start_s == pytest.approx(first, abs=0.04)
    assert of(scene, "throw") == []
