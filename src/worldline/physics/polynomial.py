"""Weighted polynomial fits of trajectories, with standard errors and outliers set aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["PolynomialFit", "estimate_noise", "fit_polynomial"]

MAD_TO_STD = 1.4826
"""Standard deviation of a normal variable over its median absolute deviation."""

HUBER_STD = 1.345
"""Tuning constant of the Huber weight: 95% efficiency on normal errors (Huber 1964)."""

OUTLIER_STD = 5.0
"""Residuals beyond so many robust standard deviations are set aside before the last fit."""

CLEAR_STD = 3.0
"""A plain fit with all residuals below so many stated standard deviations has no outliers."""

MIN_INLIER_SHARE = 0.7
"""Never set aside more than the rest: a fit that needs that is no fit."""


@dataclass(frozen=True, eq=False)
class PolynomialFit:
    """`x(t) = sum_p coefficients[p] (t - origin_s)^p`, one polynomial for each of d coordinates.

    Attributes:
        origin_s: middle of the fitted times.
        start_s, end_s: first and last fitted time.
        coefficients: `[P, D]` in units of x per s^p.
        covariance: `[D, P, P]` of the coefficients.
        chi2: `[D]` weighted sum of squared residuals over the inliers.
        dof: inliers minus P.
        residual_std: `[D]` root of the residual sum of squares over dof (0 where dof is 0).
        r_squared: `[D]` share of the variance explained (1 where nothing varies).
        inliers: `[K]` samples that were used.
    """

    origin_s: float
    start_s: float
    end_s: float
    coefficients: Float[np.ndarray, "p d"]
    covariance: Float[np.ndarray, "d p p"]
    chi2: Float[np.ndarray, " d"]
    dof: int
    residual_std: Float[np.ndarray, " d"]
    r_squared: Float[np.ndarray, " d"]
    inliers: Bool[np.ndarray, " k"]

    @property
    def degree(self) -> int:
        """Degree of the polynomial."""
        return len(self.coefficients) - 1

    def _basis(self, time_s: float, order: int) -> np.ndarray:
        """Row vector that gives the `order`-th derivative at a time."""
        row = np.zeros(self.degree + 1)
        for p in range(order, self.degree + 1):
            factor = np.prod(np.arange(p - order + 1, p + 1)) if order else 1.0
            row[p] = factor * (time_s - self.origin_s) ** (p - order)
        return row

    def derivative(self, time_s: float, order: int) -> Float[np.ndarray, " d"]:
        """`order`-th time derivative at a time; order 0 is the position."""
        return self._basis(time_s, order) @ self.coefficients

    def derivative_std(self, time_s: float, order: int) -> Float[np.ndarray, " d"]:
        """Standard error of `derivative`."""
        row = self._basis(time_s, order)
        return np.sqrt(np.maximum(np.einsum("p,dpq,q->d", row, self.covariance, row), 0.0))

    def change_per_acceleration(
        self, start_s: float, end_s: float, direction: Float[np.ndarray, " d"]
    ) -> tuple[float, float]:
        """Way along `direction` from start to end over the acceleration along it, in s^2.

        Multiplied by the known acceleration of free fall this is a height in metres, whatever the
        unit of the fit. The standard error follows from the covariance by the delta method.

        Returns:
            ratio and its standard error.
        """
        way = self._basis(end_s, 0) - self._basis(start_s, 0)
        bend = self._basis(self.origin_s, 2)
        covariance = np.einsum("d,dpq->pq", direction**2, self.covariance)
        along = self.coefficients @ direction
        acceleration = float(bend @ along)
        if acceleration == 0.0:
            return 0.0, float("inf")
        ratio = float(way @ along) / acceleration
        gradient = (way - ratio * bend) / acceleration
        return ratio, float(np.sqrt(max(gradient @ covariance @ gradient, 0.0)))

    def change_std(self, start_s: float, end_s: float, direction: Float[np.ndarray, " d"]) -> float:
        """Standard error of the way along `direction` from start to end."""
        way = self._basis(end_s, 0) - self._basis(start_s, 0)
        covariance = np.einsum("d,dpq->pq", direction**2, self.covariance)
        return float(np.sqrt(max(way @ covariance @ way, 0.0)))

    def position(self, time_s: float) -> Float[np.ndarray, " d"]:
        """Fitted position."""
        return self.derivative(time_s, 0)

    def velocity(self, time_s: float) -> Float[np.ndarray, " d"]:
        """Fitted velocity."""
        return self.derivative(time_s, 1)

    def acceleration(self) -> Float[np.ndarray, " d"]:
        """Fitted acceleration in the middle of the interval."""
        return self.derivative(self.origin_s, 2)

    def acceleration_std(self) -> Float[np.ndarray, " d"]:
        """Standard error of `acceleration`."""
        return self.derivative_std(self.origin_s, 2)


def fit_polynomial(
    time_s: Float[np.ndarray, " k"],
    values: Float[np.ndarray, "k d"],
    *,
    degree: int,
    std: Float[np.ndarray, "k d"] | None = None,
    robust: bool = True,
) -> PolynomialFit:
    """Weighted least squares at the samples' own times.

    Outliers are found by iteratively reweighted least squares with Huber weights (Huber 1964),
    whole samples at a time, and the last fit is plain weighted least squares over the rest.
    Standard errors come from `std`, widened by the root of chi2/dof where the residuals are larger
    than `std` says (Birge 1932); without `std` they come from the residuals.

    Args:
        time_s: sample times in any spacing, no two equal.
        values: samples, finite.
        degree: of the polynomial.
        std: standard deviation of each sample, all > 0; None where unknown.
        robust: set outliers aside; samples fewer than degree + 5 are always all used.

    Raises:
        ValueError: fewer samples than coefficients, or two samples at one time.
    """
    k, d = values.shape
    p = degree + 1
    if k < p:
        raise ValueError(f"a fit of degree {degree} needs {p} samples, got {k}")
    if np.any(np.diff(np.sort(time_s)) <= 0):
        raise ValueError("two samples share one time; give each frame its own time stamp")
    origin = float((time_s.max() + time_s.min()) / 2)
    scale = float(np.max(np.abs(time_s - origin))) or 1.0
    basis = ((time_s - origin) / scale)[:, None] ** np.arange(p)
    weight = np.ones((k, d)) if std is None else 1.0 / std
    inliers = np.ones(k, dtype=bool)
    if robust and k >= degree + 5:
        inliers = _find_inliers(basis, values, weight, known_std=std is not None)

    scaled, covariance, chi2 = np.empty((p, d)), np.empty((d, p, p)), np.empty(d)
    dof = int(inliers.sum()) - p
    for j in range(d):
        w = weight[inliers, j]
        design = basis[inliers] * w[:, None]
        scaled[:, j] = np.linalg.lstsq(design, values[inliers, j] * w, rcond=None)[0]
        covariance[j] = np.linalg.pinv(design.T @ design)
        chi2[j] = np.sum((design @ scaled[:, j] - values[inliers, j] * w) ** 2)
    residual = values[inliers] - basis[inliers] @ scaled
    squares = np.sum(residual**2, axis=0)
    spread = np.sum((values[inliers] - values[inliers].mean(axis=0)) ** 2, axis=0)
    inflation = chi2 / max(dof, 1)
    if std is not None:
        inflation = np.maximum(1.0, inflation) if dof > 0 else np.ones(d)
    power = scale ** -np.arange(p, dtype=np.float64)
    return PolynomialFit(
        origin_s=origin,
        start_s=float(time_s.min()),
        end_s=float(time_s.max()),
        coefficients=scaled * power[:, None],
        covariance=covariance * inflation[:, None, None] * power[:, None] * power[None, :],
        chi2=chi2,
        dof=dof,
        residual_std=np.sqrt(squares / dof) if dof > 0 else np.zeros(d),
        r_squared=np.where(spread > 0, 1.0 - squares / np.where(spread > 0, spread, 1.0), 1.0),
        inliers=inliers,
    )


def _find_inliers(
    basis: np.ndarray, values: np.ndarray, weight: np.ndarray, *, known_std: bool
) -> np.ndarray:
    k, p = basis.shape
    worst = np.zeros(k)
    if known_std:
        plain = [
            np.linalg.lstsq(basis * weight[:, j : j + 1], values[:, j] * weight[:, j])[0]
            for j in range(values.shape[1])
        ]
        # Nothing stands out of the stated noise: spare the iterations.
        if np.all(np.abs(values - basis @ np.stack(plain, axis=1)) * weight < CLEAR_STD):
            return np.ones(k, dtype=bool)
    for j in range(values.shape[1]):
        huber = np.ones(k)
        z, spread = np.zeros(k), 1.0
        for _ in range(12):
            w = weight[:, j] * np.sqrt(huber)
            coefficient = np.linalg.lstsq(basis * w[:, None], values[:, j] * w, rcond=None)[0]
            z = np.abs(values[:, j] - basis @ coefficient) * weight[:, j]
            spread = MAD_TO_STD * float(np.median(z)) * np.sqrt(k / (k - p))
            # Where most samples lie exactly on the curve the median is 0: stay above rounding.
            floor = 1.0 if known_std else 1e-9 * float(np.ptp(values[:, j])) + 1e-300
            spread = max(spread, floor)
            huber = np.minimum(1.0, HUBER_STD / np.maximum(z / spread, 1e-12))
        worst = np.maximum(worst, z / spread)
    inliers = worst <= OUTLIER_STD
    if inliers.sum() < max(p + 1, MIN_INLIER_SHARE * k):
        return np.ones(k, dtype=bool)
    return inliers


def estimate_noise(
    time_s: Float[np.ndarray, " k"], values: Float[np.ndarray, "k d"]
) -> Float[np.ndarray, " d"]:
    """Standard deviation of the noise on a smooth trajectory, without fitting it.

    Each run of four samples is combined with the weights that cancel every parabola through them
    (third divided difference) and have unit norm, so that the result is noise of the same variance
    (Rice 1984; Gasser, Sroka and Jennen-Steinmetz 1986 for uneven times). The median over runs
    ignores kinks.

    Returns:
        `[D]` in the unit of `values`; 0 with fewer than five samples.
    """
    k, d = values.shape
    if k < 5:
        return np.zeros(d)
    window = np.stack([np.arange(k - 3) + i for i in range(4)], axis=1)
    t = time_s[window]
    gap = t[:, :, None] - t[:, None, :] + np.eye(4)
    weights = 1.0 / np.prod(gap, axis=2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    pseudo = np.einsum("mi,mid->md", weights, values[window])
    return MAD_TO_STD * np.median(np.abs(pseudo), axis=0)
