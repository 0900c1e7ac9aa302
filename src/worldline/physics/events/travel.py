"""Events of one body's way: accelerate, brake, turn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from worldline.core import STATIC, Event, Scene
from worldline.physics.contacts import detect_contacts
from worldline.physics.events.ontology import define
from worldline.physics.flight import find_flights
from worldline.physics.kinematics import Track, across, find_runs, motion_of, smooth_velocity

__all__ = [
    "Travel",
    "find_accelerations",
    "find_brakes",
    "find_turns",
    "travels_of",
]

HALF_WIDTH_S = 0.2
"""Velocities of travel are slopes over so much time to each side."""

MIN_CHANGE_S = 0.4
"""A change of speed that takes less is an impact: a jump looks as long as its smoothing."""

MIN_CHANGE_PX_S, MAX_RATE_SIZES_S2 = 0.6, 6.0
"""In pixels a change takes so long at least, and is no faster than this: trackers that jump from
one thing to another make quick ones."""

MIN_CHANGE_MPS, MIN_CHANGE_SIZES_S = 0.4, 0.75
"""Least change of speed, metric and pixel scenes (object sizes per second)."""

MIN_CHANGE_SHARE = 0.3
"""The same as a share of the greater speed."""

MAX_GROWTH = 1.3
"""In pixels, what comes nearer at one speed gets faster in the image, even in its own sizes: an
object may grow or shrink by this factor meanwhile."""

NOISE_STD = 4.0
"""Changes are so many times their standard error at least."""

MIN_TURN_RAD = math.radians(45)
"""Least change of direction."""

MIN_TURN_S = 0.4
"""A body that turns faster was pushed: a corner looks nearly as long as its smoothing."""

MIN_TURN_PX_S, MIN_TURN_SIZES = 0.5, 0.75
"""In pixels a turn takes so long at least, and so long a way, in object sizes."""

MIN_TURN_MPS, MIN_TURN_SIZES_S = 0.2, 0.5
"""A slower body has no direction."""


@dataclass(frozen=True, eq=False)
class Travel:
    """How a body goes along the ground: across gravity in metres, over the image in its own sizes.

    In pixels the unit is the size of the object's own box at that time, which takes out most of
    what perspective does to speeds.

    Attributes:
        track: of the body.
        velocity: `[K, D]` metres or sizes per second; D is 3 in metres (nothing along gravity).
        speed, speed_std: `[K]` its length and standard error.
        unit: `[K]` what a unit of length is in those of the track: 1, or the object's size.
        known: `[K]` false where the body flies freely, in pixels, or is not seen long enough.
    """

    track: Track
    velocity: np.ndarray
    speed: np.ndarray
    speed_std: np.ndarray
    unit: np.ndarray
    known: np.ndarray


_TRAVELS: WeakKeyDictionary[Scene, list[Travel]] = WeakKeyDictionary()


def travels_of(scene: Scene) -> list[Travel]:
    """The travel of every track with five samples or more, computed once for each scene object."""
    found = _TRAVELS.get(scene)
    if found is None:
        found = _TRAVELS[scene] = _find_travels(scene)
    return found


def _find_travels(scene: Scene) -> list[Travel]:
    flights = {} if motion_of(scene).is_metric else _flights(scene)
    found = []
    for track in motion_of(scene).tracks:
        if track.num_samples < 5 or not (track.is_metric or track.scale > 0):
            continue
        velocity, std = smooth_velocity(track, half_width_s=HALF_WIDTH_S)
        unit = np.ones(track.num_samples) if track.is_metric else _smooth_size(track)
        if track.is_metric:
            velocity = across(velocity, track.up)
        velocity, std = velocity / unit[:, None], std / unit[:, None]
        speed = np.linalg.norm(velocity, axis=1)
        error = np.linalg.norm(std, axis=1)
        known = np.isfinite(error)
        for first, last in flights.get(track.object_id, ()):
            known[first : last + 1] = False
        found.append(Travel(track, velocity, speed, error, unit, known))
    return found


def _flights(scene: Scene) -> dict[int, list[tuple[int, int]]]:
    spans: dict[int, list[tuple[int, int]]] = {}
    for flight in find_flights(scene):
        spans.setdefault(flight.track.object_id, []).append((flight.first, flight.last))
    return spans


def _smooth_size(track: Track) -> np.ndarray:
    """Root of the box area: its median over some 0.4 s to each side."""
    from scipy.ndimage import median_filter  # searches, which detect nothing, need not load it

    side = np.maximum(np.sqrt(np.prod(track.size, axis=1)), 0.01 * track.scale)
    num = min(round(0.4 / track.step_s), track.num_samples // 2)
    return median_filter(side, 2 * num + 1, mode="nearest")


def _grows(travel: Travel, start: int, end: int) -> bool:
    """Whether the object's size in the image changes by more than `MAX_GROWTH` meanwhile."""
    return bool(np.ptp(np.log(travel.unit[start : end + 1])) > math.log(MAX_GROWTH))


