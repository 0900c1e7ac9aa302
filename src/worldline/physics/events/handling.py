"""Events of bodies that handle bodies: push, support, carry, pick_up, put_down,
collapse.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from worldline.core import STATIC, Contact, Event, Scene
from worldline.physics.contacts import detect_contacts, find_pairs
from worldline.physics.events.ontology import define
from worldline.physics.kinematics import Track, across, find_runs, motion_of, smooth_velocity

__all__ = [
    "find_carries",
    "find_collapses",
    "find_pick_ups",
    "find_pushes",
    "find_put_downs",
    "find_supports",
]

MIN_PUSH_S, MIN_PUSH_M = 0.25, 0.05
"""Least time and way of a push."""

MIN_CARRY_S, MIN_CARRY_M = 0.4, 0.15
"""Least time and way of carrying."""

MIN_SUPPORT_S = 0.4
"""Least time of support."""

MIN_LIFT_M = 0.08
"""Least height through which something is picked up or put down."""

MOVING_MPS = 0.1
"""A slower body rests."""

ALIKE = 0.35
"""Bodies that move together differ in velocity by at most this share of their speed."""

EDGE_S = 0.3
"""So near in time are the beginning of a lifting and the end of a touch of the static world, and
likewise the end of a putting down and the beginning of such a touch."""


@dataclass(frozen=True, eq=False)
class _Touch:
    """Two bodies over the samples in which they touch.

    Attributes:
        a, b: tracks.
        time_s: `[M]`.
        index_b: `[M]` samples of b's track.
        way: `[M, 3]` from a to b.
        velocity_a, velocity_b: `[M, 3]`.
        is_above: `[M]` b stands on a: its middle is higher by half the mean of their heights, and
            lies within 0.6 of a's width sideways.
        is_held: `[M]` a holds b up: b is off the ground here, but was on it at some moment of the
            touch or just before or after it, and a never was.
        holds_up: `[M]` the same the other way round.
    """

    a: Track
    b: Track
    time_s: np.ndarray
    index_b: np.ndarray
    way: np.ndarray
    velocity_a: np.ndarray
    velocity_b: np.ndarray
    is_above: np.ndarray
    is_held: np.ndarray
    holds_up: np.ndarray


def _touches(scene: Scene, least_s: float) -> Iterator[_Touch]:
    """Long contacts between bodies of a metric scene, each way round that makes sense."""
    if not motion_of(scene).is_metric:
        return
    pairs = {(p.a.object_id, p.b.object_id): p for p in find_pairs(scene)}
    velocity = {t.object_id: smooth_velocity(t)[0] for t in motion_of(scene).tracks}
    contacts = detect_contacts(scene)
    for contact in contacts:
        if contact.end_s - contact.start_s < least_s:
            continue
        pair = pairs.get((contact.a, contact.b)) or pairs.get((contact.b, contact.a))
        if pair is None:
            continue
        inside = (pair.time_s >= contact.start_s - 1e-9) & (pair.time_s <= contact.end_s + 1e-9)
        if inside.sum() < 3:
            continue
        ground = {i: _on_ground(contacts, i, contact) for i in (contact.a, contact.b)}
        for a, b, ia, ib in (
            (pair.a, pair.b, pair.index_a, pair.index_b),
            (pair.b, pair.a, pair.index_b, pair.index_a),
        ):
            ia, ib = ia[inside], ib[inside]
            way = b.position[ib] - a.position[ia]
            yield _Touch(
                a,
                b,
                pair.time_s[inside],
                ib,
                way,
                velocity[a.object_id][ia],
                velocity[b.object_id][ib],
                _stands_on(a, b, way),
                _is_held(pair.time_s[inside], ground[b.object_id], ground[a.object_id]),
                _is_held(pair.time_s[inside], ground[a.object_id], ground[b.object_id]),
            )


def _on_ground(
    contacts: tuple[Contact, ...], object_id: int, during: Contact
) -> list[tuple[float, float]]:
    """When a body touches the static world, during a touch of another or just before or after."""
    return [
        (c.start_s, c.end_s)
        for c in contacts
        if {c.a, c.b} == {object_id, STATIC}
        and c.start_s <= during.end_s + EDGE_S
        and c.end_s >= during.start_s - EDGE_S
    ]


def _is_held(
    time_s: np.ndarray, own: list[tuple[float, float]], holder: list[tuple[float, float]]
) -> np.ndarray:
    if not own or holder:
        return np.zeros(len(time_s), dtype=bool)
    return ~np.any([(time_s >= start) & (time_s <= end) for start, end in own], axis=0)


def _stands_on(a: Track, b: Track, way: np.ndarray) -> np.ndarray:
    rise = way @ a.up
    aside = np.linalg.norm(way - np.outer(rise, a.up), axis=1)
    tall = [float(np.abs(t.size[0] @ t.up)) for t in (a, b)]
    wide = float(np.max(a.size[0]))
    if not np.isfinite(tall).all() or not math.isfinite(wide):
        return np.zeros(len(way), dtype=bool)
    return (rise >= 0.25 * sum(tall)) & (aside <= 0.6 * wide)


def _speed(velocity: np.ndarray) -> np.ndarray:
    return np.linalg.norm(velocity, axis=1)


def _length(track: Track, samples: np.ndarray) -> float:
    return float(_speed(np.diff(track.position[samples], axis=0)).sum())


@define(
    "push",
    roles={"agent": "what pushes", "object": "what is pushed"},
    quantities={
        "distance_m": "way that the object is pushed",
        "duration_s": "time pushing",
        "speed_mps": "mean speed of the object",
    },
)
def find_pushes(scene: Scene) -> tuple[Event, ...]:
    """A body moves another along before it, staying in touch.

    In touch (breaks of 0.1 s allowed) for 0.25 s or more, the object moves across gravity at 0.1
    m/s or more, over 0.05 m or more; the agent is behind it (within 60 degrees of opposite to its
    way), neither stands on the other, and the agent moves the same way at half to twice the
    object's speed. Needs metres and recorded contacts.
    """
    events = []
    for touch in _touches(scene, MIN_PUSH_S):
        up = touch.a.up
        flat_a, flat_b = across(touch.velocity_a, up), across(touch.velocity_b, up)
        side = across(touch.way, up)
        speed = _speed(flat_b)
        with np.errstate(invalid="ignore", divide="ignore"):
            heading = flat_b / speed[:, None]
            ahead = (side * heading).sum(1) / _speed(side)
            along = (flat_a * heading).sum(1) / speed
        upside = _stands_on(touch.b, touch.a, -touch.way) | touch.is_above
        pushing = (speed >= MOVING_MPS) & (ahead >= 0.5) & (along >= 0.5) & (along <= 2.0)
        events += _spells(touch, pushing & ~upside, "push", MIN_PUSH_S, MIN_PUSH_M)
    return tuple(events)


def _spells(
    touch: _Touch, holds: np.ndarray, name: str, least_s: float, least_m: float
) -> list[Event]:
    events = []
    for first, last in find_runs(holds):
        start_s, end_s = float(touch.time_s[first]), float(touch.time_s[last])
        way = _length(touch.b, touch.index_b[first : last + 1])
        if end_s - start_s < least_s or way < least_m:
            continue
        quantities = {
            "distance_m": way,
            "duration_s": end_s - start_s,
            "speed_mps": way / (end_s - start_s),
        }
        roles = {"agent": touch.a.object_id, "object": touch.b.object_id}
        events.append(Event(name, start_s, end_s, roles, quantities))
    return events


@define(
    "support",
    roles={"object": "what stands", "support": "what it stands on"},
    quantities={"duration_s": "time it stands there"},
    version=2,
)
def find_supports(scene: Scene) -> tuple[Event, ...]:
    """A body stands on another for 0.4 s or more.

    They touch, the middle of the upper one is higher by half the mean of their heights and within
    0.6 of the lower one's width sideways, and they move against each other by less than 0.1 m/s.
    What holds up the lower one from above (see `carry`) does not stand on it. Needs metres and
    recorded contacts; the static world is not counted.
    """
    events = []
    for touch in _touches(scene, MIN_SUPPORT_S):
        rests = (
            touch.is_above
            & ~touch.holds_up
            & (_speed(touch.velocity_b - touch.velocity_a) < MOVING_MPS)
        )
        for first, last in find_runs(rests):
            start_s, end_s = float(touch.time_s[first]), float(touch.time_s[last])
            if end_s - start_s >= MIN_SUPPORT_S:
                roles = {"object": touch.b.object_id, "support": touch.a.object_id}
                quantities = {"duration_s": end_s - start_s}
                events.append(Event("support", start_s, end_s, roles, quantities))
    return tuple(events)


@define(
    "carry",
    roles={"agent": "what carries", "object": "what is carried"},
    quantities={
        "distance_m": "way that the object is carried",
        "duration_s": "time carrying",
        "speed_mps": "mean speed of the object",
    },
    version=2,
)
def find_carries(scene: Scene) -> tuple[Event, ...]:
    """A body takes along another that stands on it or that it holds.

    The object stands on the agent as in `support`, or the agent holds it: the object is off the
    ground, but was on it during the touch or within 0.3 s of it, and the agent never was. Both move
    across gravity at 0.1 m/s or more and their velocities differ by at most 35% of the object's
    speed, for 0.4 s or more, over 0.15 m or more.
    """
    events = []
    for touch in _touches(scene, MIN_CARRY_S):
        speed = _speed(across(touch.velocity_b, touch.b.up))
        apart = _speed(touch.velocity_b - touch.velocity_a)
        taken = (touch.is_above & ~touch.holds_up) | touch.is_held
        riding = taken & (speed >= MOVING_MPS) & (apart <= ALIKE * speed)
        events += _spells(touch, riding, "carry", MIN_CARRY_S, MIN_CARRY_M)
    return tuple(events)


def _lifts(scene: Scene, *, upward: bool) -> tuple[Event, ...]:
    """Rises (or descents) of an object that moves together with what it touches, off (or onto) a
    support."""
    name = "pick_up" if upward else "put_down"
    grounded = [c for c in detect_contacts(scene) if STATIC in (c.a, c.b)]
    events = []
    for touch in _touches(scene, EDGE_S):
        up, b = touch.b.up, touch.b
        climb = touch.velocity_b @ up * (1 if upward else -1)
        together = _speed(touch.velocity_b - touch.velocity_a) <= ALIKE * _speed(touch.velocity_b)
        for first, last in find_runs((climb >= MOVING_MPS / 2) & together):
            ends = b.position[touch.index_b[[first, last]]] @ up
            height = abs(float(ends[1] - ends[0]))
            start_s, end_s = float(touch.time_s[first]), float(touch.time_s[last])
            edge_s = start_s if upward else end_s
            rests = [
                (c.end_s if upward else c.start_s) for c in grounded if b.object_id in (c.a, c.b)
            ]
            carries = any(
                touch.a.object_id in (c.a, c.b) and c.start_s <= end_s and c.end_s >= start_s
                for c in grounded
            )
            if (
                height < MIN_LIFT_M
                or carries
                or not any(abs(moment - edge_s) <= EDGE_S for moment in rests)
            ):
                continue
            quantities = {"height_m": height, "duration_s": end_s - start_s}
            roles = {"agent": touch.a.object_id, "object": b.object_id}
            events.append(Event(name, start_s, end_s, roles, quantities))
    return tuple(events)


@define(
    "pick_up",
    roles={"agent": "what lifts", "object": "what is lifted"},
    quantities={"height_m": "height lifted through", "duration_s": "time rising"},
)
def find_pick_ups(scene: Scene) -> tuple[Event, ...]:
    """A body lifts another off the static world.

    The object rises by 0.08 m or more at 0.05 m/s or more, in touch with the agent and with its
    velocity (within 35% of its speed); its contact with the static world ends within 0.3 s of the
    beginning, and the agent touches no static thing meanwhile. Needs metres and recorded contacts.
    """
    return _lifts(scene, upward=True)


@define(
    "put_down",
    roles={"agent": "what lowers", "object": "what is put down"},
    quantities={"height_m": "height lowered through", "duration_s": "time sinking"},
)
def find_put_downs(scene: Scene) -> tuple[Event, ...]:
    """A body lowers another onto the static world: `pick_up` backwards in time."""
    return _lifts(scene, upward=False)


MIN_STOOD_S = 0.15
"""A body that stood on another for so long belonged to a pile."""

MIN_DROP_SHARE = 0.4
"""A body of a collapse sinks by so much of its own height."""

DROP_WITHIN_S = 1.0
"""So soon after it lost its support."""

TOGETHER_S = 1.0
"""Bodies whose drops begin within this time of each other collapse together."""


@define(
    "collapse",
    roles={"object": "the body that stood highest"},
    quantities={
        "num_bodies": "bodies that sink",
        "height_lost_m": "greatest height that one of them sinks by",
        "duration_s": "from the first loss of support to the last body's lowest point",
    },
)
def find_collapses(scene: Scene) -> tuple[Event, ...]:
    """A pile of bodies loses its hold: two or more that stood on others sink together.

    A body counts that stood on another (see `support`) for 0.15 s, and sinks by 40% of its own
    height or more within 1 s after its support has ended or given way; two or more of one pile
    begin to sink within 1 s of each other. Needs metres and recorded contacts.
    """
    sinks: dict[int, tuple[float, float, float, float]] = {}
    piles: dict[int, set[int]] = {}
    for touch in _touches(scene, MIN_STOOD_S):
        a, b = touch.a, touch.b
        runs = find_runs(touch.is_above)
        if not runs or touch.time_s[runs[0][1]] - touch.time_s[runs[0][0]] < MIN_STOOD_S:
            continue
        pile = piles.get(a.object_id, {a.object_id}) | piles.get(b.object_id, {b.object_id})
        piles |= dict.fromkeys(pile, pile)
        sunk = _sinks_after(b, float(touch.time_s[runs[0][0]]))
        if sunk is not None:
            sinks[b.object_id] = sunk
    events = []
    for pile in {id(p): p for p in piles.values()}.values():
        own = sorted((sinks[i], i) for i in pile if i in sinks)
        first_s = own[0][0][0] if own else 0.0
        own = [(sunk, i) for sunk, i in own if sunk[0] <= first_s + TOGETHER_S]
        if len(own) < 2:
            continue
        end_s = max(sunk[1] for sunk, _ in own)
        top = max(own, key=lambda pair: pair[0][3])[1]
        quantities = {
            "num_bodies": float(len(own)),
            "height_lost_m": max(sunk[2] for sunk, _ in own),
            "duration_s": end_s - first_s,
        }
        events.append(Event("collapse", first_s, end_s, {"object": top}, quantities))
    return tuple(sorted(events, key=lambda event: event.start_s))


def _sinks_after(track: Track, from_s: float) -> tuple[float, float, float, float] | None:
    """Beginning and end of a body's first deep sinking, its depth, and the height it stood at."""
    side = track.size[0]
    tall = float(np.abs(side @ track.up)) if np.isfinite(side).all() else math.nan
    height, time_s = track.height, track.time_s
    begin = int(np.searchsorted(time_s, from_s - 1e-9))
    for i in range(begin, len(time_s)):
        soon = np.searchsorted(time_s, time_s[i] + DROP_WITHIN_S, side="right")
        low = i + int(np.argmin(height[i:soon]))
        if height[i] - height[low] >= MIN_DROP_SHARE * tall:
            while i < low and height[i] - height[i + 1] < 0.02 * tall:
                i += 1  # from where it really goes down
            soon = np.searchsorted(time_s, time_s[i] + DROP_WITHIN_S, side="right")
            low = i + int(np.argmin(height[i:soon]))
            depth = float(height[i] - height[low])
            return float(time_s[i]), float(time_s[low]), depth, float(height[begin])
    return None
