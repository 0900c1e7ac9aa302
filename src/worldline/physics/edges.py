"""What both edges of a box say: motion that is no mere change of the box.

A box that grows to one side, because its region merges with another's or because an arm swings,
moves its middle though the body stays where it is. What moves as a whole takes both edges along.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float

from worldline.physics.kinematics import SMOOTH_S, Track, smooth_velocity

__all__ = ["common_velocity", "line_rates", "share_along"]

LINE_SAMPLES = 5
"""Velocities just before and after a moment are those of lines through so many samples."""

_COMMON: WeakKeyDictionary[Track, np.ndarray] = WeakKeyDictionary()


def line_rates(
    track: Track, start: int, stop: int, *, at_end: bool
) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]]:
    """Rates of place and of size, from lines through the first or last samples of a range.

    Args:
        track: in pixels.
        start, stop: half-open range of samples, at least two.
        at_end: the last samples rather than the first.

    Returns:
        velocity of the middle and rate of the side lengths, in pixels per second.
    """
    if at_end:
        start = max(start, stop - LINE_SAMPLES)
    else:
        stop = min(stop, start + LINE_SAMPLES)
    t = track.time_s[start:stop]
    gain = t - t.mean()
    gain = gain / max(float(gain @ gain), 1e-12)
    return gain @ track.position[start:stop], gain @ track.size[start:stop]


def share_along(
    direction: Float[np.ndarray, " d"],
    velocity: Float[np.ndarray, " d"],
    size_rate: Float[np.ndarray, " d"],
) -> float:
    """Velocity along a unit vector of that edge of the box which moves least that way."""
    return float(velocity @ direction) - float(np.abs(size_rate) @ np.abs(direction)) / 2


def common_velocity(track: Track) -> Float[np.ndarray, "k d"]:
    """Velocity at each sample that both edges have in common, per coordinate.

    The slower of the two edges' smoothed velocities where both go the same way, else 0; in metres,
    where there are no boxes, the smoothed velocity itself. Not to be written to.
    """
    if track.is_metric:
        return smooth_velocity(track)[0]
    found = _COMMON.get(track)
    if found is None:
        velocity = smooth_velocity(track)[0]
        left_over = np.abs(velocity) - np.abs(_size_rate(track)) / 2
        found = np.sign(velocity) * np.maximum(left_over, 0.0)
        found.flags.writeable = False
        _COMMON[track] = found
    return found


def _size_rate(track: Track) -> np.ndarray:
    """Change of the side lengths per second, over the window of `smooth_velocity`."""
    t, size = track.time_s, track.size
    if len(t) < 2:
        return np.zeros_like(size)
    low = np.searchsorted(t, t - SMOOTH_S)
    high = np.maximum(np.searchsorted(t, t + SMOOTH_S, side="right") - 1, low)
    apart_s = np.maximum(t[high] - t[low], track.step_s)
    return (size[high] - size[low]) / apart_s[:, None]
