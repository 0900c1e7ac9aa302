"""Events of going round and to and fro: oscillate, rotate."""

from __future__ import annotations

import itertools
import math

import numpy as np

from worldline.core import Event, Scene
from worldline.physics.events.ontology import define
from worldline.physics.kinematics import Track, find_runs, motion_of

__all__ = ["find_oscillations", "find_rotations"]

MIN_SWINGS = 3
"""Half periods that an oscillation shows at least."""

MAX_IRREGULARITY = 0.25
"""Standard deviation of half periods over their mean."""

MIN_SWING_M, MIN_SWING_PX, MIN_SWING_SIZES = 0.02, 4.0, 0.25
"""Least way from turn to turn; pixel scenes ask for both the latter."""

MAX_ASYMMETRY = 0.25
"""How far the middle of a swing may lie from the middle of all, in swings."""


@define(
    "oscillate",
    roles={"object": "what goes to and fro"},
    quantities={
        "period_s": "twice the mean time from turn to turn",
        "amplitude_m": "half the mean way from turn to turn (metric scenes)",
        "amplitude_px": "the same in pixel scenes",
        "num_swings": "ways from turn to turn",
    },
)
def find_oscillations(scene: Scene) -> tuple[Event, ...]:
    """A body goes to and fro along a line, regularly, and turns round smoothly.

    On the axis along which it moves most there are 4 turning points or more (3 swings), each swing
    at least 0.02 m (4 px and a quarter of the object's size); the times of the swings vary by at
    most a quarter (standard deviation over mean), their middles by a quarter of their length, and
    next to a turning point the speed is at most half of the greatest of the swing: a ball that
    bounces turns at full speed.
    """
    events = []
    for track in motion_of(scene).tracks:
        if track.num_samples < 9:
            continue
        centred = track.position - track.position.mean(axis=0)
        axis = np.linalg.svd(centred, full_matrices=False)[2][0]
        along = centred @ axis
        least = MIN_SWING_M
        if not track.is_metric:
            least = max(MIN_SWING_PX, MIN_SWING_SIZES * track.scale)
        turns = _turning_points(along, least)
        found = _regular(track, along, turns)
        if found is None:
            continue
        first, last = found
        own = turns[first : last + 1]
        start_s, end_s = float(track.time_s[own[0]]), float(track.time_s[own[-1]])
        ways = np.abs(np.diff(along[own]))
        unit = "m" if track.is_metric else "px"
        quantities = {
            "period_s": 2 * (end_s - start_s) / (len(own) - 1),
            f"amplitude_{unit}": float(ways.mean()) / 2,
            "num_swings": float(len(own) - 1),
        }
        confidence = 1.0 if track.is_metric else 0.7
        roles = {"object": track.object_id}
        events.append(Event("oscillate", start_s, end_s, roles, quantities, confidence))
    return tuple(events)


def _turning_points(along: np.ndarray, least: float) -> list[int]:
    """Samples at which a coordinate turns round for a way of `least` or more, without its ends."""
    points, extreme, direction = [], 0, 0
    for i in range(1, len(along)):
        way = along[i] - along[extreme]
        if direction == 0:
            if abs(way) >= least:
                direction, extreme = int(np.sign(way)), i
        elif way * direction > 0:
            extreme = i
        elif -way * direction >= least:
            points.append(extreme)
            direction, extreme = -direction, i
    return points


def _regular(track: Track, along: np.ndarray, turns: list[int]) -> tuple[int, int] | None:
    """First and last of the longest row of turning points that make a regular oscillation."""
    best = None
    for first, last in itertools.combinations(range(len(turns)), 2):
        if last - first < MIN_SWINGS or (best and last - first <= best[1] - best[0]):
            continue
        own = turns[first : last + 1]
        times = np.diff(track.time_s[own])
        places = along[own]
        ways, middles = np.abs(np.diff(places)), (places[1:] + places[:-1]) / 2
        if (
            times.std() <= MAX_IRREGULARITY * times.mean()
            and np.ptp(middles) <= 2 * MAX_ASYMMETRY * ways.mean()
            and _is_smooth(track, along, own)
        ):
            best = first, last
    return best


def _is_smooth(track: Track, along: np.ndarray, turns: list[int]) -> bool:
    """Whether a body slows down before it turns round."""
    step = np.abs(np.diff(along) / np.diff(track.time_s))
    speed = np.maximum(np.append(step, 0.0), np.append(0.0, step))  # the faster side of a sample
    return all(
        max(speed[a], speed[b]) <= speed[a : b + 1].max() / 2 for a, b in itertools.pairwise(turns)
    )


MIN_SPIN_RADPS = 1.0
"""A slower body rests, as far as turning goes."""

MIN_SPIN_RAD = math.pi / 2
"""Least angle that counts."""


@define(
    "rotate",
    roles={"object": "what turns about itself"},
    quantities={
        "angle_rad": "angle turned through in all",
        "spin_radps": "mean angular speed",
        "duration_s": "time turning",
    },
)
def find_rotations(scene: Scene) -> tuple[Event, ...]:
    """A body turns about itself: 1 rad/s or more without a break, by a quarter turn or more.

    Rolling is turning too. Needs angular velocity; in pixels there is no such event.
    """
    if scene.angular_velocity_radps is None:
        return ()
    events = []
    for track in motion_of(scene).tracks:
        spin = np.linalg.norm(scene.angular_velocity_radps[track.row, track.frames], axis=1)
        for first, last in find_runs(np.nan_to_num(spin) >= MIN_SPIN_RADPS):
            part = slice(first, last + 1)
            angle = float(np.trapezoid(spin[part], track.time_s[part]))
            start_s, end_s = float(track.time_s[first]), float(track.time_s[last])
            if angle < MIN_SPIN_RAD:
                continue
            quantities = {
                "angle_rad": angle,
                "spin_radps": angle / (end_s - start_s),
                "duration_s": end_s - start_s,
            }
            roles = {"object": track.object_id}
            events.append(Event("rotate", start_s, end_s, roles, quantities))
    return tuple(events)
