"""Events between two bodies: contact, collide, cross."""

from __future__ import annotations

import math

import numpy as np

from worldline.core import STATIC, Event, Scene
from worldline.physics.conflict import post_encroachment_time
from worldline.physics.contacts import detect_contacts, find_pairs
from worldline.physics.events.ontology import define
from worldline.physics.footprint import disc_radius, ground_path
from worldline.physics.kinematics import Track, find_runs, motion_of

__all__ = ["find_collisions", "find_contacts", "find_crossings"]


@define(
    "contact",
    roles={"a": "one body", "b": "the other (-1: the static world)"},
    quantities={"duration_s": "time in touch", "impulse_ns": "largest normal impulse, if known"},
)
def find_contacts(scene: Scene) -> tuple[Event, ...]:
    """Two bodies touch: see `worldline.physics.contacts.detect_contacts` for the definition."""
    events = []
    for contact in detect_contacts(scene):
        quantities = {"duration_s": contact.end_s - contact.start_s}
        if contact.impulse_ns is not None and math.isfinite(contact.impulse_ns):
            quantities["impulse_ns"] = contact.impulse_ns
        events.append(
            Event(
                "contact",
                contact.start_s,
                contact.end_s,
                {"a": contact.a, "b": contact.b},
                quantities,
                contact.confidence,
            )
        )
    return tuple(events)


MIN_APPROACH_MPS = 0.1
"""Bodies that meet slower are put down or lean, they do not collide."""

MAX_PUSH = 2.1
"""A collision changes a velocity by (1 + e) m' / (m + m') <= 2 approach speeds (pixels)."""

WEAK_PUSH = 0.15
"""A change below this share of the approach speed may point anywhere (pixels)."""

MIN_PUSH_COS = 0.5
"""A change points away from the other body within 60 degrees (pixels)."""

MIN_APPROACH_SIZES = 0.5
"""The same in pixel scenes, in sizes of the smaller object per second."""


@define(
    "collide",
    roles={"a": "one body", "b": "the other"},
    quantities={
        "approach_speed_mps": "speed at which they near each other just before (metric scenes)",
        "approach_speed_px_s": "the same in pixel scenes",
        "delta_v_a_mps": "change of velocity of a (metric scenes)",
        "delta_v_b_mps": "change of velocity of b (metric scenes)",
        "delta_v_a_px_s": "the same in pixel scenes",
        "delta_v_b_px_s": "the same in pixel scenes",
    },
)
def find_collisions(scene: Scene) -> tuple[Event, ...]:
    """Two bodies approach, touch, and at least one changes its velocity.

    Approach speed is the rate at which the distance of the centres shrinks just before the touch:
    at least 0.1 m/s (pixels: half the smaller size per second). Delta-v is the change from just
    before to just after, the usual measure of crash severity (Shelby 2011). Touch is a contact of
    the scene, or in pixels boxes that touch together with a velocity jump (`detect_contacts`) that
    pushes the bodies apart by at most twice the approach speed, as momentum and energy demand.
    """
    motion = motion_of(scene)
    unit = "mps" if motion.is_metric else "px_s"
    events = []
    for contact in detect_contacts(scene):
        a, b = motion.of(contact.a), motion.of(contact.b)
        if contact.b == STATIC or a is None or b is None:
            continue
        state = [_velocity_around(track, contact.start_s) for track in (a, b)]
        if state[0] is None or state[1] is None:
            continue
        (place_a, in_a, out_a), (place_b, in_b, out_b) = state[0], state[1]
        way = place_b - place_a
        distance = float(np.linalg.norm(way))
        approach = -float((in_b - in_a) @ way) / distance if distance > 0 else 0.0
        least = MIN_APPROACH_MPS if motion.is_metric else MIN_APPROACH_SIZES * min(a.scale, b.scale)
        if approach < least:
            continue
        kick_a, kick_b = out_a - in_a, out_b - in_b
        if not motion.is_metric and not (
            _is_push(kick_a, -way, approach) and _is_push(kick_b, way, approach)
        ):
            continue
        quantities = {
            f"approach_speed_{unit}": approach,
            f"delta_v_a_{unit}": float(np.linalg.norm(kick_a)),
            f"delta_v_b_{unit}": float(np.linalg.norm(kick_b)),
        }
        roles = {"a": contact.a, "b": contact.b}
        events.append(
            Event("collide", contact.start_s, contact.end_s, roles, quantities, contact.confidence)
        )
    return tuple(events)


def _is_push(kick: np.ndarray, away: np.ndarray, approach: float) -> bool:
    """Whether a change of velocity is one that a collision can give."""
    size = float(np.linalg.norm(kick))
    if size <= WEAK_PUSH * approach:
        return True  # the heavier of two bodies hardly notices
    along = float(kick @ away) / (size * float(np.linalg.norm(away)))
    return size <= MAX_PUSH * approach and along >= MIN_PUSH_COS


