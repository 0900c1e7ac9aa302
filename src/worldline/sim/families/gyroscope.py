"""A spinning wheel on an axle that is held at one end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from worldline.core import Clip, Verdict
from worldline.sim.families.base import Casting, compose, name_all, turn_about
from worldline.sim.families.laws import Truth, inertia_per_mass, judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Pattern, Prop, Rod, Shape, Stage
from worldline.sim.studio import film_stage

__all__ = ["Gyroscope"]


class Gyroscope:
    """A wheel spins fast about its axle and, instead of falling, goes round the stand."""

    name = "gyroscope"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.3, 0.5),),
            "arm_m": ((0.5, 0.9),),
            "turn_radps": ((0.8, 2.4),),
        },
        beyond={
            "radius_m": ((0.22, 0.26), (0.56, 0.7)),
            "turn_radps": ((0.4, 0.6), (2.8, 3.6)),
        },
        hole={"radius_m": (0.37, 0.43), "turn_radps": (1.3, 1.8)},
    )
    """`turn_radps` is the rate at which the axle goes round (precession); the spin follows from
    it."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the wheel, its axle and its spin."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        radius, arm = values["radius_m"], values["arm_m"]
        turn = values["turn_radps"] * cast.sign()
        thin = radius * cast.uniform(0.12, 0.22)
        heading, lean = cast.uniform(0, 2 * np.pi), cast.uniform(1.0, 1.75)
        # the axle, from the stand outward, `lean` away from straight up
        outward = np.array([np.cos(heading), np.sin(heading), 0.0])
        axle = np.sin(lean) * outward + np.array([0.0, 0.0, np.cos(lean)])
        height = radius + arm * max(-np.cos(lean), 0.0) + cast.uniform(0.35, 0.7)
        pivot = (0.0, 0.0, height)
        round_m2, across_m2 = radius**2 / 2, radius**2 / 4 + thin**2 / 3 + arm**2
        # steady precession: g arm = turn (round spin - across turn cos(lean)), per mass and with
        # `spin` the whole turn rate about the axle (Goldstein, Classical Mechanics, 5.7)
        spin = (9.81 * arm / turn + across_m2 * turn * np.cos(lean)) / round_m2
        velocity = np.cross((0, 0, turn), arm * axle)
        up = np.array([0.0, 0.0, 1.0])
        angular = (spin - turn * np.cos(lean)) * axle + turn * up
        rotation = compose(turn_about(up, heading), turn_about((0, 1, 0), lean))
        wheel = cast.body(
            Shape.CYLINDER,
            (radius, radius, thin),
            np.array(pivot) + arm * axle,
            rotation_wxyz=compose(rotation, turn_about(up, cast.uniform(0, 2 * np.pi))),
            velocity_mps=velocity,
            angular_velocity_radps=angular,
            rod=Rod(pivot, (0.0, 0.0, 1.0), 0.035, swivels=True),
            label="wheel",
        )
        if wheel.pattern is Pattern.PLAIN:
            # the spin has to be seen
            wheel = replace(wheel, pattern=Pattern.HALVES)
        stand = Prop(
            Shape.CYLINDER, (0.07, 0.07, height / 2), (0, 0, height / 2), cast.prop_color()
        )
        return cast.stage(
            [wheel],
            caption=f"{name_all([wheel.name])} spins on an axle and goes round its stand.",
            props=(stand, *cast.distractors(np.zeros((1, 2)), arm + radius + 0.4)),
            time_s=cast.times((1 / 20, 1 / 15, 1 / 15)),
            max_width_px=20.0,
            landmarks_m=(pivot, (0.0, 0.0, 0.0)),
            facts={"pivot_z_m": height},
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """The axle goes round at m g l / (I omega), with the correction for its lean."""
        truth = truth_of(clip)
        arm = truth.position_m[0] - np.array([0.0, 0.0, truth.fact("pivot_z_m")])
        length = np.linalg.norm(arm, axis=1)
        axle = arm / length[:, None]
        angle = np.unwrap(np.arctan2(axle[:, 1], axle[:, 0]))
        found = float(np.polyfit(truth.time_s, angle, 1)[0])
        wanted = _precession(truth, axle, float(length.mean()), found)
        return (
            judge("precession", [found / wanted - 1], 0.03, "precession at m g l / (I omega)"),
            judge("lean", [float(np.ptp(axle[:, 2]))], 0.03, "an axle that keeps its lean"),
        )


def _precession(truth: Truth, axle: np.ndarray, arm_m: float, rate_radps: float) -> float:
    """Rate that the spin and the weight ask for.

    To first order m g l / (I omega); `rate_radps` only enters the small correction for the lean.
    """
    spin = float((truth.angular_velocity_radps[0] * axle).sum(axis=1).mean())
    across, _, round_ = inertia_per_mass(truth)[0]
    lean = float(axle[:, 2].mean())
    return truth.g * arm_m / (round_ * spin - (across + arm_m**2) * rate_radps * lean)
