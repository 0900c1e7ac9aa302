"""From scores to numbers with a meaning: intervals that cover, and trust that is a probability.

Everything here is plain statistics on arrays of held-out measurements; no model is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import rankdata

from worldline.core.errors import InputError

__all__ = [
    "Gaussian",
    "HorizonIntervals",
    "TrustCurve",
    "auroc",
    "conformal_quantile",
    "shrink_covariance",
]


def conformal_quantile(scores: Float[np.ndarray, " n"], miscoverage: float) -> float:
    """Threshold that a fresh score stays below with probability at least 1 - miscoverage.

    Split conformal prediction (Papadopoulos et al. 2002; Lei, G'Sell, Rinaldo, Tibshirani and
    Wasserman 2018, algorithm 2): the ceil((n + 1)(1 - miscoverage))-th smallest of n held-out
    scores. It holds for any distribution, as long as old and fresh scores are exchangeable.

    Returns:
        the threshold; infinity where n is too small to promise so much.

    Raises:
        InputError: NaN among the scores, none at all, or a miscoverage outside (0, 1).
    """
    _require_scores(scores)
    if not 0 < miscoverage < 1:
        raise InputError(f"miscoverage is {miscoverage}, expected a share between 0 and 1")
    # The product is rounded first: (9 + 1) * (1 - 0.1) must give rank 9, not 10.
    rank = int(np.ceil(round((len(scores) + 1) * (1 - miscoverage), 9)))
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else float("inf")


@dataclass(frozen=True, eq=False)
class HorizonIntervals:
    """Half-widths of intervals around a forecast, per frame of the horizon.

    The half-width is `scale[h] * max(uncertainty, floor)`, so that the model's own uncertainty
    says which forecasts are hard and the scale makes the coverage true at each horizon.

    Attributes:
        scale: `[H]` one factor per frame; infinite where the calibration set was too small.
        floor: smallest uncertainty that is taken at its word.
        miscoverage: share of errors that may lie outside.
    """

    scale: Float[np.ndarray, " h"]
    floor: float
    miscoverage: float

    @classmethod
    def fit(
        cls,
        uncertainty: Float[np.ndarray, "n h"],
        absolute_error: Float[np.ndarray, "n h"],
        *,
        miscoverage: float = 0.1,
    ) -> HorizonIntervals:
        """Scale uncertainties to cover held-out errors.

        Locally weighted split conformal (Lei et al. 2018, section 5.2): the conformal quantile of
        |error| / uncertainty, horizon by horizon. The coverage holds for each horizon by itself,
        not for all of them at once.

        Args:
            uncertainty: what the model said, at least 0.
            absolute_error: what came true, in the same unit.
            miscoverage: share of errors that may lie outside.

        Raises:
            InputError: NaN or negative entries, or no clips.
        """
        if not len(uncertainty) or not np.isfinite(uncertainty).all() or uncertainty.min() < 0:
            raise InputError("uncertainty must hold finite numbers of at least 0")
        floor = max(1e-6, 0.05 * float(np.median(uncertainty)))
        ratio = np.abs(absolute_error) / np.maximum(uncertainty, floor)
        scale = [conformal_quantile(column, miscoverage) for column in ratio.T.astype(np.float64)]
        return cls(np.array(scale), floor, miscoverage)

    def half_width(self, uncertainty: Float[np.ndarray, "*n h"]) -> Float[np.ndarray, "*n h"]:
        """Half-widths for fresh forecasts; frames past the fitted horizon use its last scale."""
        horizon = uncertainty.shape[-1]
        scale = self.scale[np.minimum(np.arange(horizon), len(self.scale) - 1)]
        return scale * np.maximum(uncertainty, self.floor)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON; an infinite scale becomes null."""
        scale = [float(s) if np.isfinite(s) else None for s in self.scale]
        return {"scale": scale, "floor": self.floor, "miscoverage": self.miscoverage}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> HorizonIntervals:
        """Inverse of `to_json`."""
        scale = [np.inf if s is None else float(s) for s in record["scale"]]
        return cls(np.array(scale), float(record["floor"]), float(record["miscoverage"]))


