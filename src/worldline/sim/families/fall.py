"""Bodies in the air: dropped, thrown, bouncing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from worldline.core import STATIC, Clip, Verdict
from worldline.sim.families.base import Casting, name_all, scatter
from worldline.sim.families.laws import gravity_verdict, judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Shape, Stage
from worldline.sim.studio import film_stage

__all__ = ["Bounce", "Drop", "Throw"]

_SHAPES = (Shape.BALL, Shape.BOX, Shape.CYLINDER, Shape.CAPSULE)
_SIZE = ((0.22, 0.55),)
_SIZE_BEYOND = ((0.12, 0.18), (0.65, 0.85))


class Drop:
    """One to three bodies fall from rest onto the floor."""

    name = "drop"
    has_camera = True
    ranges = Ranges(
        train={"radius_m": _SIZE, "height_m": ((1.6, 4.0),), "restitution": ((0.1, 0.5),)},
        beyond={"radius_m": _SIZE_BEYOND, "height_m": ((0.8, 1.3), (4.5, 6.0))},
        hole={"radius_m": (0.34, 0.42), "height_m": (2.4, 3.0)},
    )

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw what falls from where."""
        cast = Casting(split, rng)
        bodies, restitution = [], 0.1
        spots = scatter(cast, cast.count(1, 3), 1.3)
        for x, y in spots:
            values = self.ranges.draw(split, rng)
            shape = cast.pick(_SHAPES)
            half = cast.half_sides(shape, values["radius_m"])
            radius = float(np.linalg.norm(half))
            place = (x, y, values["height_m"] + radius)
            spin = rng.normal(0, 1.5, 3)
            bodies.append(
                cast.body(
                    shape,
                    half,
                    place,
                    rotation_wxyz=cast.rotation(),
                    angular_velocity_radps=spin,
                )
            )
            restitution = values["restitution"]
        names = name_all([body.name for body in bodies])
        verb = "falls" if len(bodies) == 1 else "fall"
        return cast.stage(
            bodies,
            caption=f"{names} {verb} to the floor.",
            props=cast.distractors(spots, 1.2),
            restitution=restitution,
            time_s=cast.times((1 / 30, 1 / 30, 1 / 20, 1 / 15)),
            lead_s=cast.uniform(0, 0.3),
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Acceleration is g while nothing is touched."""
        return (gravity_verdict(truth_of(clip)),)


class Throw:
    """One or two bodies fly on a parabola."""

    name = "throw"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": _SIZE,
            "height_m": ((0.4, 2.0),),
            "speed_mps": ((1.5, 4.5),),
            "rise_mps": ((3.0, 6.5),),
            "restitution": ((0.1, 0.6),),
        },
        beyond={
            "radius_m": _SIZE_BEYOND,
            "speed_mps": ((0.3, 1.0), (5.0, 6.5)),
            "rise_mps": ((1.0, 2.5), (7.0, 8.0)),
        },
        hole={"speed_mps": (2.4, 3.2), "rise_mps": (4.2, 5.2)},
    )

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw who flies where."""
        cast = Casting(split, rng)
        heading = cast.uniform(0, 2 * np.pi)
        along, across = (
            np.array([np.cos(heading), np.sin(heading)]),
            np.array([-np.sin(heading), np.cos(heading)]),
        )
        bodies, restitution, path = [], 0.1, []
        for index in range(cast.count(1, 2)):
            values = self.ranges.draw(split, rng)
            shape = cast.pick(_SHAPES)
            half = cast.half_sides(shape, values["radius_m"])
            way = along if index == 0 else -along
            start = -1.5 * way + (2 * index - 0.5) * 0.9 * across
            velocity = (*(way * values["speed_mps"]), values["rise_mps"])
            bodies.append(
                cast.body(
                    shape,
                    half,
                    (*start, values["height_m"] + float(np.linalg.norm(half))),
                    rotation_wxyz=cast.rotation(),
                    velocity_mps=velocity,
                    angular_velocity_radps=rng.normal(0, 3, 3),
                )
            )
            restitution = values["restitution"]
            path += [start + way * values["speed_mps"] * t for t in (0, 0.5, 1, 1.5)]
        names = name_all([body.name for body in bodies])
        verb = "is" if len(bodies) == 1 else "are"
        return cast.stage(
            bodies,
            caption=f"{names} {verb} thrown through the air.",
            view=cast.view(azimuth_rad=heading + np.pi / 2, spread_rad=0.6),
            props=cast.distractors(np.array(path), 1.2),
            restitution=restitution,
            lead_s=cast.uniform(0, 0.15),
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Acceleration is g while nothing is touched."""
        return (gravity_verdict(truth_of(clip)),)


class Bounce:
    """One or two balls bounce."""

    name = "bounce"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.22, 0.5),),
            "height_m": ((1.2, 3.0),),
            "speed_mps": ((0.2, 1.6),),
            "restitution": ((0.6, 0.9),),
        },
        beyond={
            "radius_m": ((0.12, 0.18), (0.6, 0.8)),
            "height_m": ((0.5, 0.9), (3.5, 4.5)),
            "restitution": ((0.4, 0.5), (0.94, 0.98)),
        },
        hole={"height_m": (1.8, 2.3), "restitution": (0.7, 0.8)},
    )

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw who bounces where."""
        cast = Casting(split, rng)
        heading = cast.uniform(0, 2 * np.pi)
        along, across = (
            np.array([np.cos(heading), np.sin(heading)]),
            np.array([-np.sin(heading), np.cos(heading)]),
        )
        bodies, restitution, path = [], 0.6, []
        for index in range(cast.count(1, 2)):
            values = self.ranges.draw(split, rng)
            radius = values["radius_m"]
            way = along * cast.sign()
            start = -0.8 * way + (2 * index - 0.5) * 0.9 * across
            bodies.append(
                cast.body(
                    Shape.BALL,
                    (radius, radius, radius),
                    (*start, values["height_m"] + radius),
                    rotation_wxyz=cast.rotation(),
                    velocity_mps=(*(way * values["speed_mps"]), 0.0),
                    angular_velocity_radps=rng.normal(0, 2, 3),
                )
            )
            restitution = values["restitution"]
            path += [start + way * values["speed_mps"] * t for t in (0, 0.5, 1, 1.5)]
        names = name_all([body.name for body in bodies])
        verb = "bounces" if len(bodies) == 1 else "bounce"
        return cast.stage(
            bodies,
            caption=f"{names} {verb} on the floor.",
            view=cast.view(azimuth_rad=heading + np.pi / 2, spread_rad=0.7),
            props=cast.distractors(np.array(path), 1.2),
            restitution=restitution,
            friction=cast.uniform(0.1, 0.6),
            lead_s=cast.uniform(0, 0.3),
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Free flight is at g, and each bounce returns the wanted share of the normal speed."""
        truth = truth_of(clip)
        wanted, errors = truth.fact("restitution"), []
        for row in truth.rows:
            touches, vertical = truth.touches_of(row), truth.velocity_mps[row, :, 2]
            for before, after in pairwise(truth.free_runs(row, min_frames=2)):
                last, first = before.stop - 1, after.start
                between = [
                    touch
                    for touch in touches
                    if truth.time_s[last] <= touch.end_s and touch.start_s <= truth.time_s[first]
                ]
                if len(between) != 1 or between[0].b != STATIC:
                    continue
                arriving = vertical[last] - truth.g * (between[0].start_s - truth.time_s[last])
                leaving = vertical[first] + truth.g * (truth.time_s[first] - between[0].end_s)
                if arriving < -1:
                    errors.append(float(-leaving / arriving - wanted))
        return (
            gravity_verdict(truth),
            judge("restitution", errors, 0.06, "bounces with the wanted restitution"),
        )
