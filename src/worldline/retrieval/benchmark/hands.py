"""Scenes in which something is handled: lowered, lifted, put down, carried, pushed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from worldline.retrieval.benchmark.script import Course, Play, Script, still
from worldline.sim.families.base import Casting, name_all, turn_about
from worldline.sim.stage import Body, Shape, Vector, View

__all__ = ["carrying", "hanging", "lifting", "lowering", "pushing", "stacking", "taking"]

_PRESS_MPS = 0.03
"""Speed at which a hand presses against what it holds, so that the touch lasts."""


def _times(span_s: float) -> np.ndarray:
    return np.arange(round(span_s * 25)) / 25


def _side_view(cast: Casting, azimuth_rad: float | None = None) -> View:
    azimuth = cast.uniform(0, 2 * math.pi) if azimuth_rad is None else azimuth_rad
    return View(
        azimuth_rad=azimuth,
        elevation_rad=cast.uniform(0.06, 0.4),
        focal_ratio=cast.uniform(0.9, 1.6),
        margin=cast.uniform(0.02, 0.15),
        offset=(cast.uniform(-1, 1), cast.uniform(-1, 1)),
    )


def _piece(cast: Casting, place: Sequence[float], shape: Shape | None = None) -> Body:
    """A body that stands with its lowest point at `place`."""
    shape = shape or cast.pick((Shape.BALL, Shape.BOX, Shape.BOX, Shape.CYLINDER))
    radius = cast.uniform(0.26, 0.42)
    if shape is Shape.BALL:
        half: Vector = (radius, radius, radius)
    elif shape is Shape.BOX:
        half = (radius, radius * cast.uniform(0.7, 1.0), radius * cast.uniform(0.6, 0.9))
    else:
        half = (radius, radius, radius * cast.uniform(0.7, 1.0))
    spot = (float(place[0]), float(place[1]), float(place[2]) + half[2])
    turn = turn_about((0, 0, 1), cast.uniform(0, 2 * math.pi))
    return cast.body(shape, half, spot, rotation_wxyz=turn, density=300.0)


def _stage(
    cast: Casting,
    bodies: Sequence[Body],
    scripts: dict[int, Script],
    caption: str,
    span_s: float,
    *,
    view: View | None = None,
    friction: float = 0.7,
    landmarks_m: Sequence[Sequence[float]] = (),
) -> Play:
    stage = cast.stage(
        bodies,
        caption=caption,
        view=view or _side_view(cast),
        time_s=_times(span_s),
        max_width_px=22.0,
        restitution=0.1,
        friction=friction,
        landmarks_m=landmarks_m,
    )
    return Play(stage, scripts)


def _vertical(speed: Callable[[float], float]) -> Course:
    return lambda t: (0.0, 0.0, speed(t), 0.0)


def lowering(rng: np.random.Generator, cast: Casting) -> Play:
    """A body is let down at constant speed until it stands: as high as a fall, and no fall."""
    height, speed = cast.uniform(1.4, 2.6), cast.uniform(0.9, 1.5)
    begin_s = cast.uniform(0.1, 0.4)
    end_s = begin_s + height / speed
    body = _piece(cast, (0, 0, height + 0.01))
    course = _vertical(lambda t: -speed if t >= begin_s else 0.0)
    scripts = {0: Script(course, until_s=end_s, floats=True)}
    caption = f"{name_all([body.name])} is let down slowly to the floor."
    return _stage(cast, [body], scripts, caption, max(end_s + 0.5, 2.2))


def hanging(rng: np.random.Generator, cast: Casting) -> Play:
    """A body rises from the floor at constant speed, and stays up."""
    height, speed = cast.uniform(1.2, 2.4), cast.uniform(0.9, 1.5)
    begin_s = cast.uniform(0.3, 0.6)
    end_s = begin_s + height / speed
    body = _piece(cast, (0, 0, 0.0))
    course = _vertical(lambda t: speed if begin_s <= t < end_s else 0.0)
    scripts = {0: Script(course, start_s=begin_s, floats=True)}
    caption = f"{name_all([body.name])} rises from the floor."
    return _stage(cast, [body], scripts, caption, max(end_s + 0.4, 2.2))


def _hand_above(cast: Casting, held: Body, gap_m: float) -> Body:
    """A slim upright body that touches another from above, or is so far above it."""
    radius = cast.uniform(0.12, 0.2)
    half = (radius, radius, cast.uniform(0.3, 0.45))
    x, y, z = held.position_m
    place = (x, y, z + held.half_m[2] + half[2] + gap_m)
    return cast.body(Shape.CYLINDER, half, place, label="hand", density=300.0)


def taking(rng: np.random.Generator, cast: Casting, *, down: bool) -> Play:
    """A hand comes down to a body and lifts it, or brings it down and lets it stand."""
    body_height = cast.uniform(0.7, 1.3)
    speed = cast.uniform(0.8, 1.2)
    long_s = body_height / speed
    body = _piece(cast, (0, 0, body_height + 0.005 if down else 0.0), cast.pick(_FLAT))
    reach = 0.0 if down else cast.uniform(0.5, 0.8)
    hand = _hand_above(cast, body, reach)
    near_s = 0.25 if down else 0.2 + reach / speed
    away_s = near_s + long_s + 0.25

    def hand_speed(time_s: float) -> float:
        if down:
            if near_s <= time_s < near_s + long_s:
                return -speed
            return speed if time_s >= away_s else 0.0
        if 0.2 <= time_s < near_s:
            return -speed
        return speed if near_s + 0.15 <= time_s < near_s + 0.15 + long_s else 0.0

    def held_speed(time_s: float) -> float:
        return hand_speed(time_s) if down or time_s >= near_s else 0.0

    def pressing(time_s: float) -> float:
        holds = time_s < near_s + long_s if down else time_s >= near_s
        return hand_speed(time_s) - (_PRESS_MPS if holds else 0.0)

    script = (
        Script(_vertical(held_speed), until_s=near_s + long_s, floats=True)
        if down
        else Script(_vertical(held_speed), start_s=near_s + 0.1, floats=True)
    )
    scripts = {0: script, 1: Script(_vertical(pressing), floats=True)}
    verb = "puts down" if down else "picks up"
    held = name_all([body.name])
    caption = f"{name_all([hand.name])} {verb} {held[0].lower()}{held[1:]}."
    return _stage(cast, [body, hand], scripts, caption, away_s + 0.8 if down else 2.4)


_FLAT = (Shape.BOX, Shape.CYLINDER)


def carrying(rng: np.random.Generator, cast: Casting) -> Play:
    """A low wide body goes along with another standing on it."""
    angle = cast.uniform(0, 2 * math.pi)
    way = np.array([math.cos(angle), math.sin(angle)])
    speed, begin_s = cast.uniform(0.9, 1.6), cast.uniform(0.2, 0.6)
    half = (cast.uniform(0.5, 0.6), cast.uniform(0.4, 0.5), cast.uniform(0.12, 0.2))
    span_s = 2.4
    start = -way * speed * (span_s - begin_s) / 2
    turn = turn_about((0, 0, 1), angle)
    tray = cast.body(
        Shape.BOX, half, (*start, half[2]), rotation_wxyz=turn, label="cart", density=600.0
    )
    body = _piece(cast, (*start, 2 * half[2]), cast.pick(_FLAT))

    def course(time_s: float) -> tuple[float, float, float, float]:
        v = speed * float(np.clip((time_s - begin_s) / 0.4, 0, 1))
        return (float(way[0] * v), float(way[1] * v), 0.0, 0.0)

    def riding(time_s: float) -> tuple[float, float, float, float]:
        x, y, _, _ = course(time_s)
        return (x, y, -_PRESS_MPS, 0.0)

    scripts = {0: Script(course), 1: Script(riding)}
    held = name_all([body.name])
    caption = f"{name_all([tray.name])} carries {held[0].lower()}{held[1:]}."
    view = _side_view(cast, angle + math.pi / 2 + cast.uniform(-0.7, 0.7))
    return _stage(cast, [tray, body], scripts, caption, span_s, view=view, friction=0.9)


def pushing(rng: np.random.Generator, cast: Casting) -> Play:
    """One body comes up to another and moves it along before it."""
    angle = cast.uniform(0, 2 * math.pi)
    way = np.array([math.cos(angle), math.sin(angle)])
    speed = cast.uniform(0.8, 1.4)
    gap = cast.uniform(0.3, 0.7)
    turn = turn_about((0, 0, 1), angle)
    half = (cast.uniform(0.2, 0.3), cast.uniform(0.25, 0.35), cast.uniform(0.25, 0.4))
    wide = cast.uniform(0.28, 0.4)
    pushed_half = (wide, wide * cast.uniform(0.9, 1.1), wide * cast.uniform(0.7, 1.0))
    start = -way * 1.2
    there = start + way * (half[0] + wide + gap)
    pusher = cast.body(
        Shape.BOX, half, (*start, half[2]), rotation_wxyz=turn, label="pusher", density=900.0
    )
    body = cast.body(
        Shape.BOX, pushed_half, (*there, pushed_half[2]), rotation_wxyz=turn, density=250.0
    )
    scripts = {0: Script(lambda t: (float(way[0] * speed), float(way[1] * speed), 0.0, 0.0))}
    pushed = name_all([body.name])
    caption = f"{name_all([pusher.name])} pushes {pushed[0].lower()}{pushed[1:]}."
    view = _side_view(cast, angle + math.pi / 2 + cast.uniform(-0.7, 0.7))
    return _stage(cast, [pusher, body], scripts, caption, 2.4, view=view, friction=0.5)


def stacking(rng: np.random.Generator, cast: Casting) -> Play:
    """A body is let down on another and stays there."""
    base = _piece(cast, (0, 0, 0), Shape.BOX)
    height, speed = cast.uniform(0.7, 1.2), cast.uniform(0.8, 1.2)
    top = 2 * base.half_m[2]
    body = _piece(cast, (0, 0, top + height + 0.005), cast.pick(_FLAT))
    begin_s = 0.2
    end_s = begin_s + height / speed
    course = _vertical(lambda t: -speed if t >= begin_s else 0.0)
    scripts = {0: Script(still), 1: Script(course, until_s=end_s, floats=True)}
    held = name_all([base.name])
    caption = f"{name_all([body.name])} is put on {held[0].lower()}{held[1:]} and stays there."
    return _stage(cast, [base, body], scripts, caption, end_s + 1.2)


def lifting(rng: np.random.Generator, cast: Casting) -> Play:
    """A body is lifted off another that it stood on."""
    base = _piece(cast, (0, 0, 0), Shape.BOX)
    top = 2 * base.half_m[2]
    body = _piece(cast, (0, 0, top), cast.pick(_FLAT))
    height, speed = cast.uniform(0.7, 1.2), cast.uniform(0.8, 1.2)
    begin_s = cast.uniform(0.7, 0.9)
    end_s = begin_s + height / speed
    course = _vertical(lambda t: speed if begin_s <= t < end_s else 0.0)
    scripts = {0: Script(still), 1: Script(course, start_s=begin_s, floats=True)}
    held = name_all([base.name])
    caption = f"{name_all([body.name])} is lifted off {held[0].lower()}{held[1:]}."
    return _stage(cast, [base, body], scripts, caption, end_s + 0.5)
