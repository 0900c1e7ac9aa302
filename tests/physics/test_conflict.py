"""Conflict measures against their closed forms, and the named profiles of near misses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from worldline.core import Event, Scene
from worldline.physics import (
    PROFILES,
    detect_events,
    encroachment_time,
    modified_deceleration_to_avoid_crash,
    modified_time_to_collision,
    time_to_collision,
)


def of(scene: Scene, kind: str, by: str | None = None) -> list[Event]:
    profile = None if by is None else PROFILES[by]
    return [e for e in detect_events(scene, near_misses_by=profile) if e.type == kind]


@pytest.mark.parametrize(("closing", "braking"), [(5.0, -1.0), (5.0, 0.0), (5.0, 2.0), (-1.0, 2.0)])
def test_mttc_along_a_lane_is_the_root_of_ozbay(closing, braking):
    gap, reach = 10.0, 2.0
    after = modified_time_to_collision(
        np.array([gap + reach, 0.0]), np.array([-closing, 0.0]), np.array([-braking, 0.0]), reach
    )
    if braking == 0.0:
        expected = gap / closing
    else:
        root = math.sqrt(closing**2 + 2 * braking * gap)
        expected = min(
            x for x in ((-closing + root) / braking, (-closing - root) / braking) if x > 0
        )
    assert after == pytest.approx(expected, rel=1e-6)


def test_mttc_is_infinite_for_who_stops_in_time_and_zero_inside():
    away = np.array([12.0, 0.0])
    closing, braking = np.array([-4.0, 0.0]), np.array([2.0, 0.0])
    assert modified_time_to_collision(away, closing, braking, 2.0) == math.inf
    assert modified_time_to_collision(away / 10, closing, braking, 2.0) == 0.0
    still = np.zeros(2)
    assert modified_time_to_collision(away, still, still, 2.0) == math.inf


def test_without_acceleration_mttc_is_the_ttc_of_discs():
    rng = np.random.default_rng(1)
    for _ in range(50):
        p, v = rng.normal(0, 5, 3), rng.normal(0, 3, 3)
        ttc = time_to_collision(np.zeros(3), np.zeros(3), 0.5, p, v, 0.7)
        assert modified_time_to_collision(p, v, np.zeros(3), 1.2) == pytest.approx(ttc, rel=1e-5)


def test_mdrac_leaves_the_time_of_reaction():
    assert modified_deceleration_to_avoid_crash(3.0, 8.0) == pytest.approx(8.0 / (2 * 2.0))
    assert modified_deceleration_to_avoid_crash(0.9, 8.0) == math.inf
    assert modified_deceleration_to_avoid_crash(math.inf, 8.0) == 0.0


def test_encroachment_is_the_time_between_two_at_one_place():
    t = np.linspace(0, 4, 401)
    first = np.stack([3 * (t - 2), 0 * t], axis=1)
    second = np.stack([0 * t, 3 * (t - 3)], axis=1)
    # Perpendicular at one speed: centres may be r apart along the way of each.
    expected = 1.0 - math.sqrt(2) * 0.6 / 3
    assert encroachment_time(t, first, t, second, 0.6) == pytest.approx(expected, abs=0.02)
    follows = np.stack([3 * (t - 2) - 4.5, 0 * t], axis=1)
    assert encroachment_time(t, first, t, follows, 0.6) == pytest.approx(1.5 - 0.2, abs=0.02)
    beside = first + np.array([0, 2])
    assert encroachment_time(t, first, t, beside, 0.6) == math.inf


def crossing(t: np.ndarray, late_s: float) -> np.ndarray:
    a = np.stack([4 * (t - 1.5), 0 * t, 0 * t + 0.2], axis=1)
    b = np.stack([0 * t, 4 * (t - 1.5 - late_s), 0 * t + 0.2], axis=1)
    return np.stack([a, b])


def test_a_near_miss_measures_all_conflicts(metric_scene):
    t = np.arange(90) / 30
    (event,) = of(metric_scene(crossing(t, 0.16), t), "near_miss")
    # nearest at right angles: the centres pass at v late / sqrt(2)
    gap = 4 * 0.16 / math.sqrt(2) - 0.4
    assert event.quantities["distance_m"] == pytest.approx(gap, abs=0.02)
    pet = 0.16 - math.sqrt(2) * 0.4 / 4
    assert event.quantities["pet_s"] == pytest.approx(pet, abs=1 / 30)
    assert "ttc_s" not in event.quantities  # never on a collision course of the discs


def brakes(t: np.ndarray, room: float) -> np.ndarray:
    """b comes at 6 m/s and brakes evenly from 1 s on, so that it stands `room` before a."""
    slow = np.clip(t - 1.0, 0, 1.5)
    x = 6 * np.minimum(t, 1.0) + 6 * slow - 2 * slow**2
    b = np.stack([x - x[-1] - room - 0.4, 0 * t, 0 * t + 0.2], axis=1)
    return np.stack([0 * b + [0, 0, 0.2], b])


def test_braking_before_an_obstacle_has_ttc_mttc_and_drac(metric_scene):
    t = np.arange(105) / 30
    (event,) = of(metric_scene(brakes(t, 0.2), t), "near_miss")
    q = event.quantities
    assert 0.3 < q["ttc_s"] < 1.5
    # At 4 m/s^2 it stops with 0.2 m to spare, which the MTTC knows and the TTC does not.
    assert "mttc_s" not in q or q["mttc_s"] > q["ttc_s"]
    assert 2.0 < q["drac_mps2"] < 4.5
    assert "pet_s" not in q  # it never comes to where the other is


def test_profiles_differ_in_what_they_take_for_a_near_miss(metric_scene):
    t = np.arange(105) / 30
    far = metric_scene(brakes(t, 3.0), t)  # stops 3 m before: no near miss by its gap
    assert of(far, "near_miss") == []
    (conflict,) = of(far, "near_miss", "sumo")
    assert conflict.quantities["ttc_s"] < 3.0
    assert of(far, "near_miss", "ssam") == []
    late = metric_scene(crossing(np.arange(150) / 30, 1.2), np.arange(150) / 30)
    assert [e.quantities["pet_s"] < 2.0 for e in of(late, "near_miss", "sumo")] == [True]
    assert of(late, "near_miss", "ssam") == []


def test_a_profile_needs_what_it_limits():
    assert PROFILES["ssam"].holds({"ttc_s": 1.0, "pet_s": 2.0})
    assert not PROFILES["ssam"].holds({"ttc_s": 1.0})
    assert PROFILES["sumo"].holds({"drac_mps2": 3.5})
    assert not PROFILES["sumo"].holds({})
