"""What speaks for and against an event that was read from pixels, as numbers.

Beside the spotter's odds only trajectories are looked at, in units of the objects' own sizes, so
that neither the look of a video nor its resolution enters; nor how many things there are, nor how
long the video is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from jaxtyping import Float

from worldline.core.scene import STATIC, Event, Scene
from worldline.retrieval.spotting.spots import MOST_STRANGE, Spots

__all__ = ["Traits", "blind", "traits_of"]

Traits = Mapping[str, float]
"""Name to value; NaN where it is not known."""

_AROUND_S = 0.3
"""What happens for so long before and after an event counts too."""

_LONG_S = 1.0
"""Times beyond this are all alike: how long a video goes on says nothing of what happens in it."""

_LASTING = ("duration_s", "hidden_s")
_OF_THE_VIDEO = ("closest_approach_s", "num_frames")
"""Quantities that tell of the video."""

_SURE, _UNSEEN = 8.0, -5.0
"""Log odds beyond the first are all alike; the second stand for what the spotter did not see."""

_BLIND = {"spot_track": math.nan, "spot_step": math.nan, "spot_window": math.nan, "strange": 1.0}

_FAR = 4.0
"""Distances beyond so many sizes are all alike."""


class _Paths:
    """The boxes of a scene, and what is asked of them again and again."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.time_s = scene.time_s
        self.center, self.size, self.seen = scene.center_px, scene.size_px, scene.visible
        with np.errstate(invalid="ignore"):
            side = np.where(self.seen, np.sqrt(np.prod(self.size, axis=2)), np.nan)
        self.side = np.array([_median(row) for row in side])
        self._known: dict[tuple[object, ...], dict[str, float]] = {}

    def once(
        self, find: Callable[..., dict[str, float]], event: Event, *rows: int
    ) -> dict[str, float]:
        """`find(self, start_s, end_s, *rows)`, which many guesses at one time share."""
        key = (find, event.start_s, event.end_s, *rows)
        if key not in self._known:
            self._known[key] = find(self, event.start_s, event.end_s, *rows)
        return self._known[key]

    def meeting(self, a: int, b: int) -> dict[str, float]:
        """`_of_meeting` of two objects."""
        if ("meeting", a, b) not in self._known:
            self._known["meeting", a, b] = _of_meeting(self, a, b)
        return self._known["meeting", a, b]

    def gap_to_others(self, row: int, frame: int) -> float:
        """Least gap between an object's box and another's in a frame, in its own sizes; below 0
        where they overlap."""
        least = _FAR
        for other in range(len(self.side)):
            if other != row and self.scene.present[other, frame]:
                least = min(least, self.gap(row, other, frame) / self.side[row])
        return least

    def gap(self, a: int, b: int, frame: int) -> float:
        """Gap between two boxes in pixels; below 0 by how far they overlap."""
        apart = np.abs(self.center[a, frame] - self.center[b, frame])
        beyond = apart - (self.size[a, frame] + self.size[b, frame]) / 2
        gap = float(np.max(beyond))
        return gap if math.isfinite(gap) else math.inf

    def edge(self, row: int, frame: int) -> float:
        """Distance of a box from the image's border, in its own sizes."""
        low = self.center[row, frame] - self.size[row, frame] / 2
        high = (self.scene.width_px, self.scene.height_px) - low - self.size[row, frame]
        return min(float(np.min(np.concatenate([low, high]))) / self.side[row], _FAR)


def traits_of(scene: Scene, spots: Spots) -> Iterator[tuple[Event, Traits]]:
    """Each event of a scene in pixels, with its traits, and what the spotter says of it."""
    paths = _Paths(scene)
    for event in scene.events:
        rows = [scene.index(track) for track in event.roles.values() if track != STATIC]
        traits = _of_event(event) | _of_spots(spots, event)
        if rows:
            traits |= paths.once(_of_object, event, rows[0])
        if len(rows) > 1:
            other = paths.once(_of_object, event, rows[1])
            traits |= {f"other_{name}": value for name, value in other.items()}
            traits |= paths.once(_of_pair, event, rows[0], rows[1])
        yield event, traits


