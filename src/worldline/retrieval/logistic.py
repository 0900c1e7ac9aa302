"""Logistic regression that is held to a prior: the start of what `chances` learns."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["fit_logistic"]

_NUM_STEPS, _TOLERANCE = 50, 1e-8


def fit_logistic(
    given: Float[np.ndarray, "n f"],
    true: Bool[np.ndarray, " n"],
    prior: Float[np.ndarray, " f"],
    ridge: Float[np.ndarray, " f"],
) -> Float[np.ndarray, " f"]:
    """Weights that make the outcomes likely and stay near the prior (Newton's method; le Cessie
    and van Houwelingen 1992, eq. 1, with the prior for zero).

    Args:
        given: what speaks for and against, a column of ones included if there is to be an offset.
        true: outcomes.
        prior: weights without any example.
        ridge: half of it times the squared distance from the prior is added to the loss.
    """
    weights = prior.astype(np.float64).copy()
    for _ in range(_NUM_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(given @ weights, -30, 30)))
        slope = given.T @ (true - chance) - ridge * (weights - prior)
        curve = (given * (chance * (1 - chance))[:, None]).T @ given + np.diag(ridge + 1e-9)
        change = np.linalg.solve(curve, slope)
        change *= min(1.0, 2.0 / max(float(np.abs(change).max()), 1e-12))
        weights += change
        if float(np.abs(change).max()) < _TOLERANCE:
            break
    return weights
