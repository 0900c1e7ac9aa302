"""Events of supported bodies: roll, slide, topple."""

from __future__ import annotations

import math

import numpy as np

from worldline.core import STATIC, Event, Scene
from worldline.physics.events.ontology import define
from worldline.physics.kinematics import Track, find_runs, motion_of, smooth_velocity

__all__ = ["find_rolls", "find_slides", "find_topples"]

MIN_SPEED_MPS = 0.1
"""Slower bodies rest."""

MIN_DURATION_S = 0.2
"""Shorter spells are impacts."""

ROLLING_SHARE = 0.6
"""Rolling: surface speed by rotation, omega r, is at least this share of the speed (1: no slip)."""

SLIDING_SHARE = 0.3
"""Sliding: surface speed by rotation is at most this share of the speed (0: no rotation)."""

UPRIGHT_RAD, FALLEN_RAD = math.radians(20), math.radians(60)
"""Topple: tilt of the standing axis before and after."""

TALL_RATIO, FLAT_RATIO = 1.3, 1.1
"""Topple in pixels: height over width before, and width over height after."""


TURNED = frozenset({"cylinder", "capsule"})
"""Labels of bodies round about their own z axis, which roll about it rather than topple."""


def _on_support(scene: Scene, track: Track) -> np.ndarray:
    """Support under the track at each sample: an object id, `STATIC`, or -2 for none."""
    support = np.full(track.num_samples, -2, dtype=np.int64)
    slack = 0.5 * track.step_s
    for contact in scene.contacts:
        if track.object_id not in (contact.a, contact.b):
            continue
        other = contact.b if contact.a == track.object_id else contact.a
        covered = (track.time_s >= contact.start_s - slack) & (
            track.time_s <= contact.end_s + slack
        )
        support[covered & ((support == -2) | (other == STATIC))] = other
    return support


def _sliding_or_rolling(scene: Scene, *, rolls: bool) -> tuple[Event, ...]:
    events = []
    spin = scene.angular_velocity_radps
    if scene.position_m is None or spin is None:
        return ()
    for track in motion_of(scene).tracks:
        support = _on_support(scene, track)
        velocity = smooth_velocity(track)[0]
        speed = np.linalg.norm(velocity, axis=1)
        turning = np.linalg.norm(spin[track.row, track.frames], axis=1)
        sides = track.size[0]
        radius = float(np.min(sides)) / 2 if np.all(np.isfinite(sides)) else math.nan
        surface = turning * radius
        moving = (support != -2) & (speed >= MIN_SPEED_MPS) & np.isfinite(surface)
        kind = surface >= ROLLING_SHARE * speed if rolls else surface <= SLIDING_SHARE * speed
        if scene.num_parts is not None:
            moving &= scene.num_parts[track.row, track.frames] == 1  # pieces have no common spin
        for first, last in find_runs(moving & kind):
            start_s, end_s = float(track.time_s[first]), float(track.time_s[last])
            if end_s - start_s < MIN_DURATION_S:
                continue
            way = np.linalg.norm(np.diff(track.position[first : last + 1], axis=0), axis=1)
            part = slice(first, last + 1)
            quantities = {
                "distance_m": float(way.sum()),
                "speed_mps": float(np.mean(speed[part])),
                "duration_s": end_s - start_s,
            }
            if rolls:
                quantities["spin_radps"] = float(np.mean(turning[part]))
            values, counts = np.unique(support[part], return_counts=True)
            roles = {"object": track.object_id, "support": int(values[np.argmax(counts)])}
            events.append(Event("roll" if rolls else "slide", start_s, end_s, roles, quantities))
    return tuple(events)


@define(
    "roll",
    roles={"object": "what rolls", "support": "what it rolls on (-1: the static world)"},
    quantities={
        "distance_m": "way rolled",
        "speed_mps": "mean speed",
        "duration_s": "time rolling",
        "spin_radps": "mean angular speed",
    },
)
def find_rolls(scene: Scene) -> tuple[Event, ...]:
    """A supported body moves and turns: omega r is at least 60% of v (100%: no slip).

    v at least 0.1 m/s for at least 0.2 s, in contact throughout; r is half the body's least side.
    Needs metres and angular velocity; in pixels rotation is not seen and there is no such event.
    """
    return _sliding_or_rolling(scene, rolls=True)


