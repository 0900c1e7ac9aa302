"""The scene without its moving objects, learned per pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

__all__ = [
    "UNIT",
    "BackgroundModel",
    "Deviation",
    "divide",
    "exposure",
    "largest_channel",
    "medians",
    "without",
]

UNIT = 64
"""Strength of a deviation that reaches the threshold; four times as much is the most."""

_MIN_NOISE = 2.5  # grey levels; compression leaves at least this,
_MAX_NOISE = 40.0  # and what is noisier is not noise
_SIGMAS = 4.5
_MIN_STEP = np.array([11.0])  # grey levels that count as a change even in a noiseless image
_MAX_AGE_FRAMES = 120
_FRESH_FRAMES = 12
_SPARSE = 6  # exposure is measured on every sixth pixel each way
_MIN_SAMPLES = 48
_SAME_EXPOSURE = 0.008
_MIN_GAIN = 0.2
# Numbers as OpenCV takes them, whose limits are several times faster than NumPy's.
_LEAST_VARIANCE, _MOST_VARIANCE = np.array([_MIN_NOISE**2]), np.array([_MAX_NOISE**2])
_NONE = np.zeros(1)
_OLDEST = np.array([float(_MAX_AGE_FRAMES)])
# By age; the last one is that of pixels which are not learned.
_WEIGHT = np.append(1.0 / (1.0 + np.arange(255)), 0.0).astype(np.float32)[:, None]


@dataclass(frozen=True, eq=False)
class Deviation:
    """How a picture differs from the background.

    Attributes:
        change: `[h, w]` grey levels.
        strength: `[h, w]` in 1 / `UNIT` of the threshold.
    """

    change: UInt8[np.ndarray, "h w"]
    strength: UInt8[np.ndarray, "h w"]


def largest_channel(image: np.ndarray) -> np.ndarray:
    """The largest of each pixel's channels; many times faster than NumPy's maximum over an axis."""
    r, g, b = cv2.split(image)
    return cv2.max(cv2.max(r, g), b)


def without(
    values: UInt8[np.ndarray, "h w"], where: UInt8[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w"]:
    """Values, and 0 where the other picture is not 0."""
    return cv2.copyTo(values, cv2.compare(where, _NONE, cv2.CMP_EQ))


def exposure(
    now: UInt8[np.ndarray, "n 3"], then: UInt8[np.ndarray, "n 3"]
) -> Float[np.ndarray, " 3"]:
    """How much brighter each channel is, as the median over pixels; exactly 1 if next to nothing.

    Raises:
        ValueError: no pixel.
    """
    if not len(now):
        raise ValueError("exposure needs at least one pixel")
    ratio = (now + np.float32(1.0)) / (then + np.float32(1.0))
    gain = medians(np.ascontiguousarray(ratio.T))
    gain[np.abs(gain - 1.0) < _SAME_EXPOSURE] = 1.0
    return gain


def medians(rows: Float[np.ndarray, "k n"]) -> Float[np.ndarray, " k"]:
    """As NumPy's, for finite numbers; without its checks, which take longer."""
    half = rows.shape[1] // 2
    low = half - 1 + rows.shape[1] % 2
    # Asked for two places NumPy takes a way that is ten times faster than that for one.
    rows = np.partition(rows, (low - 1, half) if low == half > 0 else (low, half), axis=1)
    return rows[:, half] if low == half else (rows[:, low] + rows[:, half]) / np.float32(2.0)


