"""What a region is to the background behind it: the numbers by which `lit_tracks` tells light.

Light leaves the ground's fine detail where it is, however uneven or coloured the light itself is;
and the edge of a lamp's pool can be wider than any edge that the picture has of a body.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["Shade", "measure_shade"]

_MANY_PIXELS, _MIN_PIXELS = 50, 20  # deep in a region, and inside
_MOST_PIXELS = 1500  # are looked at
_LEVEL = (0.03, 2.2)  # logarithm of the factor, either way, that light may have,
_CHROMA = 0.7  # and how far a channel's may differ from their mean
_OWN_NOISE, _OWN_DARK = 1.0, 8.0  # grey levels
_CELL = 8  # pixels a side in which detail is compared
_DETAIL = 8.0  # times the noise: what the ground must show in such a cell
_LIKE = 0.8  # correlation from which its detail is seen there,
_KEPT = (0.6, 1.5)  # and so many times as strong
_MOST = 0.6  # share of a region that light must make up, to be told by one factor
_CLEARLY = 3.0  # times the noise; less of it says nothing against
_UNLIKE = 0.03  # standard deviation of the ground's brightness, to be told by it
_RING = (2.0, 4.0)  # pixels from the outline where what is soft has hardly begun,
_DEEP_PX = 8.0  # in a region as deep as that
_FAINT = 0.2  # share of the ring that may be stronger
_LOG = np.log(np.arange(256, dtype=np.float32) + np.float32(1.0))
_THIRD = np.float32(1 / 3)
_RIDGE = 1e-3 * np.eye(2)


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
        rest: variance of the picture that the background does not explain, both about a plane.
        noise: variance that a grey level more or less makes.
        through, hidden: cells in which the background shows detail, and the picture shows it too,
            or does not.
        follows: standard deviation of the ground over that of the factor, where most of the region
            has one factor: about 1 for a flat body, several under light; NaN on plain ground.
        soft: change near the outline over that in the middle, by size; 0 where the region begins
            softly all around, 1 where it is as sharp as can be; NaN where it is small.
    """

    own: float
    level: float = math.nan
    chroma: float = math.nan
    spread: float = math.nan
    rest: float = math.nan
    noise: float = math.nan
    through: int = 0
    hidden: int = 0
    follows: float = math.nan
    soft: float = math.nan

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
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    # Of what `light.py` knows as a shadow the outer half of the rim is gone already.
    for rim, least in ((2 * rim_px, _MANY_PIXELS), (rim_px, _MIN_PIXELS)):
        inner = cv2.threshold(depth, rim + 0.5, 1, cv2.THRESH_BINARY)[1].astype(np.uint8)
        if cv2.countNonZero(inner) >= least:
            break
    else:
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
    (own_detail, detail_kept), (_, detail) = (about_plane @ about_plane.T).tolist()
    noise = float(np.exp(-2.0 * brightness[0]).sum()) / num
    follows = _follows(both[:4] - both[4:], both[7], math.sqrt(noise))
    lit, plain = (cv2.LUT(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), _LOG) for p in (image, background))
    through, hidden = _cells(inner, lit, plain, noise + math.exp(-2.0 * usual[1]))
    return Shade(
        own=own,
        level=level,
        chroma=float(np.abs(middle[:3] - level).max()),
        spread=float(spread),
        rest=(own_detail - detail_kept**2 / max(detail, 1e-9)) / num,
        noise=noise,
        through=through,
        hidden=hidden,
        follows=follows,
        soft=_softness(depth, cv2.absdiff(lit, plain)),
    )


def _follows(
    factor: Float[np.ndarray, "4 n"], ground: Float[np.ndarray, " n"], noise: float
) -> float:
    """How much the ground varies over what the factor does, where most pixels have one factor."""
    num = factor.shape[1]
    most = round(_MOST * num)
    order = np.argsort(factor[3])
    ordered = factor[3][order]
    first = int(np.argmin(ordered[most:] - ordered[: num - most]))
    chosen = order[first : first + most + 1]
    apart = ground[chosen]
    apart = apart - apart.sum() / len(chosen)
    varied = math.sqrt(float(apart @ apart) / len(chosen))
    if varied < _UNLIKE:
        return math.nan
    own = factor[:3, chosen]
    own = own - own.sum(axis=1, keepdims=True) / np.float32(len(chosen))
    follows = varied / max(1e-3, math.sqrt(float((own * own).sum()) / (3 * len(chosen))))
    return follows if follows > _CLEARLY or varied > _CLEARLY * noise else math.nan


def _softness(depth: Float[np.ndarray, "h w"], change: Float[np.ndarray, "h w"]) -> float:
    """What is strong of the change beside the outline, over the usual one in the middle."""
    deepest = cv2.minMaxLoc(depth)[1]
    if deepest < _DEEP_PX:
        return math.nan
    ring = change[(depth > _RING[0]) & (depth <= _RING[1])]
    rank = round((len(ring) - 1) * (1 - _FAINT))
    middle = float(np.median(change[depth > deepest / 2]))
    return float(np.partition(ring, rank)[rank]) / max(1e-3, middle)


def _cells(
    inner: UInt8[np.ndarray, "h w"],
    now: Float[np.ndarray, "h w"],
    then: Float[np.ndarray, "h w"],
    noise: float,
) -> tuple[int, int]:
    """Cells in which the background's detail is found again, and those in which it is not."""
    height, width = (side - side % _CELL for side in inner.shape)
    if not height or not width:
        return 0, 0
    weight = inner.astype(np.float32)
    parts = cv2.merge([weight, cv2.multiply(now, weight), cv2.multiply(then, weight)])
    num, *sums = cv2.split(cv2.blur(parts, (_CELL + 1,) * 2))
    num = np.maximum(num, np.float32(1e-3))
    own, ground = (
        cv2.multiply(cv2.subtract(log, cv2.divide(part, num)), weight)
        for log, part in zip((now, then), sums, strict=True)
    )
    products = [(own, own), (own, ground), (ground, ground)]
    parts = cv2.merge([weight, *(cv2.multiply(*pair) for pair in products)])[:height, :width]
    size = width // _CELL, height // _CELL
    share, own, both, ground = cv2.split(cv2.resize(parts, size, interpolation=cv2.INTER_AREA))
    told = (share > 0.5) & (ground > _DETAIL * noise)
    like = both > _LIKE * np.sqrt(own * ground)
    found = told & like & (both > _KEPT[0] * ground) & (both < _KEPT[1] * ground)
    through = int(np.count_nonzero(found))
    return through, int(np.count_nonzero(told)) - through


def _quantiles(rows: Float[np.ndarray, "r n"]) -> Float[np.ndarray, "3 r"]:
    """The sixth, the middle and the sixth from above of each row."""
    last = rows.shape[1] - 1
    ranks = [round(last * share) for share in (1 / 6, 1 / 2, 5 / 6)]
    return np.partition(rows, ranks, axis=1)[:, ranks].T