def _of_spots(spots: Spots, event: Event) -> dict[str, float]:
    if event.confidence > 0 and spots.strangeness(event) > MOST_STRANGE:
        return dict(_BLIND)
    track, step, window = (
        _UNSEEN if math.isnan(odds) else float(np.clip(odds, -_SURE, _SURE))
        for odds in spots.about(event)
    )
    return {"spot_track": track, "spot_step": step, "spot_window": window, "strange": 0.0}


def blind(traits: Traits) -> Traits:
    """The same without what the spotter says, as in a video too strange to ask it."""
    return {**traits, **_BLIND}


def _of_event(event: Event) -> dict[str, float]:
    traits = {
        "confidence": event.confidence,
        "log_lasting_s": math.log(np.clip(event.end_s - event.start_s, 0.02, _LONG_S)),
        "with_static": float(STATIC in event.roles.values()),
        "nobody": float(not event.roles),
    }
    for name, value in event.quantities.items():
        if name in _OF_THE_VIDEO:
            continue
        value = min(value, _LONG_S) if name in _LASTING else value
        if math.isfinite(value):
            traits[f"measured_{name}"] = math.copysign(math.log1p(abs(value)), value)
            std = event.quantities.get(f"{name}_std", math.nan)
            if math.isfinite(std):
                traits[f"error_{name}"] = min(std / max(abs(value), 1e-6), 5.0)
    return traits


def _of_object(paths: _Paths, start_s: float, end_s: float, row: int) -> dict[str, float]:
    time_s, seen = paths.time_s, paths.seen[row]
    present = paths.scene.present[row]
    alive = np.flatnonzero(present)
    side = paths.side[row]
    if not len(alive) or not side > 0:
        return {}
    inside = present & (time_s >= start_s - 1e-6) & (time_s <= end_s + 1e-6)
    during = np.flatnonzero(inside)
    if not len(during):
        during = alive[[int(np.abs(time_s[alive] - start_s).argmin())]]
    first, last = int(during[0]), int(during[-1])
    before = np.flatnonzero(present & (time_s <= start_s) & (time_s >= start_s - _AROUND_S))
    after = np.flatnonzero(present & (time_s >= end_s) & (time_s <= end_s + _AROUND_S))
    center = paths.center[row]
    way = center[last] - center[first]
    box = np.maximum(paths.size[row], 1e-3)
    path = float(np.nansum(np.linalg.norm(np.diff(center[during], axis=0), axis=1)))
    step_s = max(end_s - start_s, float(np.median(np.diff(time_s))))
    early, late = _velocity(paths, row, before), _velocity(paths, row, after)
    area = np.log(np.prod(box, axis=1))
    aspect = np.log(box[:, 1] / box[:, 0])
    around = np.concatenate([before, during, after])
    return {
        "log_track_s": math.log(np.clip(time_s[alive[-1]] - time_s[alive[0]], 0.04, _LONG_S)),
        "track_seen": float(seen[alive].mean()),
        "seen_during": float(seen[during].mean()),
        "noise": float(np.nanmedian(paths.scene.center_px_std[row, alive])) / side,
        "reach": min(float(np.nanmax(np.ptp(center[alive], axis=0))) / side, 8.0),
        "way_right": abs(float(way[0])) / side,
        "way_down": float(np.clip(way[1] / side, -6, 6)),
        "straightness": float(np.linalg.norm(way)) / path if path > 0 else math.nan,
        "log_speed": math.log(path / side / step_s + 0.05),
        "speed_before": _length(early),
        "speed_after": _length(late),
        "speed_gained": _length(late) - _length(early),
        "down_before": float(early[1]),
        "down_after": float(late[1]),
        "kick": _length(late - early),
        "growth": float(area[last] - area[first]),
        "growth_range": float(np.ptp(area[around])),
        "aspect_change": float(aspect[last] - aspect[first]),
        "aspect_range": float(np.ptp(aspect[around])),
        "aspect_before": float(np.median(aspect[before])) if len(before) else math.nan,
        "aspect_after": float(np.median(aspect[after])) if len(after) else math.nan,
        "edge_first": paths.edge(row, first),
        "edge_last": paths.edge(row, last),
        "gap_first": paths.gap_to_others(row, first),
        "gap_last": paths.gap_to_others(row, last),
        "since_track_s": min(start_s - float(time_s[alive[0]]), _LONG_S / 2),
        "until_track_s": min(float(time_s[alive[-1]]) - end_s, _LONG_S / 2),
    } | _of_path(paths, row, around)


