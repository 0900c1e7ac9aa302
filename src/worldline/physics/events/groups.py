"""Events of several bodies at once: converge, diverge, flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from worldline.core import Event, Scene
from worldline.physics.events.ontology import define
from worldline.physics.kinematics import Motion, find_runs, motion_of, smooth_velocity

__all__ = ["find_convergences", "find_divergences", "find_flows"]

MIN_GROUP = 3
"""Bodies that converge or diverge; two in metric scenes, where they come or start close."""

MIN_MEET_S = 0.4
"""Least time of converging and diverging."""

MIN_MEET_MPS, MIN_MEET_SIZES_S = 0.2, 0.5
"""Least speed of each, metric and pixel scenes (own sizes per second)."""

HEADING_COS = 0.8
"""Each moves to the middle of all (or away from it) within 37 degrees."""

MIN_SHRINK = 0.3
"""The mean distance from the middle changes by so much of the greater one."""

CLOSE_SIZES = 1.5
"""How near two bodies are when they count as a group: between centres, in mean sizes."""

MAX_GROWTH = 1.3
"""In pixels, objects that come nearer or go away spread and gather in the picture: their boxes may
grow or shrink by this factor meanwhile."""

MIN_FLOW, MIN_FLOW_S = 8, 0.3
"""Bodies that flow, and for how long."""

MIN_GRAINS = 10
"""Parts of one object that flow."""

FLOW_MPS, FLOW_SIZES_S = 0.2, 1.0
"""Least speed of a flow, metric and pixel scenes (sizes of one body per second)."""

FLOW_ALIKE, FLOW_SIZES = 0.5, 3.0
"""What flows has the velocity of the rest but for so much of its speed, and a neighbour so near,
between centres, in sizes."""


@dataclass(frozen=True, eq=False)
class _Crowd:
    """All tracks over all frames; N tracks, T frames, D dimensions.

    Attributes:
        ids: `[N]`.
        place, velocity: `[N, T, D]`, NaN where a track has no sample.
        speed: `[N, T]`; size: `[N, T]` of each body at each time.
        moves: `[N, T]` known, and faster than the least speed and its noise.
    """

    ids: np.ndarray
    place: np.ndarray
    velocity: np.ndarray
    speed: np.ndarray
    size: np.ndarray
    moves: np.ndarray


def _crowd(scene: Scene, motion: Motion, least_m: float, least_sizes: float) -> _Crowd:
    n, t, d = len(motion.tracks), scene.num_frames, 3 if motion.is_metric else 2
    place, velocity = np.full((n, t, d), np.nan), np.full((n, t, d), np.nan)
    size, noise = np.full((n, t), np.nan), np.zeros((n, t))
    for row, track in enumerate(motion.tracks):
        place[row, track.frames] = track.position
        speed, error = smooth_velocity(track)
        velocity[row, track.frames] = speed
        noise[row, track.frames] = np.linalg.norm(error, axis=1)
        own = track.size.mean(axis=1) if track.is_metric else np.sqrt(np.prod(track.size, axis=1))
        size[row, track.frames] = own
    speed = np.linalg.norm(velocity, axis=2)
    least = np.full((n, t), least_m) if motion.is_metric else least_sizes * size
    with np.errstate(invalid="ignore"):
        moves = (speed >= least) & (speed > 3.0 * noise)
    ids = np.array([track.object_id for track in motion.tracks], dtype=np.int64)
    return _Crowd(ids, place, velocity, speed, size, moves)


_MEETING = {
    "num_bodies": "bodies that take part",
    "duration_s": "for how long",
    "shrink": "change of their mean distance from their middle, over the greater one",
}


def _meetings(scene: Scene, *, inward: bool) -> tuple[Event, ...]:
    motion = motion_of(scene)
    if len(motion.tracks) < 2:
        return ()
    crowd = _crowd(scene, motion, MIN_MEET_MPS, MIN_MEET_SIZES_S)
    member = np.zeros_like(crowd.moves)
    for frame in range(scene.num_frames):
        rows = np.flatnonzero(crowd.moves[:, frame])
        member[_heading(crowd, rows, frame, inward=inward), frame] = True
    least = 2 if motion.is_metric else MIN_GROUP
    events = []
    for first, last in find_runs(member.sum(axis=0) >= least):
        event = _meeting(scene, crowd, member, first, last, inward=inward)
        if event is not None:
            events.append(event)
    return tuple(events)


def _heading(crowd: _Crowd, rows: np.ndarray, frame: int, *, inward: bool) -> np.ndarray:
    """Those that move to (or from) the middle of them all, the worst left out one by one."""
    while len(rows) >= 2:
        place, velocity = crowd.place[rows, frame], crowd.velocity[rows, frame]
        way = place.mean(axis=0) - place if inward else place - place.mean(axis=0)
        length = np.linalg.norm(way, axis=1) * crowd.speed[rows, frame]
        cosine = np.sum(way * velocity, axis=1) / np.maximum(length, 1e-12)
        worst = int(np.argmin(cosine))
        if cosine[worst] >= HEADING_COS:
            return rows
        rows = np.delete(rows, worst)
    return rows[:0]


def _meeting(
    scene: Scene, crowd: _Crowd, member: np.ndarray, first: int, last: int, *, inward: bool
) -> Event | None:
    is_metric = crowd.place.shape[2] == 3
    start_s, end_s = float(scene.time_s[first]), float(scene.time_s[last])
    if end_s - start_s < MIN_MEET_S:
        return None
    part = slice(first, last + 1)
    rows = np.flatnonzero(member[:, part].mean(axis=1) >= 0.8)
    rows = rows[np.isfinite(crowd.place[rows][:, [first, last]]).all(axis=(1, 2))]
    if len(rows) < (2 if is_metric else MIN_GROUP):
        return None
    ends = [crowd.place[rows, frame] for frame in (first, last)]
    spread = [float(np.linalg.norm(x - x.mean(axis=0), axis=1).mean()) for x in ends]
    far, near = (spread[0], spread[1]) if inward else (spread[1], spread[0])
    size = float(np.nanmean(crowd.size[rows][:, part]))
    if not far > 0 or 1 - near / far < MIN_SHRINK or far - near < size / 2:
        return None
    if len(rows) < MIN_GROUP and 2 * near > CLOSE_SIZES * size:
        return None
    if not is_metric:
        growth = crowd.size[rows, last] / np.maximum(crowd.size[rows, first], 1e-9)
        if not np.all((growth <= MAX_GROWTH) & (growth >= 1 / MAX_GROWTH)):
            return None
    middle = rows[int(np.argmin(np.linalg.norm(ends[0] - ends[0].mean(axis=0), axis=1)))]
    quantities = {
        "num_bodies": float(len(rows)),
        "duration_s": end_s - start_s,
        "shrink": 1 - near / far,
    }
    name = "converge" if inward else "diverge"
    roles = {"object": int(crowd.ids[middle])}
    return Event(name, start_s, end_s, roles, quantities, 1.0 if is_metric else 0.5)


@define("converge", roles={"object": "the one nearest their middle"}, quantities=_MEETING)
def find_convergences(scene: Scene) -> tuple[Event, ...]:
    """Three bodies or more come together from different sides.

    Each moves at 0.2 m/s or more (pixels: half its size per second) toward the middle of all of
    them, within 37 degrees, for 0.4 s or more, and their mean distance from it falls by 30% and by
    half a size. In metres two are enough where they come within 1.5 sizes of each other. In pixels
    their boxes keep their sizes within 30%, since what goes away from the camera gathers too.
    """
    return _meetings(scene, inward=True)


@define("diverge", roles={"object": "the one nearest their middle at first"}, quantities=_MEETING)
def find_divergences(scene: Scene) -> tuple[Event, ...]:
    """Three bodies or more move apart to different sides: `converge` backwards in time."""
    return _meetings(scene, inward=False)


@define(
    "flow",
    roles={"object": "the one of many parts, or one in the middle"},
    quantities={
        "num_bodies": "bodies or parts that flow",
        "duration_s": "for how long",
        "speed_mps": "mean speed (metric scenes)",
        "speed_px_s": "the same in pixel scenes",
    },
)
def find_flows(scene: Scene) -> tuple[Event, ...]:
    """Many small bodies move together.

    Metric scenes with `num_parts`: an object of ten parts or more moves at 0.2 m/s or more for
    0.3 s. Any scene: eight bodies or more move at 0.2 m/s (pixels: one size per second) or more,
    each with the velocity of the middle one but for half of its speed and within three sizes of
    another of them, for 0.3 s (pixels: 0.6 s).
    """
    motion = motion_of(scene)
    events = []
    unit = "mps" if motion.is_metric else "px_s"
    if motion.is_metric and scene.num_parts is not None:
        for track in motion.tracks:
            parts = scene.num_parts[track.row, track.frames]
            speed = np.linalg.norm(smooth_velocity(track)[0], axis=1)
            for first, last in find_runs((speed >= FLOW_MPS) & (parts >= MIN_GRAINS)):
                start_s, end_s = float(track.time_s[first]), float(track.time_s[last])
                if end_s - start_s >= MIN_FLOW_S:
                    quantities = {
                        "num_bodies": float(parts[first : last + 1].max()),
                        "duration_s": end_s - start_s,
                        "speed_mps": float(speed[first : last + 1].mean()),
                    }
                    roles = {"object": track.object_id}
                    events.append(Event("flow", start_s, end_s, roles, quantities))
    if len(motion.tracks) < MIN_FLOW:
        return tuple(events)
    crowd = _crowd(scene, motion, FLOW_MPS, FLOW_SIZES_S)
    member = np.zeros_like(crowd.moves)
    for frame in range(scene.num_frames):
        member[_stream(crowd, frame), frame] = True
    least_s = MIN_FLOW_S if motion.is_metric else 2 * MIN_FLOW_S
    for first, last in find_runs(member.sum(axis=0) >= MIN_FLOW):
        start_s, end_s = float(scene.time_s[first]), float(scene.time_s[last])
        rows = np.flatnonzero(member[:, first : last + 1].mean(axis=1) >= 0.5)
        if end_s - start_s < least_s or len(rows) < MIN_FLOW:
            continue
        place = np.nanmean(crowd.place[rows, first : last + 1], axis=1)
        middle = rows[int(np.argmin(np.linalg.norm(place - np.median(place, axis=0), axis=1)))]
        quantities = {
            "num_bodies": float(len(rows)),
            "duration_s": end_s - start_s,
            f"speed_{unit}": float(np.nanmean(crowd.speed[rows, first : last + 1])),
        }
        roles = {"object": int(crowd.ids[middle])}
        confidence = 1.0 if motion.is_metric else 0.5
        events.append(Event("flow", start_s, end_s, roles, quantities, confidence))
    return tuple(events)


def _stream(crowd: _Crowd, frame: int) -> np.ndarray:
    """Rows of the bodies that move alike and near one another in a frame."""
    rows = np.flatnonzero(crowd.moves[:, frame])
    if len(rows) < MIN_FLOW:
        return rows[:0]
    velocity = crowd.velocity[rows, frame]
    middle = np.median(velocity, axis=0)
    alike = np.linalg.norm(velocity - middle, axis=1) <= FLOW_ALIKE * np.linalg.norm(middle)
    rows = rows[alike]
    if len(rows) < MIN_FLOW:
        return rows[:0]
    place, size = crowd.place[rows, frame], crowd.size[rows, frame]
    apart = np.linalg.norm(place[:, None] - place[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    with np.errstate(invalid="ignore"):
        near = apart <= FLOW_SIZES * (size[:, None] + size[None]) / 2
    rows = rows[near.any(axis=1)]
    return rows if len(rows) >= MIN_FLOW else rows[:0]
