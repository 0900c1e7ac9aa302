"""Scenes on the ground in which two bodies meet, miss, follow, overtake, cross; or one drives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from worldline.retrieval.benchmark.script import Course, Play, Script, still
from worldline.sim.families.base import Casting, name_all, turn_about, upright_height
from worldline.sim.stage import Body, Prop, Shape, Vector, View

__all__ = ["accelerating", "braking", "crossing", "following", "meeting", "overtaking"]
__all__ += ["passing", "passing_screen", "starting", "stopping", "turning"]

Plane = np.ndarray
"""(x, y) on the ground."""

_SHAPES = (Shape.BOX, Shape.BOX, Shape.CYLINDER, Shape.CAPSULE)


def _times(span_s: float) -> np.ndarray:
    """Frames at 25 per second."""
    return np.arange(round(span_s * 25)) / 25


def _heading(angle_rad: float) -> Plane:
    return np.array([math.cos(angle_rad), math.sin(angle_rad)])


def _runner(cast: Casting, place: Plane, heading_rad: float) -> Body:
    """Something that glides over the ground: a box of a car's proportions, or a standing piece."""
    shape = cast.pick(_SHAPES)
    if shape is Shape.BOX:
        half: Vector = (cast.uniform(0.45, 0.6), cast.uniform(0.28, 0.4), cast.uniform(0.22, 0.35))
    else:
        radius = cast.uniform(0.26, 0.36)
        half = (radius, radius, radius * cast.uniform(1.1, 1.5))
    turn = turn_about((0, 0, 1), heading_rad)
    spot = (float(place[0]), float(place[1]), upright_height(shape, half))
    return cast.body(shape, half, spot, rotation_wxyz=turn, density=400.0)


def _straight(way: Plane, speed: Callable[[float], float]) -> Course:
    def course(time_s: float) -> tuple[float, float, float, float]:
        v = speed(time_s)
        return (float(way[0] * v), float(way[1] * v), 0.0, 0.0)

    return course


def _steady(way: Plane, speed_mps: float) -> Course:
    return _straight(way, lambda _: speed_mps)


def _view(cast: Casting, low_rad: float = 0.35, high_rad: float = 1.1) -> View:
    return View(
        azimuth_rad=cast.uniform(0, 2 * math.pi),
        elevation_rad=cast.uniform(low_rad, high_rad),
        focal_ratio=cast.uniform(0.9, 1.6),
        margin=cast.uniform(0.02, 0.12),
        offset=(cast.uniform(-1, 1), cast.uniform(-1, 1)),
    )


def _play(
    cast: Casting,
    bodies: Sequence[Body],
    scripts: Sequence[Script],
    caption: str,
    span_s: float,
    *,
    view: View | None = None,
    props: Sequence[Prop] = (),
    min_width_px: float = 8.0,
    friction: float = 0.3,
    restitution: float = 0.3,
    landmarks_m: Sequence[np.ndarray] = (),
) -> Play:
    stage = cast.stage(
        bodies,
        caption=caption,
        view=view or _view(cast),
        props=props,
        time_s=_times(span_s),
        min_width_px=min_width_px,
        max_width_px=22.0,
        friction=friction,
        restitution=restitution,
        landmarks_m=landmarks_m,
    )
    return Play(stage, dict(enumerate(scripts)))


def _two(bodies: Sequence[Body], verb: str) -> str:
    first, second = (name_all([body.name]) for body in bodies[:2])
    return f"{first} {verb} {second[0].lower()}{second[1:]}."


def meeting(rng: np.random.Generator, cast: Casting, *, hits: bool) -> Play:
    """Two bodies of the same look on a collision course: they collide, or one slows down in the
    last moment and lets the other by."""
    angle = cast.uniform(0, 2 * math.pi)
    apart = cast.uniform(1.2, 2.2) * cast.sign()
    speeds = [cast.uniform(1.8, 3.2) for _ in range(2)]
    meet_s = cast.uniform(1.0, 1.4)
    ways = [_heading(angle), _heading(angle + apart)]
    bodies = [
        _runner(cast, -way * speed * meet_s, angle + turn)
        for way, speed, turn in zip(ways, speeds, (0.0, apart), strict=True)
    ]
    reach = sum(math.hypot(*body.half_m[:2]) for body in bodies)
    until_s = math.inf
    courses = [_steady(way, speed) for way, speed in zip(ways, speeds, strict=True)]
    if hits:
        relative = float(np.linalg.norm(ways[1] * speeds[1] - ways[0] * speeds[0]))
        until_s = meet_s - reach / relative - 0.02
    else:
        from_s = meet_s - cast.uniform(0.6, 0.75)
        slow = _slow_down(speeds[1], from_s, 0.0)
        wanted = reach + cast.uniform(0.03, 0.2)
        for share in np.linspace(0.9, 0.0, 19):
            slow = _slow_down(speeds[1], from_s, float(share))
            if _least_gap(ways, (lambda _: speeds[0], slow), meet_s) >= wanted:
                break
        courses[1] = _straight(ways[1], slow)
    scripts = [Script(course, until_s=until_s) for course in courses]
    caption = _two(bodies, "collides with" if hits else "just misses")
    return _play(cast, bodies, scripts, caption, 2.4, friction=0.15, restitution=0.5)


