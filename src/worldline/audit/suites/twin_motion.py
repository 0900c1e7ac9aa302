"""Twins about how one body moves: gravity, support, inertia, energy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from worldline.audit.suites.twin_film import (
    Take,
    Twin,
    cut,
    film,
    first_touch,
    influence,
    move_on,
    place_camera,
    way_apart_px,
)
from worldline.audit.suites.twin_scenes import SMOOTH, Course, is_in_flight
from worldline.sim.engine import Rollout, drive, simulate
from worldline.sim.families.fall import Bounce, Drop, Throw
from worldline.sim.splits import Split
from worldline.sim.stage import Glide, Stage

__all__ = ["SEEN_PX", "energy", "gravity", "inertia", "pair", "support"]

_APART_PX = 3.0
"""A miracle that nobody could see is none: the body has to be so far from where it should be within
eight frames."""
_FLIGHT_FRAMES = 5
SEEN_PX = 20.0
"""A body that shows so many pixels is in view."""


def gravity(rng: np.random.Generator, index: int, size_px: int) -> Twin | None:
    """In free flight a body begins to rise, to hang, to fly straight on, or to fall too slowly."""
    variant = ("rises", "hangs", "flies straight", "falls slowly")[index % 4]
    family = (Throw(), Drop(), Throw(), Bounce())[int(rng.integers(4))]
    stage = family.stage(Split.HELD_OUT, rng)
    rollout = simulate(stage)
    body = int(rng.integers(len(stage.bodies)))
    g = stage.gravity_mps2
    fit = [
        t
        for t in range(7, len(stage.time_s) - 6)
        if is_in_flight(stage, rollout, body, t - 5, t + _FLIGHT_FRAMES)
    ]
    if not fit:
        return None
    moment = int(rng.choice(fit))
    lift = {"rises": 2 * g, "hangs": 0.0, "flies straight": g, "falls slowly": 0.7 * g}[variant]
    wrong = influence(stage, body, moment, lift_mps2=lift, is_held=variant == "hangs")
    return pair(variant, stage, rollout, wrong, body, moment, size_px)


def support(rng: np.random.Generator, index: int, size_px: int) -> Twin | None:
    """What stood on something stays up where there is nothing any more."""
    course = Course.draw(rng)
    if index % 2 == 0:
        return _over_the_edge(course, size_px)
    return _pulled_away(course, size_px)


def inertia(rng: np.random.Generator, index: int, size_px: int) -> Twin | None:
    """A body that nothing touches stops, turns round, or takes another direction."""
    variant = ("stops", "turns back", "turns aside")[index % 3]
    if rng.random() < 0.3:
        stage = Throw().stage(Split.HELD_OUT, rng)
        body = int(rng.integers(len(stage.bodies)))
    else:
        course = Course.draw(rng)
        cast = course.cast
        speed = cast.uniform(2.2, 3.6) / course.span_s
        radius = cast.uniform(0.25, 0.45)
        mover = course.mover(radius, -speed * course.span_s * cast.uniform(0.4, 0.6), speed)
        others = [course.mover(cast.uniform(0.25, 0.45), cast.uniform(-1, 1), 0.0, side_m=-1.6)]
        stage = course.stage([mover, *others[: cast.count(0, 1)]], view=course.view(high_rad=0.55))
        body = 0
    rollout = simulate(stage)
    fit = [
        t
        for t in range(8, len(stage.time_s) - 8)
        if abs(rollout.velocity_mps[body, t, :2]).max() > 0.8
        and (stage.friction <= SMOOTH or is_in_flight(stage, rollout, body, t - 5, t + 5))
    ]
    if not fit:
        return None
    moment = int(rng.choice(fit))
    angle = rng.choice((-1, 1)) * rng.uniform(np.pi / 3, 2 * np.pi / 3)
    cos, sin = {
        "stops": (0.0, 0.0),
        "turns back": (-1.0, 0.0),
        "turns aside": (np.cos(angle), np.sin(angle)),
    }[variant]
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    wrong = influence(stage, body, moment, velocity_mps=lambda old: turn @ old)
    return pair(variant, stage, rollout, wrong, body, moment, size_px)


def energy(rng: np.random.Generator, index: int, size_px: int) -> Twin | None:
    """A ball leaves the floor faster than it came."""
    del index
    stage = Bounce().stage(Split.HELD_OUT, rng)
    rollout = simulate(stage)
    body = int(rng.integers(len(stage.bodies)))
    touch_s = first_touch(rollout, body)
    if touch_s is None:
        return None
    after = int(np.searchsorted(stage.time_s, touch_s + 0.02))
    if not 6 <= after < len(stage.time_s) - 6:
        return None
    arriving = abs(float(rollout.velocity_mps[body, after - 2, 2]))
    gain = rng.uniform(1.3, 1.8)
    leaving = rollout.velocity_mps[body, after, 2]
    if not is_in_flight(stage, rollout, body, after, after + _FLIGHT_FRAMES) or leaving < 0.5:
        return None
    # as if it had left the floor so fast: the frame after is where that begins to show
    faster = np.array([1.0, 1.0, gain * arriving / leaving])
    wrong = influence(stage, body, after + 1, velocity_mps=lambda old: old * faster)
    return pair("bounces higher", stage, rollout, wrong, body, after + 1, size_px)


def _over_the_edge(course: Course, size_px: int) -> Twin | None:
    cast = course.cast
    height = cast.uniform(0.5, 0.9)
    length = cast.uniform(0.9, 1.3)
    speed = cast.uniform(2.0, 3.2) / course.span_s
    radius = cast.uniform(0.25, 0.4)
    mover = course.mover(radius, -length * cast.uniform(1.0, 1.5), speed)
    x, y, z = mover.position_m
    mover = replace(mover, position_m=(x, y, z + 2 * height))
    table = course.block((length, cast.uniform(0.5, 0.8), height), -length)
    stage = course.stage([mover], [table], view=course.view(0.02, 0.3), restitution=0.2)
    rollout = simulate(stage)
    beyond = rollout.position_m[0] @ course.along
    moment = int(np.argmax(beyond > 0)) + 1
    if not 8 <= moment < len(stage.time_s) - 7 or not (beyond > 0).any():
        return None
    velocity = rollout.velocity_mps[0, moment - 1] * np.array([1.0, 1.0, 0.0])
    wrong = move_on(stage, rollout, 0, moment, velocity)
    return pair("over an edge", stage, rollout, wrong, 0, moment, size_px)


def _pulled_away(course: Course, size_px: int) -> Twin | None:
    cast = course.cast
    wide, height = cast.uniform(0.3, 0.45), cast.uniform(0.3, 0.55)
    upper = course.mover(cast.uniform(0.25, 0.38), 0.0, 0.0)
    lower = cast.body(
        cast.pick((upper.shape.BOX, upper.shape.CYLINDER)),
        (wide, wide, height),
        (0.0, 0.0, height),
    )
    lower = replace(lower, mount=Glide())
    x, y, z = upper.position_m
    upper = replace(upper, position_m=(x, y, z + 2 * height))
    stage = course.stage([upper, lower], view=course.view(0.05, 0.35), restitution=0.2)
    start = int(cast.rng.integers(7, 13))
    start_s = float(stage.time_s[start])
    way, pace = cast.sign(), cast.uniform(4.5, 6.0)

    def pull(model: Any, data: Any, moment_s: float) -> None:
        # away, and to a stop in time to stay in view
        going = start_s <= moment_s < start_s + 1.6 / pace
        speed = course.along[:2] * way * pace * going
        drive(model, data, 1, speed)

    rollout = simulate(stage, pull)
    gone = np.abs((rollout.position_m[1] - rollout.position_m[0]) @ course.along) > wide
    moment = int(np.argmax(gone)) + 1
    if not gone.any() or moment > len(stage.time_s) - 7:
        return None
    wrong = move_on(stage, rollout, 0, moment, np.zeros(3), is_still=True)
    return pair("pulled away", stage, rollout, wrong, 0, moment, size_px)


def pair(
    variant: str,
    stage: Stage,
    right: Rollout,
    wrong: Rollout,
    body: int,
    moment: int,
    size_px: int,
) -> Twin | None:
    """The two films from one camera, if the difference can be seen."""
    camera = place_camera(stage, [right, wrong], size_px)
    possible, impossible = (film(Take(stage, each), camera) for each in (right, wrong))
    assert possible.segmentation is not None
    seen = (possible.segmentation == body).sum(axis=(1, 2))[moment - 4 : moment + 1]
    if seen.min() < SEEN_PX or way_apart_px(possible, impossible, body, moment) < _APART_PX:
        return None
    return Twin(variant, possible, cut(possible, impossible, moment), moment)
