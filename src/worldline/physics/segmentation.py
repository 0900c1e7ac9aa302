"""Where a trajectory changes its law: optimal piecewise parabolas."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["split_parabolas"]

MIN_SAMPLES = 3
"""A parabola through fewer samples says nothing."""

MAX_SAMPLES = 400
"""Longest piece looked at, so that hours of track cost linear time."""


def split_parabolas(
    time_s: Float[np.ndarray, " k"],
    values: Float[np.ndarray, "k d"],
    noise_std: Float[np.ndarray, " d"],
) -> tuple[tuple[int, int], ...]:
    """Cut a trajectory into pieces that each follow one parabola within the noise.

    Minimises the sum of chi-square over pieces plus a penalty of BIC form for each piece, exactly,
    by dynamic programming with pruning (PELT: Killick, Fearnhead and Eckley 2012, eq. 5 and 13).
    A bounce, a kick or a landing is a cut; so is every few frames of a motion that is no parabola.
    A piece of at most two or three samples between two pieces that continue each other is an
    outlier, not a cut, and is joined over.

    Args:
        time_s: increasing times.
        values: samples.
        noise_std: standard deviation of one sample per coordinate, > 0.

    Returns:
        half-open index ranges, in order, that together cover all samples.
    """
    k, d = values.shape
    if k < 2 * MIN_SAMPLES:
        return ((0, k),) if k else ()
    penalty = (3 * d + 1) * np.log(max(k, 8)) + 8.0
    step_s = float(np.median(np.diff(time_s)))
    z = values / noise_std
    best = np.full(k + 1, np.inf)
    best[0] = -penalty
    back = np.zeros(k + 1, dtype=np.int64)
    starts = np.zeros(0, dtype=np.int64)
    moments, cross, squares = np.zeros((0, 5)), np.zeros((0, 3, d)), np.zeros(0)
    for end in range(1, k + 1):
        if end == 1 or np.isfinite(best[end - 1]):
            starts = np.append(starts, end - 1)
            moments = np.vstack([moments, np.zeros((1, 5))])
            cross = np.concatenate([cross, np.zeros((1, 3, d))])
            squares = np.append(squares, 0.0)
        u = (time_s[end - 1] - time_s[starts]) / step_s
        powers = u[:, None] ** np.arange(5)
        value = z[end - 1] - z[starts]
        moments = moments + powers
        cross = cross + powers[:, :3, None] * value[:, None, :]
        squares = squares + np.sum(value**2, axis=1)
        cost = _residual(moments, cross, squares)
        length = end - starts
        total = np.where(length >= MIN_SAMPLES, best[starts] + cost + penalty, np.inf)
        chosen = int(np.argmin(total))
        best[end], back[end] = total[chosen], starts[chosen]
        keep = (best[starts] + cost <= best[end]) | (length < MIN_SAMPLES)
        keep &= length < MAX_SAMPLES
        starts, moments, cross, squares = starts[keep], moments[keep], cross[keep], squares[keep]
    pieces: list[tuple[int, int]] = []
    end = k
    while end > 0:
        pieces.append((int(back[end]), end))
        end = int(back[end])
    return _join_over_outliers(time_s, z, pieces[::-1])


def _residual(moments: np.ndarray, cross: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Residual sum of squares of the parabola through each candidate's running sums."""
    index = np.arange(3)[:, None] + np.arange(3)[None, :]
    gram = moments[:, index]
    # Scaled to unit diagonal, so that one small ridge serves short and long pieces alike.
    norm = np.sqrt(np.maximum(np.einsum("nii->ni", gram), 1e-12))
    gram = gram / norm[:, :, None] / norm[:, None, :] + 1e-10 * np.eye(3)
    right = cross / norm[:, :, None]
    solved = np.linalg.solve(gram, right)
    residual = squares - np.einsum("npd,npd->n", right, solved)
    return np.where(moments[:, 0] > 3, np.maximum(residual, 0.0), 0.0)


def _join_over_outliers(
    time_s: np.ndarray, z: np.ndarray, pieces: list[tuple[int, int]]
) -> tuple[tuple[int, int], ...]:
    joined = list(pieces)
    i = 0
    while i + 2 < len(joined):
        (a, b), (c, e), (f, g) = joined[i : i + 3]
        if e - c <= MIN_SAMPLES and b - a > MIN_SAMPLES and g - f > MIN_SAMPLES:
            keep = np.r_[a:b, f:g]
            u = time_s[keep] - time_s[keep].mean()
            basis = (u / max(np.abs(u).max(), 1e-12))[:, None] ** np.arange(3)
            residual = z[keep] - basis @ np.linalg.lstsq(basis, z[keep], rcond=None)[0]
            dof = max(z.shape[1] * (len(keep) - 3), 1)
            # Mean square within twice its standard deviation of 1, with room for a poor noise_std.
            if np.sum(residual**2) / dof < 1.0 + 3.0 * np.sqrt(2.0 / dof):
                joined[i : i + 3] = [(a, g)]
                continue
        i += 1
    return tuple(joined)