def divide(
    image: UInt8[np.ndarray, "h w 3"], gain: Float[np.ndarray, " 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture at another exposure."""
    if np.all(gain == 1.0):
        return image
    table = np.clip(np.rint(np.arange(256)[:, None] / gain), 0, 255).astype(np.uint8)
    return cv2.LUT(image, table[:, None])


class BackgroundModel:
    """One Gaussian a pixel with its own age, after Yi et al. 2013 (CVPR workshops, eq. 1 to 5).

    A pixel of age a learns with the weight 1 / (a + 1), so that a fresh pixel takes over what it
    sees and an old one averages over two minutes' worth of frames at most. Pixels of objects are
    not learned at all. Changes of exposure are divided out per channel. Pictures are compared in
    whole grey levels, which are much finer than any threshold; only the mean is kept in fractions.

    Attributes:
        picture: `[h, w, 3]` the background.
        age: `[h, w]` frames that a pixel was learned from; 0 where nothing is known.
    """

    def __init__(self, picture: UInt8[np.ndarray, "h w 3"], noise: float) -> None:
        shape = picture.shape[:2]
        self.picture = picture.copy()
        self.age = np.ones(shape, dtype=np.uint8)
        self._mean = picture.astype(np.float32)
        self._variance = np.full(shape, max(noise, _MIN_NOISE) ** 2, dtype=np.float32)
        self._limit = _limit_of(self._variance)
        self._num_updates = 0

    def compensate(
        self, image: UInt8[np.ndarray, "h w 3"], exclude: UInt8[np.ndarray, "h w"] | None
    ) -> UInt8[np.ndarray, "h w 3"]:
        """Divide out a change of exposure since the background was learned.

        Args:
            image: the picture now.
            exclude: not 0 where something moves.
        """
        sparse = (slice(None, None, _SPARSE),) * 2
        now, then = (np.ascontiguousarray(picture[sparse]) for picture in (image, self.picture))
        use = (cv2.inRange(then, (8, 8, 8), (247, 247, 247)) > 0) & (self.age[sparse] > 0)
        if exclude is not None:
            use &= exclude[sparse] == 0
        at = np.flatnonzero(use)
        if len(at) < _MIN_SAMPLES:
            return image
        gain = exposure(*(part.reshape(-1, 3).take(at, axis=0) for part in (now, then)))
        return image if np.any(gain < _MIN_GAIN) else divide(image, gain)

    def difference(self, image: UInt8[np.ndarray, "h w 3"], *, slack_px: int = 0) -> Deviation:
        """Deviation from the background.

        With `slack_px` a pixel may look like any within that distance, which forgives errors of
        registration.
        """
        if slack_px:
            kernel = np.ones((2 * slack_px + 1, 2 * slack_px + 1), np.uint8)
            above = cv2.subtract(image, cv2.dilate(self.picture, kernel))
            below = cv2.subtract(cv2.erode(self.picture, kernel), image)
            apart = cv2.max(above, below)
        else:
            apart = cv2.absdiff(image, self.picture)
        # The largest channel, helped a little by the others, so that faint but grey things count.
        r, g, b = cv2.split(apart)
        total = cv2.addWeighted(cv2.addWeighted(r, 0.5, g, 0.5, 0.0), 0.3, b, 0.15, 0.0)
        change = cv2.addWeighted(cv2.max(cv2.max(r, g), b), 0.7, total, 1.0, 0.0)
        if cv2.countNonZero(self.age) < self.age.size:
            change[self.age == 0] = 0
        return Deviation(change, cv2.divide(change, self._limit, scale=UNIT))

    def learn(
        self,
        image: UInt8[np.ndarray, "h w 3"],
        change: UInt8[np.ndarray, "h w"],
        keep_out: UInt8[np.ndarray, "h w"],
    ) -> None:
        """Average the pixels that belong to no object into the background.

        Args:
            image, change: the picture and its deviation in grey levels.
            keep_out: 255 at objects and around them, else 0.
        """
        self._num_updates += 1
        fresh = self._num_updates <= _FRESH_FRAMES or int(self.age.min()) < _FRESH_FRAMES
        # An old background changes slowly: learning from every third frame is as good.
        if self._num_updates % 3 and not fresh:
            return
        mask = cv2.bitwise_not(keep_out)
        if fresh:
            weight = cv2.LUT(cv2.bitwise_or(self.age, keep_out), _WEIGHT)
            step = cv2.subtract(image, self._mean, dtype=cv2.CV_32F)
            step = cv2.multiply(step, cv2.cvtColor(weight, cv2.COLOR_GRAY2BGR), dst=step)
            cv2.add(self._mean, step, dst=self._mean)
        else:
            cv2.accumulateWeighted(image, self._mean, 3.0 / _MAX_AGE_FRAMES, mask)
        # The mean over channels of a positive part is smaller than a standard deviation by this.
        squared = cv2.multiply(change, change, scale=1.2, dtype=cv2.CV_32F)
        cv2.accumulateWeighted(squared, self._variance, 0.03, mask)
        cv2.max(self._variance, _LEAST_VARIANCE, dst=self._variance)
        cv2.min(self._variance, _MOST_VARIANCE, dst=self._variance)
        older = cv2.threshold(mask, 0, 1, cv2.THRESH_BINARY)[1]
        self.age = cv2.min(cv2.add(self.age, older), _OLDEST)
        self.picture = cv2.convertScaleAbs(self._mean)
        self._limit = _limit_of(self._variance)

    def replace(
        self,
        where: Bool[np.ndarray, "y x"],
        image: UInt8[np.ndarray, "h w 3"],
        window: tuple[slice, slice] = (slice(None), slice(None)),
    ) -> None:
        """Take what is seen now as the background there; `where` covers the window alone."""
        self._mean[window][where] = self.picture[window][where] = image[window][where]
        self.age[window][where] = 1

    def warp(self, new_from_old: Float[np.ndarray, "3 3"]) -> None:
        """Move the model into another view; what comes into view is unknown (age 0)."""
        size = int(self._mean.shape[1]), int(self._mean.shape[0])
        self._mean = cv2.warpPerspective(self._mean, new_from_old, size, flags=cv2.INTER_LINEAR)
        self.picture = cv2.convertScaleAbs(self._mean)
        self._variance = cv2.warpPerspective(
            self._variance,
            new_from_old,
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(_MIN_NOISE**2,) * 4,
        )
        self._limit = _limit_of(self._variance)
        self.age = cv2.warpPerspective(self.age, new_from_old, size, flags=cv2.INTER_NEAREST)


def _limit_of(variance: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    return cv2.max(cv2.convertScaleAbs(cv2.sqrt(variance), alpha=_SIGMAS), _MIN_STEP)
