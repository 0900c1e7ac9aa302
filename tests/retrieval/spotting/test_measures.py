"""Rough quantities of guesses against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from tests.retrieval.conftest import build_scene

from worldline.core.scene import Event
from worldline.retrieval.spotting.measures import measured

TIME_S = np.linspace(0.0, 2.0, 40)


def scene_of(*paths):
    return build_scene(labels=("ball",) * 3, paths_px=np.stack(paths))


def line(x0, y0, vx, vy):
    return np.stack([x0 + vx * TIME_S, y0 + vy * TIME_S], axis=1)


STILL = line(100.0, 200.0, 0.0, 0.0)


def test_a_fall_is_measured_by_its_time():
    fall = measured(Event("fall", 0.4, 1.0, {"object": 0}), scene_of(STILL, STILL, STILL))
    assert fall.quantities["height_m"] == pytest.approx(9.80665 * 0.6**2 / 2)
    assert fall.quantities["impact_speed_mps"] == pytest.approx(9.80665 * 0.6)
    # a twentieth of a second more or less is what the error allows
    other = measured(Event("fall", 0.4, 1.056, {"object": 0}), scene_of(STILL, STILL, STILL))
    gap = other.quantities["height_m"] - fall.quantities["height_m"]
    assert gap == pytest.approx(fall.quantities["height_m_std"], rel=0.1)


def test_a_bounce_is_measured_by_speeds_along_the_kick():
    down = np.where(TIME_S < 1.0, 100 * TIME_S, 100 - 60 * (TIME_S - 1.0))
    path = np.stack([30 + 25 * TIME_S, 50 + down], axis=1)
    event = Event("bounce", 0.96, 1.04, {"object": 0})
    bounce = measured(event, scene_of(path, STILL, STILL))
    assert bounce.quantities["restitution"] == pytest.approx(0.6, abs=0.05)


def test_a_near_miss_has_the_least_time_to_collision():
    event = Event("near_miss", 0.5, 1.0, {"a": 0, "b": 1})
    near = measured(event, scene_of(line(0, 100, 40, 0), line(100, 100, -40, 0), STILL))
    # they close in at 80 px/s, and their boxes of 10 px touch after 90 px: little is left at the
    # last sample before that
    assert near.quantities["ttc_s"] < 0.1
    apart = measured(event, scene_of(line(0, 100, 0, 0), line(100, 100, 0, 0), STILL))
    assert "ttc_s" not in apart.quantities


def test_everything_has_a_length_and_nobodys_event_has_nothing_else():
    roll = measured(Event("roll", 0.2, 1.2, {"object": 0}), scene_of(STILL, STILL, STILL))
    assert roll.quantities == {"duration_s": pytest.approx(1.0), "duration_s_std": 0.3}
    nobody = measured(Event("fall", 0.0, 0.08, {}), scene_of(STILL, STILL, STILL))
    assert set(nobody.quantities) == {"duration_s", "duration_s_std"}
