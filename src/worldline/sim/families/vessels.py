"""Vessels: an open box that keeps what falls into it, and a cup that pours."""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import dataclass, replace

import mujoco
import numpy as np

from worldline.core import Clip, Verdict
from worldline.sim.engine import Rollout, drive, simulate
from worldline.sim.families.base import Casting, name_all, turn_about
from worldline.sim.families.laws import gravity_verdict, judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.model import BIN_WALL_M
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Body, Fixed, Hinge, Shape, Stage, View
from worldline.sim.studio import film_stage

__all__ = ["Contain", "Pour"]


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
        outer = inner + 2 * BIN_WALL_M
        vessel = _open_box(cast, inner, depth, heading)
        return cast.stage(
            [*bodies, vessel],
            caption=f"{names} {verb} into an open {vessel.color_name} box and {stay} there.",
            view=View(
                azimuth_rad=cast.uniform(0, 2 * np.pi),
                elevation_rad=cast.uniform(0.55, 1.0),
                focal_ratio=cast.uniform(0.85, 1.8),
                margin=cast.uniform(0.02, 0.15),
                offset=(cast.uniform(-1, 1), cast.uniform(-1, 1)),
            ),
            time_s=cast.times((1 / 30, 1 / 30, 1 / 20)),
            max_width_px=34.0,
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
        place_m = truth.position_m[:-1]  # the last one is the box itself
        axes = np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
        side = np.abs(place_m[..., :2] @ axes.T).max(axis=-1)
        least = truth.extent_m[:-1].min(axis=1)[:, None] / 2
        inside = place_m[..., 2] < truth.fact("depth_m")
        over = np.where(inside, side + least - truth.fact("inner_m"), -np.inf).max()
        sunk = (least - place_m[..., 2]).max() - BIN_WALL_M
        errors = [max(float(over), 0.0), max(float(sunk), 0.0)] if inside.any() else []
        return (
            judge("containment", errors, 0.03, "bodies that stay between the walls"),
            gravity_verdict(truth),
        )


class Pour:
    """A cup tips and pours 20 to 36 grains into an open box.

    The grains are one object, with their common centre of mass, their common box in the image and
    one number in the segmentation: a heap has more parts than a scene wants to follow.
    """

    name = "pour"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.36, 0.46),),
            "tip_rad": ((1.9, 2.3),),
            "tip_s": ((0.5, 0.9),),
        },
        beyond={
            "radius_m": ((0.3, 0.33), (0.5, 0.56)),
            "tip_s": ((0.35, 0.45), (1.0, 1.2)),
        },
        hole={"radius_m": (0.39, 0.43), "tip_s": (0.62, 0.76)},
    )
    """`tip_rad` is how far the cup turns, and `tip_s` how long that takes."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        stage = self.stage(split, rng)
        facts = stage.facts
        tipping = _Tipping(facts["tip_rad"], facts["tip_s"], facts["start_s"])
        rollout = simulate(stage, tipping)
        return film_stage(_with_counts(stage, rollout), shot, rollout)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the cup, the grains and the box below."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        radius = values["radius_m"]
        half_height = radius * cast.uniform(0.75, 0.95)
        heading = cast.uniform(0, 2 * np.pi)
        along = np.array([np.cos(heading), np.sin(heading), 0.0])
        axis = (-float(along[1]), float(along[0]), 0.0)
        depth = cast.uniform(0.2, 0.35)
        height = depth + half_height + radius + cast.uniform(0.1, 0.4)
        # the lip swings out by about the cup's own half height
        pivot = -along * 1.1 * half_height + np.array([0, 0, height])
        x, y, z = pivot.tolist()
        cup = cast.body(
            Shape.CUP,
            (radius, radius, half_height),
            pivot,
            rotation_wxyz=turn_about((0, 0, 1), heading),
            mount=Hinge((x, y, z), axis, is_driven=True),
        )
        grain = radius * cast.uniform(0.17, 0.2)
        first = cast.body(Shape.BALL, (grain, grain, grain), pivot, cluster="grains")
        deep = 1.8 * half_height
        places = _heap(cast, cast.count(20, 36), grain, 0.84 * radius, deep)
        floor = pivot - np.array([0, 0, (1 - 0.08) * half_height])
        grains = []
        for place in floor + places:
            x, y, z = place.tolist()
            grains.append(replace(first, position_m=(x, y, z)))
        inner = cast.uniform(0.75, 0.95)
        color = first.color_name
        stage = cast.stage(
            [cup, *grains, _open_box(cast, inner, depth, heading)],
            caption=f"{name_all([cup.name])} pours {color} grains into an open box.",
            view=cast.view(azimuth_rad=heading + np.pi / 2, spread_rad=0.5),
            time_s=cast.times((1 / 20, 1 / 20, 1 / 15)),
            restitution=0.1,
            friction=cast.uniform(0.3, 0.5),
            lead_s=0.25,
            max_width_px=34.0,
            landmarks_m=[
                side * inner * along + across * inner * np.array(axis)
                for side in (-1, 1)
                for across in (-1, 1)
            ],
            facts={
                "num_grains": float(len(grains)),
                "tip_rad": values["tip_rad"],
                "tip_s": values["tip_s"],
                "start_s": cast.uniform(0.0, 0.15),
                "depth_m": depth,
                "inner_m": inner,
            },
        )
        return replace(stage, max_step_s=0.002)

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """The cup turns as it should; the grains leave it, sink, and none of them is lost."""
        truth = truth_of(clip)
        cup, grains = 0, 1
        assert truth.scene.rotation_wxyz is not None
        _, x, y, _ = truth.scene.rotation_wxyz[cup].T
        tilt = np.arccos(np.clip(1 - 2 * (x * x + y * y), -1, 1))
        plan = _Tipping(truth.fact("tip_rad"), truth.fact("tip_s"), truth.fact("start_s"))
        wrong = [float(a - plan.angle_rad(t)) for a, t in zip(tilt, truth.time_s, strict=True)]
        height = truth.position_m[grains, :, 2]
        # as long as the cup turns it may lift them, and press them down
        alone = truth.time_s > truth.fact("start_s") + truth.fact("tip_s")
        height = height[alone]
        rise = [float((height - np.minimum.accumulate(height)).max())] if len(height) > 1 else []
        speed, time_s = truth.velocity_mps[grains, alone, 2], truth.time_s[alone]
        falling = np.maximum(-np.diff(speed) / np.diff(time_s) - truth.g, 0.0).tolist()
        lost = [truth.fact("num_grains") - truth.fact(name) for name in ("num_first", "num_last")]
        return (
            judge("tipping", wrong, 0.01, "a cup that turns as it is driven"),
            judge("sinking", rise, 0.03, "grains that sink as they are poured, but for a splash"),
            judge("free_fall", falling, 0.5, "grains that fall at most with g"),
            judge("count", lost, 0.0, "grains none of which is lost"),
        )


@dataclass(frozen=True)
class _Tipping:
    """A turn that starts and ends smoothly.

    Attributes:
        tip_rad: how far.
        tip_s: how long it takes.
        start_s: when it starts.
    """

    tip_rad: float
    tip_s: float
    start_s: float

    def angle_rad(self, time_s: float) -> float:
        """Angle at a time: the cubic that is at rest at both ends."""
        share = min(max((time_s - self.start_s) / self.tip_s, 0.0), 1.0)
        return self.tip_rad * share * share * (3 - 2 * share)

    def __call__(self, model: mujoco.MjModel, data: mujoco.MjData, moment_s: float) -> None:
        step_s = float(model.opt.timestep)
        change = self.angle_rad(moment_s + step_s) - self.angle_rad(moment_s)
        drive(model, data, 0, [change / step_s])


def _heap(cast: Casting, count: int, grain_m: float, inner_m: float, deep_m: float) -> np.ndarray:
    """Places over the bottom of a cup, layer by layer, a little apart; as many as there is room."""
    step = 2.1 * grain_m
    across = np.arange(-inner_m, inner_m, step) + step / 2
    x, y = np.meshgrid(across, across)
    spots = np.stack([x.ravel(), y.ravel()], axis=-1)
    spots = spots[np.linalg.norm(spots, axis=1) < inner_m - grain_m]
    places = []
    room = len(spots) * int(deep_m / (2.05 * grain_m))
    for index in range(min(count, room)):
        layer, number = divmod(index, len(spots))
        # every other layer stands a little aside, so that no pile stands upright
        aside = 0.15 * grain_m * cast.rng.uniform(-1, 1, 2)
        places.append((*(spots[number] + aside), (1.1 + 2.05 * layer) * grain_m))
    return np.array(places)


def _with_counts(stage: Stage, rollout: Rollout) -> Stage:
    """Note how many grains are in the cup at first, and still there to be seen at last."""
    cup, grains = stage.bodies[0], rollout.position_m[1:-1]
    reach = np.linalg.norm(grains[:, 0] - rollout.position_m[0, 0], axis=1)
    last = grains[:, -1]
    there = (last[:, 2] > 0) & (np.linalg.norm(last, axis=1) < 10 * cup.radius_m)
    counts = {
        "num_first": float((reach < cup.radius_m).sum()),
        "num_last": float(there.sum()),
    }
    return replace(stage, facts=stage.facts | counts)


def _open_box(cast: Casting, inner_m: float, depth_m: float, heading_rad: float) -> Body:
    """A box without a lid that stands on the floor."""
    outer = inner_m + 2 * BIN_WALL_M
    return cast.body(
        Shape.BIN,
        (outer, outer, depth_m / 2),
        (0.0, 0.0, depth_m / 2),
        rotation_wxyz=turn_about((0, 0, 1), heading_rad),
        mount=Fixed(),
    )
