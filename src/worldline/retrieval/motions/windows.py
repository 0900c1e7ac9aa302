"""Windows of a video: their tracks and all motion in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from worldline.core.scene import Scene
from worldline.retrieval.motions.moments import DIRECTIONS, NUM_MOMENTS, Moments
from worldline.retrieval.motions.tracks import (
    HOP_S,
    NUM_STEPS,
    STEP_S,
    Segment,
    cut_segments,
    window_numbers,
)

__all__ = ["Window", "cut_windows"]

_MIN_ACTIVE_S = 0.25


@dataclass(frozen=True, eq=False)
class Window:
    """One window in which something moves.

    Attributes:
        number: of the window in the video.
        start_s, end_s: first and last moment of motion in it.
        segment: tracks, if any.
        moments: `[NUM_MOMENTS, S]` of all motion, from the beginning of the window on; zeros where
            they were not measured.
    """

    number: int
    start_s: float
    end_s: float
    segment: Segment | None
    moments: Float[np.ndarray, "m s"]


def cut_windows(scene: Scene, moments: Moments | None) -> Iterator[Window]:
    """Windows as of `cut_segments`, and those in which the picture moves though nothing is tracked.

    Args:
        scene: with tracks.
        moments: measured in the picture, if they were.
    """
    if scene.num_frames < 2:
        return
    segments = {segment.number: segment for segment in cut_segments(scene)}
    begin_s = float(scene.time_s[0])
    for number in window_numbers(scene.time_s):
        segment = segments.get(number)
        value, spans = np.zeros((NUM_MOMENTS, NUM_STEPS)), []
        if segment is not None:
            spans += [float(segment.start_s.min()), float(segment.end_s.max())]
        if moments is not None:
            grid_s = begin_s + number * HOP_S + np.arange(NUM_STEPS) * STEP_S
            value = moments.on_grid(grid_s)
            active = grid_s[value[:DIRECTIONS].sum(axis=0) > 0]
            if len(active) * STEP_S >= _MIN_ACTIVE_S:
                spans += [float(active[0]), float(active[-1])]
        if spans:
            yield Window(number, min(spans), max(spans), segment, value)
