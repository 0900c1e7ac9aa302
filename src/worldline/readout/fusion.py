"""Objects out of motion and of what a detector and a depth estimator say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from norfair import Detection as Point
from norfair import Tracker
from norfair.distances import Distance
from norfair.tracker import TrackedObject

from worldline.readout.trajectory import Trajectory
from worldline.readout.witness import Testimony

__all__ = ["Depths", "fuse", "measure_depths"]

_MIN_SCORE = 0.5
_MIN_SIGHTINGS = 2  # times that a thing is seen, or it is a slip of the detector
_MAX_MISSED = 3  # samples in a row
_REACH = 1.2  # how far a thing may lie from where it is expected, in its own sizes
_GROWTH_WEIGHT = 0.7  # of the logarithm of how its area changes,
_NAME_WEIGHT = 0.3  # and of another name
_INSIDE = 0.6  # share of a moving box that lies in the box of the thing that it is a part of
_COMMON = 0.5  # share of the shorter one's frames in which both are there
_SAME = 0.5  # overlap from which the box of the motion is the better one
_MIN_STD_SHARE = 0.02  # of the size: detectors place boxes no better


@dataclass(eq=False)
class _Thing:
    """One thing as a detector saw it: frames, boxes, colours; what it was called."""

    frames: list[int] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    colors: list[np.ndarray] = field(default_factory=list)
    votes: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def label(self) -> str:
        return max(sorted(self.votes), key=lambda name: self.votes[name])


def fuse(
    moving: Sequence[Trajectory], testimonies: Sequence[Testimony], cuts: Sequence[int]
) -> tuple[list[Trajectory], list[str]]:
    """Trajectories and their labels, from those of motion and a detector's sightings.

    Sightings are joined over time by norfair. A thing takes over the moving objects that lie in its
    box for most of the time that both are there: it gives its name and, where motion shows only a
    part of it, its box; where both agree the box of the motion stands, which is there at every
    frame. A thing without motion is an object, too; what moves and has no name stays "object".

    Args:
        moving: objects found by motion.
        testimonies: in order of time.
        cuts: numbers of the first frames of shots; nothing is joined across.
    """
    things = _link(testimonies, cuts)
    shares = np.array([[_belonging(path, thing) for thing in things] for path in moving])
    shares = shares.reshape(len(moving), len(things))
    owner = np.full(len(moving), -1)
    if things:
        owner = np.where(shares.max(axis=1) > 0, shares.argmax(axis=1), -1)
    rows: list[tuple[Trajectory, str]] = [
        (path, "object") for path, k in zip(moving, owner, strict=True) if k < 0
    ]
    for k, thing in enumerate(things):
        parts = [path for path, own in zip(moving, owner, strict=True) if own == k]
        rows.append((_combine(thing, parts), thing.label))
    rows.sort(key=lambda row: row[0].first)
    return [path for path, _ in rows], [label for _, label in rows]


def _link(testimonies: Sequence[Testimony], cuts: Sequence[int]) -> list[_Thing]:
    things: list[_Thing] = []
    tracker = _tracker()
    current: dict[int, _Thing] = {}
    starts = sorted(cuts)
    last = 0
    for testimony in testimonies:
        if any(last < cut <= testimony.frame for cut in starts):
            things += current.values()
            tracker, current = _tracker(), {}
        last = testimony.frame
        found = testimony.found
        points = []
        if found is not None:
            for box, label, score, color in zip(
                found.boxes_px, found.labels, found.scores, testimony.colors, strict=True
            ):
                if score >= _MIN_SCORE:
                    data = (testimony.frame, box, label, float(score), color)
                    points.append(Point(points=box.reshape(2, 2), data=data))
        for item in tracker.update(points or None) or ():
            frame, box, label, score, color = item.last_detection.data
            if frame == testimony.frame:
                thing = current.setdefault(int(item.initializing_id or 0), _Thing())
                thing.frames.append(frame)
                thing.boxes.append(box)
                thing.colors.append(color)
                thing.votes[label] += score
    things += current.values()
    return [thing for thing in things if len(thing.frames) >= _MIN_SIGHTINGS]


def _tracker() -> Tracker:
    tracker = Tracker(
        distance_function="iou",
        distance_threshold=_REACH,
        hit_counter_max=_MAX_MISSED,
        initialization_delay=0,
    )
    tracker.distance_function = _Unlike()
    return tracker


class _Unlike(Distance):
    """How far a sighting is from where a thing is expected, in sizes, and how else it differs."""

    def get_distances(
        self,
        objects: Sequence[TrackedObject],
        candidates: Sequence[Point | TrackedObject] | None,
    ) -> Float[np.ndarray, "c o"]:
        points = [c for c in candidates or () if isinstance(c, Point)]
        if not points or not objects:
            return np.full((len(points), len(objects)), np.inf)
        new = np.array([p.points for p in points])
        expected = np.array([o.get_estimate() for o in objects])
        last = np.array([o.last_detection.points for o in objects])
        area, last_area = (np.prod(b[:, 1] - b[:, 0], axis=1) for b in (new, last))
        away = np.linalg.norm(new.mean(axis=1)[:, None] - expected.mean(axis=1)[None], axis=-1)
        size = np.sqrt((area[:, None] + last_area[None]) / 2)
        grown = np.abs(np.log(area[:, None] / last_area[None]))
        names = [[p.data[2] != o.last_detection.data[2] for o in objects] for p in points]
        return away / size + _GROWTH_WEIGHT * grown + _NAME_WEIGHT * np.array(names)


def _dense(thing: _Thing) -> Float[np.ndarray, "t 4"]:
    frames = np.arange(thing.frames[0], thing.frames[-1] + 1)
    boxes = np.array(thing.boxes)
    return np.stack([np.interp(frames, thing.frames, boxes[:, k]) for k in range(4)], axis=1)


def _boxes(path: Trajectory) -> Float[np.ndarray, "t 4"]:
    return np.concatenate(
        [path.center_px - path.size_px / 2, path.center_px + path.size_px / 2], axis=1
    )


def _inside(
    a: Float[np.ndarray, "t 4"], b: Float[np.ndarray, "t 4"]
) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"]]:
    """Share of box a in box b, and their intersection over union."""
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
    both = np.prod(np.maximum(high - low, 0.0), axis=1)
    area_a, area_b = (np.prod(np.maximum(c[:, 2:] - c[:, :2], 1e-9), axis=1) for c in (a, b))
    return both / area_a, both / (area_a + area_b - both)


def _belonging(path: Trajectory, thing: _Thing) -> float:
    """Mean overlap where a moving object is part of a thing, or is it; else 0."""
    first = max(path.first, thing.frames[0])
    stop = min(path.first + len(path.visible), thing.frames[-1] + 1)
    shorter = min(len(path.visible), thing.frames[-1] + 1 - thing.frames[0])
    if stop - first < max(3, _COMMON * shorter):
        return 0.0
    a = _boxes(path)[first - path.first : stop - path.first]
    share, overlap = _inside(a, _dense(thing)[first - thing.frames[0] : stop - thing.frames[0]])
    return float(overlap.mean()) if np.median(share) >= _INSIDE else 0.0


def _combine(thing: _Thing, parts: Sequence[Trajectory]) -> Trajectory:
    first = min([thing.frames[0], *(part.first for part in parts)])
    stop = max([thing.frames[-1] + 1, *(part.first + len(part.visible) for part in parts)])
    boxes = np.full((stop - first, 4), np.nan)
    std = np.full((stop - first, 2), np.nan)
    visible = np.zeros(stop - first, dtype=bool)
    for part in sorted(parts, key=lambda p: len(p.visible)):  # the longest one counts
        span = slice(part.first - first, part.first - first + len(part.visible))
        boxes[span], std[span] = _boxes(part), part.center_px_std
        visible[span] |= part.visible
    span = slice(thing.frames[0] - first, thing.frames[-1] + 1 - first)
    dense, spread = _dense(thing), _spread(thing)
    agreed = np.nan_to_num(_inside(boxes[span], dense)[1]) >= _SAME
    boxes[span][~agreed], std[span][~agreed] = dense[~agreed], spread
    visible[span] = True
    known = np.flatnonzero(np.isfinite(boxes[:, 0]))
    every = np.arange(stop - first)
    boxes = np.stack([np.interp(every, known, boxes[known, k]) for k in range(4)], axis=1)
    std = np.stack([np.interp(every, known, std[known, k]) for k in range(2)], axis=1)
    return Trajectory(
        first=first,
        visible=visible,
        center_px=(boxes[:, :2] + boxes[:, 2:]) / 2,
        size_px=boxes[:, 2:] - boxes[:, :2],
        center_px_std=std,
        color_rgb=np.median(np.array(thing.colors), axis=0),
    )


def _spread(thing: _Thing) -> Float[np.ndarray, " 2"]:
    """Standard deviation of a detector's box centre, from second differences of its samples."""
    boxes = np.array(thing.boxes)
    floor = _MIN_STD_SHARE * np.median(boxes[:, 2:] - boxes[:, :2], axis=0)
    if len(boxes) < 4:
        return 2 * floor
    second = np.abs(np.diff((boxes[:, :2] + boxes[:, 2:]) / 2, n=2, axis=0))
    return np.maximum(1.4826 * np.median(second, axis=0) / np.sqrt(6.0), floor)


