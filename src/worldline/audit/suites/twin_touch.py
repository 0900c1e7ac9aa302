"""Twins about what touches what: solidity, collision, causality."""

from __future__ import annotations

import numpy as np

from worldline.audit.suites.twin_film import Twin, first_touch, influence, move_on
from worldline.audit.suites.twin_motion import SEEN_PX, pair
from worldline.audit.suites.twin_scenes import Course
from worldline.sim.engine import Rollout, simulate
from worldline.sim.families.fall import Bounce, Drop
from worldline.sim.splits import Split
from worldline.sim.stage import Body, Stage

__all__ = ["causality", "collision", "solidity"]


def solidity(rng: np.random.Generator, index: int, size_px: int) -> Twin | None:
    """A body goes through a wall, through another body, or through the floor."""
    if index % 3 == 0:
        return _through_wall(rng, size_px)
    if index % 3 == 1:
        return _through_body(rng, size_px)
    return _through_floor(rng, size_px)


def collision(rng: np.random.Generator, index: int, size_px: int) -> Twin | None:
    """What is hit stays where it is, and what hit it stops; or another moves in its place."""
    course = Course.draw(rng)
    bystander = index % 2 == 1
    stage = _meeting(course, bystander=bystander)
    rollout = simulate(stage)
    moment = _frame_of(stage, first_touch(rollout, 0, 1))
    if moment is None:
        return None
    still = np.zeros(3)
    given = rollout.velocity_mps[1, min(moment + 1, len(stage.time_s) - 1)]
    wrong = move_on(stage, rollout, 1, moment, still, is_still=True)
    if bystander:
        wrong = move_on(stage, wrong, 2, moment, given * [1.0, 1.0, 0.0])
        return pair("another moves", stage, rollout, wrong, 2, moment, size_px)
    wrong = move_on(stage, wrong, 0, moment, still, is_still=True)
    return pair("both stay", stage, rollout, wrong, 1, moment, size_px)


def causality(rng: np.random.Generator, index: int, size_px: int) -> Twin | None:
    """A body at rest moves off before what comes along has reached it, or some time after.

    The late one is the delayed launch of Michotte (1963), which infants tell from a real one
    (Leslie and Keeble 1987).
    """
    course = Course.draw(rng)
    stage = _meeting(course, bystander=bool(rng.random() < 0.3))
    rollout = simulate(stage)
    touch = _frame_of(stage, first_touch(rollout, 0, 1))
    if touch is None:
        return None
    given = rollout.velocity_mps[1, min(touch + 1, len(stage.time_s) - 1)] * [1.0, 1.0, 0.0]
    if index % 2 == 1:
        late = touch + int(rng.integers(5, 9))
        if late > len(stage.time_s) - 5:
            return None
        wrong = move_on(stage, rollout, 1, touch, np.zeros(3), is_still=True)
        wrong = move_on(stage, wrong, 0, touch, np.zeros(3), is_still=True)
        wrong = move_on(stage, wrong, 1, late, given)
        return pair("moves too late", stage, rollout, wrong, 1, touch, size_px)
    apart = (rollout.position_m[1] - rollout.position_m[0]) @ course.along
    early = np.flatnonzero(apart[:touch] - apart[touch] > rng.uniform(0.5, 1.0))
    if not len(early) or early[-1] < 7:
        return None
    moment = int(early[-1])
    wrong = influence(stage, 1, moment, velocity_mps=lambda _: given)
    return pair("moves too early", stage, rollout, wrong, 1, moment, size_px)


def _meeting(course: Course, *, bystander: bool) -> Stage:
    """A body glides toward one at rest; there may be a third beside them."""
    cast = course.cast
    speed = cast.uniform(2.6, 3.8) / course.span_s
    radii = [cast.uniform(0.27, 0.4) for _ in range(3)]
    start = -speed * course.span_s * cast.uniform(0.45, 0.55) - radii[0] - radii[1]
    bodies: list[Body] = [
        course.mover(radii[0], start, speed),
        course.mover(radii[1], 0.0, 0.0),
    ]
    if bystander:
        side = -cast.uniform(0.9, 1.3)
        bodies.append(course.mover(radii[2], cast.uniform(-0.6, 0.6), 0.0, side_m=side))
    return course.stage(bodies, view=course.view(0.1, 0.5), restitution=cast.uniform(0.7, 0.95))


