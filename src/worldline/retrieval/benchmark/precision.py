"""Average precision with ties at their expected value, and its spread over clips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["average_precision", "bootstrap_interval", "mean_of"]


def average_precision(score: Float[np.ndarray, " n"], relevant: Bool[np.ndarray, " n"]) -> float:
    """Expected average precision where equal scores are put into random order.

    McSherry and Najork 2008 (Computing information retrieval performance measures efficiently in
    the presence of tied scores), section 2.2.

    Returns:
        a number in [0, 1]; NaN where nothing is relevant.
    """
    total = int(relevant.sum())
    if total == 0:
        return float("nan")
    _, group = np.unique(-score, return_inverse=True)
    size = np.bincount(group)
    hits = np.bincount(group, relevant)
    before, hits_before = np.cumsum(size) - size, np.cumsum(hits) - hits
    # rank k of a group: its members before it hold (k - 1) (hits - 1) / (size - 1) further hits
    rank = np.arange(len(score)) - np.repeat(before, size) + 1
    n, r = np.repeat(size, size), np.repeat(hits, size)
    inner = (rank - 1) * (r - 1) / np.maximum(n - 1, 1)
    found = np.repeat(hits_before, size) + 1 + inner
    return float(np.sum(r / n * found / (np.repeat(before, size) + rank)) / total)


def mean_of(values: Sequence[float]) -> float:
    """Mean over what is known; NaN where nothing is."""
    known = [v for v in values if v == v]
    return float(np.mean(known)) if known else float("nan")


def bootstrap_interval(
    scores: Float[np.ndarray, "q n"],
    grades: Float[np.ndarray, "q n"],
    *,
    seed: int,
    num_draws: int = 200,
) -> tuple[float, float]:
    """95 % interval of the mean average precision over queries, clips drawn anew.

    Args:
        scores: of each clip for each query.
        grades: 1 relevant, 0 not, NaN left out.
        seed: of the draws.
        num_draws: how many.
    """
    rng = np.random.default_rng(seed)
    num_clips = scores.shape[1]
    draws = []
    for _ in range(num_draws):
        pick = rng.integers(num_clips, size=num_clips)
        values = []
        for score, grade in zip(scores[:, pick], grades[:, pick], strict=True):
            known = np.isfinite(grade)
            values.append(average_precision(score[known], grade[known] > 0))
        draws.append(mean_of(values))
    low, high = np.percentile(draws, (2.5, 97.5))
    return float(low), float(high)
