"""Twins about what bodies are: that they last, do not jump, keep their shape and their colour.

In view, and behind a screen. Behind a screen the design is that of IntPhys (Riochet et al. 2022,
TPAMI 44(9), section 3): two possible clips give two impossible ones, the first half of either with
the second half of the other, joined while nothing shows. No single frame and no step between two
frames betrays an impossible clip; only who remembers can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from worldline.audit.suites.twin_film import Take, Twin, cut, film, hide, place_camera, shift
from worldline.audit.suites.twin_scenes import Course, change_look, upright
from worldline.core.clip import Clip
from worldline.sim.appearance import draw_body_colors
from worldline.sim.engine import Rollout, simulate
from worldline.sim.families.fall import Drop, Throw
from worldline.sim.families.ground import Roll, Slide
from worldline.sim.model import build_model
from worldline.sim.splits import Split
from worldline.sim.stage import Body, Pattern, Shape, Stage

__all__ = ["color", "continuity", "permanence", "shape"]

_IN_VIEW = (Roll(), Slide(), Throw(), Drop())
_SEEN_PX = 20.0
"""A body that shows so many pixels is in view."""
_HIDDEN_FRAMES = 3
_WHOLE_FRAMES, _WHOLE = 4, 0.8
"""Of a smaller share of a body nobody can say what shape it is."""
_WIDE_M = 0.5
_COLOR_GAP = 0.45
"""Least distance of two colours in RGB from 0 to 1."""

Change = Callable[[Body, np.random.Generator], Body | None]


def permanence(rng: np.random.Generator, index: int, size_px: int) -> Twin | None:
    """A body is gone, or there from nothing: behind a screen (even numbers) or in view."""
    if index % 2 == 0:
        course = Course.draw(rng)
        stage = _behind_screen(course, [course.cast.uniform(0.38, _WIDE_M)])
        rollout = simulate(stage)
        body = 0
    else:
        stage, rollout, body = _in_view(rng)
    camera = place_camera(stage, [rollout], size_px)
    there = film(Take(stage, rollout), camera)
    moment = _hidden(there, body) if index % 2 == 0 else _seen(there, body, rng)
    if moment is None:
        return None
    gone = film(hide(Take(stage, rollout), body), camera)
    return _swap("behind a screen" if index % 2 == 0 else "in view", there, gone, moment, index)


def continuity(rng: np.random.Generator, index: int, size_px: int) -> Twin | None:
    """A body is elsewhere all at once: behind a screen, in view, or past a gap between two."""
    kind = index % 3
    if kind == 2:
        return _skipped_gap(rng, size_px)
    if kind == 0:
        course = Course.draw(rng)
        stage = _behind_screen(course, [course.cast.uniform(0.6, 0.75)])
        rollout, body = simulate(stage), 0
    else:
        stage, rollout, body = _in_view(rng)
    camera = place_camera(stage, [rollout], size_px)
    right = camera.world_from_camera[0, :3, 0]
    width = 2 * max(stage.bodies[body].half_m)
    way = right * np.array([1.0, 1.0, 0.0]) * rng.uniform(1.2, 2.0) * width * rng.choice((-1, 1))
    here = film(Take(stage, rollout), camera)
    there = film(Take(stage, shift(rollout, body, 0, way)), camera)
    moment = _hidden(here, body, there) if kind == 0 else _seen(here, body, rng, there)
    if moment is None:
        return None
    return _swap("behind a screen" if kind == 0 else "in view", here, there, moment, index)


def shape(rng: np.random.Generator, index: int, size_px: int) -> Twin | None:
    """A body has another shape all at once."""
    return _changed(rng, index, size_px, _other_shape)


def color(rng: np.random.Generator, index: int, size_px: int) -> Twin | None:
    """A body has another colour all at once."""
    return _changed(rng, index, size_px, _other_color)


def _changed(rng: np.random.Generator, index: int, size_px: int, change: Change) -> Twin | None:
    hidden = index % 2 == 0
    if hidden:
        course = Course.draw(rng)
        stage = _behind_screen(course, [course.cast.uniform(0.38, _WIDE_M)])
        rollout, body = simulate(stage), 0
    else:
        stage, rollout, body = _in_view(rng)
    other = change(stage.bodies[body], rng)
    if other is None:
        return None
    camera = place_camera(stage, [rollout], size_px)
    here = film(Take(stage, rollout), camera)
    changed = change_look(stage, body, other)
    again = simulate(changed) if hidden else replace(rollout, model=build_model(changed))
    there = film(Take(changed, again), camera)
    moment = _hidden(here, body, there, _WHOLE) if hidden else _seen(here, body, rng, there)
    if moment is None:
        return None
    return _swap("behind a screen" if hidden else "in view", here, there, moment, index)


def _other_shape(body: Body, rng: np.random.Generator) -> Body:
    kinds = (Shape.BALL, Shape.BOX, Shape.CYLINDER)
    others = [kind for kind in kinds if kind is not body.shape]
    if body.shape is not Shape.BALL:
        others = [Shape.BALL]  # from the side a box and a standing cylinder are too alike
    kind = others[int(rng.integers(len(others)))]
    long = body.shape is Shape.CAPSULE
    height = 2 * (float(np.mean(body.half_m)) if long else body.half_m[2])
    half = upright(kind, height)
    return replace(body, shape=kind, half_m=half, label="")


def _other_color(body: Body, rng: np.random.Generator) -> Body | None:
    old = np.array(body.color)
    for _ in range(20):
        name, found, second, _ = draw_body_colors(
            body.shape, Split.HELD_OUT, rng, [body.color_name]
        )
        if np.linalg.norm(np.array(found) - old) >= _COLOR_GAP:
            return replace(body, color=found, second_color=second, color_name=name)
    return None


def _in_view(rng: np.random.Generator) -> tuple[Stage, Rollout, int]:
    family = _IN_VIEW[int(rng.integers(len(_IN_VIEW)))]
    stage = family.stage(Split.HELD_OUT, rng)
    rollout = simulate(stage)
    return stage, rollout, int(rng.integers(len(stage.bodies)))


def _behind_screen(course: Course, half_widths_m: list[float], gap_m: float = 0.0) -> Stage:
    """A body that glides past behind one screen, or two with a gap between them."""
    cast = course.cast
    two = len(half_widths_m) == 2
    small = two or half_widths_m[0] > _WIDE_M  # leaves room beside what hides so much
    radius = cast.uniform(0.2, 0.24) if small else cast.uniform(0.26, 0.42)
    speed = (cast.uniform(3.3, 3.8) if small else cast.uniform(2.8, 4.0)) / course.span_s
    body = course.mover(radius, -speed * course.span_s * cast.uniform(0.45, 0.55), speed)
    body = replace(body, pattern=Pattern.PLAIN)
    height = 2 * body.half_m[2] * cast.uniform(1.3, 1.9)
    away = body.half_m[1] * 1.5 + cast.uniform(0.2, 0.5)
    places = [0.0]
    if two:
        places = [-(half_widths_m[0] + gap_m / 2), half_widths_m[1] + gap_m / 2]
    screens = [
        course.screen(half, place, height, away)
        for half, place in zip(half_widths_m, places, strict=True)
    ]
    return course.stage([body], screens, view=course.view(0.05, 0.25, 0.2))


def _skipped_gap(rng: np.random.Generator, size_px: int) -> Twin | None:
    course = Course.draw(rng)
    halves = [course.cast.uniform(0.36, 0.43) for _ in range(2)]
    stage = _behind_screen(course, halves, gap_m=course.cast.uniform(0.7, 0.9))
    rollout = simulate(stage)
    camera = place_camera(stage, [rollout], size_px)
    there = film(Take(stage, rollout), camera)
    assert there.scene is not None
    hidden = _runs(_areas(there, 0) == 0)
    hidden = [run for run in hidden if run[0] > 2 and run[1] < len(stage.time_s) - 1]
    if len(hidden) != 2 or min(last - first for first, last in hidden) < 1:
        return None
    first, until = hidden[0][1], hidden[1][0] + 1
    if until - first < 4 or _areas(there, 0)[first + 1 : until].max() < _SEEN_PX:
        return None
    areas = _areas(there, 0)
    outside = (areas[: hidden[0][0]], areas[hidden[1][1] + 1 :])
    if min((area >= 0.4 * areas.max()).sum() for area in outside) < _WHOLE_FRAMES:
        return None
    skipped = film(hide(Take(stage, rollout), 0, first, until), camera)
    return Twin("between two screens", there, skipped, first)


def _swap(variant: str, one: Clip, other: Clip, moment: int, index: int) -> Twin:
    """Either of two possible clips, beside its first half with the other's second half."""
    if (index // 2) % 2:
        one, other = other, one
    return Twin(variant, one, cut(one, other, moment), moment)


def _areas(clip: Clip, body: int) -> np.ndarray:
    assert clip.segmentation is not None
    return (clip.segmentation == body).sum(axis=(1, 2)).astype(float)


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """First and last numbers of the runs in which a mask holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _hidden(clip: Clip, body: int, other: Clip | None = None, whole: float = 0.0) -> int | None:
    """A frame amid those in which a body is out of sight, in both clips, and then in sight."""
    clips = [clip] if other is None else [clip, other]
    areas = [_areas(each, body) for each in clips]
    runs = _runs(np.all([area == 0 for area in areas], axis=0))
    for first, last in runs:
        if last - first + 1 < _HIDDEN_FRAMES:
            continue
        if all(
            _is_seen(area[:first], whole) and _is_seen(area[last + 1 :], whole) for area in areas
        ):
            return (first + last + 1) // 2
    return None


def _is_seen(areas: np.ndarray, whole: float) -> bool:
    """Whether a body shows long enough, and as large a share of the most that it ever shows."""
    least = max(_SEEN_PX, whole * areas.max(initial=0.0))
    return bool((areas >= least).sum() >= _HIDDEN_FRAMES)


def _seen(clip: Clip, body: int, rng: np.random.Generator, other: Clip | None = None) -> int | None:
    """A frame around which a body is in sight, in both clips."""
    seen = _areas(clip, body) >= _SEEN_PX
    if other is not None:
        seen &= _areas(other, body) >= _SEEN_PX
    fit = [t for t in range(8, len(seen) - 5) if seen[t - 3 : t + 4].all()]
    return int(rng.choice(fit)) if fit else None
