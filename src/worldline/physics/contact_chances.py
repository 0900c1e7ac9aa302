"""How likely a contact that was read from boxes is real, learned from simulated films.

A claim's traits (how near the boxes came, how sharply velocities changed and which way, how surely
the tracks are known) go into one logistic regression for contacts of two bodies and another for
contacts with the static world. `python -m worldline.audit.touches` learns both from films whose
true contacts are known, and measures them on others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from jaxtyping import Float, Int

from worldline.physics.chances import Chances
from worldline.physics.kinematics import Track

__all__ = [
    "BODIES",
    "GROUND",
    "Jump",
    "bundled_contact_chances",
    "traits_of_jump",
    "traits_of_touch",
]

BODIES, GROUND = "bodies", "ground"
"""Kinds of claims: two bodies touch, a body touches the static world."""

_SPAN = 5  # frames before and after over which velocities are taken


@dataclass(frozen=True, eq=False)
class Jump:
    """A sudden change of one track's velocity.

    Attributes:
        moment_s: when.
        before, after: `[D]` velocities, units of the track per second.
        std: standard error of their difference.
    """

    moment_s: float
    before: Float[np.ndarray, " d"]
    after: Float[np.ndarray, " d"]
    std: float

    @property
    def change(self) -> Float[np.ndarray, " d"]:
        """Velocity after less velocity before."""
        return self.after - self.before


_NO_JUMP = Jump(0.0, np.zeros(2), np.zeros(2), 1.0)


def traits_of_touch(
    tracks: tuple[Track, Track],
    at: tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]],
    gap: Float[np.ndarray, " m"],
    run: tuple[int, int],
    jumps: tuple[Sequence[Jump], Sequence[Jump]],
) -> dict[str, float]:
    """What speaks for and against two bodies touching.

    Args:
        tracks: the two.
        at: samples of each at their common frames.
        gap: distance of their boxes there, pixels; negative where they overlap.
        run: first and last common frame of the touch.
        jumps: of each track around the first touch; there may be none.
    """
    first, last = run
    smaller = max(min(track.scale for track in tracks), 1e-6)
    begin = tuple(int(index[first]) for index in at)
    place = [track.position[k] for track, k in zip(tracks, begin, strict=True)]
    away = (place[0] - place[1]) / max(_length(place[0] - place[1]), 1e-9)
    push, late = -1.0, 3.0
    for own, outward in zip(jumps, (away, -away), strict=True):
        for jump in own:
            push = max(push, float(jump.change @ outward) / max(_length(jump.change), 1e-9))
            late_s = abs(jump.moment_s - float(tracks[0].time_s[begin[0]]))
            late = min(late, late_s / max(tracks[0].step_s, 1e-6))
    every = [jump for own in jumps for jump in own]
    strongest = max(every, key=lambda j: _length(j.change), default=_NO_JUMP)
    sides = [max(track.scale, 1e-6) for track in tracks]
    return {
        "num_jumps": float(sum(len(own) > 0 for own in jumps)),
        "gap": float(np.clip(gap[first] / smaller, -1, 1)),
        "overlap": float(np.clip(-gap[first : last + 1].min() / smaller, -1, 1)),
        "lasting": math.log1p(last - first),
        "apart_before": float(first > 0),
        "apart_after": float(last < len(gap) - 1),
        "push": push,
        "late": late,
        "unlike": abs(math.log(sides[0] / sides[1])),
        **_of_relative_motion(tracks, at, first, away, smaller),
        **_of_jump(strongest, smaller),
        **_of_tracks(zip(tracks, begin, strict=True)),
    }


def _of_relative_motion(
    tracks: tuple[Track, Track],
    at: tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]],
    first: int,
    away: Float[np.ndarray, " d"],
    size: float,
) -> dict[str, float]:
    """How the two move against each other just before and after; what passes goes on as before."""
    apart = tracks[0].position[at[0]] - tracks[1].position[at[1]]
    time_s = tracks[0].time_s[at[0]]
    spans = slice(max(0, first - _SPAN), first + 1), slice(first, first + _SPAN + 1)
    before, after = (_slope(time_s[span], apart[span]) for span in spans)
    speeds = [
        _slope(t.time_s[k[spans[1]]], t.position[k[spans[1]]])
        for t, k in zip(tracks, at, strict=True)
    ]
    most = max(_length(before), _length(after), 0.2 * size)
    moving = max(*(_length(speed) for speed in speeds), 0.2 * size)
    return {
        "closing": float(np.clip(-(before @ away) / size, -10, 10)),
        "turned": _length(after - before) / most,
        "together": 1.0 - min(_length(after) / moving, 1.0),
    }


def _slope(
    time_s: Float[np.ndarray, " k"], position: Float[np.ndarray, "k d"]
) -> Float[np.ndarray, " d"]:
    """Velocity by least squares; 0 for fewer than three samples."""
    if len(time_s) < 3:
        return np.zeros(position.shape[1])
    centred = time_s - time_s.mean()
    return centred @ position / float(centred @ centred)


def traits_of_jump(track: Track, at: int, jump: Jump, nearest: float) -> dict[str, float]:
    """What speaks for and against a body touching the static world.

    Args:
        track: of the body.
        at: its sample at the jump.
        jump: upwards, or the end of a way down.
        nearest: distance to the box of the nearest other body, pixels; infinite without one.
    """
    size = max(track.scale, 1e-6)
    change = max(_length(jump.change), 1e-9)
    down, up = -float(jump.before @ track.up), float(jump.after @ track.up)
    foot = track.height[at] - track.size[at, 1] / 2
    lowest = float((track.height - track.size[:, 1] / 2).min())
    return {
        "upright": float(jump.change @ track.up) / change,
        "down": float(np.clip(down / size, 0, 20)),
        "rebound": float(np.clip(up / max(down, 1e-9), -1, 1.5)),
        "above_lowest": float(np.clip((foot - lowest) / size, 0, 3)),
        "neighbour": float(np.clip(nearest / size, 0, 3)),
        **_of_jump(jump, size),
        **_of_tracks([(track, at)]),
    }


def _of_jump(jump: Jump, size: float) -> dict[str, float]:
    change = max(_length(jump.change), 1e-9)
    speed = max(_length(jump.before), _length(jump.after), 1e-9)
    return {
        "sharp": math.log(np.clip(change / max(jump.std, 1e-9), 1, 1e3)),
        "jump": math.log(np.clip(change / size, 0.1, 1e3)),
        "turn": float(np.clip(change / speed, 0, 2)),
    }


def _of_tracks(sides: Iterable[tuple[Track, int]]) -> dict[str, float]:
    """Of the track that is known worse."""
    blur, short, growth = [], [], []
    for track, k in sides:
        size = max(track.scale, 1e-6)
        blur.append(math.log(np.clip(float(track.std[k].max()) / size, 1e-3, 1)))
        short.append(-math.log(track.num_samples))
        area = np.sqrt(np.prod(track.size[max(0, k - 3) : k + 4], axis=1))
        growth.append(float(np.ptp(area)) / size)
    return {"blur": max(blur), "short": max(short), "unsteady_size": min(max(growth), 2.0)}


def _length(vector: np.ndarray) -> float:
    return float(np.linalg.norm(vector))


@cache
def bundled_contact_chances() -> Chances:
    """Those that come with the package."""
    text = resources.files("worldline.physics").joinpath("contact_chances.json").read_text()
    return Chances.from_json(json.loads(text))
