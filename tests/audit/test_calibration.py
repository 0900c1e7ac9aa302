from __future__ import annotations

import json

import numpy as np
import pytest

from worldline.audit.calibration import (
    Gaussian,
    HorizonIntervals,
    TrustCurve,
    auroc,
    conformal_quantile,
    shrink_covariance,
)
from worldline.core import InputError


def test_conformal_quantile_is_the_exact_order_statistic() -> None:
    scores = np.random.default_rng(0).permutation(np.arange(1.0, 10))  # 1..9
    assert conformal_quantile(scores, 0.1) == 9  # rank ceil(10 * 0.9)
    assert conformal_quantile(scores, 0.5) == 5
    assert conformal_quantile(scores, 0.05) == np.inf  # 9 scores cannot promise 95 %
    assert conformal_quantile(np.arange(1.0, 20), 0.05) == 19


def test_conformal_coverage_is_what_it_promises_for_any_distribution() -> None:
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(2000):
        scores = np.exp(2 * rng.normal(size=40))
        covered.append(scores[-1] <= conformal_quantile(scores[:-1], 0.2))
    assert np.mean(covered) == pytest.approx(0.8, abs=0.03)  # exactly 32/40 in expectation


def test_horizon_intervals_cover_and_follow_the_uncertainty() -> None:
    rng = np.random.default_rng(2)

    def draw(num: int) -> tuple[np.ndarray, np.ndarray]:
        uncertainty = rng.uniform(0.5, 2, (num, 3))
        growth = np.array([1.0, 2.0, 5.0])  # over-confident more and more
        return uncertainty, np.abs(rng.normal(size=(num, 3))) * uncertainty * growth

    intervals = HorizonIntervals.fit(*draw(4000), miscoverage=0.1)
    np.testing.assert_allclose(intervals.scale, 1.645 * np.array([1, 2, 5]), rtol=0.06)
    uncertainty, error = draw(4000)
    coverage = (error <= intervals.half_width(uncertainty)).mean(0)
    np.testing.assert_allclose(coverage, 0.9, atol=0.02)


def test_horizon_intervals_survive_json_and_longer_horizons() -> None:
    uncertainty, error = np.ones((5, 2)), np.tile([1.0, 3.0], (5, 1))
    intervals = HorizonIntervals.fit(uncertainty, error, miscoverage=0.3)
    again = HorizonIntervals.from_json(json.loads(json.dumps(intervals.to_json())))
    np.testing.assert_allclose(again.half_width(np.ones(4)), [1, 3, 3, 3])
    small = HorizonIntervals.fit(uncertainty, error, miscoverage=0.01)
    assert np.isinf(small.scale).all()
    assert small.to_json()["scale"] == [None, None]


def test_zero_uncertainty_still_has_a_width() -> None:
    uncertainty = np.zeros((20, 1))
    intervals = HorizonIntervals.fit(uncertainty, np.full((20, 1), 0.2))
    assert intervals.half_width(np.zeros(1))[0] == pytest.approx(0.2)


def test_shrinkage_is_the_formula_written_out() -> None:
    x = np.random.default_rng(3).normal(size=(7, 3)) * [1, 2, 3]
    c = x - x.mean(0)
    s = c.T @ c / 7
    m = np.trace(s) / 3
    d2 = np.sum((s - m * np.eye(3)) ** 2) / 3
    b2 = sum(np.sum((np.outer(r, r) - s) ** 2) / 3 for r in c) / 49
    covariance, share = shrink_covariance(x)
    assert share == pytest.approx(min(b2, d2) / d2)
    np.testing.assert_allclose(covariance, share * m * np.eye(3) + (1 - share) * s)


def test_shrinkage_goes_away_with_data_and_keeps_few_rows_invertible() -> None:
    rng = np.random.default_rng(4)
    scale = np.linspace(1, 5, 10)
    assert shrink_covariance(rng.normal(size=(20000, 10)) * scale)[1] < 0.01
    covariance, share = shrink_covariance(rng.normal(size=(6, 50)))
    assert share > 0.5
    assert np.linalg.cond(covariance) < 1e3


def test_mahalanobis_distance_in_closed_form() -> None:
    gaussian = Gaussian(np.array([1.0, 2.0]), np.array([[4.0, 0.0], [0.0, 9.0]]))
    points = np.array([[1.0, 2.0], [3.0, 2.0], [1.0, 5.0], [3.0, 5.0]])
    np.testing.assert_allclose(gaussian.distance(points), [0, 1, 1, np.sqrt(2)])


