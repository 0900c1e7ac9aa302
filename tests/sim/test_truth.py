from __future__ import annotations

import numpy as np
import pytest

from worldline.core import STATIC
from worldline.sim.engine import Touches
from worldline.sim.framing import look_at
from worldline.sim.truth import merge_contacts

CAMERA = look_at(np.array([0.0, -5.0, 0.0]), np.zeros(3), focal_px=64.0, size_px=64)


def touches(rows) -> Touches:
    time_s, a, b, impulse = (np.array(column) for column in zip(*rows, strict=True))
    return Touches(
        time_s=time_s.astype(float),
        a=a.astype(np.int64),
        b=b.astype(np.int64),
        impulse_ns=impulse.astype(float),
        point_m=np.tile([0.5, 0.0, 0.0], (len(rows), 1)),
    )


def test_touches_merge_over_short_gaps_only():
    rows = [(0.1, 0, -1, 1.0), (0.101, 0, -1, 2.0), (0.115, 0, -1, 3.0), (0.2, 0, -1, 4.0)]
    first, second = merge_contacts(touches(rows), 0.001, CAMERA, np.zeros(1))
    assert (first.a, first.b) == (0, STATIC)
    assert (first.start_s, first.end_s) == pytest.approx((0.1, 0.116))
    assert (second.start_s, second.end_s) == pytest.approx((0.2, 0.201))
    assert first.impulse_ns == pytest.approx(6.0)
    assert first.point_px == pytest.approx((32 + 64 * 0.5 / 5, 32))


def test_impulse_of_a_long_touch_is_the_strongest_impact():
    rows = [(0.001 * i, 0, -1, 0.1) for i in range(100)]
    rows[50] = (0.05, 0, -1, 5.0)
    (contact,) = merge_contacts(touches(rows), 0.001, CAMERA, np.zeros(1))
    assert contact.impulse_ns == pytest.approx(5.0 + 19 * 0.1, abs=0.11)


def test_pairs_are_kept_apart_and_in_order():
    rows = [(0.3, 1, 0, 1.0), (0.1, 1, -1, 1.0), (0.2, 0, -1, 1.0)]
    found = merge_contacts(touches(rows), 0.001, CAMERA, np.zeros(1))
    assert [(c.a, c.b) for c in found] == [(1, STATIC), (0, STATIC), (0, 1)]
