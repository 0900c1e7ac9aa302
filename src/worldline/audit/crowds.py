"""How alike two sets of clips are, from one vector of each clip: FVD and KVD, without the I3D.

The published measures use an I3D network trained on Kinetics. Here the vectors come from whatever
network the caller states (`worldline.audit.perceptual`), so that the numbers are "FVD-like" and
compare with each other alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh

from worldline.core.errors import InputError

__all__ = ["frechet_distance", "kernel_distance", "leave_one_out", "shrunk_covariance"]

_MIN_CLIPS = 4

Vectors = Float[np.ndarray, "n d"]


def kernel_distance(x: Vectors, y: Float[np.ndarray, "m e"]) -> float:
    """Unbiased squared maximum mean discrepancy: 0 in the mean for sets of one distribution.

    With the kernel `(a.b / d + 1)^3` of KID (Binkowski et al. 2018, arXiv 1801.01401, section 4),
    called KVD for clips (Unterthiner et al. 2019, arXiv 1812.01717). It may come out below 0, and
    its expectation does not depend on the number of clips. Dimensions are used as they are: scale
    them beforehand.

    Raises:
        InputError: fewer than four vectors in a set, or vectors of different lengths.
    """
    _check(x, y)
    n, m, d = len(x), len(y), x.shape[1]
    xx, yy, xy = ((a @ b.T / d + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within - 2 * xy.mean())


def frechet_distance(x: Vectors, y: Float[np.ndarray, "m e"]) -> float:
    """Squared Frechet distance between Gaussians fitted to both sets.

    `|mx - my|^2 + tr(Cx + Cy - 2 (Cx Cy)^(1/2))` (Heusel et al. 2017, arXiv 1706.08500, equation
    6) with shrunk covariances. From few clips it is too large, by about as much as it gives for two
    sets of the same size out of one distribution: show that number beside it.

    Raises:
        InputError: as for `kernel_distance`.
    """
    _check(x, y)
    a, b = shrunk_covariance(x), shrunk_covariance(y)
    values, turn = eigh(a)
    root = (turn * np.sqrt(np.maximum(values, 0))) @ turn.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ b @ root), 0)).sum()
    gap = float(((x.mean(0) - y.mean(0)) ** 2).sum())
    return max(0.0, gap + float(np.trace(a) + np.trace(b) - 2 * cross))


def shrunk_covariance(x: Vectors) -> Float[np.ndarray, "d d"]:
    """Covariance pulled towards a multiple of the identity (Ledoit and Wolf 2004, "A
    well-conditioned estimator for large-dimensional covariance matrices", lemma 3.4)."""
    n, d = x.shape
    centred = x - x.mean(0)
    sample = centred.T @ centred / n
    scale = np.trace(sample) / d
    spread = ((sample - scale * np.eye(d)) ** 2).sum()
    if spread == 0:
        return sample
    square = (centred**2).sum(1)
    # sum over samples of |c c' - S|^2 without forming each matrix
    noise = float(((square**2).sum() - n * (sample**2).sum()) / n**2)
    share = min(max(noise, 0.0) / spread, 1.0)
    return (1 - share) * sample + share * scale * np.eye(d)


def leave_one_out(
    measure: Callable[[Vectors, Float[np.ndarray, "m e"]], float],
    x: Vectors,
    y: Float[np.ndarray, "m e"],
    groups: np.ndarray,
) -> tuple[float, float]:
    """95 % interval by the jackknife over groups of clips (Efron 1982, chapter 3), normal.

    Drawing clips again with replacement, as the bootstrap does, would put equal ones into a set
    and bias distances between sets.

    Args:
        measure: of two sets.
        x, y: sets of the same length, whose k-th members belong to the k-th group.
        groups: `[n]` numbers of what is left out together, such as all cameras of one scene.
    """
    names = np.unique(groups)
    count = len(names)
    found = np.array([measure(x[groups != name], y[groups != name]) for name in names])
    whole = measure(x, y)
    error = float(np.sqrt((count - 1) / count * np.square(found - found.mean()).sum()))
    return whole - 1.959964 * error, whole + 1.959964 * error


def _check(x: np.ndarray, y: np.ndarray) -> None:
    if min(len(x), len(y)) < _MIN_CLIPS or x.shape[1] != y.shape[1]:
        raise InputError(
            f"a distance between sets of clips needs at least {_MIN_CLIPS} vectors of one length "
            f"in each, not {x.shape} and {y.shape}"
        )