def _velocity_around(
    track: Track, moment_s: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Position at, velocity just before and just after a moment; None if not seen before."""
    t = track.time_s
    slack = 1e-9
    before = int(np.searchsorted(t, moment_s - slack)) - 1
    after = int(np.searchsorted(t, moment_s + 1.5 * track.step_s + slack))
    if before < 0:
        return None
    incoming = _velocity_near(track, before, at_end=True)
    outgoing = incoming if after >= len(t) else _velocity_near(track, after, at_end=False)
    return track.position[before], incoming, outgoing


def _velocity_near(track: Track, sample: int, *, at_end: bool) -> np.ndarray:
    """Velocity at a sample from the fit of its own segment, else from its neighbour."""
    for segment in track.segments:
        if segment.start <= sample < segment.stop and segment.fit is not None:
            return segment.fit.velocity(float(track.time_s[sample]))
    other = max(sample - 1, 0) if at_end else min(sample + 1, track.num_samples - 1)
    if other == sample:
        other = min(sample + 1, track.num_samples - 1) if at_end else max(sample - 1, 0)
    span = float(track.time_s[sample] - track.time_s[other])
    if span == 0:
        return np.zeros(track.position.shape[1])
    return (track.position[sample] - track.position[other]) / span


@define(
    "cross",
    roles={"a": "who passes first", "b": "who passes second"},
    quantities={"pet_s": "post-encroachment time", "speed_a_mps": "", "speed_b_mps": ""},
)
def find_crossings(scene: Scene) -> tuple[Event, ...]:
    """The paths of two moving bodies cross, one after the other.

    Paths are those of the centres on the ground (metric) or of the feet of the boxes (pixels). The
    conflict area is the disc around the crossing point with both radii together; `pet_s` is the
    time from the first body leaving it to the second entering it (Allen, Shin and Cooper 1978), and
    is 0 or less when both are in it at once. Bodies must cross at 20 degrees or more.
    """
    events = []
    for pair in find_pairs(scene):
        path_a, path_b = ground_path(pair.a), ground_path(pair.b)
        found = _first_crossing(path_a, path_b)
        if found is None:
            continue
        i, j, point = found
        reach = disc_radius(pair.a) + disc_radius(pair.b)
        span_a = _time_within(pair.a, path_a, point, i, reach)
        span_b = _time_within(pair.b, path_b, point, j, reach)
        first, second = (pair.a, pair.b), (span_a, span_b)
        if span_b[0] < span_a[0]:
            first, second = (pair.b, pair.a), (span_b, span_a)
        pet = post_encroachment_time(second[0][1], second[1][0])
        roles = {"a": first[0].object_id, "b": first[1].object_id}
        confidence = 1.0 if pair.a.is_metric else 0.7
        start_s, end_s = second[0][0], max(second[0][1], second[1][1])
        events.append(Event("cross", start_s, end_s, roles, {"pet_s": pet}, confidence))
    return tuple(events)


MIN_CROSSING_SIN = math.sin(math.radians(20))
"""Paths at a smaller angle run along each other."""


def _first_crossing(path_a: np.ndarray, path_b: np.ndarray) -> tuple[int, int, np.ndarray] | None:
    """Steps of both paths that intersect, earliest on the first path, and where."""
    step_a, step_b = np.diff(path_a, axis=0), np.diff(path_b, axis=0)
    between = path_b[None, :-1] - path_a[:-1, None]
    turn = step_a[:, None, 0] * step_b[None, :, 1] - step_a[:, None, 1] * step_b[None, :, 0]
    length = np.linalg.norm(step_a, axis=1)[:, None] * np.linalg.norm(step_b, axis=1)[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        s = (between[..., 0] * step_b[None, :, 1] - between[..., 1] * step_b[None, :, 0]) / turn
        u = (between[..., 0] * step_a[:, None, 1] - between[..., 1] * step_a[:, None, 0]) / turn
        meets = (np.abs(turn) > MIN_CROSSING_SIN * length) & (s >= 0) & (s < 1) & (u >= 0) & (u < 1)
    where = np.argwhere(meets)
    if not len(where):
        return None
    i, j = (int(x) for x in where[0])
    return i, j, path_a[i] + s[i, j] * step_a[i]


def _time_within(
    track: Track, path: np.ndarray, point: np.ndarray, step: int, reach: float
) -> tuple[float, float]:
    """First and last moment around a step at which the path is within reach of a point."""
    inside = np.linalg.norm(path - point, axis=1) <= reach
    inside[step : step + 2] = True
    first, last = next((a, b) for a, b in find_runs(inside) if a <= step <= b)
    return float(track.time_s[first]), float(track.time_s[last])