def _of_path(paths: _Paths, row: int, frames: np.ndarray) -> dict[str, float]:
    """How the way and the box go on over some frames: bends, halts, swings, free fall."""
    frames = np.unique(frames)
    center, side = paths.center[row, frames], paths.side[row]
    time_s = paths.time_s[frames]
    if len(frames) < 5 or not np.isfinite(center).all():
        return {}
    place = center / side
    t = time_s - time_s.mean()
    curves = [np.polyfit(t, axis, 2) for axis in place.T]
    left = [float(np.std(axis - np.polyval(c, t))) for axis, c in zip(place.T, curves, strict=True)]
    lag = min(2, len(frames) - 2)
    velocity = (place[lag:] - place[:-lag]) / (time_s[lag:] - time_s[:-lag])[:, None]
    speed = np.linalg.norm(velocity, axis=1)
    heading = np.unwrap(np.arctan2(velocity[:, 1], velocity[:, 0]))
    fast = speed > 0.5
    bends = np.diff(heading)[fast[1:] & fast[:-1]] if fast.sum() > 2 else np.zeros(1)
    jumps = np.linalg.norm(velocity[lag:] - velocity[:-lag], axis=1) if len(velocity) > lag else [0]
    size = np.log(np.maximum(paths.size[row, frames], 1e-3))
    return {
        "speed_max": min(float(speed.max()), 20.0),
        "speed_min": min(float(speed.min()), 20.0),
        "speed_slope": float(np.clip(np.polyfit(t[lag:], speed, 1)[0], -20, 20)),
        "moving_share": float(np.mean(speed > 0.25)),
        "pull_down": float(np.clip(2 * curves[1][0], -60, 60)),
        "pull_right": float(np.clip(abs(2 * curves[0][0]), 0, 60)),
        "rest_of_parabola": math.hypot(*left),
        "bend": float(np.clip(abs(bends.sum()), 0, 12)),
        "bend_in_all": float(np.clip(np.abs(bends).sum(), 0, 20)),
        "jump": min(float(np.max(jumps)), 30.0),
        "up_share": float(np.mean(velocity[:, 1] < -0.25)),
        "down_share": float(np.mean(velocity[:, 1] > 0.25)),
        "range_down": min(float(np.ptp(place[:, 1])), 8.0),
        "range_right": min(float(np.ptp(place[:, 0])), 8.0),
        "width_range": float(np.ptp(size[:, 0])),
        "height_range": float(np.ptp(size[:, 1])),
        "height_lost": float(size[0, 1] - size[-1, 1]),
        "box_swings": float(np.std(size[:, 1] - size[:, 0])),
        "aspect_mean": float(np.mean(size[:, 1] - size[:, 0])),
    }


