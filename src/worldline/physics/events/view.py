"""Events of seeing: enter, exit, occlude, reappear."""

from __future__ import annotations

import numpy as np

from worldline.core import Event, Scene
from worldline.physics.events.ontology import define
from worldline.physics.kinematics import find_runs

__all__ = [
    "border_distance",
    "find_entries",
    "find_exits",
    "find_occluder",
    "find_occlusions",
    "find_reappearances",
]

LOOK_AHEAD_S = 0.5
"""A tracker may need so long to start, and may lose an object so much early, at the border."""

BORDER_SHARE = 0.02
"""A box this near the border (share of the image side) is at the border."""

MIN_HIDDEN_S = 0.05
"""A shorter loss of sight is a missed detection, unless it is more than two frames."""


def _runs(scene: Scene, row: int) -> list[tuple[int, int]]:
    seen = scene.visible[row] & np.all(np.isfinite(scene.center_px[row]), axis=1)
    return find_runs(seen)


def border_distance(
    scene: Scene, row: int, frame: int, inner: int, *, ahead_s: float = LOOK_AHEAD_S
) -> float:
    """Least distance (share of the image side) from the border, now or after going on for a time.

    `inner` is a frame some time further inside the interval in view: the velocity between the two
    carries the box on, outwards.
    """
    size = np.array([scene.width_px, scene.height_px], dtype=np.float64)
    center, half = scene.center_px[row, frame], scene.size_px[row, frame] / 2
    half = np.where(np.isfinite(half), half, 0.0)
    span = float(scene.time_s[frame] - scene.time_s[inner])
    ahead = np.zeros(2)
    if span != 0:
        ahead = (center - scene.center_px[row, inner]) / abs(span) * ahead_s
    distances = []
    for step in (np.zeros(2), ahead):
        low, high = center + step - half, size - (center + step + half)
        distances.append(float(np.min(np.concatenate([low / size, high / size]))))
    return min(distances)


def _inner(scene: Scene, frame: int, other_end: int) -> int:
    """Frame about 0.3 s from `frame` towards the other end of the run."""
    step = 1 if other_end >= frame else -1
    inner = frame
    while inner != other_end and abs(scene.time_s[inner] - scene.time_s[frame]) < 0.3:
        inner += step
    return inner


def _speed(scene: Scene, row: int, frame: int, inner: int) -> dict[str, float]:
    span = abs(float(scene.time_s[frame] - scene.time_s[inner]))
    if span == 0:
        return {}
    way = float(np.linalg.norm(scene.center_px[row, frame] - scene.center_px[row, inner]))
    return {"speed_px_s": way / span}


@define(
    "enter",
    roles={"object": "what comes into view"},
    quantities={"speed_px_s": "speed in the image over the first 0.3 s"},
)
def find_entries(scene: Scene) -> tuple[Event, ...]:
    """An object comes into view across the image border, after the first frame.

    Its first box lies within 2% of the image side of the border, or would have 0.5 s earlier at the
    velocity of its first 0.3 s (trackers start late).
    """
    events = []
    for row in range(scene.num_objects):
        runs = _runs(scene, row)
        for n, (first, last) in enumerate(runs):
            inner = _inner(scene, first, last)
            if first == 0 or border_distance(scene, row, first, inner) > BORDER_SHARE:
                continue
            if n > 0 and not _left(scene, row, runs[n - 1]):
                continue
            moment = float(scene.time_s[first])
            roles = {"object": int(scene.ids[row])}
            quantities = _speed(scene, row, first, inner)
            events.append(Event("enter", moment, moment, roles, quantities))
    return tuple(events)


@define(
    "exit",
    roles={"object": "what goes out of view"},
    quantities={"speed_px_s": "speed in the image over the last 0.3 s"},
)
def find_exits(scene: Scene) -> tuple[Event, ...]:
    """An object goes out of view across the image border, before the last frame.

    Its last box lies within 2% of the image side of the border, or would 0.5 s later at the
    velocity of its last 0.3 s.
    """
    events = []
    for row in range(scene.num_objects):
        runs = _runs(scene, row)
        for n, (first, last) in enumerate(runs):
            if last == scene.num_frames - 1 or not _left(scene, row, (first, last)):
                continue
            if n + 1 < len(runs):
                again, until = runs[n + 1]
                if border_distance(scene, row, again, _inner(scene, again, until)) > BORDER_SHARE:
                    continue
            moment = float(scene.time_s[last])
            roles = {"object": int(scene.ids[row])}
            quantities = _speed(scene, row, last, _inner(scene, last, first))
            events.append(Event("exit", moment, moment, roles, quantities))
    return tuple(events)