def _was_hit(scene: Scene, track: Track, start_s: float, end_s: float) -> bool:
    """Whether another body that moves touches it within an interval, for a short time."""
    return any(
        track.object_id in (c.a, c.b)
        and STATIC not in (c.a, c.b)
        and c.start_s <= end_s
        and c.end_s >= start_s
        and c.end_s - c.start_s < MIN_CHANGE_S
        for c in scene.contacts or detect_contacts(scene)
    )


def _speed_changes(scene: Scene, *, faster: bool) -> tuple[Event, ...]:
    events = []
    for travel in travels_of(scene):
        track, speed = travel.track, travel.speed
        unit = "mps" if track.is_metric else "sizes_s"
        least = MIN_CHANGE_MPS if track.is_metric else MIN_CHANGE_SIZES_S
        slope = np.diff(speed) * (1 if faster else -1)
        both = travel.known[1:] & travel.known[:-1]
        gap = np.diff(track.time_s) > max(0.25, 3 * track.step_s)
        floor = 0.1 * least * np.diff(track.time_s) / MIN_CHANGE_S
        for first, last in find_runs((slope > floor) & both & ~gap):
            start, end = first, last + 1
            start_s, end_s = float(track.time_s[start]), float(track.time_s[end])
            change = abs(float(speed[end] - speed[start]))
            noise = math.hypot(float(travel.speed_std[start]), float(travel.speed_std[end]))
            if (
                end_s - start_s < (MIN_CHANGE_S if track.is_metric else MIN_CHANGE_PX_S)
                or (not track.is_metric and change > MAX_RATE_SIZES_S2 * (end_s - start_s))
                or change < max(least, NOISE_STD * noise)
                or change < MIN_CHANGE_SHARE * max(float(speed[start]), float(speed[end]))
                or _grows(travel, start, end)
                or _was_hit(scene, track, start_s, end_s)
            ):
                continue
            quantities = {
                f"delta_v_{unit}": change,
                f"delta_v_{unit}_std": noise,
                "duration_s": end_s - start_s,
                f"mean_rate_{unit}2": change / (end_s - start_s),
            }
            roles = {"object": track.object_id}
            confidence = 1.0 if track.is_metric else 0.6
            name = "accelerate" if faster else "brake"
            events.append(Event(name, start_s, end_s, roles, quantities, confidence))
    return tuple(events)


_CHANGE = {
    "delta_v_mps": "change of speed along the ground (metric scenes)",
    "delta_v_sizes_s": "the same in object sizes per second (pixel scenes)",
    "mean_rate_mps2": "that over the time it takes (metric scenes)",
    "mean_rate_sizes_s2": "the same in object sizes per second, per second (pixel scenes)",
    "duration_s": "time it takes",
}


@define("accelerate", roles={"object": "what gets faster"}, quantities=_CHANGE)
def find_accelerations(scene: Scene) -> tuple[Event, ...]:
    """A body gets faster along the ground, steadily, and not because it was hit.

    Speed is that across gravity (metric) or over the image in units of the object's own size
    (pixels, free flights left out), from slopes over 0.2 s to each side. It grows without a break
    for 0.4 s or more, by 0.4 m/s (0.75 sizes per second), by 30% of what it reaches, and by 4
    standard errors; no other moving body touches it for less than 0.4 s meanwhile. In pixels it
    takes 0.6 s or more, no more than 6 sizes per second squared, and the object does not grow or
    shrink by more than 30%.
    """
    return _speed_changes(scene, faster=True)


