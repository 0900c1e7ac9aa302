from __future__ import annotations

import numpy as np
import pytest

from worldline.physics import estimate_noise, fit_polynomial, split_parabolas


def parabola(t: np.ndarray) -> np.ndarray:
    return np.stack([2.0 - 3.0 * t + 0.5 * 4.0 * t**2, 1.0 + 0.25 * t], axis=1)


def test_exact_parabola_at_uneven_times() -> None:
    t = np.array([0.0, 0.1, 0.15, 0.4, 0.42, 0.9, 1.3])
    fit = fit_polynomial(t, parabola(t), degree=2)
    np.testing.assert_allclose(fit.acceleration(), [4.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(fit.velocity(0.3), [-3.0 + 4.0 * 0.3, 0.25], atol=1e-9)
    np.testing.assert_allclose(fit.position(2.0), parabola(np.array([2.0]))[0], atol=1e-9)
    np.testing.assert_allclose(fit.r_squared, 1.0)
    assert fit.dof == 4


def test_standard_errors_cover_the_truth() -> None:
    rng, t = np.random.default_rng(0), np.linspace(0, 1, 25)
    z = []
    for _ in range(400):
        noisy = parabola(t) + rng.normal(0, 0.05, (25, 2))
        fit = fit_polynomial(t, noisy, degree=2, std=np.full((25, 2), 0.05))
        z.append((fit.acceleration() - [4.0, 0.0]) / fit.acceleration_std())
    z = np.array(z)
    assert np.abs(z.mean(axis=0)).max() < 0.2
    # Errors are widened where chi2 > dof, never narrowed: a little below 1 is right.
    assert np.all((z.std(axis=0) > 0.8) & (z.std(axis=0) < 1.05))


def test_standard_error_of_a_straight_line_is_the_textbook_one() -> None:
    t = np.array([0.0, 1.0, 2.0, 3.0])
    fit = fit_polynomial(t, (2 * t)[:, None], degree=1, std=np.full((4, 1), 0.3))
    expected = 0.3 / np.sqrt(np.sum((t - t.mean()) ** 2))
    np.testing.assert_allclose(fit.derivative_std(0.0, 1), expected)
    np.testing.assert_allclose(fit.derivative_std(1.5, 0), 0.3 / 2)


def test_outliers_are_set_aside() -> None:
    rng, t = np.random.default_rng(1), np.linspace(0, 2, 30)
    values = parabola(t) + rng.normal(0, 0.01, (30, 2))
    values[[4, 17]] += 3.0
    fit = fit_polynomial(t, values, degree=2)
    assert np.flatnonzero(~fit.inliers).tolist() == [4, 17]
    np.testing.assert_allclose(fit.acceleration(), [4.0, 0.0], atol=0.1)
    rigid = fit_polynomial(t, values, degree=2, robust=False)
    assert rigid.inliers.all()


def test_too_few_samples_and_equal_times_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 3 samples, got 2"):
        fit_polynomial(np.array([0.0, 1.0]), np.zeros((2, 1)), degree=2)
    with pytest.raises(ValueError, match="share one time"):
        fit_polynomial(np.array([0.0, 1.0, 1.0]), np.zeros((3, 1)), degree=1)


def test_drop_over_acceleration_is_half_the_square_of_time() -> None:
    rng, t = np.random.default_rng(2), np.linspace(0, 0.6, 19)
    y = (50 + 0.5 * 1500 * t**2 + rng.normal(0, 0.5, 19))[:, None]
    fit = fit_polynomial(t, y, degree=2, std=np.full((19, 1), 0.5))
    ratio, std = fit.change_per_acceleration(0.0, 0.6, np.array([1.0]))
    assert abs(ratio - 0.18) < 4 * std
    assert 0 < std < 0.02


@pytest.mark.parametrize("std", [0.01, 0.3, 2.0])
def test_noise_is_estimated_on_uneven_times_and_across_kinks(std: float) -> None:
    rng = np.random.default_rng(3)
    t = np.cumsum(rng.uniform(0.02, 0.06, 400))
    path = np.where(t < 8, 30 * t, 240 - 20 * (t - 8))[:, None] + 5 * t[:, None] ** 2
    estimate = estimate_noise(t, path + rng.normal(0, std, (400, 1)))
    assert 0.8 * std < estimate[0] < 1.25 * std
    assert estimate_noise(t[:4], path[:4]).tolist() == [0.0]


def test_pieces_are_cut_at_bounces_and_nowhere_else() -> None:
    rng, t = np.random.default_rng(4), np.arange(90) / 30
    y = np.where(t < 1, 4.9 * t**2, 4.9 - 7 * (t - 1) + 4.9 * (t - 1) ** 2)
    y = np.where(t < 2.2, y, 1.0)
    values = y[:, None] + rng.normal(0, 0.01, (90, 1))
    pieces = split_parabolas(t, values, np.array([0.01]))
    assert pieces[0][0] == 0
    assert pieces[-1][1] == 90
    cuts = [a for a, _ in pieces][1:]
    assert len(cuts) == 2
    assert abs(cuts[0] - 30) <= 1
    assert abs(cuts[1] - 66) <= 1


def test_one_wild_sample_does_not_cut() -> None:
    rng, t = np.random.default_rng(5), np.arange(40) / 30
    values = (3 * t + 2 * t**2)[:, None] + rng.normal(0, 0.01, (40, 1))
    values[20] += 0.5
    assert split_parabolas(t, values, np.array([0.01])) == ((0, 40),)


def test_pieces_of_short_input() -> None:
    assert split_parabolas(np.zeros(0), np.zeros((0, 2)), np.ones(2)) == ()
    assert split_parabolas(np.arange(4.0), np.zeros((4, 2)), np.ones(2)) == ((0, 4),)
