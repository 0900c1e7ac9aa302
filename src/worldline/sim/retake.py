"""Filming the same physics once more: in other colours, by other light, from another side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from worldline.sim.appearance import draw_body_colors, draw_floor, draw_light, draw_sky
from worldline.sim.engine import Rollout
from worldline.sim.framing import Restage
from worldline.sim.splits import Split
from worldline.sim.stage import Stage, Vector, View

__all__ = ["CameraChange", "draw_retake", "in_the_look_of"]

_LOWEST_RAD, _STEEPEST_RAD = 0.05, 1.52
_FOCAL = (0.7, 2.2)


@dataclass(frozen=True)
class CameraChange:
    """How far the camera of a retake may stand from the first one.

    Attributes:
        azimuth_rad, elevation_rad: it goes up to so far round the action, and up or down.
        zoom: focal length changes by a factor of up to this, or its inverse.
        margin: greatest part of the image's half width that stays free around the action.
    """

    azimuth_rad: float = 0.45
    elevation_rad: float = 0.15
    zoom: float = 1.25
    margin: float = 0.25


def draw_retake(rng: np.random.Generator, change: CameraChange | None = None) -> Restage:
    """Another appearance and another camera for a stage whose physics stays.

    Bodies get colours and patterns anew, and so do props, floor, sky and light. Shapes stay,
    because they take part in what happens. Without `change` the camera stands where it stood.

    Args:
        rng: what the retake is drawn from; each stage that passes draws further.
        change: how far the camera moves.
    """

    def restage(stage: Stage, _: Rollout) -> Stage:
        names: list[str] = []
        colors: list[Vector] = []
        things = []
        for thing in stage.things:
            name, color, second, pattern = draw_body_colors(thing.shape, Split.TRAIN, rng, names)
            names.append(name)
            colors.append(color)
            things.append(
                replace(thing, color=color, color_name=name, second_color=second, pattern=pattern)
            )
        count = len(stage.bodies)
        props = tuple(replace(prop, color=_dull(rng)) for prop in stage.props)
        return replace(
            stage,
            bodies=tuple(things[:count]),
            softs=tuple(things[count:]),
            props=props,
            floor=draw_floor(colors, rng),
            sky=draw_sky(rng),
            light=draw_light(rng),
            view=stage.view if change is None else _move(stage.view, change, rng),
        )

    return restage


def in_the_look_of(model: Stage) -> Restage:
    """Whatever happens, in the colours, the light and from the side of another stage.

    Where there are more bodies than in that stage its colours repeat.
    """

    def restage(stage: Stage, _: Rollout) -> Stage:
        dressed = []
        for index, thing in enumerate(stage.things):
            like = model.things[index % len(model.things)]
            dressed.append(
                replace(
                    thing,
                    color=like.color,
                    color_name=like.color_name,
                    second_color=like.second_color,
                    pattern=like.pattern,
                )
            )
        count = len(stage.bodies)
        colors = [prop.color for prop in model.props] or [model.floor.second_color]
        props = (
            replace(prop, color=colors[index % len(colors)])
            for index, prop in enumerate(stage.props)
        )
        return replace(
            stage,
            bodies=tuple(dressed[:count]),
            softs=tuple(dressed[count:]),
            props=tuple(props),
            floor=model.floor,
            sky=model.sky,
            light=model.light,
            view=model.view,
        )

    return restage


def _dull(rng: np.random.Generator) -> Vector:
    base = rng.uniform(0.25, 0.85)
    r, g, b = np.clip(base + rng.uniform(-0.1, 0.1, 3), 0, 1).tolist()
    return (r, g, b)


def _move(view: View, change: CameraChange, rng: np.random.Generator) -> View:
    azimuth = view.azimuth_rad + rng.uniform(-1, 1) * change.azimuth_rad
    elevation = view.elevation_rad + rng.uniform(-1, 1) * change.elevation_rad
    focal = view.focal_ratio * change.zoom ** rng.uniform(-1, 1)
    return View(
        azimuth_rad=float(azimuth),
        elevation_rad=float(np.clip(elevation, _LOWEST_RAD, _STEEPEST_RAD)),
        focal_ratio=float(np.clip(focal, *_FOCAL)),
        margin=float(rng.uniform(0.02, change.margin)),
        offset=(float(rng.uniform(-1, 1)), float(rng.uniform(-1, 1))),
    )