def _of_pair(paths: _Paths, start_s: float, end_s: float, a: int, b: int) -> dict[str, float]:
    present = paths.scene.present[a] & paths.scene.present[b]
    near = present & (paths.time_s >= start_s - _AROUND_S)
    near &= paths.time_s <= end_s + _AROUND_S
    frames = np.flatnonzero(near)
    if not len(frames):
        return {}
    side = (paths.side[a] + paths.side[b]) / 2
    gaps = np.array([paths.gap(a, b, int(f)) for f in frames]) / side
    way = (paths.center[b, frames] - paths.center[a, frames]) / side
    feet = [paths.center[k, frames, 1] + paths.size[k, frames, 1] / 2 for k in (a, b)]
    fast = [_velocity(paths, k, frames) for k in (a, b)]
    turned = float(fast[0] @ fast[1]) / max(_length(fast[0]) * _length(fast[1]), 1e-6)
    return {
        "pair_gap": float(np.clip(np.nanmin(gaps), -1, _FAR)),
        "pair_gap_first": float(np.clip(gaps[0], -1, _FAR)),
        "pair_gap_last": float(np.clip(gaps[-1], -1, _FAR)),
        "pair_touching": float(np.mean(gaps < 0.05)),
        "pair_size_ratio": abs(math.log(paths.side[a] / paths.side[b])),
        "pair_aside": float(np.nanmedian(np.abs(way[:, 0]))),
        "pair_above": float(np.nanmedian(way[:, 1])),
        "pair_drift": float(np.linalg.norm(np.nan_to_num(way[-1] - way[0]))),
        "pair_feet": float(np.nanmedian(np.abs(feet[1] - feet[0]))) / side,
        "pair_along": turned,
        "pair_speed_apart": _length(fast[0] - fast[1]),
        **paths.meeting(a, b),
    }


def _of_meeting(paths: _Paths, a: int, b: int) -> dict[str, float]:
    """How two things come to where they are nearest, and go from there."""
    frames = np.flatnonzero(paths.scene.present[a] & paths.scene.present[b])
    if len(frames) < 3:
        return {}
    side = (paths.side[a] + paths.side[b]) / 2
    way = (paths.center[b, frames] - paths.center[a, frames]) / side
    apart = np.linalg.norm(way, axis=1)
    gaps = np.array([paths.gap(a, b, int(f)) for f in frames]) / side
    time_s = paths.time_s[frames]
    i = int(np.nanargmin(apart))
    before, after = frames[max(0, i - 7) : i + 1], frames[i : i + 8]
    kicks = [_length(_velocity(paths, k, after) - _velocity(paths, k, before)) for k in (a, b)]
    sides = np.sign(way[:, 0])

    def slope(part: slice) -> float:
        if len(apart[part]) < 2:
            return 0.0
        rate = (apart[part][-1] - apart[part][0]) / (time_s[part][-1] - time_s[part][0])
        return float(np.clip(rate, -12, 12))

    return {
        "meet_apart": min(float(apart[i]), _FAR),
        "meet_gap": float(np.clip(np.nanmin(gaps), -1.5, _FAR)),
        "meet_closing": -slope(slice(max(0, i - 7), i + 1)),
        "meet_parting": slope(slice(i, i + 8)),
        "meet_kick": max(kicks),
        "meet_kick_least": min(kicks),
        "meet_overlap_s": float(np.sum(gaps < 0) * np.median(np.diff(time_s))),
        "pair_passes": float(sides[0] != sides[-1]),
        "pair_apart_first": min(float(apart[0]), 8.0),
        "pair_apart_last": min(float(apart[-1]), 8.0),
        "pair_apart_range": min(float(np.ptp(apart)), 8.0),
        "pair_whole_drift": min(float(np.linalg.norm(way[-1] - way[0])), 8.0),
    }


def _velocity(paths: _Paths, row: int, frames: np.ndarray) -> Float[np.ndarray, " 2"]:
    """Mean velocity over some frames, in own sizes per second; 0 where there are too few."""
    known = frames[np.isfinite(paths.center[row, frames]).all(axis=1)]
    if len(known) < 2:
        return np.zeros(2)
    span_s = float(paths.time_s[known[-1]] - paths.time_s[known[0]])
    return (paths.center[row, known[-1]] - paths.center[row, known[0]]) / paths.side[row] / span_s


def _length(vector: np.ndarray) -> float:
    return min(float(np.linalg.norm(vector)), 20.0)


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan
