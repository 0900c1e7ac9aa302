"""From measured tracks to the rows of a scene: which are real, gaps, uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from worldline.readout.tracker import Track

__all__ = ["Trajectory", "is_moving", "join_fragments", "measurement_std", "trace"]

_MAX_JITTER = 0.3  # noise of the centre in units of the size; more is no object
_UNSTEADY = 0.3  # share of its frames in which the camera moved
_SEEN, _SEEN_UNSTEADY = 0.5, 0.75  # share of its frames in which an object is seen
_TRAVEL_UNSTEADY = 1.5  # in units of the size
_STRAIGHT_UNSTEADY = 0.5
_NEAR = 0.15  # gap between fragments of one object, in units of the smaller one's size
_DRIFT = 0.2  # how far their centres may move against each other, in units of the larger size
_COMMON = 0.7  # share of the shorter fragment's frames in which the other one is there

_SPLIT_FACTOR = 3.0  # a box cut out of a shared region is so much less certain
_GAP_GROWTH = 0.5  # of the speed, as uncertainty of the way through a gap


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One object over its frames `first` to `first + len(center_px)`.

    Attributes:
        first: number of the first frame.
        visible: `[L]` false where the object was hidden or missed between two sightings.
        center_px, size_px, center_px_std: `[L, 2]`.
        color_rgb: `[3]` in [0, 1].
    """

    first: int
    visible: Bool[np.ndarray, " t"]
    center_px: Float[np.ndarray, "t 2"]
    size_px: Float[np.ndarray, "t 2"]
    center_px_std: Float[np.ndarray, "t 2"]
    color_rgb: Float[np.ndarray, " 3"]


def is_moving(track: Track, *, min_frames: int, min_travel_px: float, min_travel: float) -> bool:
    """Whether a track is an object that goes somewhere, rather than flicker or swaying leaves.

    It is seen in `min_frames` frames, in at least half of those that it spans, and its box, with
    the camera's shift taken out, travels `min_travel_px` and `min_travel` of its own size.

    Under a moving camera near things shift against far ones without going anywhere, so there an
    object must be seen in three quarters of its frames, travel its own size and a half, and not go
    to and fro.
    """
    num_seen = len(track.frames)
    span = track.frames[-1] - track.frames[0] + 1
    unsteady = bool(np.mean(track.unsteady) > _UNSTEADY)
    if num_seen < min_frames or num_seen < (_SEEN_UNSTEADY if unsteady else _SEEN) * span:
        return False
    if unsteady:
        min_travel = max(min_travel, _TRAVEL_UNSTEADY)
    boxes = np.array(track.boxes)
    shift = np.array(track.shifts)
    # Both edges of an axis must travel: a thing that only grows, shrinks or sways has one that
    # stays. Medians over the start and the end keep one bad box from counting.
    low, high = boxes[:, :2] - shift, boxes[:, 2:] - shift
    size = np.median(boxes[:, 2:] - boxes[:, :2], axis=0)
    jitter = measurement_std(track.frames, (low + high) / 2, 0.0)
    if np.any(jitter > _MAX_JITTER * np.sqrt(np.prod(size))):
        return False
    if unsteady and _straightness((low + high) / 2) < _STRAIGHT_UNSTEADY:
        return False
    return any(
        _range(low[:, axis]) > _least(size, min_travel_px, min_travel)
        and _range(high[:, axis]) > _least(size, min_travel_px, min_travel)
        and _range((low + high)[:, axis] / 2) > _least(size, min_travel_px, min_travel)
        for axis in (0, 1)
    )


def _straightness(center: Float[np.ndarray, "n 2"]) -> float:
    """Extent of a path over its length, after smoothing: 1 for a straight line."""
    width = min(5, len(center))
    smooth = np.lib.stride_tricks.sliding_window_view(center, width, axis=0).mean(axis=-1)
    way = float(np.linalg.norm(np.diff(smooth, axis=0), axis=1).sum())
    return float(np.linalg.norm(np.ptp(smooth, axis=0))) / way if way > 0 else 1.0


def _least(size: Float[np.ndarray, " 2"], min_travel_px: float, min_travel: float) -> float:
    return max(min_travel_px, min_travel * float(np.sqrt(np.prod(size))))


