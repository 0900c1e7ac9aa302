"""Where, how much and which way a picture moves, moment by moment, whoever it is that moves.

Trackers lose and join bodies; the sum of all motion in the picture they cannot lose. It is measured
by optical flow where there are pixels (`flow`), or reckoned from boxes (`features.sum_up`); both
give the same twelve numbers a moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = ["DIRECTIONS", "NUM_MOMENTS", "Moments"]

DIRECTIONS = 8
NUM_MOMENTS = DIRECTIONS + 4
"""Area times speed in each of eight directions; moving area; and the first and second moments (x,
y, r squared) of area times speed over the picture."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of motion over time.

    Attributes:
        time_s: `[T]` of the later frame of each pair.
        value: `[T, NUM_MOMENTS]`, lengths in image widths, times in seconds.
    """

    time_s: Float[np.ndarray, " t"]
    value: Float[np.ndarray, "t m"]

    def on_grid(self, grid_s: Float[np.ndarray, " s"]) -> Float[np.ndarray, "m s"]:
        """Interpolated at other times; 0 outside."""
        if not len(self.time_s):
            return np.zeros((NUM_MOMENTS, len(grid_s)))
        rows = [np.interp(grid_s, self.time_s, part, 0.0, 0.0) for part in self.value.T]
        return np.stack(rows)