@define(
    "slide",
    roles={"object": "what slides", "support": "what it slides on (-1: the static world)"},
    quantities={
        "distance_m": "way slid",
        "speed_mps": "mean speed",
        "duration_s": "time sliding",
    },
)
def find_slides(scene: Scene) -> tuple[Event, ...]:
    """A supported body moves without turning: omega r is at most 30% of v.

    v at least 0.1 m/s for at least 0.2 s, in contact throughout; r is half the body's least side.
    Needs metres and angular velocity, as `roll`.
    """
    return _sliding_or_rolling(scene, rolls=False)


@define(
    "topple",
    roles={"object": "what topples"},
    quantities={
        "tilt_rad": "tilt of the standing axis at the end (metric scenes)",
        "duration_s": "from upright to down",
    },
)
def find_topples(scene: Scene) -> tuple[Event, ...]:
    """A standing body ends lying.

    Metric scenes with rotation: the body's axis that was vertical at first and is its longest side
    (at least 1.3 times the least of the others; of a cylinder or capsule, its own axis) tilts from
    below 20 degrees to beyond 60 and does not come back, and it is supported when it begins (if
    contacts are recorded): a body that tumbles through the air does not topple.

    Pixels: the box is at first 1.3 times taller than wide, at the end 1.1 times wider than tall,
    its foot stays within half its height, and it keeps its area within a factor 2.
    """
    events = []
    for track in motion_of(scene).tracks:
        tilt = _tilt(scene, track) if track.is_metric else _pixel_tilt(track)
        if tilt is None:
            continue
        down = np.flatnonzero(tilt >= FALLEN_RAD)
        upright = np.flatnonzero(tilt <= UPRIGHT_RAD)
        if not len(down) or not len(upright) or tilt[-1] < FALLEN_RAD:
            continue
        last_up = upright[-1]
        first_down = down[down > last_up]
        if not len(first_down):
            continue
        start_s, end_s = float(track.time_s[last_up]), float(track.time_s[first_down[0]])
        if track.is_metric and scene.contacts and _on_support(scene, track)[last_up] == -2:
            continue
        quantities = {"duration_s": end_s - start_s}
        if track.is_metric:
            quantities["tilt_rad"] = float(tilt[-1])
        confidence = 1.0 if track.is_metric else 0.6
        roles = {"object": track.object_id}
        events.append(Event("topple", start_s, end_s, roles, quantities, confidence))
    return tuple(events)


def _tilt(scene: Scene, track: Track) -> np.ndarray | None:
    """Angle of the body's standing axis to the vertical; None where it has none."""
    if scene.rotation_wxyz is None or not np.all(np.isfinite(track.size[0])):
        return None
    rotation = scene.rotation_wxyz[track.row, track.frames]
    if not np.all(np.isfinite(rotation)) or not np.linalg.norm(rotation, axis=1).all():
        return None
    # Component of each body axis along up, [K, 3].
    along = np.stack([_rotate(rotation, axis) @ track.up for axis in np.eye(3)], axis=1)
    standing = int(np.argmax(np.abs(along[0])))
    if track.label in TURNED and standing != 2:
        return None
    sides = track.size[0]
    if sides[standing] < max(sides.max() - 1e-9, TALL_RATIO * np.delete(sides, standing).min()):
        return None
    return np.arccos(np.clip(np.abs(along[:, standing]), 0.0, 1.0))


def _rotate(rotation_wxyz: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Vector turned by unit quaternions: v + 2 w (q x v) + 2 q x (q x v)."""
    unit = rotation_wxyz / np.linalg.norm(rotation_wxyz, axis=1, keepdims=True)
    w, q = unit[:, :1], unit[:, 1:]
    turned = np.cross(q, vector)
    return vector + 2 * (w * turned + np.cross(q, turned))


def _pixel_tilt(track: Track) -> np.ndarray | None:
    """A stand-in for the tilt from the shape of the box: 0 tall, pi / 2 flat, pi / 4 between."""
    width, height = track.size[:, 0], track.size[:, 1]
    if track.num_samples < 5 or height[:3].min() < TALL_RATIO * width[:3].max():
        return None
    area = width * height
    if not np.median(area[:3]) > 0:
        return None
    foot = track.position[:, 1] + height / 2
    if not 0.5 <= np.median(area[-3:]) / np.median(area[:3]) <= 2.0:
        return None
    if abs(np.median(foot[-3:]) - np.median(foot[:3])) > 0.5 * np.median(height[:3]):
        return None
    tall, flat = height >= TALL_RATIO * width, width >= FLAT_RATIO * height
    return np.where(tall, 0.0, np.where(flat, math.pi / 2, math.pi / 4))
