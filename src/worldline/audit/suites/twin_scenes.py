"""Sets on which twins are filmed: a course along a line, seen from its side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from worldline.sim.engine import Rollout
from worldline.sim.families.base import Casting, turn_about
from worldline.sim.splits import Split
from worldline.sim.stage import Body, Prop, Shape, Stage, View

__all__ = ["SMOOTH", "Course", "change_look", "is_in_flight", "upright"]

SMOOTH = 1e-3
"""Friction on which everything glides on as it came."""


@dataclass(frozen=True, eq=False)
class Course:
    """A straight line through the middle of the scene, and who draws what stands on it.

    Attributes:
        cast: draws.
        along, near: unit vectors of the line, and of the way from it to the camera's side.
        heading_rad: of the line.
        time_s: of the frames.
    """

    cast: Casting
    along: np.ndarray
    near: np.ndarray
    heading_rad: float
    time_s: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Course:
        """Any direction, at one of the frame steps of the training data."""
        cast = Casting(Split.HELD_OUT, rng)
        heading = cast.uniform(0, 2 * np.pi)
        along = np.array([np.cos(heading), np.sin(heading), 0.0])
        near = np.array([along[1], -along[0], 0.0])
        return cls(cast, along, near, heading, cast.times((1 / 30, 1 / 20, 1 / 20)))

    @property
    def span_s(self) -> float:
        """From the first frame to the last."""
        return float(self.time_s[-1])

    def mover(
        self, radius_m: float, place_m: float, speed_mps: float, *, side_m: float = 0.0
    ) -> Body:
        """Something that stands on the line, or glides along it: a ball that turns as if it rolled,
        a box or a cylinder that stays upright.

        Args:
            radius_m: about half its width.
            place_m: along the line at first.
            speed_mps: along the line; 0 for a body at rest.
            side_m: how far to the camera's side of the line.
        """
        shape = self.cast.pick((Shape.BALL, Shape.BALL, Shape.BOX, Shape.CYLINDER))
        if shape is Shape.BALL:
            half = (radius_m, radius_m, radius_m)
            turn = self.cast.rotation()
            spin = np.cross((0, 0, 1), self.along) * speed_mps / radius_m
        else:
            width = radius_m * self.cast.uniform(0.8, 1.0)
            half = (width, width, radius_m * self.cast.uniform(0.75, 1.1))
            turn = turn_about((0, 0, 1), self.cast.uniform(0, 2 * np.pi))
            spin = np.zeros(3)
        place = self.along * place_m + self.near * side_m
        place[2] = half[2]
        return self.cast.body(
            shape,
            half,
            place,
            density=self.cast.uniform(300, 400),
            rotation_wxyz=turn,
            velocity_mps=self.along * speed_mps,
            angular_velocity_radps=spin,
        )

    def screen(self, half_width_m: float, place_m: float, height_m: float, gap_m: float) -> Prop:
        """A board in front of the line, `gap_m` to the camera's side, `height_m` high."""
        place = self.along * place_m + self.near * gap_m
        return Prop(
            Shape.BOX,
            (half_width_m, 0.06, height_m / 2),
            (float(place[0]), float(place[1]), height_m / 2),
            self.cast.prop_color(),
            turn_about((0, 0, 1), self.heading_rad),
        )

    def block(self, half_m: Sequence[float], place_m: float, height_m: float | None = None) -> Prop:
        """A solid block on the line, lengthwise, its middle at `height_m` or as if it stood."""
        place = self.along * place_m
        length, depth, height = (float(side) for side in half_m)
        return Prop(
            Shape.BOX,
            (length, depth, height),
            (float(place[0]), float(place[1]), height if height_m is None else height_m),
            self.cast.prop_color(),
            turn_about((0, 0, 1), self.heading_rad),
        )

    def view(self, low_rad: float = 0.08, high_rad: float = 0.4, spread_rad: float = 0.3) -> View:
        """From the side, a little from above."""
        cast = self.cast
        return View(
            azimuth_rad=float(np.arctan2(self.near[1], self.near[0]))
            + cast.uniform(-spread_rad, spread_rad),
            elevation_rad=cast.uniform(low_rad, high_rad),
            focal_ratio=cast.uniform(0.9, 1.8),
            margin=cast.uniform(0.05, 0.2),
        )

    def stage(
        self,
        bodies: Sequence[Body],
        props: Sequence[Prop] = (),
        *,
        view: View | None = None,
        restitution: float = 0.5,
        friction: float = SMOOTH,
    ) -> Stage:
        """Complete a stage; the camera has in view what moves."""
        return self.cast.stage(
            bodies,
            caption="",
            view=self.view() if view is None else view,
            props=props,
            time_s=self.time_s,
            restitution=restitution,
            friction=friction,
            min_width_px=7.0,
        )


def upright(shape: Shape, height_m: float) -> tuple[float, float, float]:
    """Half side lengths of a body of another shape that stands as high."""
    half = height_m / 2
    if shape is Shape.BALL:
        return (half, half, half)
    return (0.9 * half, 0.9 * half, half)


def change_look(stage: Stage, body: int, other: Body) -> Stage:
    """The stage with one body in place of another."""
    bodies = tuple(other if i == body else own for i, own in enumerate(stage.bodies))
    return replace(stage, bodies=bodies)


def is_in_flight(stage: Stage, rollout: Rollout, body: int, first: int, until: int) -> bool:
    """Whether a body touches nothing from frame `first` to frame `until`, both included."""
    touches = rollout.touches
    until = min(until, len(stage.time_s) - 1)
    own = (touches.a == body) | (touches.b == body)
    when = touches.time_s[own]
    return not bool(((when >= stage.time_s[first]) & (when <= stage.time_s[until])).any())
