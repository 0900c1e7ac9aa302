"""What may have happened in a video: guesses from its paths, to be weighed by learned chances.

The ontology's definitions in pixels are strict, because what they find is told to people as fact.
A search ranks, and so may look further: a guess is kept in the library with the probability that
simulated clips taught (`chances`), and dropped where that is small. Guesses have confidence 0
before they are weighed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from jaxtyping import Float

from worldline.core.scene import Event, Scene
from worldline.physics.kinematics import find_runs

__all__ = ["propose"]

MIN_FRAMES = 5
"""Shorter paths say nothing."""

MIN_SPEED = 0.25
"""A slower thing rests, in own sizes per second."""

MIN_KICK, MAX_KICKS = 1.0, 8
"""Least jump of a velocity that may be a hit, in own sizes per second, and most of a path."""

NEAR = 0.8
"""Pairs whose boxes never come so near, in mean sizes, have nothing to do with each other."""

MAX_PAIRS = 60
"""Most pairs of a video that are looked at, the nearest ones."""

_ALONE = ("roll", "slide", "rotate", "carry", "push", "topple", "turn", "throw", "pick_up")
_ALONE += ("put_down", "collapse", "support", "oscillate", "contain", "deform", "break", "pour")
_MEETINGS = ("collide", "near_miss", "cross")
_LASTING = (
    "push",
    "carry",
    "support",
    "pick_up",
    "put_down",
    "follow",
    "overtake",
    "collapse",
    "contain",
)
_AGENT = {"push": ("agent", "object"), "carry": ("agent", "object"), "pick_up": ("agent", "object")}
_AGENT |= {"contain": ("vessel", "object")}
_AGENT |= {"put_down": ("agent", "object"), "support": ("support", "object")}
_AGENT |= {"follow": ("leader", "object"), "overtake": ("overtaken", "object")}


def propose(scene: Scene) -> tuple[Event, ...]:
    """Guesses for a scene in pixels, in order of start."""
    if scene.position_m is not None or scene.num_frames < MIN_FRAMES:
        return ()
    guesses = [*_alone(scene), *_pairs(scene)]
    return tuple(sorted(guesses, key=lambda e: (e.start_s, e.type, e.end_s)))


def _alone(scene: Scene) -> Iterator[Event]:
    for row, track in enumerate(scene.ids.tolist()):
        frames = np.flatnonzero(scene.present[row])
        if len(frames) < MIN_FRAMES:
            continue
        time_s = scene.time_s[frames]
        velocity = _velocity(scene, row, frames)
        speed = np.linalg.norm(velocity, axis=1)
        moving = np.flatnonzero(speed > MIN_SPEED)
        if not len(moving):
            continue
        span = float(time_s[moving[0]]), float(time_s[moving[-1]])
        for name in _ALONE:
            yield _event(name, *span, {"object": track})
        for name, sign in (("accelerate", 1), ("brake", -1)):
            if run := _longest_change(sign * speed, time_s):
                yield _event(name, *run, {"object": track})
        for i in _kicks(velocity):
            moment = float(time_s[i])
            yield _event("collide", moment, moment, {"object": track})
        down = velocity[:, 1]
        for first, last in find_runs(down > 2 * MIN_SPEED):
            if last - first >= 2:
                yield _event("fall", float(time_s[first]), float(time_s[last]), {"object": track})
        for first, last in find_runs(down < -2 * MIN_SPEED):
            if last - first >= 2:
                yield _event("rise", float(time_s[first]), float(time_s[last]), {"object": track})
        turns = np.flatnonzero((down[:-2] > MIN_SPEED) & (down[2:] < -0.5 * MIN_SPEED)) + 1
        for i in turns[np.diff(turns, prepend=-9) > 3]:
            yield _event("bounce", float(time_s[i - 1]), float(time_s[i + 1]), {"object": track})


def _kicks(velocity: Float[np.ndarray, "k 2"]) -> list[int]:
    """Samples at which a velocity jumps most."""
    lag = 2
    if len(velocity) <= 2 * lag:
        return []
    jump = np.zeros(len(velocity))
    jump[lag:-lag] = np.linalg.norm(velocity[2 * lag :] - velocity[: -2 * lag], axis=1)
    found = []
    for i in np.argsort(-jump):
        if jump[i] < MIN_KICK or len(found) >= MAX_KICKS:
            break
        if all(abs(int(i) - other) > 3 * lag for other in found):
            found.append(int(i))
    return sorted(found)


def _longest_change(
    speed: Float[np.ndarray, " k"], time_s: np.ndarray
) -> tuple[float, float] | None:
    """Interval of the greatest growth of a speed, from a low to a later high."""
    low = np.minimum.accumulate(speed)
    end = int(np.argmax(speed - low))
    start = int(np.argmin(speed[: end + 1]))
    if speed[end] - speed[start] < 2 * MIN_SPEED:
        return None
    return float(time_s[start]), float(time_s[end])


def _pairs(scene: Scene) -> Iterator[Event]:
    near = []
    for a, b in combinations(range(scene.num_objects), 2):
        frames = np.flatnonzero(scene.present[a] & scene.present[b])
        if len(frames) < MIN_FRAMES:
            continue
        apart = np.abs(scene.center_px[a, frames] - scene.center_px[b, frames])
        beyond = apart - (scene.size_px[a, frames] + scene.size_px[b, frames]) / 2
        side = math.sqrt(float(np.nanmean(np.prod(scene.size_px[[a, b]][:, frames], axis=2))))
        gap = np.nanmax(beyond, axis=1) / max(side, 1e-6)
        if np.nanmin(gap) <= NEAR:
            near.append((float(np.nanmin(gap)), a, b, frames, gap))
    near.sort(key=lambda pair: pair[:3])
    for _, a, b, frames, gap in near[:MAX_PAIRS]:
        yield from _of_pair(scene, a, b, frames, gap)


def _of_pair(scene: Scene, a: int, b: int, frames: np.ndarray, gap: np.ndarray) -> Iterator[Event]:
    time_s = scene.time_s[frames]
    ids = int(scene.ids[a]), int(scene.ids[b])
    closest = int(np.nanargmin(np.maximum(gap, 0.0)))
    moment = float(time_s[closest])
    for name in _MEETINGS:
        yield _event(name, moment, moment, {"a": ids[0], "b": ids[1]})
    together = np.flatnonzero(gap < NEAR)
    span = float(time_s[together[0]]), float(time_s[together[-1]])
    for name in _LASTING:
        first, second = _AGENT.get(name, ("object", "other"))
        order = ids if name != "support" or _is_lower(scene, a, b, frames) else ids[::-1]
        roles = {first: order[0], second: order[1]} if name != "collapse" else {"object": ids[0]}
        yield _event(name, *span, roles)


def _is_lower(scene: Scene, a: int, b: int, frames: np.ndarray) -> bool:
    way = scene.center_px[a, frames, 1] - scene.center_px[b, frames, 1]
    return bool(np.nanmedian(way) > 0)


def _velocity(scene: Scene, row: int, frames: np.ndarray) -> Float[np.ndarray, "k 2"]:
    """Velocity in own sizes per second, over two frames to each side."""
    center, time_s = scene.center_px[row, frames], scene.time_s[frames]
    side = math.sqrt(float(np.nanmedian(np.prod(scene.size_px[row, frames], axis=1))))
    last = len(frames) - 1
    ahead = np.minimum(np.arange(len(frames)) + 2, last)
    behind = np.maximum(np.arange(len(frames)) - 2, 0)
    span = np.maximum(time_s[ahead] - time_s[behind], 1e-6)
    return np.nan_to_num((center[ahead] - center[behind]) / span[:, None] / max(side, 1e-6))


def _event(name: str, start_s: float, end_s: float, roles: dict[str, int]) -> Event:
    return Event(name, start_s, end_s, roles, confidence=0.0)
