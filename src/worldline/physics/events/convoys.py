"""Events of two bodies that go the same way: follow, overtake."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from worldline.core import Event, Scene
from worldline.physics.contacts import Pair, find_pairs
from worldline.physics.events.ontology import define
from worldline.physics.events.travel import Travel, travels_of
from worldline.physics.kinematics import across, find_runs, smooth_velocity

__all__ = ["find_follows", "find_overtakes"]

MIN_FOLLOW_S = 1.0
"""Least time of following."""

MAX_HEADWAY_S = 3.0
"""Beyond 6 s drivers choose their speed freely (Vogel 2003); half of that is surely following."""

FOLLOW_COS = math.cos(math.radians(30))
"""Two bodies go the same way within this angle."""

FOLLOW_SIZES = 1.5
"""How far the follower may be off the leader's line, in mean sizes."""

MIN_OVERTAKE_S = 0.3
"""Least time of overtaking."""

OVERTAKE_SIZES = 3.0
"""The same of the two lanes of an overtaking."""

LEVEL = 1.6
"""In pixels, boxes that differ more in size are taken to be at different depths."""


@dataclass(frozen=True, eq=False)
class _Convoy:
    """Two bodies while both move the same way.

    Attributes:
        a, b: their travels.
        time_s: `[M]`.
        lead: `[M]` how far b is ahead of a along their way, in the unit of the tracks.
        aside: `[M]` how far it is off that line.
        speed_a, speed_b: `[M]` along the way, in the unit of the tracks per second.
        size: mean size of both.
    """

    a: Travel
    b: Travel
    time_s: np.ndarray
    lead: np.ndarray
    aside: np.ndarray
    speed_a: np.ndarray
    speed_b: np.ndarray
    size: float


def _convoys(scene: Scene) -> Iterator[_Convoy]:
    travels = {t.track.object_id: t for t in travels_of(scene)}
    for pair in find_pairs(scene):
        a, b = travels.get(pair.a.object_id), travels.get(pair.b.object_id)
        if a is None or b is None or not _are_level(pair):
            continue
        flat_a, flat_b = a.velocity[pair.index_a], b.velocity[pair.index_b]
        speed_a, speed_b = a.speed[pair.index_a], b.speed[pair.index_b]
        least = 0.2 if pair.a.is_metric else 0.5
        noise_a, noise_b = a.speed_std[pair.index_a], b.speed_std[pair.index_b]
        moving = (speed_a >= np.maximum(least, 4 * noise_a)) & (
            speed_b >= np.maximum(least, 4 * noise_b)
        )
        moving &= a.known[pair.index_a] & b.known[pair.index_b]
        moving &= _stays_level(a)[pair.index_a] & _stays_level(b)[pair.index_b]
        cosine = (flat_a * flat_b).sum(1) / np.maximum(speed_a * speed_b, 1e-12)
        between = b.track.position[pair.index_b] - a.track.position[pair.index_a]
        if pair.a.is_metric:
            between = across(between, pair.a.up)
        heading = (
            flat_a / np.maximum(speed_a, 1e-12)[:, None]
            + flat_b / np.maximum(speed_b, 1e-12)[:, None]
        )
        heading /= np.maximum(_length(heading), 1e-12)[:, None]
        lead = (between * heading).sum(1)
        aside = _length(between - lead[:, None] * heading)
        for first, last in find_runs(moving & (cosine >= FOLLOW_COS)):
            part = slice(first, last + 1)
            yield _Convoy(
                a,
                b,
                pair.time_s[part],
                lead[part],
                aside[part],
                (speed_a * a.unit[pair.index_a])[part],
                (speed_b * b.unit[pair.index_b])[part],
                (pair.a.scale + pair.b.scale) / 2,
            )


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=1)


def _stays_level(travel: Travel) -> np.ndarray:
    """Where a body in metres goes along the ground rather than up or down."""
    track = travel.track
    if not track.is_metric:
        return np.ones(track.num_samples, dtype=bool)
    return np.abs(smooth_velocity(track)[0] @ track.up) <= travel.speed / 2