def _left(scene: Scene, row: int, run: tuple[int, int]) -> bool:
    inner = _inner(scene, run[1], run[0])
    return border_distance(scene, row, run[1], inner) <= BORDER_SHARE


def find_occluder(scene: Scene, row: int, frame: int) -> int | None:
    """Id of an object that can hide another at its last (or first) seen place.

    It is visible in that frame or the next to it, nearer than the hidden one where depth is known,
    and its box overlaps the other's box grown by a quarter.
    """
    center, size = scene.center_px[row, frame], scene.size_px[row, frame] * 1.25
    best, best_overlap = None, 0.0
    for other in range(scene.num_objects):
        if other == row:
            continue
        for near in (frame, frame - 1, frame + 1):
            if not 0 <= near < scene.num_frames or not scene.visible[other, near]:
                continue
            apart = np.abs(scene.center_px[other, near] - center)
            overlap = (scene.size_px[other, near] + size) / 2 - apart
            if not np.all(overlap > 0):
                continue
            if scene.depth_m is not None:
                depths = scene.depth_m[other, near], scene.depth_m[row, frame]
                if np.all(np.isfinite(depths)) and depths[0] > depths[1]:
                    continue
            if float(np.prod(overlap)) > best_overlap:
                best, best_overlap = int(scene.ids[other]), float(np.prod(overlap))
    return best


def _hidden(scene: Scene, row: int) -> list[tuple[int, int | None]]:
    """(last seen frame, first frame seen again or None) for each loss of sight inside the image."""
    runs = _runs(scene, row)
    losses: list[tuple[int, int | None]] = []
    for n, (first, last) in enumerate(runs):
        again = runs[n + 1][0] if n + 1 < len(runs) else None
        if last == scene.num_frames - 1:
            continue
        until = again if again is not None else scene.num_frames - 1
        gap_s = float(scene.time_s[until] - scene.time_s[last])
        if again is not None and again - last <= 3 and gap_s <= MIN_HIDDEN_S:
            continue
        if again is None:
            # Never seen again: hidden only if it still exists, or if something stands before it.
            exists = bool(scene.present[row, last + 1 :].all())
            if _left(scene, row, (first, last)):
                continue
            if not exists and find_occluder(scene, row, last) is None:
                continue
        elif _left(scene, row, (first, last)):
            back = runs[n + 1]
            if border_distance(scene, row, back[0], _inner(scene, *back)) <= BORDER_SHARE:
                continue
        losses.append((last, again))
    return losses


@define(
    "occlude",
    roles={"object": "what is hidden", "occluder": "what hides it, if another object"},
    quantities={"duration_s": "time out of sight (until the end of the scene if never seen again)"},
)
def find_occlusions(scene: Scene) -> tuple[Event, ...]:
    """An object that was seen is out of sight inside the image, though it has not left it.

    It is seen again later, or it still exists by `present`, or another object's box covers the
    place where it was last seen. A loss of at most two frames and 0.05 s is a missed detection.
    """
    events = []
    for row in range(scene.num_objects):
        for last, again in _hidden(scene, row):
            start_s = float(scene.time_s[last])
            end_s = float(scene.time_s[again if again is not None else -1])
            roles = {"object": int(scene.ids[row])}
            occluder = find_occluder(scene, row, last)
            if occluder is not None:
                roles["occluder"] = occluder
            events.append(Event("occlude", start_s, end_s, roles, {"duration_s": end_s - start_s}))
    return tuple(events)


@define(
    "reappear",
    roles={"object": "what is seen again", "occluder": "what it comes out behind, if an object"},
    quantities={"hidden_s": "time out of sight before"},
)
def find_reappearances(scene: Scene) -> tuple[Event, ...]:
    """An occluded object is seen again; the moment is its first frame in view (see `occlude`)."""
    events = []
    for row in range(scene.num_objects):
        for last, again in _hidden(scene, row):
            if again is None:
                continue
            moment = float(scene.time_s[again])
            roles = {"object": int(scene.ids[row])}
            occluder = find_occluder(scene, row, again)
            if occluder is not None:
                roles["occluder"] = occluder
            hidden_s = moment - float(scene.time_s[last])
            events.append(Event("reappear", moment, moment, roles, {"hidden_s": hidden_s}))
    return tuple(events)