def _range(values: Float[np.ndarray, " n"]) -> float:
    if len(values) >= 7:
        values = np.median(np.lib.stride_tricks.sliding_window_view(values, 3), axis=1)
    return float(values.max() - values.min())


def join_fragments(tracks: list[Track]) -> list[Track]:
    """Join tracks that move as one: near each other, and hardly shifting against each other."""
    joined = [_Course.of(t) for t in sorted(tracks, key=lambda track: -len(track.frames))]
    traits = np.array([course.traits for course in joined]).reshape(-1, 8)
    apart = set[tuple[_Course, _Course]]()  # known to be two
    again = True
    while again:
        again = False
        i = -1
        while (i := i + 1) < len(joined):
            maybe = _together(traits, i, len(joined))
            while maybe:
                j = maybe.pop()
                pair = joined[i], joined[j]
                if pair in apart:
                    continue
                if _is_one(*pair):
                    joined[i] = _Course.of(_union(joined[i].track, joined.pop(j).track))
                    traits = np.delete(traits, j, axis=0)
                    traits[i] = joined[i].traits
                    maybe = _together(traits, i, j)
                    again = True
                else:
                    apart.add(pair)
    return sorted((course.track for course in joined), key=lambda track: track.frames[0])


@dataclass(frozen=True, eq=False)
class _Course:
    """A track, and its frames, boxes and roots of their areas as arrays."""

    track: Track
    frames: Int[np.ndarray, " n"]
    boxes: Float[np.ndarray, "n 4"]
    sides: Float[np.ndarray, " n"]

    @classmethod
    def of(cls, track: Track) -> _Course:
        boxes = np.array(track.boxes)
        sides = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
        return cls(track, np.array(track.frames), boxes, sides)

    @property
    def traits(self) -> Float[np.ndarray, " 8"]:
        """First frame, last frame, number of frames; the box around all boxes; largest size."""
        low, high = self.boxes[:, :2].min(axis=0), self.boxes[:, 2:].max(axis=0)
        time = self.frames[0], self.frames[-1], len(self.frames)
        return np.array([*time, *low, *high, self.sides.max()], dtype=np.float64)


def _together(traits: Float[np.ndarray, "n 8"], i: int, stop: int) -> list[int]:
    """The tracks between `i` and `stop` that share enough of its time, and that can have been
    near it."""
    own, others = traits[i], traits[i + 1 : stop].T
    common = np.minimum(others[1], own[1]) - np.maximum(others[0], own[0]) + 1
    gap = np.maximum(others[3:5], own[3:5, None]) - np.minimum(others[5:7], own[5:7, None])
    away = np.hypot(*np.maximum(gap, 0.0))
    near = away <= _NEAR * np.minimum(others[7], own[7])
    found = np.flatnonzero(near & (common >= _least_common(others[2], int(own[2]))))
    return [int(k) + i + 1 for k in found]


def _least_common(num_a: np.ndarray, num_b: int) -> np.ndarray:
    return np.maximum(3.0, _COMMON * np.minimum(num_a, num_b))


def _is_one(a: _Course, b: _Course) -> bool:
    least = max(3.0, _COMMON * min(len(a.frames), len(b.frames)))
    place = np.minimum(np.searchsorted(a.frames, b.frames), len(a.frames) - 1)
    at_b = np.flatnonzero(a.frames[place] == b.frames)
    if len(at_b) < least:
        return False
    at_a = place[at_b]
    box_a, box_b = a.boxes[at_a], b.boxes[at_b]
    side_a, side_b = a.sides[at_a], b.sides[at_b]
    gap = np.maximum(box_a[:, :2], box_b[:, :2]) - np.minimum(box_a[:, 2:], box_b[:, 2:])
    apart = np.sqrt((np.maximum(gap, 0.0) ** 2).sum(axis=1))
    if np.count_nonzero(apart < _NEAR * np.minimum(side_a, side_b)) / len(at_b) < 0.8:
        return False
    offset = (box_a[:, :2] + box_a[:, 2:] - box_b[:, :2] - box_b[:, 2:]) / 2
    way = np.linalg.norm(np.ptp(box_a, axis=0)[:2])
    drift = np.linalg.norm(np.percentile(offset, 90, axis=0) - np.percentile(offset, 10, axis=0))
    return bool(drift < _DRIFT * max(np.median(side_a), np.median(side_b)) and drift < 0.5 * way)


