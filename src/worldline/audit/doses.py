"""Spoiling true frames by so much, to see what a metric makes of it.

A metric is worth something if it gets worse with every larger dose of what it is to notice, and
stays where it is under what it is not to: a physical one is to notice that bodies are elsewhere,
gone, or stand still, and neither blur nor other colours.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from jaxtyping import Bool, UInt8
from scipy.ndimage import gaussian_filter, shift

from worldline.core.clip import Clip
from worldline.core.errors import InputError

__all__ = ["DOSES", "Fault", "spoil"]

DOSES = (0.05, 0.1, 0.2, 0.35, 0.5)
"""5 to 50 %."""

_BLUR_PX = 1.4
_GAIN, _TINT = 0.4, np.array([0.1, 0.0, -0.1])


class Fault(StrEnum):
    """What is spoilt; a dose is a share from 0 to 1."""

    DISPLACED = "bodies displaced"
    """All bodies stand aside by that share of the mean width of one."""
    ERASED = "bodies erased"
    """That share of each body's pixels, from its left, shows the background."""
    FROZEN = "end frozen"
    """The last frames, that share of all, repeat the one before them."""
    NOISE = "pixels at random"
    """That share of the pixels has any colour."""
    BLURRED = "blurred"
    """A Gaussian of 1.4 px times the dose: 0.7 px at 50 %."""
    RECOLORED = "recoloured"
    """Brighter by 0.4 times the dose and redder by 0.1 times it."""


def spoil(
    fault: Fault, clip: Clip, frames: slice, dose: float, *, seed: int = 0
) -> UInt8[np.ndarray, "t h w 3"]:
    """Spoilt frames of a simulated clip.

    Args:
        fault: how.
        clip: with segmentation and background.
        frames: which of its frames.
        dose: how much; 0 leaves them as they are.
        seed: of what is random.

    Raises:
        InputError: the dose is no share, or the clip lacks segmentation or background.
    """
    if not 0 <= dose <= 1:
        raise InputError(f"a dose is a share from 0 to 1, not {dose}")
    if clip.segmentation is None or clip.background is None:
        raise InputError("spoiling bodies needs a clip with segmentation and background")
    true, ids = clip.frames[frames], clip.segmentation[frames]
    if dose == 0:
        return true.copy()
    plate = clip.background[frames] if len(clip.background) > 1 else clip.background
    plate = np.broadcast_to(plate, true.shape)
    match fault:
        case Fault.DISPLACED:
            return _displaced(true, plate, ids >= 0, dose * _mean_width_px(ids))
        case Fault.ERASED:
            return np.where(_left_parts(ids, dose)[..., None], plate, true)
        case Fault.FROZEN:
            kept = max(1, round(len(true) * (1 - dose)))
            rest = np.repeat(true[kept - 1 : kept], len(true) - kept, axis=0)
            return np.concatenate([true[:kept], rest])
        case Fault.NOISE:
            rng = np.random.default_rng(seed)
            # one draw for all doses, so that a larger one spoils the same pixels and more
            hit = rng.random(true.shape[:3]) < dose
            colors = rng.integers(0, 256, true.shape, dtype=np.uint8)
            return np.where(hit[..., None], colors, true)
        case Fault.BLURRED:
            soft = gaussian_filter(true.astype(np.float64), _BLUR_PX * dose, axes=(1, 2))
            return _rounded(soft)
        case Fault.RECOLORED:
            return _rounded(true * (1 + dose * (_GAIN + _TINT)))


def _displaced(
    true: np.ndarray, plate: np.ndarray, bodies: Bool[np.ndarray, "t h w"], way_px: float
) -> np.ndarray:
    """Bodies cut out, the background put back, and the cuttings laid on it to the right."""
    cover = bodies[..., None].astype(np.float64)
    moved = [shift(part, (0, 0, way_px, 0), order=1) for part in (cover * true, cover)]
    bare = np.where(bodies[..., None], plate, true)
    return _rounded(moved[0] + (1 - moved[1]) * bare)


def _left_parts(ids: np.ndarray, share: float) -> Bool[np.ndarray, "t h w"]:
    gone = np.zeros(ids.shape, dtype=bool)
    for t, mask in enumerate(ids):
        for number in np.unique(mask[mask >= 0]):
            y, x = np.nonzero(mask == number)
            first = np.lexsort((y, x))[: round(share * len(x))]
            gone[t, y[first], x[first]] = True
    return gone


def _mean_width_px(ids: np.ndarray) -> float:
    """Diameter of discs as large as the bodies, in the mean."""
    areas = [
        count
        for mask in ids
        for count in np.unique(mask[mask >= 0], return_counts=True)[1].tolist()
    ]
    return float(np.mean(2 * np.sqrt(np.array(areas) / np.pi))) if areas else 0.0


def _rounded(frames: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(frames, 0, 255)).astype(np.uint8)
