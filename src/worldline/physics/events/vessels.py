"""Events of vessels and what is in them: contain, pour."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from worldline.core import Event, Scene
from worldline.physics.contacts import find_pairs
from worldline.physics.events.ontology import define
from worldline.physics.kinematics import Track, find_runs, motion_of, smooth_velocity

__all__ = ["find_containments", "find_pourings"]

MIN_INSIDE_S = 0.4
"""What stays in a vessel for less merely touched or crossed it."""

MIN_GRAINS = 5
"""So many parts are poured; fewer bodies fall out."""

MIN_POUR_M = 0.1
"""What is poured sinks by so much."""

POUR_TILT_RAD, UPRIGHT_RAD = math.radians(45), math.radians(20)
"""Tilt of a vessel that pours, and of one that does not yet."""

STEADY_SIZES_S = 0.15
"""In pixels a vessel rests: it moves at less than this, in its own sizes per second."""

FITS = 0.7
"""In pixels what is in a vessel is at most so wide and so high, over the vessel."""


@dataclass(frozen=True, eq=False)
class _Inside:
    """A vessel, something else, and when the latter is in the former.

    Attributes:
        vessel, content: tracks.
        time_s: `[M]`.
        index_vessel, index_content: `[M]` samples of the tracks.
        holds: `[M]` the content's middle is within the vessel's box.
    """

    vessel: Track
    content: Track
    time_s: np.ndarray
    index_vessel: np.ndarray
    index_content: np.ndarray
    holds: np.ndarray


def _insides(scene: Scene) -> Iterator[_Inside]:
    """Pairs of which one is ever in the box of the other, larger one."""
    inside = _is_inside_m if motion_of(scene).is_metric else _is_inside_px
    for pair in find_pairs(scene):
        ways = (
            (pair.a, pair.index_a, pair.b, pair.index_b),
            (pair.b, pair.index_b, pair.a, pair.index_a),
        )
        for vessel, i, content, j in ways:
            holds = inside(scene, vessel, i, content, j)
            if holds.any():
                yield _Inside(vessel, content, pair.time_s, i, j, holds)


def _is_inside_m(
    scene: Scene, vessel: Track, i: np.ndarray, content: Track, j: np.ndarray
) -> np.ndarray:
    """No solid body has another's middle within its box, so that the one that does is hollow."""
    room, need = vessel.size[i], content.size[j]
    if not (np.isfinite(room).all() and np.isfinite(need).all()):
        return np.zeros(len(i), dtype=bool)
    fits = np.all(np.sort(need, axis=1) < np.sort(room, axis=1), axis=1)
    way = content.position[j] - vessel.position[i]
    if scene.rotation_wxyz is not None:
        rotation = scene.rotation_wxyz[vessel.row, vessel.frames[i]]
        if not np.isfinite(rotation).all() or not np.linalg.norm(rotation, axis=1).all():
            return np.zeros(len(i), dtype=bool)
        way = _turned_back(rotation, way)
    return fits & np.all(np.abs(way) < room / 2, axis=1)