def _are_level(pair: Pair) -> bool:
    sizes = pair.a.scale, pair.b.scale
    return min(sizes) > 0 and (pair.a.is_metric or max(sizes) <= LEVEL * min(sizes))


@define(
    "follow",
    roles={"object": "who follows", "leader": "who is followed"},
    quantities={
        "headway_s": "mean gap over the follower's speed",
        "duration_s": "time following",
    },
)
def find_follows(scene: Scene) -> tuple[Event, ...]:
    """A moving body keeps behind another that goes the same way.

    For 1 s or more both move (0.2 m/s, or half their size per second in pixels) in directions
    within 30 degrees of each other and not steeply up or down; the follower is at most 1.5 mean
    sizes off the leader's line, half a mean size or more behind, with a gap (less one mean size) of
    at most 3 s of its own speed (time headway; Vogel 2003 takes 6 s as the end of following); and
    the distance changes by at most half. In pixels both must be of about the same size.
    """
    events = []
    for convoy in _convoys(scene):
        for sign, follower, leader, speed in (
            (1, convoy.a, convoy.b, convoy.speed_a),
            (-1, convoy.b, convoy.a, convoy.speed_b),
        ):
            gap = sign * convoy.lead - convoy.size
            near = (gap > -0.5 * convoy.size) & (gap <= MAX_HEADWAY_S * speed)
            for first, last in find_runs(near & (convoy.aside <= FOLLOW_SIZES * convoy.size)):
                part = slice(first, last + 1)
                start_s, end_s = float(convoy.time_s[first]), float(convoy.time_s[last])
                lead = sign * convoy.lead[part]
                if end_s - start_s < MIN_FOLLOW_S or np.ptp(lead) > 0.5 * lead.max():
                    continue
                headway = np.maximum(gap[part], 0.0) / speed[part]
                roles = {"object": follower.track.object_id, "leader": leader.track.object_id}
                quantities = {"headway_s": float(headway.mean()), "duration_s": end_s - start_s}
                confidence = 1.0 if follower.track.is_metric else 0.5
                events.append(Event("follow", start_s, end_s, roles, quantities, confidence))
    return tuple(events)


@define(
    "overtake",
    roles={"object": "who overtakes", "overtaken": "who is overtaken"},
    quantities={
        "duration_s": "from one size behind to one size ahead",
        "relative_speed_mps": "mean difference of speed (metric scenes)",
        "relative_speed_px_s": "the same in pixel scenes",
    },
)
def find_overtakes(scene: Scene) -> tuple[Event, ...]:
    """A moving body comes from behind another that goes the same way, and gets ahead of it.

    Both move as for `follow`; along their way one is first a mean size or more behind and then a
    mean size or more ahead, 0.3 s later or more, at most 3 mean sizes off to the side meanwhile.
    """
    events = []
    for convoy in _convoys(scene):
        lead = convoy.lead / convoy.size
        for sign, faster, slower in ((-1, convoy.a, convoy.b), (1, convoy.b, convoy.a)):
            behind = np.flatnonzero(sign * lead <= -1)
            ahead = np.flatnonzero(sign * lead >= 1)
            if not len(behind) or not len(ahead[ahead > behind[0]]):
                continue
            end = int(ahead[ahead > behind[0]][0])
            start = int(behind[behind < end][-1])
            start_s, end_s = float(convoy.time_s[start]), float(convoy.time_s[end])
            far = convoy.aside[start : end + 1].max() > OVERTAKE_SIZES * convoy.size
            if far or end_s - start_s < MIN_OVERTAKE_S:
                continue
            speed = abs(float(convoy.lead[end] - convoy.lead[start])) / (end_s - start_s)
            unit = "mps" if faster.track.is_metric else "px_s"
            quantities = {"duration_s": end_s - start_s, f"relative_speed_{unit}": speed}
            roles = {
                "object": faster.track.object_id,
                "overtaken": slower.track.object_id,
            }
            confidence = 1.0 if faster.track.is_metric else 0.5
            events.append(Event("overtake", start_s, end_s, roles, quantities, confidence))
    return tuple(events)
