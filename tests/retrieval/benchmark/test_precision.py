"""Average precision with ties, against drawing many orders and against hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.retrieval.benchmark.precision import (
    average_precision,
    bootstrap_interval,
    mean_of,
)


def test_without_ties_it_is_average_precision():
    score = np.array([0.9, 0.8, 0.7, 0.6])
    relevant = np.array([True, False, True, False])
    assert average_precision(score, relevant) == pytest.approx((1 + 2 / 3) / 2)


def test_ties_count_at_their_expected_value():
    rng = np.random.default_rng(0)
    score = np.array([3, 2, 2, 2, 2, 1, 1, 0], dtype=float)
    relevant = np.array([0, 1, 0, 1, 0, 1, 0, 0], dtype=bool)
    drawn = []
    for _ in range(4000):
        order = np.lexsort((rng.random(len(score)), -score))
        found = relevant[order]
        precision = np.cumsum(found) / np.arange(1, len(found) + 1)
        drawn.append(precision[found].mean())
    assert average_precision(score, relevant) == pytest.approx(np.mean(drawn), abs=0.01)


def test_nothing_relevant_is_unknown_and_not_zero():
    assert np.isnan(average_precision(np.array([1.0, 0.0]), np.array([False, False])))
    assert mean_of([0.5, float("nan"), 1.0]) == 0.75


def test_the_interval_holds_the_mean_and_leaves_out_unclear_clips():
    rng = np.random.default_rng(1)
    grades = (rng.random((5, 80)) < 0.3).astype(float)
    scores = grades + rng.normal(0, 0.5, grades.shape)
    grades[:, :10] = np.nan
    scores[:, :10] = 9.0  # would ruin every ranking if they counted
    exact = mean_of(
        [average_precision(s[10:], g[10:] > 0) for s, g in zip(scores, grades, strict=True)]
    )
    low, high = bootstrap_interval(scores, grades, seed=0, num_draws=100)
    assert low < exact < high
    assert high - low < 0.3
