"""`Surprise`: how unexpected each frame of a clip was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = ["Surprise", "grade"]


@dataclass(frozen=True, eq=False)
class Surprise:
    """How unexpected each frame of a clip was.

    Attributes:
        time_s: `[T]` of the frames as the world saw them.
        per_frame: `[T]` squared latent error of the prediction from the frames before, over its
            mean on held-out training material (1: as usual); 0 for the first two frames, which
            nothing can be expected of.
        max: the largest.
        quantile: share of single held-out frames with less surprise than `max`.
    """

    time_s: Float[np.ndarray, " t"]
    per_frame: Float[np.ndarray, " t"]
    max: float
    quantile: float


def grade(
    time_s: Float[np.ndarray, " t"], raw: Float[np.ndarray, " t"], calibration: Mapping[str, Any]
) -> Surprise:
    """Bring raw latent errors `[T]` onto the scale of the world's calibration."""
    per_frame = raw / float(calibration.get("surprise_mean", 1.0))
    per_frame[:2] = 0.0
    table = np.asarray(calibration.get("surprise_quantiles", (0.0, np.inf)), dtype=np.float64)
    top = float(per_frame.max())
    share = float(np.interp(top, table, np.linspace(0.0, 1.0, len(table))))
    return Surprise(time_s, per_frame, top, share)