def _through_wall(rng: np.random.Generator, size_px: int) -> Twin | None:
    course = Course.draw(rng)
    cast = course.cast
    radius = cast.uniform(0.25, 0.4)
    speed = cast.uniform(2.4, 3.6) / course.span_s
    mover = course.mover(radius, -speed * course.span_s * cast.uniform(0.4, 0.55) - radius, speed)
    thick = cast.uniform(0.08, 0.2)
    # lower than the body and seen from above: what goes through sticks out of the top of the wall,
    # behind a higher one it would pass for a body that went by behind it
    low = mover.half_m[2] * cast.uniform(0.55, 0.7)
    wall = course.block((thick, cast.uniform(0.6, 0.9), low), thick)
    stage = course.stage(
        [mover], [wall], view=course.view(0.2, 0.5), restitution=cast.uniform(0.4, 0.9)
    )
    rollout = simulate(stage)
    touches = rollout.touches
    away = touches.point_m[touches.a == 0]
    when = touches.time_s[touches.a == 0][away[:, 2] > 0.05]  # the floor is touched all the time
    moment = _frame_of(stage, float(when[0]) if len(when) else None)
    if moment is None:
        return None
    velocity = rollout.velocity_mps[0, moment - 1] * [1.0, 1.0, 0.0]
    wrong = move_on(stage, rollout, 0, moment, velocity)
    twin = pair("through a wall", stage, rollout, wrong, 0, moment, size_px)
    return None if twin is None or not _comes_out(twin) else twin


def _through_body(rng: np.random.Generator, size_px: int) -> Twin | None:
    course = Course.draw(rng)
    cast = course.cast
    speed = cast.uniform(1.5, 2.2) / course.span_s
    radii = [cast.uniform(0.27, 0.4) for _ in range(2)]
    apart = speed * course.span_s * cast.uniform(0.4, 0.5)
    bodies = [
        course.mover(radii[0], -apart - radii[0], speed),
        course.mover(radii[1], apart + radii[1], -speed),
    ]
    stage = course.stage(bodies, view=course.view(0.1, 0.5), restitution=cast.uniform(0.6, 0.95))
    rollout = simulate(stage)
    moment = _frame_of(stage, first_touch(rollout, 0, 1))
    if moment is None:
        return None
    wrong: Rollout = rollout
    for body in (0, 1):
        velocity = rollout.velocity_mps[body, moment - 1] * [1.0, 1.0, 0.0]
        wrong = move_on(stage, wrong, body, moment, velocity)
    return pair("through a body", stage, rollout, wrong, 0, moment, size_px)


def _through_floor(rng: np.random.Generator, size_px: int) -> Twin | None:
    family = (Drop(), Bounce())[int(rng.integers(2))]
    stage = family.stage(Split.HELD_OUT, rng)
    rollout = simulate(stage)
    body = int(rng.integers(len(stage.bodies)))
    moment = _frame_of(stage, first_touch(rollout, body))
    if moment is None or first_touch(rollout, body) == 0.0:
        return None
    gravity = np.array([0.0, 0.0, -stage.gravity_mps2])
    velocity = rollout.velocity_mps[body, moment - 1]
    wrong = move_on(stage, rollout, body, moment, velocity, acceleration_mps2=gravity)
    return pair("through the floor", stage, rollout, wrong, body, moment, size_px)


def _comes_out(twin: Twin) -> bool:
    """Whether the body is seen beyond what it went through."""
    assert twin.impossible.segmentation is not None
    areas = (twin.impossible.segmentation == 0).sum(axis=(1, 2))
    return bool((areas[twin.moment + 3 :] >= SEEN_PX).sum() >= 4)


def _frame_of(stage: Stage, moment_s: float | None) -> int | None:
    """The first frame after a moment, if there are enough before and after it."""
    if moment_s is None:
        return None
    frame = int(np.searchsorted(stage.time_s, moment_s, side="right"))
    return frame if 7 <= frame < len(stage.time_s) - 7 else None
