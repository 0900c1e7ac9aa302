"""Shares with Wilson's interval."""

from __future__ import annotations

import math

import pytest

from worldline.audit.suites.result import share_cell


def test_wilson_by_hand():
    cell = share_cell([1] * 8 + [0] * 2)
    assert cell.value == pytest.approx(0.8)
    assert (cell.low, cell.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@pytest.mark.parametrize("num", [1, 2, 3, 7, 40, 100])
def test_none_and_all_end_at_exactly_nothing_and_one(num):
    assert share_cell([0] * num).low == 0.0
    assert 0.0 < share_cell([0] * num).high < 1.0
    assert share_cell([1] * num).high == 1.0
    assert 0.0 < share_cell([1] * num).low < 1.0


def test_what_is_not_known_is_not_counted():
    cell = share_cell([1, float("nan"), 0])
    assert cell.value == 0.5
    assert cell.n == 2
    assert math.isnan(share_cell([float("nan")]).value)
