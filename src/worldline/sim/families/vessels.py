"""Vessels: an open box that keeps what falls into it, and a cup that pours."""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import numpy as np

from worldline.core import Clip, Verdict
from worldline.sim.families.base import Casting, name_all, turn_about
from worldline.sim.families.laws import gravity_verdict, judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Prop, Shape, Stage, Vector, View
from worldline.sim.studio import film_stage

__all__ = ["Contain"]

_WALL_M = 0.05
"""Half the thickness of a box's walls."""


class Contain:
    """One to three bodies fall into an open box and stay inside."""

    name = "contain"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.2, 0.34),),
            "height_m": ((0.6, 1.8),),
            "restitution": ((0.1, 0.4),),
        },
        beyond={
            "radius_m": ((0.13, 0.17), (0.38, 0.44)),
            "height_m": ((0.3, 0.45), (2.1, 2.6)),
        },
        hole={"radius_m": (0.25, 0.29), "height_m": (1.0, 1.4)},
    )
    """`height_m` is the way from the rim of the box up to the lowest body."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the box and what falls into it."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        radius = values["radius_m"]
        count = cast.count(1, 3)
        inner = radius * (cast.uniform(2.2, 2.8) if count == 1 else cast.uniform(2.8, 3.3))
        depth = radius * cast.uniform(2.2, 3.0)
        heading = cast.uniform(0, 2 * np.pi)
        bodies = []
        height = depth + values["height_m"]
        for _ in range(count):
            shape = cast.pick((Shape.BALL, Shape.BALL, Shape.BOX, Shape.CYLINDER))
            half = cast.half_sides(shape, radius * cast.uniform(0.8, 1.0))
            reach = float(np.linalg.norm(half)) if shape is not Shape.BALL else half[0]
            free = max(inner - reach - 0.05, 0.0)
            x, y = cast.uniform(-free, free), cast.uniform(-free, free)
            cos, sin = np.cos(heading), np.sin(heading)
            place = (cos * x - sin * y, sin * x + cos * y, height + reach)
            height += 2 * reach + cast.uniform(0.2, 0.6)
            bodies.append(
                cast.body(
                    shape,
                    half,
                    place,
                    rotation_wxyz=cast.rotation(),
                    angular_velocity_radps=rng.normal(0, 1.5, 3),
                )
            )
        names = name_all([body.name for body in bodies])
        verb = "falls" if count == 1 else "fall"
        stay = "stays" if count == 1 else "stay"
        outer = inner + 2 * _WALL_M
        return cast.stage(
            bodies,
            caption=f"{names} {verb} into an open box and {stay} there.",
            view=View(
                azimuth_rad=cast.uniform(0, 2 * np.pi),
                elevation_rad=cast.uniform(0.55, 1.0),
                focal_ratio=cast.uniform(0.85, 1.8),
                margin=cast.uniform(0.02, 0.15),
                offset=(cast.uniform(-1, 1), cast.uniform(-1, 1)),
            ),
            props=_open_box(inner, depth, heading, cast.prop_color()),
            time_s=cast.times((1 / 30, 1 / 30, 1 / 20)),
            restitution=values["restitution"],
            friction=cast.uniform(0.3, 0.6),
            lead_s=cast.uniform(0.0, 0.15),
            landmarks_m=[
                (sx * outer * 1.3, sy * outer * 1.3, z)
                for sx in (-1, 1)
                for sy in (-1, 1)
                for z in (0, depth)
            ],
            facts={"inner_m": inner, "depth_m": depth, "heading_rad": heading},
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """What is below the rim is between the walls; before that it falls freely."""
        truth = truth_of(clip)
        heading = truth.fact("heading_rad")
        axes = np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
        side = np.abs(truth.position_m[..., :2] @ axes.T).max(axis=-1)
        least = truth.extent_m.min(axis=1)[:, None] / 2
        inside = truth.position_m[..., 2] < truth.fact("depth_m")
        over = np.where(inside, side + least - truth.fact("inner_m"), -np.inf).max()
        sunk = (least - truth.position_m[..., 2]).max() - _WALL_M
        errors = [max(float(over), 0.0), max(float(sunk), 0.0)] if inside.any() else []
        return (
            judge("containment", errors, 0.03, "bodies that stay between the walls"),
            gravity_verdict(truth),
        )


def _open_box(
    inner_m: float, depth_m: float, heading_rad: float, color: Vector
) -> tuple[Prop, ...]:
    """Floor and four walls."""
    turn = turn_about((0, 0, 1), heading_rad)
    along = np.array([np.cos(heading_rad), np.sin(heading_rad), 0.0])
    across = np.array([-along[1], along[0], 0.0])
    reach, up = inner_m + _WALL_M, np.array([0.0, 0.0, depth_m / 2])
    parts = [((reach, reach, _WALL_M / 2), np.array([0.0, 0.0, _WALL_M / 2]))]
    for side in (-1.0, 1.0):
        parts.append(((_WALL_M, inner_m + 2 * _WALL_M, depth_m / 2), side * reach * along + up))
        parts.append(((inner_m, _WALL_M, depth_m / 2), side * reach * across + up))
    return tuple(
        Prop(Shape.BOX, half, (float(x), float(y), float(z)), color, turn)
        for half, (x, y, z) in parts
    )
