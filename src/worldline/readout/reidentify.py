"""Objects that come back: tracks of one shot joined across a time in which nothing was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property

import numpy as np
from jaxtyping import Float

from worldline.readout.tracker import Track

__all__ = ["reidentify"]

_MIN_FRAMES = 4  # that a track needs on either side to say where it goes
_FIT_FRAMES = 8  # over which its velocity is taken
_REACH = 0.7  # own sizes that it may come back away from where it is expected,
_DRIFT = 0.35  # and this share of the way that it makes meanwhile
_MAX_COLOR = 0.18  # distance of mean RGB in [0, 1]
_MAX_GROWTH = 1.8  # of the area
_WHOLE = 0.8  # of its usual area: less is a part of it


class _Ends:
    """What is asked of a track; measured when it is asked for, as most have none to be joined with.

    Attributes:
        first, last: its first and last frame.
    """

    def __init__(self, track: Track) -> None:
        self.first, self.last = track.frames[0], track.frames[-1]
        self._track = track

    @cached_property
    def area(self) -> float:
        """Its usual one."""
        return float(np.median(_areas(self._boxes)))

    @cached_property
    def color(self) -> Float[np.ndarray, " 3"]:
        """Its usual one."""
        return np.median(self._track.colors, axis=0)

    @cached_property
    def leaves(self) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, " 2"]]:
        """Place and velocity at its end."""
        return self._end(slice(-_FIT_FRAMES, None), -1)

    @cached_property
    def comes(self) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, " 2"]]:
        """Place and velocity at its start."""
        return self._end(slice(0, _FIT_FRAMES), 0)

    @cached_property
    def _boxes(self) -> Float[np.ndarray, "n 4"]:
        return np.array(self._track.boxes)

    def _end(self, part: slice, at: int) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, " 2"]]:
        """Place at one end, and velocity per frame there, the camera's shift taken out.

        What goes behind something is seen in part at the end, which looks slower and smaller than
        it is: only frames in which all of it was seen tell where it is and how it moves.
        """
        boxes, frames = self._boxes, np.array(self._track.frames)
        whole = np.flatnonzero(_areas(boxes) >= _WHOLE * self.area)[part]
        center = (boxes[whole, :2] + boxes[whole, 2:]) / 2 - np.array(self._track.shifts)[whole]
        if len(whole) < 2:
            return center[-1], np.zeros(2)
        slope, offset = np.polyfit(frames[whole] - frames[at], center, 1)
        return offset, slope


def reidentify(tracks: Sequence[Track], *, max_gap_frames: int) -> list[Track]:
    """Join tracks where one ends and another begins as it would go on.

    A later track is taken for an earlier one if it begins within `max_gap_frames`, near the place
    to which constant velocity leads from the one and from which it leads to the other, in like
    colour and size. The pairs that fit best are joined first; what is seen all the while is never
    joined with anything.
    """
    ends = sorted(
        (track for track in tracks if len(track.frames) >= _MIN_FRAMES),
        key=lambda track: track.frames[0],
    )
    traits = [_Ends(track) for track in ends]
    starts = np.array([track.frames[0] for track in ends])
    pairs = []
    for i, track in enumerate(ends):
        last = track.frames[-1]
        low, high = np.searchsorted(starts, [last + 1, last + max_gap_frames + 1])
        pairs += [(_mismatch(traits[i], traits[j]), i, j) for j in range(low, high)]
    follower: dict[int, int] = {}
    taken: set[int] = set()
    for cost, i, j in sorted(pairs):
        if cost < 1.0 and i not in follower and j not in taken:
            follower[i] = j
            taken.add(j)
    kept = [track for track in tracks if len(track.frames) < _MIN_FRAMES]
    for i, track in enumerate(ends):
        if i in taken:
            continue
        whole, k = track, i
        while k in follower:
            k = follower[k]
            whole = _append(whole, ends[k])
        kept.append(whole)
    return kept


def _mismatch(a: _Ends, b: _Ends) -> float:
    """Below 1 where `b` may be `a` again; infinite where it cannot."""
    gap = b.first - a.last
    growth = max(a.area, b.area) / max(min(a.area, b.area), 1e-9)
    if growth > _MAX_GROWTH:
        return float("inf")
    color = float(np.linalg.norm(a.color - b.color))
    if color > _MAX_COLOR:
        return float("inf")
    (place_a, speed_a), (place_b, speed_b) = a.leaves, b.comes
    reach = _REACH * np.sqrt((a.area + b.area) / 2)
    way = gap * max(np.linalg.norm(speed_a), np.linalg.norm(speed_b))
    ahead = np.linalg.norm(place_a + gap * speed_a - place_b)
    back = np.linalg.norm(place_b - gap * speed_b - place_a)
    return float((ahead + back) / 2 / (reach + _DRIFT * way) + 0.5 * color / _MAX_COLOR)


def _areas(boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, " n"]:
    return np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)


def _append(a: Track, b: Track) -> Track:
    return Track(**{f.name: [*getattr(a, f.name), *getattr(b, f.name)] for f in fields(Track)})