@dataclass(frozen=True, eq=False)
class Depths:
    """Depth of N objects at T frames, in the estimator's unit; NaN where it is not known."""

    value: Float[np.ndarray, "n t"]
    std: Float[np.ndarray, "n t"]


def measure_depths(
    paths: Sequence[Trajectory], testimonies: Sequence[Testimony], num_frames: int
) -> Depths:
    """Depth of each object: the median of the map over the middle half of its box.

    The uncertainty is the spread of the map there (1.4826 times the median absolute deviation), so
    it is large where a box holds much else. Between samples both are interpolated; before the first
    one, after the last one and where nothing is seen of the object they are unknown.
    """
    value, std = (np.full((len(paths), num_frames), np.nan) for _ in range(2))
    told = [item for item in testimonies if item.depth is not None]
    for row, path in enumerate(paths):
        at, found = [], []
        for item in told:
            k = item.frame - path.first
            if 0 <= k < len(path.visible) and path.visible[k]:
                inner = _middle(item, path.center_px[k], path.size_px[k])
                if len(inner):
                    middle = float(np.median(inner))
                    at.append(item.frame)
                    found.append((middle, 1.4826 * float(np.median(np.abs(inner - middle)))))
        if at:
            frames = np.arange(at[0], at[-1] + 1)
            seen = path.visible[frames - path.first]
            pairs = np.array(found)
            value[row, frames] = np.where(seen, np.interp(frames, at, pairs[:, 0]), np.nan)
            std[row, frames] = np.where(seen, np.interp(frames, at, pairs[:, 1]), np.nan)
    return Depths(value, std)


def _middle(item: Testimony, center: np.ndarray, size: np.ndarray) -> Float[np.ndarray, " k"]:
    assert item.depth is not None
    scale = np.array(item.depth.shape[::-1]) / np.array(item.size_px)
    low = np.floor((center - size / 4) * scale).astype(int)
    high = np.maximum(np.ceil((center + size / 4) * scale).astype(int), low + 1)
    low = np.clip(low, 0, np.array(item.depth.shape[::-1]) - 1)
    inner = item.depth[low[1] : max(high[1], low[1] + 1), low[0] : max(high[0], low[0] + 1)]
    return inner[np.isfinite(inner)].astype(np.float64)
