"""Calibration error and Brier score against hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.retrieval.benchmark.reliability import brier_score, calibration_error


def test_probabilities_that_come_true_have_no_calibration_error():
    chance = np.repeat([0.25, 0.75], 40)
    true = np.concatenate([np.arange(40) < 10, np.arange(40) < 30])
    assert calibration_error(chance, true) == pytest.approx(0.0)
    assert brier_score(chance, true) == pytest.approx(0.25 * 0.75)


def test_overconfidence_is_seen():
    chance, true = np.full(10, 0.95), np.arange(10) < 5
    assert calibration_error(chance, true) == pytest.approx(0.45)
    assert brier_score(chance, true) == pytest.approx((0.05**2 + 0.95**2) / 2)


def test_nothing_is_not_zero():
    none = np.zeros(0)
    assert np.isnan(calibration_error(none, none > 0))
    assert np.isnan(brier_score(none, none > 0))
