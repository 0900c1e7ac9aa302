from __future__ import annotations

import numpy as np
import pytest

from worldline.audit.crowds import (
    frechet_distance,
    kernel_distance,
    leave_one_out,
    shrunk_covariance,
)
from worldline.core import InputError


def draw(num: int, *, seed: int, shift: float = 0.0, dim: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(num, dim)) + shift


def test_kernel_distance_of_one_distribution_is_zero_in_the_mean() -> None:
    found = [kernel_distance(draw(12, seed=2 * k), draw(12, seed=2 * k + 1)) for k in range(300)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(300)
    assert min(found) < 0 < max(found)


def test_kernel_distance_by_hand_on_one_dimension() -> None:
    x, y = np.array([[0.0], [1.0], [0.0], [1.0]]), np.full((4, 1), 2.0)
    # k(0, .) = 1, k(1, 1) = 8, k(2, 2) = 125, k(1, 2) = 27
    within = (2 * 8 + 10 * 1) / 12 + 125
    assert kernel_distance(x, y) == pytest.approx(within - 2 * (27 + 1) / 2)


def test_both_grow_with_every_larger_shift() -> None:
    x = draw(40, seed=0)
    for measure in (kernel_distance, frechet_distance):
        found = [measure(x, draw(40, seed=1, shift=shift)) for shift in (0, 0.5, 1, 2)]
        assert found == sorted(found)


def test_frechet_distance_of_far_normals_is_near_the_closed_form() -> None:
    x, y = draw(4000, seed=0, dim=3), 2 * draw(4000, seed=1, dim=3) + 1
    # |shift|^2 + sum (1 - 2)^2
    assert frechet_distance(x, y) == pytest.approx(3 + 3, rel=0.05)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_of_few_is_too_large() -> None:
    few = [frechet_distance(draw(8, seed=2 * k), draw(8, seed=2 * k + 1)) for k in range(20)]
    many = [frechet_distance(draw(200, seed=2 * k), draw(200, seed=2 * k + 1)) for k in range(20)]
    assert np.mean(few) > 5 * np.mean(many)


def test_shrinkage_is_strong_for_few_and_gone_for_many() -> None:
    few, many = draw(5, seed=0, dim=20), draw(20000, seed=0, dim=3) * np.array([1.0, 2.0, 3.0])
    assert np.linalg.eigvalsh(shrunk_covariance(few)).min() > 0.1
    np.testing.assert_allclose(shrunk_covariance(many), np.cov(many.T), atol=0.05)


def test_the_interval_holds_the_estimate_and_leaves_groups_out_together() -> None:
    x, y = draw(16, seed=0), draw(16, seed=1, shift=1.0)
    groups = np.repeat(np.arange(4), 4)
    low, high = leave_one_out(frechet_distance, x, y, groups)
    assert low < frechet_distance(x, y) < high
    same = leave_one_out(lambda a, b: float(len(a)), x, y, groups)
    assert same == (16.0, 16.0)


def test_bad_input() -> None:
    with pytest.raises(InputError, match="at least 4"):
        kernel_distance(draw(3, seed=0), draw(5, seed=1))
    with pytest.raises(InputError, match="one length"):
        frechet_distance(draw(5, seed=0, dim=2), draw(5, seed=1, dim=3))