@define("brake", roles={"object": "what gets slower"}, quantities=_CHANGE)
def find_brakes(scene: Scene) -> tuple[Event, ...]:
    """A body gets slower along the ground, steadily, and not because it was hit.

    As `accelerate`, with a speed that shrinks; whether it brakes itself or friction does is not
    told apart. For road traffic 3.35 m/s^2 and more is severe (Archer 2005, DRAC's threshold).
    """
    return _speed_changes(scene, faster=False)


@define(
    "turn",
    roles={"object": "what changes its direction"},
    quantities={
        "angle_rad": "change of direction, to either side",
        "rightward_rad": "the same, negative where it turns to the left",
        "duration_s": "time it takes",
        "radius_m": "way over angle (metric scenes)",
        "radius_px": "the same in pixel scenes",
    },
)
def find_turns(scene: Scene) -> tuple[Event, ...]:
    """A moving body changes the direction of its way by 45 degrees or more, in a curve.

    Direction is that of the velocity along the ground (see `accelerate`), known where the speed is
    0.2 m/s (0.5 sizes per second) and 4 standard errors or more. It changes to one side without a
    break for 0.4 s or more (pixels: 0.5 s and three quarters of its size, which does not change by
    more than 30%), never by more than half of it between two samples, and no other moving body
    touches it for less than 0.4 s meanwhile.
    """
    events = []
    for travel in travels_of(scene):
        track = travel.track
        least = MIN_TURN_MPS if track.is_metric else MIN_TURN_SIZES_S
        moving = travel.known & (travel.speed >= np.maximum(least, NOISE_STD * travel.speed_std))
        for first, last in find_runs(moving):
            if last - first < 4:
                continue
            events += _curves(scene, travel, first, last)
    return tuple(events)


def _curves(scene: Scene, travel: Travel, first: int, last: int) -> list[Event]:
    track, part = travel.track, slice(first, last + 1)
    flat = travel.velocity[part] @ _ground_axes(track).T
    angle = np.unwrap(np.arctan2(flat[:, 1], flat[:, 0]))
    step = np.diff(angle)
    events = []
    for sign in (1, -1):
        for a, b in find_runs(sign * step > 0):
            # Smoothing draws a curve out at both ends: its first and last twentieth are left off.
            share = (angle[a : b + 2] - angle[a]) / (angle[b + 1] - angle[a])
            a, b = a + int(np.sum(share <= 0.05)) - 1, a + int(np.argmax(share >= 0.95)) - 1
            start, end = first + a, first + b + 1
            start_s, end_s = float(track.time_s[start]), float(track.time_s[end])
            total = float(angle[b + 1] - angle[a])
            way = np.diff(track.position[start : end + 1], axis=0) @ _ground_axes(track).T
            length = float(np.linalg.norm(way, axis=1).sum())
            if (
                abs(total) < MIN_TURN_RAD
                or end_s - start_s < (MIN_TURN_S if track.is_metric else MIN_TURN_PX_S)
                or (not track.is_metric and length < MIN_TURN_SIZES * track.scale)
                or np.abs(step[a : b + 1]).max() > abs(total) / 2
                or _grows(travel, start, end)
                or _was_hit(scene, track, start_s, end_s)
            ):
                continue
            unit = "m" if track.is_metric else "px"
            quantities = {
                "angle_rad": abs(total),
                "rightward_rad": -total if track.is_metric else total,  # y of pictures goes down
                "duration_s": end_s - start_s,
                f"radius_{unit}": length / abs(total),
            }
            confidence = 1.0 if track.is_metric else 0.6
            roles = {"object": track.object_id}
            events.append(Event("turn", start_s, end_s, roles, quantities, confidence))
    return events


def _ground_axes(track: Track) -> np.ndarray:
    """`[2, D]` unit vectors across gravity, the second to the left of the first seen from above;
    in pixels x and y."""
    if not track.is_metric:
        return np.eye(2)
    first = np.eye(3)[int(np.argmin(np.abs(track.up)))]
    first = first - (first @ track.up) * track.up
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(track.up, first)])
