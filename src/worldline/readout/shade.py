"""What a region is to the background behind it: the numbers by which `lit_tracks` tells light."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["Shade", "measure_shade"]

_MIN_PIXELS, _FEW_PIXELS = 20, 10  # deep inside a region, and just inside
_MOST_PIXELS = 1500  # are looked at
_LEVEL = (0.03, 2.2)  # logarithm of the factor, either way, that light may have,
_CHROMA = 0.35  # and how far a channel's may differ from their mean
_OWN_NOISE, _OWN_DARK = 1.0, 8.0  # grey levels
_LOG = np.log(np.arange(256, dtype=np.float32) + np.float32(1.0))
_THIRD = np.float32(1 / 3)
_RIDGE = 1e-3 * np.eye(2)
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True)
class Shade:
    """A region against the background, inside its outline; brightness is in natural logarithms.

    Attributes:
        own: standard deviation of the picture inside, less noise, over its mean, which counts for
            more in the dark; of the channel where that is most.
        level: median of now less then, mean of the channels; NaN where no light could do this, and
            the rest with it.
        chroma: how far the median of a channel is from that, at most.
        spread: half of what the middle two thirds of the level inside span; its standard deviation,
            were it normal.
        then: mean brightness of the background.
        num: pixels.
        course, course_kept: sum of squares of the background about its mean, and its product with
            the picture's; detail, detail_kept: the same about a plane.
        rest: variance of the picture that the background's detail does not explain.
        noise: variance that a grey level more or less makes.
    """

    own: float
    level: float = math.nan
    chroma: float = math.nan
    spread: float = math.nan
    then: float = math.nan
    num: float = math.nan
    course: float = math.nan
    course_kept: float = math.nan
    detail: float = math.nan
    detail_kept: float = math.nan
    rest: float = math.nan
    noise: float = math.nan

    @property
    def possible(self) -> bool:
        """Whether light could make the background look so."""
        return self.level == self.level


def measure_shade(
    mask: UInt8[np.ndarray, "h w"],
    image: UInt8[np.ndarray, "h w 3"],
    background: UInt8[np.ndarray, "h w 3"],
    *,
    rim_px: int = 2,
) -> Shade | None:
    """Measure a region; None where it is too small.

    Args:
        mask: 1 at its pixels.
        image, background: the picture now, and without objects, in the same window.
        rim_px: so far from its outline a region is mixed with what is beside it.
    """
    inner = cv2.erode(mask, _disc(rim_px), borderValue=0)
    if cv2.countNonZero(inner) < _MIN_PIXELS:
        inner = cv2.erode(mask, _CROSS, borderValue=0)
        if cv2.countNonZero(inner) < _FEW_PIXELS:
            return None
    mean, deviation = cv2.meanStdDev(image, mask=inner)
    own = float(np.max((deviation - _OWN_NOISE) / (mean + _OWN_DARK)))
    factor = np.log((mean[:, 0] + 1.0) / (np.array(cv2.mean(background, inner)[:3]) + 1.0))
    level = float(factor.sum()) / 3.0
    if not _LEVEL[0] < abs(level) < _LEVEL[1] or np.abs(factor - level).max() > _CHROMA:
        return Shade(own)
    at = np.flatnonzero(inner.view(bool))  # of zeros and ones; many times faster
    at = at[:: 1 + len(at) // _MOST_PIXELS]
    # Sums by hand: NumPy's means of three rows, or of so few pixels, are mostly overhead.
    num = len(at)
    both = np.empty((8, num), np.float32)  # channels now and their mean, and the same then
    for rows, picture in ((both[:4], image), (both[4:], background)):
        np.take(_LOG, picture.reshape(-1, 3).take(at, axis=0).T, out=rows[:3], mode="clip")
        np.add(rows[0], rows[1], out=rows[3])
        rows[3] += rows[2]
        rows[3] *= _THIRD
    low, middle, high = _quantiles(both[:4] - both[4:])
    level, spread = float(middle[:3].sum()) / 3.0, (high[3] - low[3]) / 2
    brightness = both[3::4].astype(np.float64)
    usual = brightness.sum(axis=1) / num
    plane = np.array(np.divmod(at, inner.shape[1]), np.float64)
    plane -= (plane.sum(axis=1) / num)[:, None]
    about_mean = brightness - usual[:, None]
    gram = plane @ plane.T + _RIDGE
    about_plane = about_mean - np.linalg.solve(gram, plane @ about_mean.T).T @ plane
    (_, course_kept), (_, course) = (about_mean @ about_mean.T).tolist()
    (own_detail, detail_kept), (_, detail) = (about_plane @ about_plane.T).tolist()
    return Shade(
        own=own,
        level=level,
        chroma=float(np.abs(middle[:3] - level).max()),
        spread=float(spread),
        then=float(usual[1]),
        num=float(num),
        course=course,
        course_kept=course_kept,
        detail=detail,
        detail_kept=detail_kept,
        rest=(own_detail - detail_kept**2 / max(detail, 1e-9)) / num,
        noise=float(np.exp(-2.0 * brightness[0]).sum()) / num,
    )


@cache
def _disc(radius_px: int) -> UInt8[np.ndarray, "k k"]:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1,) * 2)


def _quantiles(rows: Float[np.ndarray, "r n"]) -> Float[np.ndarray, "3 r"]:
    """The sixth, the middle and the sixth from above of each row."""
    last = rows.shape[1] - 1
    ranks = [round(last * share) for share in (1 / 6, 1 / 2, 5 / 6)]
    return np.partition(rows, ranks, axis=1)[:, ranks].T