def _turned_back(rotation_wxyz: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Vectors of the world in the frames of bodies."""
    unit = rotation_wxyz / np.linalg.norm(rotation_wxyz, axis=1, keepdims=True)
    w, q = unit[:, :1], -unit[:, 1:]
    turned = np.cross(q, vectors)
    return vectors + 2 * (w * turned + np.cross(q, turned))


def _is_inside_px(
    scene: Scene, vessel: Track, i: np.ndarray, content: Track, j: np.ndarray
) -> np.ndarray:
    room, need = vessel.size[i], content.size[j]
    way = np.abs(content.position[j] - vessel.position[i])
    fits = np.all(need < FITS * room, axis=1)
    return fits & np.all(way + need / 2 < room / 2, axis=1)


@define(
    "contain",
    roles={"object": "what comes to be inside", "vessel": "what it is in"},
    quantities={
        "duration_s": "time inside (until the end of the scene if it stays)",
        "entry_speed_mps": "speed at which it comes in (metric scenes)",
    },
)
def find_containments(scene: Scene) -> tuple[Event, ...]:
    """A body comes to be in another and stays there for 0.4 s or more.

    Metric scenes: its middle is within the box of a body that is longer on every side, as it can
    be only in a hollow one, and was outside before. Pixels: its box, at most 0.7 as wide and as
    high, is within that of an object at rest (below 0.15 of its sizes per second), which it has
    entered over the upper edge, on its way down, and it rests there too: what passes before an
    object, or stops before it, did not come from above.
    """
    events = []
    for pair in _insides(scene):
        is_metric = pair.vessel.is_metric
        speed = np.linalg.norm(smooth_velocity(pair.content)[0][pair.index_content], axis=1)
        for first, last in find_runs(_bridged(pair.time_s, pair.holds)):
            start_s, end_s = float(pair.time_s[first]), float(pair.time_s[last])
            if first == 0 or end_s - start_s < MIN_INSIDE_S:
                continue
            if not is_metric and not _came_from_above(pair, first, last):
                continue
            quantities = {"duration_s": end_s - start_s}
            if is_metric:
                quantities["entry_speed_mps"] = float(speed[first])
            roles = {"object": pair.content.object_id, "vessel": pair.vessel.object_id}
            confidence = 1.0 if is_metric else 0.5
            events.append(Event("contain", start_s, end_s, roles, quantities, confidence))
    return tuple(sorted(events, key=lambda event: event.start_s))


def _bridged(time_s: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mask without breaks shorter than 0.1 s: what bounces inside may show over the rim."""
    filled = mask.copy()
    for first, last in find_runs(~mask):
        inner = first > 0 and last < len(mask) - 1
        if inner and time_s[last + 1] - time_s[first - 1] < MIN_INSIDE_S / 2:
            filled[first : last + 1] = True
    return filled


def _came_from_above(pair: _Inside, first: int, last: int) -> bool:
    vessel, content = pair.vessel, pair.content
    unit = max(vessel.scale, 1e-9)
    moves = np.linalg.norm(smooth_velocity(vessel)[0][pair.index_vessel], axis=1) / unit
    ends = np.linalg.norm(smooth_velocity(content)[0][pair.index_content], axis=1) / unit
    half = len(range(first, last + 1)) // 2
    rim = vessel.position[pair.index_vessel] @ vessel.up + vessel.size[pair.index_vessel, 1] / 2
    foot = content.position[pair.index_content] @ content.up
    before = np.flatnonzero(pair.time_s[:first] >= pair.time_s[first] - 1.0)
    return bool(
        np.median(moves) < STEADY_SIZES_S
        and np.median(ends[last - half : last + 1]) < STEADY_SIZES_S
        and len(before)
        and (foot[before] > rim[before]).any()
    )


@define(
    "pour",
    roles={"agent": "the vessel that pours", "object": "what is poured"},
    quantities={
        "height_m": "how far the middle of what is poured sinks",
        "duration_s": "from the tilt of the vessel until what is poured has come to rest",
        "num_bodies": "parts that are poured",
        "tilt_rad": "tilt of the vessel as it leaves",
    },
)
def find_pourings(scene: Scene) -> tuple[Event, ...]:
    """Many small bodies leave a vessel that tips, downward.

    Five parts or more, one object of the scene, are in a vessel (see `contain`); their middle
    leaves it as it is tilted by 45 degrees or more, and sinks by 0.1 m or more. It begins when the
    vessel first tilts by 20 degrees and ends when the middle sinks at less than 0.1 m/s. Needs
    metres and the number of parts.
    """
    if scene.num_parts is None or not motion_of(scene).is_metric:
        return ()
    events = []
    for pair in _insides(scene):
        count = int(scene.num_parts[pair.content.row].max())
        first, last = find_runs(_bridged(pair.time_s, pair.holds))[0]
        if count < MIN_GRAINS or first > 0 or last + 1 >= len(pair.time_s):
            continue
        tilt = _tilts(scene, pair.vessel)[pair.index_vessel]
        if tilt[last] < POUR_TILT_RAD:
            continue
        content = pair.content
        height = content.height[pair.index_content]
        sinking = (smooth_velocity(content)[0] @ content.up)[pair.index_content] < -MIN_POUR_M
        later = np.flatnonzero(~sinking[last + 1 :])
        end = last + 1 + int(later[0]) if len(later) else len(height) - 1
        if height[last] - height[end] < MIN_POUR_M:
            continue
        start = int(np.flatnonzero(tilt[: last + 1] <= UPRIGHT_RAD)[-1:].sum())
        start_s, end_s = float(pair.time_s[start]), float(pair.time_s[end])
        quantities = {
            "height_m": float(height[start] - height[end]),
            "duration_s": end_s - start_s,
            "num_bodies": float(count),
            "tilt_rad": float(tilt[last]),
        }
        roles = {"agent": pair.vessel.object_id, "object": content.object_id}
        events.append(Event("pour", start_s, end_s, roles, quantities))
    return tuple(sorted(events, key=lambda event: event.start_s))


def _tilts(scene: Scene, track: Track) -> np.ndarray:
    """Angle between the way up now and where the body had it at first, `[K]`."""
    if scene.rotation_wxyz is None:
        return np.full(track.num_samples, np.nan)
    rotation = scene.rotation_wxyz[track.row, track.frames]
    if not np.isfinite(rotation).all() or not np.linalg.norm(rotation, axis=1).all():
        return np.full(track.num_samples, np.nan)
    up = _turned_back(rotation, np.tile(track.up, (len(rotation), 1)))
    return np.arccos(np.clip(up @ up[0], -1.0, 1.0))