def _slow_down(speed_mps: float, from_s: float, share: float) -> Callable[[float], float]:
    """Speed that goes down to a share of itself within 0.3 s, and up again 0.8 s later."""

    def speed(time_s: float) -> float:
        low = np.interp(time_s - from_s, (0.0, 0.3, 1.1, 1.4), (1.0, share, share, 1.0))
        return speed_mps * float(low)

    return speed


def _least_gap(
    ways: Sequence[Plane], speeds: Sequence[Callable[[float], float]], meet_s: float
) -> float:
    """Least distance of two middles that would meet at `meet_s` at the speeds of time 0."""
    times = np.arange(0, 2.4, 0.02)
    places = []
    for way, speed in zip(ways, speeds, strict=True):
        gone = np.cumsum([speed(float(t)) * 0.02 for t in times]) - speed(0.0) * meet_s
        places.append(gone[:, None] * way)
    return float(np.linalg.norm(places[0] - places[1], axis=1).min())


def crossing(rng: np.random.Generator, cast: Casting) -> Play:
    """One crosses the way of another well after it has passed."""
    angle = cast.uniform(0, 2 * math.pi)
    apart = cast.uniform(1.1, 2.0) * cast.sign()
    speeds = [cast.uniform(1.8, 3.0) for _ in range(2)]
    first_s, gap_s = cast.uniform(0.5, 0.9), cast.uniform(0.9, 1.3)
    bodies, scripts = [], []
    for turn, speed, there_s in zip((0.0, apart), speeds, (first_s, first_s + gap_s), strict=True):
        way = _heading(angle + turn)
        bodies.append(_runner(cast, -way * speed * there_s, angle + turn))
        scripts.append(Script(_steady(way, speed)))
    return _play(cast, bodies, scripts, _two(bodies[::-1], "crosses behind"), 2.8)


def following(rng: np.random.Generator, cast: Casting) -> Play:
    """One keeps behind another."""
    angle = cast.uniform(0, 2 * math.pi)
    way, speed = _heading(angle), cast.uniform(1.2, 2.2)
    gap = cast.uniform(1.7, 2.4)
    start = -way * speed * 1.3
    bodies = [_runner(cast, start + way * gap, angle), _runner(cast, start, angle)]
    scripts = [Script(_steady(way, speed)), Script(_steady(way, speed * cast.uniform(0.93, 1.05)))]
    return _play(cast, bodies, scripts, _two(bodies[::-1], "follows"), 2.6)


def overtaking(rng: np.random.Generator, cast: Casting) -> Play:
    """One comes from behind and gets ahead."""
    angle = cast.uniform(0, 2 * math.pi)
    way, speed = _heading(angle), cast.uniform(0.8, 1.4)
    side = np.array([-way[1], way[0]]) * cast.uniform(1.0, 1.5) * cast.sign()
    faster = speed + cast.uniform(1.6, 2.4)
    middle_s = 1.3
    bodies = [
        _runner(cast, -way * speed * middle_s, angle),
        _runner(cast, -way * faster * middle_s + side, angle),
    ]
    scripts = [Script(_steady(way, speed)), Script(_steady(way, faster))]
    return _play(cast, bodies, scripts, _two(bodies[::-1], "overtakes"), 2.6)


def _alone(
    cast: Casting,
    speed: Callable[[float], float],
    verb: str,
    span_s: float = 2.6,
    *,
    props: Sequence[Prop] = (),
) -> Play:
    angle = cast.uniform(0, 2 * math.pi)
    way = _heading(angle)
    times = np.linspace(0, span_s, 60)
    length = float(np.trapezoid([speed(float(t)) for t in times], times))
    body = _runner(cast, -way * length / 2, angle)
    caption = f"{name_all([body.name])} {verb}."
    # mostly across the view, so that the change of speed is seen as one
    view = replace(_view(cast), azimuth_rad=angle + math.pi / 2 + cast.uniform(-0.8, 0.8))
    return _play(
        cast, [body], [Script(_straight(way, speed))], caption, span_s, view=view, props=props
    )


def accelerating(rng: np.random.Generator, cast: Casting) -> Play:
    """One drives on, ever faster."""
    low, rate = cast.uniform(0.3, 0.7), cast.uniform(1.2, 2.2)
    begin_s = cast.uniform(0.4, 0.8)
    return _alone(cast, lambda t: low + rate * max(t - begin_s, 0.0), "gets faster")