def _union(a: Track, b: Track) -> Track:
    """Both at once: the box around both where both were seen."""
    out = Track()
    row_a = {frame: i for i, frame in enumerate(a.frames)}
    row_b = {frame: i for i, frame in enumerate(b.frames)}
    for frame in sorted(row_a.keys() | row_b.keys()):
        parts = [(t, rows[frame]) for t, rows in ((a, row_a), (b, row_b)) if frame in rows]
        boxes = np.array([t.boxes[i] for t, i in parts])
        areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
        out.frames.append(frame)
        out.boxes.append(np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)]))
        out.filter_std_px.append(max(t.filter_std_px[i] for t, i in parts))
        out.colors.append(np.average([t.colors[i] for t, i in parts], axis=0, weights=areas))
        out.split.append(all(t.split[i] for t, i in parts))
        out.shifts.append(parts[0][0].shifts[parts[0][1]])
        out.unsteady.append(parts[0][0].unsteady[parts[0][1]])
        out.shades.append(None)  # the pieces were asked already
    return out


def measurement_std(
    frames: Sequence[int] | Int[np.ndarray, " n"],
    center_px: Float[np.ndarray, "n 2"],
    floor_px: float,
) -> Float[np.ndarray, " 2"]:
    """Noise of a measured path, from third differences, which smooth motion hardly has.

    Third differences of white noise of variance s^2 have the variance 20 s^2; the median makes it
    robust against bounces. Only runs of four successive frames count.
    """
    at = np.asarray(frames)
    whole = at[3:] - at[:-3] == 3
    if np.count_nonzero(whole) < 3:
        return np.full(2, max(floor_px, 0.5))
    third = np.abs(np.diff(center_px, n=3, axis=0))[whole]
    return np.maximum(1.4826 * np.median(third, axis=0) / np.sqrt(20.0), floor_px)


def trace(track: Track, *, floor_px: float) -> Trajectory:
    """Fill the gaps of a track and say how certain each place is.

    Where it was seen: the larger of the measured noise and the Kalman filter's standard deviation
    scaled to that noise. In a gap: a straight line between the sightings, with an uncertainty that
    is largest in the middle.
    """
    first, last = track.frames[0], track.frames[-1]
    length = last - first + 1
    at = np.array(track.frames) - first
    boxes = np.array(track.boxes)
    center, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    noise = measurement_std(track.frames, center, floor_px)
    # The filter starts unsure and settles: keep its course, in units of the measured noise.
    course = np.array(track.filter_std_px)
    course = np.maximum(course / max(1e-9, float(np.median(course))), 1.0)
    std = noise[None, :] * course[:, None]
    std[np.array(track.split)] *= _SPLIT_FACTOR
    frames = np.arange(length)
    visible = np.zeros(length, dtype=bool)
    visible[at] = True
    out = Trajectory(
        first=first,
        visible=visible,
        center_px=_interpolate(frames, at, center),
        size_px=_interpolate(frames, at, size),
        center_px_std=_interpolate(frames, at, std),
        color_rgb=np.median(np.array(track.colors), axis=0),
    )
    for before, after in _gaps(at):
        speed = np.linalg.norm(center[after] - center[before]) / (at[after] - at[before])
        way = np.arange(at[before] + 1, at[after])
        near = np.minimum(way - at[before], at[after] - way)
        out.center_px_std[way] += (_GAP_GROWTH * speed * near)[:, None] + noise
    return out


def _interpolate(
    frames: np.ndarray, at: np.ndarray, values: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "t 2"]:
    return np.stack([np.interp(frames, at, values[:, k]) for k in (0, 1)], axis=1)


def _gaps(at: Sequence[int] | np.ndarray) -> list[tuple[int, int]]:
    """Neighbouring sightings with frames between them, as indices into `at`."""
    return [(i, i + 1) for i in range(len(at) - 1) if at[i + 1] - at[i] > 1]
