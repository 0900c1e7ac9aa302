"""How a world sees a clip: at its own frame spacing, as a square of its own size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.wording import counted
from worldline.data.transform import center_square, resample
from worldline.world.arguments import require_clip

__all__ = ["View", "look"]


@dataclass(frozen=True, eq=False)
class View:
    """A clip as a world sees it.

    Attributes:
        frames: `[T, size, size, 3]`.
        time_s: `[T]`, evenly spaced or as recorded.
        step_s: frame spacing.
        crop_px: (x, y, w, h) of the square in the clip's own pixels.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    time_s: Float[np.ndarray, " t"]
    step_s: float
    crop_px: tuple[int, int, int, int]


_LEAST_SLOW, _MOST_SLOW = 3, 0.25
"""So many steps that are too slow, over such a share of a clip, are a slow part; less are gaps."""
_MAX_STRETCH = 8.0
"""A clip may last this many times as long as its frames at their usual spacing."""


def look(clip: Clip, *, size_px: int, step_range_s: tuple[float, float]) -> View:
    """Make a clip fit for a world.

    Frames are kept as they are where their spacing lies in the range that the world was trained
    on; otherwise every n-th frame is taken, with the smallest n that gets into the range. The
    largest centred square is cut out and reduced by area averaging.

    Args:
        clip: any size and rate.
        size_px: side that the world takes.
        step_range_s: least and greatest frame spacing of the training data.

    Raises:
        InputError: this is no clip, it is slower than the world can follow, or has long gaps.
    """
    require_clip(clip)
    low, high = step_range_s
    slack = 1.05
    if clip.num_frames > 1:
        spacing = np.diff(clip.time_s)
        step_s = float(np.median(spacing))
        if step_s > high * slack:
            raise InputError(
                f"{clip.provenance.source or 'clip'}: {1 / step_s:.3g} frames/s is slower than the "
                f"{1 / high:.3g} frames/s that this world needs"
            )
        slow = spacing > high * slack
        if slow.sum() >= _LEAST_SLOW and spacing[slow].sum() > _MOST_SLOW * spacing.sum():
            raise InputError(
                f"{clip.provenance.source or 'clip'}: a part of it has "
                f"{1 / float(np.median(spacing[slow])):.3g} frames/s, which is slower than the "
                f"{1 / high:.3g} frames/s that this world needs; leave that part out"
            )
        uneven = float(np.max(np.abs(spacing - step_s))) > 0.5 * step_s
        every = max(1, int(np.ceil(low / (step_s * slack))))
        span_s = float(clip.time_s[-1] - clip.time_s[0])
        if span_s > _MAX_STRETCH * clip.num_frames * step_s:
            raise InputError(
                f"{clip.provenance.source or 'clip'}: {counted(clip.num_frames, 'frame')} over "
                f"{span_s:.0f} s "
                "leave gaps that are too long to fill; cut the clip at its gaps"
            )
        if uneven or every > 1:
            clip = resample(clip, step_s * every)
        step_s *= every
    else:
        step_s = (low * high) ** 0.5
    frames, crop_px = center_square(clip.frames, size_px)
    return View(frames, clip.time_s, step_s, crop_px)
