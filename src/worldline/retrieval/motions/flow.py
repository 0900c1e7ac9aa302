"""Moments of motion measured by optical flow, on the way of the frames to somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from jaxtyping import UInt8

from worldline.retrieval.motions.moments import DIRECTIONS, NUM_MOMENTS, Moments

__all__ = ["FlowWatch"]

_SIDE_PX = 96
_LEAST_PX = 32
"""Lower pictures get a black border: at this preset the flow engine of OpenCV 5.0 reads beyond
its memory and ends the process."""

_MIN_PX = 0.3
"""Flow below this, at that width, in pixels a frame, is noise."""

_MIN_AREA = 0.002
"""Share of the picture that must move for anything to count."""


class FlowWatch:
    """Measures the flow between frames on their way to somebody else."""

    def __init__(self) -> None:
        self._time_s: list[float] = []
        self._value: list[np.ndarray] = []
        self._engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)

    def pass_on(
        self, frames: Iterable[tuple[float, UInt8[np.ndarray, "h w 3"]]]
    ) -> Iterator[tuple[float, UInt8[np.ndarray, "h w 3"]]]:
        """The same frames."""
        before: tuple[float, np.ndarray] | None = None
        for time_s, frame in frames:
            grey = _small(frame)
            if before is not None and before[1].shape == grey.shape and time_s > before[0]:
                flow = self._engine.calc(before[1], grey, np.zeros((*grey.shape, 2), np.float32))
                self._time_s.append(time_s)
                self._value.append(_sum_up(flow, time_s - before[0]))
            before = time_s, grey
            yield time_s, frame

    @property
    def moments(self) -> Moments:
        """What was measured so far."""
        value = np.array(self._value, dtype=np.float64).reshape(-1, NUM_MOMENTS)
        return Moments(np.array(self._time_s, dtype=np.float64), value)


def _small(frame: np.ndarray) -> np.ndarray:
    height = max(16, round(frame.shape[0] * _SIDE_PX / frame.shape[1]))
    small = cv2.resize(frame, (_SIDE_PX, min(height, 4 * _SIDE_PX)), interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    missing = max(0, _LEAST_PX - len(gray))
    return cv2.copyMakeBorder(gray, 0, missing, 0, 0, cv2.BORDER_CONSTANT) if missing else gray


def _sum_up(flow: np.ndarray, step_s: float) -> np.ndarray:
    # the camera's own motion is that of most of the picture
    x, y = (flow[..., axis] - np.median(flow[..., axis]) for axis in (0, 1))
    speed = np.hypot(x, y)
    rows, columns = np.nonzero(speed > _MIN_PX)
    value = np.zeros(NUM_MOMENTS)
    if len(rows) < _MIN_AREA * speed.size:
        return value
    x, y, speed = (part[rows, columns].astype(np.float64) for part in (x, y, speed))
    energy = speed / step_s / _SIDE_PX**3
    place = np.arctan2(y, x) / (2 * np.pi) * DIRECTIONS
    low = np.floor(place)
    share = place - low
    for turn, part in ((low, 1 - share), (low + 1, share)):
        value[:DIRECTIONS] += np.bincount(
            turn.astype(int) % DIRECTIONS, energy * part, minlength=DIRECTIONS
        )
    right, down = columns / _SIDE_PX, rows / _SIDE_PX
    value[DIRECTIONS:] = (
        len(rows) / _SIDE_PX**2,
        (energy * right).sum(),
        (energy * down).sum(),
        (energy * (right * right + down * down)).sum(),
    )
    return value
