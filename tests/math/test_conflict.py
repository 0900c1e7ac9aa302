from __future__ import annotations

import math

import numpy as np
import pytest

from worldline.physics import (
    closest_approach,
    deceleration_to_avoid_crash,
    post_encroachment_time,
    time_to_collision,
)


def v(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_head_on_discs() -> None:
    ttc = time_to_collision(v(0, 0), v(2, 0), 0.5, v(10, 0), v(-1, 0), 0.5)
    assert ttc == pytest.approx(9 / 3)


def test_oblique_discs_touch_when_ttc_says() -> None:
    a, va, b, vb = v(0, 0), v(3, 1), v(6, 4), v(0, -1.2)
    ttc = time_to_collision(a, va, 0.4, b, vb, 0.7)
    assert math.isfinite(ttc)
    assert np.linalg.norm(a + va * ttc - b - vb * ttc) == pytest.approx(1.1)
    earlier = ttc - 0.01
    assert np.linalg.norm(a + va * earlier - b - vb * earlier) > 1.1


def test_missing_parting_resting_and_overlapping_discs() -> None:
    assert time_to_collision(v(0, 0), v(1, 0), 0.4, v(5, 1), v(0, 0), 0.4) == math.inf
    assert time_to_collision(v(0, 0), v(-1, 0), 0.4, v(5, 0), v(0, 0), 0.4) == math.inf
    assert time_to_collision(v(0, 0), v(0, 0), 0.4, v(5, 0), v(0, 0), 0.4) == math.inf
    assert time_to_collision(v(0, 0), v(0, 0), 0.4, v(0.5, 0), v(9, 0), 0.4) == 0.0


def test_ttc_keeps_precision_when_far_and_slow() -> None:
    ttc = time_to_collision(v(0, 0), v(1e-6, 0), 1.0, v(1e4, 0), v(0, 0), 1.0)
    assert ttc == pytest.approx((1e4 - 2) / 1e-6, rel=1e-12)


def test_closest_approach() -> None:
    near = closest_approach(v(0, 0), v(1, 0), v(5, 3), v(-1, 0))
    assert near.time_s == pytest.approx(2.5)
    assert near.distance == pytest.approx(3.0)
    parting = closest_approach(v(0, 0), v(-1, 0), v(3, 4), v(0, 0))
    assert (parting.time_s, parting.distance) == (0.0, 5.0)
    assert closest_approach(v(0, 0), v(1, 1), v(1, 0), v(1, 1)).time_s == 0.0


def test_drac_stops_within_the_gap() -> None:
    drac = deceleration_to_avoid_crash(20.0, 15.0, 5.0)
    assert drac == pytest.approx(2.5)
    time_s = (15.0 - 5.0) / drac
    assert 15.0 * time_s - drac * time_s**2 / 2 - 5.0 * time_s == pytest.approx(20.0)
    assert deceleration_to_avoid_crash(20.0, 5.0, 15.0) == 0.0
    assert deceleration_to_avoid_crash(0.0, 5.0, 1.0) == math.inf


def test_post_encroachment_time() -> None:
    assert post_encroachment_time(3.0, 4.5) == pytest.approx(1.5)
    assert post_encroachment_time(3.0, 2.0) == pytest.approx(-1.0)