def braking(rng: np.random.Generator, cast: Casting) -> Play:
    """One drives on, ever slower."""
    high, rate = cast.uniform(2.6, 3.6), cast.uniform(1.3, 2.0)
    begin_s = cast.uniform(0.4, 0.8)
    return _alone(cast, lambda t: max(high - rate * max(t - begin_s, 0.0), 0.4), "slows down")


def starting(rng: np.random.Generator, cast: Casting) -> Play:
    """One stands, then drives off at once."""
    speed, begin_s = cast.uniform(1.2, 2.4), cast.uniform(0.7, 1.1)
    return _alone(cast, lambda t: speed * float(np.clip((t - begin_s) / 0.1, 0, 1)), "starts")


def stopping(rng: np.random.Generator, cast: Casting) -> Play:
    """One drives, then stops at once."""
    speed, end_s = cast.uniform(1.2, 2.4), cast.uniform(1.0, 1.5)
    return _alone(cast, lambda t: speed * float(np.clip((end_s - t) / 0.1, 0, 1)), "stops")


def turning(rng: np.random.Generator, cast: Casting) -> Play:
    """One drives round a bend."""
    angle = cast.uniform(0, 2 * math.pi)
    speed, turn = cast.uniform(1.4, 2.4), cast.uniform(1.2, 2.2) * cast.sign()
    begin_s, long_s = cast.uniform(0.3, 0.6), cast.uniform(0.9, 1.2)
    rate = turn / long_s

    def course(time_s: float) -> tuple[float, float, float, float]:
        inside = begin_s <= time_s < begin_s + long_s
        heading = angle + rate * float(np.clip(time_s - begin_s, 0, long_s))
        way = _heading(heading)
        spin = rate if inside else 0.0
        return (float(way[0] * speed), float(way[1] * speed), 0.0, spin)

    body = _runner(cast, np.zeros(2), angle)
    side = "left" if turn > 0 else "right"
    caption = f"{name_all([body.name])} turns {side}."
    return _play(cast, [body], [Script(course)], caption, 2.4, view=_view(cast, 0.6, 1.3))


def passing(rng: np.random.Generator, cast: Casting) -> Play:
    """One comes into view on one side and leaves it on the other."""
    angle = cast.uniform(0, 2 * math.pi)
    way, speed = _heading(angle), cast.uniform(3.2, 4.6)
    body = _runner(cast, -way * speed * 1.3, angle)
    view = replace(
        _view(cast, 0.2, 0.8),
        azimuth_rad=angle + math.pi / 2 + cast.uniform(-0.4, 0.4),
        offset=(0.0, 0.0),
    )
    caption = f"{name_all([body.name])} passes through the view."
    return _play(
        cast, [body], [Script(_steady(way, speed))], caption, 2.6, view=view, min_width_px=13.0
    )


def passing_screen(rng: np.random.Generator, cast: Casting, *, hides: bool) -> Play:
    """One passes behind a screen, or the same way in front of it."""
    angle = cast.uniform(0, 2 * math.pi)
    way, speed = _heading(angle), cast.uniform(1.6, 2.6)
    toward = np.array([way[1], -way[0]])
    body = _runner(cast, -way * speed * 1.2, angle)
    wide = float(np.hypot(*body.half_m[:2]))
    place = toward * (0.3 + wide) * (1 if hides else -1)
    half = (wide * cast.uniform(1.15, 1.5), 0.06, body.half_m[2] * cast.uniform(2.4, 3.2))
    turn = turn_about((0, 0, 1), angle)
    spot = (float(place[0]), float(place[1]), half[2])
    screen = Prop(Shape.BOX, half, spot, cast.prop_color(), turn)
    view = View(
        azimuth_rad=math.atan2(toward[1], toward[0]) + cast.uniform(-0.2, 0.2),
        elevation_rad=cast.uniform(0.06, 0.22),
        focal_ratio=cast.uniform(0.9, 1.6),
        margin=cast.uniform(0.05, 0.15),
    )
    where = "behind" if hides else "in front of"
    caption = f"{name_all([body.name])} passes {where} a screen."
    scripts = [Script(_steady(way, speed))]
    return _play(cast, [body], scripts, caption, 2.4, view=view, props=(screen,))


def standing(rng: np.random.Generator, cast: Casting) -> Play:
    """Things stand about and nothing moves."""
    count = cast.count(1, 3)
    spots = [
        _heading(2.1 * i + cast.uniform(0, 0.6)) * cast.uniform(0.8, 1.6) for i in range(count)
    ]
    bodies = [_runner(cast, spot, cast.uniform(0, 6.28)) for spot in spots]
    verb = "stands" if count == 1 else "stand"
    caption = f"{name_all([body.name for body in bodies])} {verb} about and nothing moves."
    return _play(cast, bodies, [Script(still)] * count, caption, 2.0)
