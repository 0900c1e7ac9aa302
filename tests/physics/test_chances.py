"""Logistic regressions over named traits."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.physics.chances import Chances, fit_chances

ONE, OTHER = "one", "other"


def test_a_fit_finds_the_odds_that_made_the_claims():
    rng = np.random.default_rng(4)
    values = rng.normal(2.0, 3.0, (4000, 2))
    right = rng.random(4000) < 1 / (1 + np.exp(-(0.5 * (values[:, 0] - 2.0) - 0.4)))
    traits = [{"a": a, "b": b} for a, b in values.tolist()]
    known = fit_chances({ONE: (traits, right), OTHER: (traits, ~right)})
    for a, chance in ((2.0, 0.401), (5.0, 0.750), (-1.0, 0.130)):
        assert known.of(ONE, {"a": a, "b": 2.0}) == pytest.approx(chance, abs=0.04)
        assert known.of(OTHER, {"a": a, "b": 2.0}) == pytest.approx(1 - chance, abs=0.04)
    again = Chances.from_json(known.to_json())
    assert again.of(ONE, traits[7]) == pytest.approx(known.of(ONE, traits[7]), abs=1e-3)


def test_claims_that_are_all_right_teach_nothing():
    with pytest.raises(ValueError, match="one"):
        fit_chances({ONE: ([{"a": 1.0}] * 3, np.ones(3, dtype=bool))})


def test_what_is_there_more_often_counts_more():
    traits = [{"a": 1.0}, {"a": 1.0}, {"a": 0.0}, {"a": 0.0}]
    right = np.array([True, False, True, False])
    often = {ONE: np.array([3.0, 1.0, 1.0, 3.0])}
    weighed = fit_chances({ONE: (traits, right)}, importance=often, ridge=0.01)
    assert weighed.of(ONE, {"a": 1.0}) == pytest.approx(0.75, abs=0.01)
    even = fit_chances({ONE: (traits, right)}, ridge=0.01)
    assert even.of(ONE, {"a": 1.0}) == pytest.approx(0.5, abs=0.01)
