"""Events of moving and resting: start, stop, still."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from worldline.core import Event, Scene
from worldline.physics.events.ontology import define
from worldline.physics.kinematics import Track, find_runs, motion_of, smooth_velocity

__all__ = ["find_starts", "find_stills", "find_stops"]

MOVING_MPS, RESTING_MPS = 0.15, 0.05
"""Speeds above which a body moves and below which it rests (hysteresis between), metric scenes."""

MOVING_SIZES, RESTING_SIZES = 0.3, 0.12
"""The same in pixel scenes, in object sizes per second."""

NOISE_STD = 3.0
"""Both speeds are raised by so many standard errors of the velocity."""

MIN_STATE_S = 0.2
"""A shorter spell of motion or rest does not count."""

MIN_STILL_S = 0.5
"""Least duration of the event `still`."""


@dataclass(frozen=True)
class _Spell:
    first: int
    last: int
    is_moving: bool


def _spells(track: Track) -> tuple[list[_Spell], np.ndarray]:
    """Alternating spells of motion and rest, and the smoothed speed."""
    velocity, std = smooth_velocity(track)
    speed = np.linalg.norm(velocity, axis=1)
    if track.num_samples < 3:
        return [], speed
    noise = NOISE_STD * np.median(np.linalg.norm(np.where(np.isfinite(std), std, 0.0), axis=1))
    high, low = (MOVING_MPS, RESTING_MPS) if track.is_metric else (MOVING_SIZES, RESTING_SIZES)
    unit = 1.0 if track.is_metric else track.scale
    high, low = high * unit + noise, low * unit + noise
    moving = np.zeros(len(speed), dtype=bool)
    state = bool(speed[0] > low)
    for i, value in enumerate(speed):
        state = value > low if state else value > high
        moving[i] = state
    spells = [_Spell(a, b, True) for a, b in find_runs(moving)]
    spells += [_Spell(a, b, False) for a, b in find_runs(~moving)]
    spells.sort(key=lambda s: s.first)
    # Short spells are absorbed by what surrounds them.
    long = [s for s in spells if track.time_s[s.last] - track.time_s[s.first] >= MIN_STATE_S]
    merged: list[_Spell] = []
    for spell in long:
        if merged and merged[-1].is_moving == spell.is_moving:
            merged[-1] = _Spell(merged[-1].first, spell.last, spell.is_moving)
        else:
            merged.append(spell)
    return merged, speed


def _changes(scene: Scene, *, to_moving: bool) -> tuple[Event, ...]:
    events = []
    name = "start" if to_moving else "stop"
    for track in motion_of(scene).tracks:
        spells, speed = _spells(track)
        for before, after in itertools.pairwise(spells):
            if after.is_moving != to_moving:
                continue
            moment = float(track.time_s[after.first])
            mover = after if to_moving else before
            unit = "mps" if track.is_metric else "px_s"
            top = float(np.max(speed[mover.first : mover.last + 1]))
            quantities = {f"top_speed_{unit}": top}
            start_s = float(track.time_s[before.last])
            events.append(Event(name, start_s, moment, {"object": track.object_id}, quantities))
    return tuple(events)


@define(
    "start",
    roles={"object": "what starts to move"},
    quantities={
        "top_speed_mps": "greatest speed while it then moves (metric scenes)",
        "top_speed_px_s": "the same in pixel scenes",
    },
)
def find_starts(scene: Scene) -> tuple[Event, ...]:
    """A body at rest for 0.2 s starts to move for 0.2 s or more.

    Motion begins above 0.15 m/s and ends below 0.05 m/s (pixels: 0.3 and 0.12 object sizes per
    second), each plus 3 standard errors of the smoothed velocity.
    """
    return _changes(scene, to_moving=True)


@define(
    "stop",
    roles={"object": "what stops"},
    quantities={
        "top_speed_mps": "greatest speed while it moved before (metric scenes)",
        "top_speed_px_s": "the same in pixel scenes",
    },
)
def find_stops(scene: Scene) -> tuple[Event, ...]:
    """A body that moved for 0.2 s or more rests for 0.2 s or more; speeds as for `start`."""
    return _changes(scene, to_moving=False)


@define(
    "still",
    roles={"object": "what rests"},
    quantities={"duration_s": "time at rest"},
)
def find_stills(scene: Scene) -> tuple[Event, ...]:
    """A body rests for 0.5 s or more; speeds as for `start`."""
    events = []
    for track in motion_of(scene).tracks:
        for spell in _spells(track)[0]:
            start_s, end_s = float(track.time_s[spell.first]), float(track.time_s[spell.last])
            if not spell.is_moving and end_s - start_s >= MIN_STILL_S:
                roles = {"object": track.object_id}
                events.append(
                    Event("still", start_s, end_s, roles, {"duration_s": end_s - start_s})
                )
    return tuple(events)