def test_squared_distance_of_the_own_kind_is_chi_square() -> None:
    rng = np.random.default_rng(5)
    mix = (np.eye(6) + 0.2 * rng.normal(size=(6, 6))) * 10.0 ** np.arange(6)
    gaussian = Gaussian.fit(rng.normal(size=(8000, 6)) @ mix)
    square = gaussian.distance(rng.normal(size=(8000, 6)) @ mix) ** 2
    assert square.mean() == pytest.approx(6, rel=0.05)
    assert square.var() == pytest.approx(12, rel=0.12)
    again = Gaussian.from_json(json.loads(json.dumps(gaussian.to_json())))
    np.testing.assert_allclose(again.distance(mix), gaussian.distance(mix))


def test_distance_does_not_depend_on_units_and_survives_a_dead_feature() -> None:
    rng = np.random.default_rng(9)
    known, fresh = rng.normal(size=(30, 4)), rng.normal(size=(5, 4))
    units = np.array([1.0, 1e3, 1e-3, 50.0])
    plain, scaled = Gaussian.fit(known), Gaussian.fit(known * units)
    np.testing.assert_allclose(scaled.distance(fresh * units), plain.distance(fresh), rtol=1e-6)
    known[:, 1] = 2.0
    fresh[:, 1] = 2.0
    dead = Gaussian.fit(known)
    assert np.isfinite(dead.distance(fresh)).all()
    moved = fresh.copy()
    moved[:, 1] += 1
    assert (dead.distance(moved) > 100 * dead.distance(fresh)).all()


def test_trust_is_the_true_posterior_of_lognormal_scores() -> None:
    rng = np.random.default_rng(6)
    inside = np.exp(rng.normal(0, 1, 20000))
    outside = np.exp(rng.normal(2, 1, 5000))
    curve = TrustCurve.fit(inside, outside)
    x = np.array([-1.0, 0.0, 1.0, 2.0, 3.0])
    truth = 1 / (1 + np.exp(2 * (x - 1)))  # equal priors, means 0 and 2, unit variance
    np.testing.assert_allclose(curve.trust(np.exp(x)), truth, atol=0.02)


def test_trust_falls_and_stays_in_bounds_even_when_scores_separate() -> None:
    inside, outside = np.linspace(1, 2, 50), np.linspace(10, 20, 30)
    curve = TrustCurve.fit(inside, outside)
    trust = curve.trust(np.array([0.0, 0.5, 1.5, 5.0, 15.0, 1e6]))
    assert (np.diff(trust) <= 0).all()
    assert trust[2] > 0.9
    assert trust[4] < 0.1
    assert ((trust >= 0) & (trust <= 1)).all()
    again = TrustCurve.from_json(json.loads(json.dumps(curve.to_json())))
    assert again == curve


def test_trust_is_one_half_where_the_score_says_nothing_or_the_opposite() -> None:
    rng = np.random.default_rng(7)
    odd_inside, plain_outside = rng.uniform(5, 6, 100), rng.uniform(1, 2, 100)
    curve = TrustCurve.fit(odd_inside, plain_outside)
    np.testing.assert_allclose(curve.trust(np.array([0.1, 3.0, 100.0])), 0.5)


def test_auroc_counts_pairs_and_halves_ties() -> None:
    assert auroc(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 1
    assert auroc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 0
    assert auroc(np.array([1.0, 1.0]), np.array([1.0])) == 0.5
    rng = np.random.default_rng(8)
    a, b = rng.integers(0, 5, 40).astype(float), rng.integers(1, 6, 30).astype(float)
    pairs = (b[None] > a[:, None]).mean() + 0.5 * (b[None] == a[:, None]).mean()
    assert auroc(a, b) == pytest.approx(pairs)


def test_bad_input_is_named() -> None:
    nan, one = np.array([np.nan]), np.array([1.0])
    with pytest.raises(InputError, match="at least one score"):
        conformal_quantile(np.zeros(0), 0.1)
    with pytest.raises(InputError, match=r"miscoverage is 1\.5"):
        conformal_quantile(one, 1.5)
    with pytest.raises(InputError, match="none may be NaN"):
        auroc(nan, one)
    with pytest.raises(InputError, match="at least 0"):
        TrustCurve.fit(-one, one)
    with pytest.raises(InputError, match="two rows"):
        Gaussian.fit(np.ones((1, 3)))
    with pytest.raises(InputError, match="all the same"):
        Gaussian.fit(np.ones((5, 3)))
    with pytest.raises(InputError, match="uncertainty must hold"):
        HorizonIntervals.fit(-np.ones((3, 2)), np.ones((3, 2)))