def shrink_covariance(
    features: Float[np.ndarray, "n d"],
) -> tuple[Float[np.ndarray, "d d"], float]:
    """Covariance pulled towards a multiple of the identity, well conditioned even for n < d.

    Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance
    matrices", equations 9 to 14: (b^2 / d^2) m I + (1 - b^2 / d^2) S with m = tr(S) / p,
    d^2 = ||S - m I||^2 / p and b^2 the mean squared error of S, estimated from the spread of
    x x' about S.

    Returns:
        the covariance and the share b^2 / d^2 in [0, 1] that comes from the identity.

    Raises:
        InputError: fewer than two rows, or NaN.
    """
    if len(features) < 2 or not np.isfinite(features).all():
        raise InputError("a covariance needs at least two rows of finite features")
    n, p = features.shape
    centred = features - features.mean(0)
    sample = centred.T @ centred / n
    mean_variance = float(np.trace(sample)) / p
    target = mean_variance * np.eye(p)
    dispersion = float(((sample - target) ** 2).sum()) / p
    # Sum over rows of ||x x' - S||^2 without forming the outer products.
    fourth = float(((centred**2).sum(1) ** 2).sum())
    noise = (fourth / n - float((sample**2).sum())) / n / p
    share = 1.0 if dispersion <= 0 else float(np.clip(noise / dispersion, 0, 1))
    return share * target + (1 - share) * sample, share


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Where the features of known material lie; how far away something else is.

    Attributes:
        mean: `[D]`.
        covariance: `[D, D]`, positive definite.
    """

    mean: Float[np.ndarray, " d"]
    covariance: Float[np.ndarray, "d d"]

    @classmethod
    def fit(cls, features: Float[np.ndarray, "n d"]) -> Gaussian:
        """Mean and shrunk covariance of feature vectors, one per row.

        Shrinking happens among standardised features, since a multiple of the identity makes
        sense only where all have one unit.

        Raises:
            InputError: fewer than two rows, NaN, or features that never vary.
        """
        spread = features.std(0) if len(features) else np.zeros(features.shape[1])
        if len(features) > 1 and not spread.any():
            raise InputError("the features are all the same; a distance needs some spread")
        # A feature that never varied counts as varying a millionth as much as a usual one.
        dead = spread <= 1e-12 * np.abs(features).max(0, initial=0)
        spread = np.where(dead, 1e-6 * np.median(spread[~dead]) if (~dead).any() else 1.0, spread)
        correlation, _ = shrink_covariance(features / spread)
        # A hair on the diagonal where the estimate leaves a direction without any variance.
        correlation += 1e-9 * np.eye(len(correlation))
        return cls(features.mean(0), correlation * np.outer(spread, spread))

    def distance(self, features: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """Mahalanobis distance (Mahalanobis 1936) of each row: sqrt((x - m)' C^-1 (x - m))."""
        offset = features - self.mean
        solved = cho_solve(cho_factor(self.covariance), offset.T)
        return np.sqrt(np.maximum(np.einsum("nd,dn->n", offset, solved), 0))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {"mean": self.mean.tolist(), "covariance": self.covariance.tolist()}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Gaussian:
        """Inverse of `to_json`."""
        return cls(np.array(record["mean"], float), np.array(record["covariance"], float))


@dataclass(frozen=True)
class TrustCurve:
    """Probability that a score comes from known rather than foreign material, both equally likely.

    `trust = 1 / (1 + exp(slope * (log(score) - middle)))`, falling from 1 to 0: on known material a
    forecast is as good as its held-out numbers, on foreign material nothing is promised.

    Attributes:
        slope: at least 0; 0 where the scores do not separate the two at all.
        middle: log score of trust 1/2.
        offset: added to scores before the logarithm.
    """

    slope: float
    middle: float
    offset: float

    @classmethod
    def fit(cls, inside: Float[np.ndarray, " n"], outside: Float[np.ndarray, " m"]) -> TrustCurve:
        """Logistic regression of "inside" on the log of the score.

        Platt (1999), "Probabilistic outputs for support vector machines", with his smoothed targets
        (n + 1) / (n + 2) and 1 / (m + 2), which keep the curve finite for separable scores, and
        with the two classes weighted equally, whatever their numbers. The slope cannot be negative:
        a larger score never gives more trust.

        Args:
            inside: scores of held-out material of the training kind, at least 0; larger is odder.
            outside: scores of material known to be foreign.

        Raises:
            InputError: NaN, negative or no scores on either side.
        """
        for scores in (inside, outside):
            _require_scores(scores)
            if scores.min() < 0 or not np.isfinite(scores).all():
                raise InputError("scores for trust must be finite and at least 0")
        offset = 1e-3 * float(np.median(inside)) + 1e-12
        x = np.log(np.concatenate([inside, outside]) + offset)
        n, m = len(inside), len(outside)
        goal = np.repeat([(n + 1) / (n + 2), 1 / (m + 2)], [n, m])
        weight = np.repeat([0.5 / n, 0.5 / m], [n, m])
        center, spread = float(x.mean()), float(x.std()) or 1.0
        z = (x - center) / spread

        def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
            slope, bias = parameters
            logit = bias - slope * z
            value = weight @ (np.logaddexp(0, logit) - goal * logit)
            slack = weight * (expit(logit) - goal)
            return float(value), np.array([-(slack @ z), slack.sum()])

        fitted = minimize(
            loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0, 1e3), (None, None)]
        )
        slope, bias = fitted.x
        if slope < 1e-6:  # no separation: the score says nothing, so say one half
            return cls(0.0, center, offset)
        return cls(float(slope / spread), float(center + spread * bias / slope), offset)

    def trust(self, scores: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Trust in [0, 1] for each score."""
        logs = np.log(np.maximum(scores, 0) + self.offset)
        return expit(-self.slope * (logs - self.middle))

    def to_json(self) -> dict[str, float]:
        """Plain dictionary for JSON."""
        return {"slope": self.slope, "middle": self.middle, "offset": self.offset}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> TrustCurve:
        """Inverse of `to_json`."""
        return cls(float(record["slope"]), float(record["middle"]), float(record["offset"]))


def auroc(negatives: Float[np.ndarray, " n"], positives: Float[np.ndarray, " m"]) -> float:
    """Probability that a positive scores higher than a negative, ties counting one half.

    The area under the receiver operating characteristic as the Mann-Whitney statistic (Hanley and
    McNeil 1982).

    Raises:
        InputError: NaN or no scores on either side.
    """
    _require_scores(negatives)
    _require_scores(positives)
    ranks = rankdata(np.concatenate([negatives, positives]))[len(negatives) :]
    m = len(positives)
    return float((ranks.sum() - m * (m + 1) / 2) / (m * len(negatives)))


def _require_scores(scores: np.ndarray) -> None:
    if not len(scores) or np.isnan(scores).any():
        raise InputError("there must be at least one score, and none may be NaN")
