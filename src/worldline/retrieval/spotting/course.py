"""What happens when, as one vector: the course of a window, whoever it happens to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = ["COURSE_S", "NUM_BINS", "NUM_COURSE", "Course", "principal_axes"]

COURSE_S, NUM_BINS = 4.0, 20
"""Length of a course, and the times that it is told at."""

NUM_COURSE = 64
"""Length of its vector."""

_DAMPING = 0.25
"""Power of the variance that an axis is divided by: 0.5 would make all axes alike."""


@dataclass(frozen=True, eq=False)
class Course:
    """How likely each type of event goes on, over time.

    Attributes:
        time_s: `[T]`.
        chance: `[T, K]`.
    """

    time_s: Float[np.ndarray, " t"]
    chance: Float[np.ndarray, "t k"]

    def from_moment(self, start_s: float) -> Float[np.ndarray, " kb"]:
        """The `COURSE_S` from a moment on, in `NUM_BINS` bins a type; 0 beyond the video."""
        width_s = COURSE_S / NUM_BINS
        middle_s = start_s + (np.arange(NUM_BINS) + 0.5) * width_s
        near = np.maximum(0.0, 1 - np.abs(self.time_s - middle_s[:, None]) / width_s)
        total = near.sum(axis=1, keepdims=True)
        mean = near @ self.chance / np.maximum(total, 1e-9)
        return mean.T.reshape(-1)


def principal_axes(
    courses: Float[np.ndarray, "n kb"],
) -> tuple[Float[np.ndarray, " kb"], Float[np.ndarray, "f kb"]]:
    """Mean and axes that make vectors of courses: `axes @ (course - mean)`, then of unit length."""
    mean = courses.mean(axis=0)
    power, axes = np.linalg.eigh(np.cov((courses - mean).T))
    top = np.argsort(-power)[:NUM_COURSE]
    return mean, axes[:, top].T / np.maximum(power[top, None], 1e-6) ** _DAMPING
