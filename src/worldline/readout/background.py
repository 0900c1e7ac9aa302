"""The scene without its moving objects, learned per pixel."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

__all__ = ["BackgroundModel", "largest_channel"]

_MIN_NOISE = 2.5  # grey levels; compression leaves at least this
_SIGMAS = 4.5
_MIN_STEP = 11.0  # grey levels that count as a change even in a noiseless image
_MAX_AGE_FRAMES = 120.0
_SPARSE = 6  # exposure is measured on every sixth pixel each way
_SHADOW_RANGE = (0.45, 0.97)  # share of the light that a cast shadow leaves
_SHADOW_CHROMA = 0.010  # change of r/(r+g+b) or g/(r+g+b) that a shadow may cause


def largest_channel(image: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w"]:
    """The largest of each pixel's channels; many times faster than NumPy's maximum over an axis."""
    r, g, b = cv2.split(image)
    return cv2.max(cv2.max(r, g), b)


class BackgroundModel:
    """One Gaussian a pixel with its own age, after Yi et al. 2013 (CVPR workshops, eq. 1 to 5).

    A pixel of age a learns with the weight 1 / (a + 1), so that a fresh pixel takes over what it
    sees and an old one averages over two minutes' worth of frames at most. Pixels of objects are
    not learned at all. Changes of exposure are divided out per channel.
    """

    def __init__(self, image: Float[np.ndarray, "h w 3"], noise: float) -> None:
        self.mean = image.astype(np.float32)
        self._variance = np.full(image.shape[:2], max(noise, _MIN_NOISE) ** 2, dtype=np.float32)
        self.age = np.ones(image.shape[:2], dtype=np.float32)
        self._gain = np.ones(3, dtype=np.float32)
        self._num_updates = 0

    def compensate(
        self, image: Float[np.ndarray, "h w 3"], exclude: Bool[np.ndarray, "h w"] | None
    ) -> Float[np.ndarray, "h w 3"]:
        """Divide out a change of exposure since the background was learned."""
        now, then = image[::_SPARSE, ::_SPARSE], self.mean[::_SPARSE, ::_SPARSE]
        use = cv2.inRange(np.ascontiguousarray(then), (8, 8, 8), (247, 247, 247)) > 0
        use &= self.age[::_SPARSE, ::_SPARSE] > 0
        if exclude is not None:
            use &= ~exclude[::_SPARSE, ::_SPARSE]
        if np.count_nonzero(use) < 48:
            return image
        self._gain = np.median((now[use] + 1.0) / (then[use] + 1.0), axis=0).astype(np.float32)
        if np.all(np.abs(self._gain - 1.0) < 0.008) or np.any(self._gain < 0.2):
            return image
        return image / self._gain

    def difference(
        self, image: Float[np.ndarray, "h w 3"], *, slack_px: int = 0
    ) -> Float[np.ndarray, "h w"]:
        """Deviation from the background in units of the threshold: above 1 is an object's.

        With `slack_px` a pixel may look like any within that distance, which forgives errors of
        registration.
        """
        if slack_px:
            kernel = np.ones((2 * slack_px + 1, 2 * slack_px + 1), np.uint8)
            above = image - cv2.dilate(self.mean, kernel)
            below = cv2.erode(self.mean, kernel) - image
            change = np.maximum(np.maximum(above, below), 0.0)
        else:
            change = cv2.absdiff(image, self.mean)
        # The largest channel, helped a little by the others, so that faint but grey things count.
        total = cv2.transform(change, np.full((1, 3), 0.15, np.float32))
        strength = cv2.scaleAdd(largest_channel(change), 0.7, total)
        threshold = np.maximum(_SIGMAS * np.sqrt(self._variance), _MIN_STEP)
        strength /= threshold
        strength[self.age <= 0] = 0.0
        return strength

    def shadows(
        self, image: Float[np.ndarray, "h w 3"], where: Bool[np.ndarray, "h w"]
    ) -> Bool[np.ndarray, "h w"]:
        """Pixels that are the background in less light: darker, with the same colour."""
        shadow = np.zeros(where.shape, dtype=bool)
        rows, columns = np.nonzero(where)
        if not len(rows):
            return shadow
        now, then = image[rows, columns] + 1.0, self.mean[rows, columns] + 1.0
        # NumPy sums short rows slowly: channel by channel.
        sum_now = now[:, 0] + now[:, 1] + now[:, 2]
        sum_then = then[:, 0] + then[:, 1] + then[:, 2]
        ratio = sum_now / sum_then
        red, green = (np.abs(now[:, k] / sum_now - then[:, k] / sum_then) for k in (0, 1))
        chroma = np.maximum(red, green)
        # In the dark colours are noise: allow for it.
        allowed = _SHADOW_CHROMA + 1.5 / sum_now
        shadow[rows, columns] = (
            (ratio > _SHADOW_RANGE[0]) & (ratio < _SHADOW_RANGE[1]) & (chroma < allowed)
        )
        return shadow

    def learn(
        self,
        image: Float[np.ndarray, "h w 3"],
        strength: Float[np.ndarray, "h w"],
        keep_out: UInt8[np.ndarray, "h w"],
    ) -> None:
        """Average the pixels that belong to no object into the background."""
        self._num_updates += 1
        fresh = self.age < 12
        # An old background changes slowly: learning from every third frame is as good.
        if self._num_updates % 3 and self._num_updates > 12 and not fresh.any():
            return
        mask = cv2.bitwise_not(keep_out)
        if fresh.any() or self._num_updates <= 12:
            weight = 1.0 / (self.age + 1.0)
            weight[keep_out > 0] = 0.0
            self.mean += weight[..., None] * (image - self.mean)
        else:
            cv2.accumulateWeighted(image, self.mean, 3.0 / _MAX_AGE_FRAMES, mask)
        deviation = (strength * np.maximum(_SIGMAS * np.sqrt(self._variance), _MIN_STEP)) ** 2
        # The mean over channels of a positive part is smaller than a standard deviation by this.
        cv2.accumulateWeighted(deviation * 1.2, self._variance, 0.03, mask)
        self._variance = np.clip(self._variance, _MIN_NOISE**2, 40.0**2)
        self.age = np.minimum(self.age + (keep_out == 0), _MAX_AGE_FRAMES)

    def replace(
        self,
        where: Bool[np.ndarray, "y x"],
        image: Float[np.ndarray, "h w 3"],
        window: tuple[slice, slice] = (slice(None), slice(None)),
    ) -> None:
        """Take what is seen now as the background there; `where` covers the window alone."""
        self.mean[window][where] = image[window][where]
        self.age[window][where] = 1.0

    def warp(self, new_from_old: Float[np.ndarray, "3 3"]) -> None:
        """Move the model into another view; what comes into view is unknown (age 0)."""
        size = int(self.mean.shape[1]), int(self.mean.shape[0])
        self.mean = cv2.warpPerspective(self.mean, new_from_old, size, flags=cv2.INTER_LINEAR)
        self._variance = cv2.warpPerspective(
            self._variance,
            new_from_old,
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=_MIN_NOISE**2,
        )
        age = cv2.warpPerspective(self.age, new_from_old, size, flags=cv2.INTER_LINEAR)
        self.age = np.where(age < 0.5, 0.0, age).astype(np.float32)
