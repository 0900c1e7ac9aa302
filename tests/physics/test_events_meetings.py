"""Collisions, near misses and crossings of two bodies."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from worldline.core import Contact, Event, Scene
from worldline.physics import detect_events


def of(scene: Scene, kind: str) -> list[Event]:
    return [e for e in detect_events(scene) if e.type == kind]


def head_on(t: np.ndarray) -> np.ndarray:
    """Equal balls of radius 0.2 m swap velocities at t = 1 (elastic)."""
    a = np.where(t < 1, -2.2 + 2 * t, -0.2 - 1.0 * (t - 1))
    b = np.where(t < 1, 1.2 - 1 * t, 0.2 + 2.0 * (t - 1))
    zero = 0 * t
    return np.stack([np.stack([a, zero, zero], 1), np.stack([b, zero, zero], 1)])


def test_collide_in_metres(metric_scene) -> None:
    t = np.arange(40) / 20 + 0.013
    scene = metric_scene(
        head_on(t), t, gravity_mps2=np.zeros(3), contacts=(Contact(1, 0, 1.0, 1.0),)
    )
    (hit,) = of(scene, "collide")
    assert hit.quantities["approach_speed_mps"] == pytest.approx(3.0, rel=1e-3)
    assert hit.quantities["delta_v_a_mps"] == pytest.approx(3.0, rel=1e-3)
    assert hit.quantities["delta_v_b_mps"] == pytest.approx(3.0, rel=1e-3)
    assert of(scene, "near_miss") == []


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_collide_in_pixels(pixel_scene, noise) -> None:
    rng, t = np.random.default_rng(4), np.arange(40) / 20 + 0.013
    path = np.stack([320 + 100 * head_on(t)[..., 0], np.full((2, 40), 240.0)], axis=-1)
    scene = pixel_scene(path + rng.normal(0, noise, path.shape), t, size=(40.0, 40.0))
    (hit,) = of(scene, "collide")
    assert hit.start_s == pytest.approx(1.0, abs=0.06)
    assert hit.quantities["approach_speed_px_s"] == pytest.approx(300, rel=0.1)
    assert {hit.roles["a"], hit.roles["b"]} == {0, 1}


def test_passing_in_front_is_no_collision(pixel_scene) -> None:
    t = np.arange(60) / 20
    a = np.stack([50 + 150 * t, 240 + 0 * t], axis=1)
    b = np.stack([590 - 150 * t, 240 + 0 * t], axis=1)
    scene = pixel_scene([a, b], t, size=(40.0, 80.0))
    counts = Counter(e.type for e in detect_events(scene))
    assert counts["collide"] == 0
    assert counts["contact"] == 0
    assert counts["near_miss"] == 0


def swerve(t: np.ndarray, gap: float) -> np.ndarray:
    """Two balls of radius 0.2 m head for each other; the first swerves and passes at `gap`."""
    aside = (0.4 + gap) / (1 + np.exp(-(t - 0.7) / 0.06))
    a = np.stack([-2 + 2 * t, aside, 0 * t], axis=1)
    b = np.stack([2 - 2 * t, 0 * t, 0 * t], axis=1)
    return np.stack([a, b])


def test_near_miss_after_a_collision_course(metric_scene) -> None:
    t = np.arange(60) / 30
    (event,) = of(metric_scene(swerve(t, 0.1), t), "near_miss")
    assert event.quantities["distance_m"] == pytest.approx(0.1, abs=0.01)
    assert event.quantities["closest_approach_s"] == pytest.approx(1.0, abs=0.03)
    # On course until the swerve begins at about 0.5 s, when 2 m - 0.4 m were left at 4 m/s.
    assert 0.1 < event.quantities["ttc_s"] < 0.45
    assert event.quantities["closing_speed_mps"] == pytest.approx(4.0, rel=0.05)
    assert of(metric_scene(swerve(t, 1.5), t), "near_miss") == []


def test_near_miss_in_pixels(pixel_scene) -> None:
    t = np.arange(60) / 30
    path = np.stack([320, 240] + 100 * swerve(t, 0.15)[..., :2], axis=0)
    (event,) = of(pixel_scene(path, t, size=(40.0, 40.0)), "near_miss")
    assert event.quantities["distance_px"] == pytest.approx(15, abs=2)


def test_side_by_side_is_no_near_miss(metric_scene) -> None:
    t = np.arange(60) / 30
    a = np.stack([2 * t, 0 * t, 0 * t], axis=1)
    assert of(metric_scene([a, a + np.array([0.0, 0.5, 0.0])], t), "near_miss") == []


def test_crossing_paths_and_their_encroachment(metric_scene) -> None:
    t = np.arange(81) / 20
    a = np.stack([-2 + 2 * t, 0 * t, 0 * t], axis=1)
    b = np.stack([0 * t, -5 + 2 * t, 0 * t], axis=1)
    (event,) = of(metric_scene([b, a], t), "cross")
    assert dict(event.roles) == {"a": 1, "b": 0}
    # First leaves the disc of 0.4 m at 1.2 s, second enters it at 2.3 s.
    assert event.quantities["pet_s"] == pytest.approx(1.1, abs=0.11)
    assert of(metric_scene([a, a + np.array([0.0, 1.0, 0.0])], t), "cross") == []
