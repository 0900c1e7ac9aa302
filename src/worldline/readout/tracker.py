"""Regions of successive frames joined into tracks, by norfair with a Kalman filter each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import hypot, sqrt

import numpy as np
from jaxtyping import Float
from norfair import Detection, OptimizedKalmanFilterFactory, Tracker
from norfair.camera_motion import TranslationTransformation
from norfair.distances import Distance
from norfair.filter import OptimizedKalmanFilter
from norfair.tracker import TrackedObject

from worldline.readout.regions import Region, join_regions, split_region
from worldline.readout.shade import Shade
from worldline.readout.shot import MovingRegions

__all__ = ["RegionTracker", "Track"]

_NEW_REACH = 2.5  # how far a thing of unknown velocity may come in a frame, in its own sizes
_REACH = 0.8  # the same beyond the prediction, once the velocity is known
_MISS_REACH = 0.2  # more for each frame that it was not seen,
_MISS_SPEED = 1.0  # and this share of its way in these frames
_DECAY = 0.97  # a frame, of the size and speed that are remembered
_COLOR_WEIGHT = 1.2
_SHARED = 0.5  # share of an expected box that a region must cover to count as shared
_MIN_PART = 0.1  # of the area of the largest object in a region: less has no share in it
_MIN_FILL = 0.25  # share of an object's box that its pieces cover
_WHOLE = 0.8  # of the remembered length: less is a piece of the object
_MAX_AHEAD = 25  # frames for which the place of the whole object is believed
_STILL = np.zeros(4)
_INSIDE = 0.8  # share of a region that lies inside the expected box of an object it is part of


@dataclass(eq=False)
class Track:
    """What one object was measured to be, frame by frame.

    Attributes:
        frames: numbers of the frames in which it was seen.
        boxes: left, top, right, bottom in pixels at these frames.
        filter_std_px: standard deviation of its centre by the Kalman filter at these frames.
        colors: mean RGB in [0, 1] at these frames.
        split: whether the box was cut out of a region shared with another object.
        shifts: displacement of the picture by the camera at these frames.
        unsteady: whether the camera moved at these frames.
        shades: what it was to the background at these frames, where that was measured.
    """

    frames: list[int] = field(default_factory=list)
    boxes: list[Float[np.ndarray, " 4"]] = field(default_factory=list)
    filter_std_px: list[float] = field(default_factory=list)
    colors: list[Float[np.ndarray, " 3"]] = field(default_factory=list)
    split: list[bool] = field(default_factory=list)
    shifts: list[Float[np.ndarray, " 2"]] = field(default_factory=list)
    unsteady: list[bool] = field(default_factory=list)
    shades: list[Shade | None] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Seen:
    index: int
    region: Region
    length: float  # root of the box area, and
    speed: float  # pixels a frame, both kept up while the object is partly hidden
    whole: Float[np.ndarray, " 4"]  # the last box in which all of it was seen, camera taken out,
    whole_index: int  # the frame of that box,
    whole_step: Float[np.ndarray, " 4"]  # and how far its sides then moved in a frame

    def whole_at(self, index: int) -> Float[np.ndarray, " 4"]:
        """Where all of the object would be in a later frame."""
        return self.whole + self.whole_step * min(index - self.whole_index, _MAX_AHEAD)


class _BoxDistance(Distance):
    """Distance of a measured box from an expected one, 1 being the limit.

    Centres in units of the reach (own size, more while the velocity is unknown or after misses),
    plus change of area and of colour.
    """

    def get_distances(
        self,
        objects: Sequence[TrackedObject],
        candidates: Sequence[Detection | TrackedObject] | None,
    ) -> Float[np.ndarray, "c o"]:
        seen = [c for c in candidates or () if isinstance(c, Detection)]
        if not objects or len(seen) != len(candidates or ()) or not seen:
            return np.full((len(candidates or ()), len(objects)), np.inf)
        box = np.array([c.absolute_points for c in seen])
        expected = _states(objects)[0].reshape(-1, 2, 2)
        last = np.array([o.last_detection.absolute_points for o in objects])
        area = np.maximum(np.prod(box[:, 1] - box[:, 0], axis=1), 1e-9)
        last_area = np.maximum(np.prod(last[:, 1] - last[:, 0], axis=1), 1e-9)
        color = np.array([c.embedding for c in seen])
        last_color = np.array([o.last_detection.embedding for o in objects])
        age = np.array([o.age for o in objects])
        num_missed = np.array([o.age - int(o.last_detection.age or 0) - 1 for o in objects])
        reach = np.where(age <= 2, _NEW_REACH, _REACH) + _MISS_REACH * np.maximum(0, num_missed)
        away = np.linalg.norm(box.mean(axis=1)[:, None] - expected.mean(axis=1)[None], axis=-1)
        typical = np.array([o.last_detection.data.length for o in objects])
        length = np.maximum((np.sqrt(area)[:, None] + np.sqrt(last_area)[None]) / 2, typical[None])
        speed = np.array([o.last_detection.data.speed for o in objects])
        slack = _MISS_SPEED * speed * np.maximum(0, num_missed)
        grown = np.abs(np.log(area[:, None] / last_area[None]))
        changed = np.linalg.norm(color[:, None] - last_color[None], axis=-1)
        return away / (reach * length + slack) + 0.25 * grown + _COLOR_WEIGHT * changed


class RegionTracker:
    """Feeds norfair frame by frame and keeps what each object was measured to be.

    norfair matches, predicts (constant velocity, one filter a box corner) and forgets; positions
    are given to it with the camera's shift taken out.
    """

    def __init__(self, *, max_gap_frames: int, measurement_std_px: float) -> None:
        self._max_gap_frames = max_gap_frames
        self._std_px = measurement_std_px
        self._tracks: dict[int, Track] = {}
        self._memory: dict[int, _Seen] = {}
        self._tracker = self._start()

    def _start(self) -> Tracker:
        variance = self._std_px**2
        tracker = Tracker(
            distance_function="iou",
            distance_threshold=1.0,
            hit_counter_max=max(2, self._max_gap_frames),
            initialization_delay=1,
            past_detections_length=0,
            filter_factory=OptimizedKalmanFilterFactory(
                R=variance, Q=0.25 * variance, pos_variance=variance, vel_variance=25 * variance
            ),
        )
        tracker.distance_function = _BoxDistance()
        return tracker

    def update(self, found: MovingRegions) -> None:
        """Take the regions of the next frame of the shot."""
        shift = TranslationTransformation(found.shift_px)
        shift_of_box = np.concatenate([found.shift_px, found.shift_px])
        regions = self._share(found, shift_of_box)
        detections = [
            Detection(
                points=region.box.reshape(2, 2),
                data=_Seen(
                    found.index,
                    region,
                    length=float(np.sqrt(_area(region.box))),
                    speed=0.0,
                    whole=region.box - shift_of_box,
                    whole_index=found.index,
                    whole_step=_STILL,
                ),
                embedding=region.color,
            )
            for region in regions
        ]
        self._tracker.update(detections, coord_transformations=shift)
        for thing in self._tracker.tracked_objects:
            seen = thing.last_detection.data
            if not isinstance(seen, _Seen) or seen.index != found.index:
                continue
            key = int(thing.initializing_id or 0)
            assert isinstance(thing.filter, OptimizedKalmanFilter)
            left, top, right, bottom = thing.filter.x[4:, 0].tolist()
            across, down = (left + right) / 2, (top + bottom) / 2
            before = self._memory.get(key, seen)
            length = max(seen.length, _DECAY * before.length)
            speed = max(hypot(across, down), _DECAY * before.speed)
            if seen.length > _WHOLE * length:
                step = np.array([across, down, across, down])
                seen = replace(seen, length=length, speed=speed, whole_step=step)
            else:
                seen = replace(
                    before, index=seen.index, region=seen.region, length=length, speed=speed
                )
            self._memory[key] = thing.last_detection.data = seen
            track = self._tracks.setdefault(key, Track())
            track.frames.append(found.index)
            track.boxes.append(seen.region.box)
            track.colors.append(seen.region.color)
            track.split.append(seen.region.split)
            track.shifts.append(found.shift_px)
            track.unsteady.append(found.camera_moves)
            track.shades.append(seen.region.shade)
            # The centre is the mean of two corners whose errors are taken as independent.
            left, top, right, bottom = thing.filter.pos_variance[:, 0].tolist()
            track.filter_std_px.append(sqrt((left + top + right + bottom) / 8))

    def end_shot(self) -> list[Track]:
        """All tracks of the shot; what comes next has nothing to do with them."""
        tracks = list(self._tracks.values())
        self._tracks, self._memory = {}, {}
        self._tracker = self._start()
        return tracks

    def _share(self, found: MovingRegions, shift_of_box: Float[np.ndarray, " 4"]) -> list[Region]:
        """Join the pieces of known objects, cut up regions that several known objects share."""
        known = [
            thing
            for thing in self._tracker.tracked_objects
            if not thing.is_initializing and thing.hit_counter_is_positive
        ]
        if not known:
            return list(found.regions)
        # One step ahead of the filters, which have not been told of this frame yet.
        places, steps = _states(known)
        expected = places + steps + shift_of_box
        regions: list[Region] = []
        whole = np.array([thing.last_detection.data.whole_at(found.index) for thing in known])
        whole += shift_of_box
        gathered = self._gather(list(found.regions), whole)
        if not gathered:
            return []
        covered = _covered(expected, np.array([region.box for region in gathered]))
        area = np.prod(np.maximum(expected[:, 2:] - expected[:, :2], 0.0), axis=1)
        for region, shares in zip(gathered, covered.T, strict=True):
            inside = np.flatnonzero(shares > _SHARED)
            # A small thing before a large one cannot be told from a part of it: it is hidden.
            inside = inside[area[inside] > _MIN_PART * area[inside].max(initial=0.0)]
            if len(inside) < 2:
                regions.append(region)
                continue
            colors = np.array([known[k].last_detection.embedding for k in inside])
            parts = split_region(region, expected[inside], colors)
            seen = [part for part in parts if part is not None]
            regions.extend(seen or [region])
        return regions

    def _gather(self, regions: list[Region], expected: Float[np.ndarray, "n 4"]) -> list[Region]:
        """Join regions that lie inside one expected box and are not expected by themselves."""
        if len(regions) < 2:
            return regions
        boxes = np.array([region.box for region in regions])
        # share[r, k]: of region r inside the expected box k; filled[r, k]: the other way round.
        share, filled = _covered(boxes, expected), _covered(expected, boxes).T
        owner = np.where(share.max(axis=1) > _INSIDE, share.argmax(axis=1), -1)
        own = np.prod(np.maximum(expected[:, 2:] - expected[:, :2], 0.0), axis=1)
        out = [region for region, k in zip(regions, owner, strict=True) if k < 0]
        for k in np.unique(owner[owner >= 0]):
            parts = np.flatnonzero(owner == k)
            smaller = own < own[k]
            taken = (filled[parts] * smaller > _SHARED).any(axis=1)
            pieces = [regions[r] for r in parts[~taken]]
            # Scattered small things in a large box are a crowd, not one object in pieces.
            if sum(piece.area_px for piece in pieces) < _MIN_FILL * own[k]:
                out += [regions[r] for r in parts]
                continue
            out += [regions[r] for r in parts[taken]]
            if pieces:
                out.append(join_regions(pieces))
        return out


def _states(
    things: Sequence[TrackedObject],
) -> tuple[Float[np.ndarray, "n 4"], Float[np.ndarray, "n 4"]]:
    """Boxes by the filters, the camera's shift taken out, and how they move in a frame."""
    states = np.array([thing.filter.x for thing in things])[..., 0]
    return states[:, :4], states[:, 4:]


def _covered(
    boxes: Float[np.ndarray, "n 4"], by: Float[np.ndarray, "m 4"]
) -> Float[np.ndarray, "n m"]:
    """Share of each box that lies inside each of the others."""
    a, b = boxes.T[:, :, None], by.T[:, None]
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0.0)
    area = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), axis=1)
    return sides[0] * sides[1] / np.maximum(area, 1e-9)[:, None]


def _area(box: Float[np.ndarray, " 4"]) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))
