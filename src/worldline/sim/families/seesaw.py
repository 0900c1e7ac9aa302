"""A plank on a fulcrum, with bodies on it."""

from __future__ import annotations

import numpy as np

from worldline.core import STATIC, Clip, Verdict
from worldline.sim.families.base import Casting, compose, name_all, turn_about
from worldline.sim.families.laws import Truth, judge, spin_momentum, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Hinge, Prop, Shape, Stage
from worldline.sim.studio import film_stage

__all__ = ["Seesaw"]

PLANK = 0
"""Object id of the plank."""


class Seesaw:
    """A plank tips to the side of the greater torque, or is hit by a box and throws up another."""

    name = "seesaw"
    has_camera = True
    ranges = Ranges(
        train={
            "half_length_m": ((1.1, 1.7),),
            "radius_m": ((0.2, 0.32),),
            "ratio": ((1.5, 4.0),),
        },
        beyond={
            "half_length_m": ((0.8, 1.0), (1.9, 2.3)),
            "ratio": ((1.15, 1.35), (5.0, 8.0)),
        },
        hole={"half_length_m": (1.3, 1.5), "ratio": (2.2, 3.0)},
    )
    """`ratio` is the greater torque over the smaller where the plank tips by itself, and the mass
    of the falling box over that of the lying one where one falls."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the plank, what lies on it and what falls."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        heading = cast.uniform(0, 2 * np.pi)
        along = np.array([np.cos(heading), np.sin(heading), 0.0])
        across = np.array([-along[1], along[0], 0.0])
        long, radius, ratio = values["half_length_m"], values["radius_m"], values["ratio"]
        thin, wide = 0.05, radius * cast.uniform(1.2, 1.6)
        height = long * cast.uniform(0.25, 0.4)
        falls = rng.random() < 0.5
        # the low end of a plank on which something falls lies on the floor already
        angle = float(np.arcsin((height - thin) / long)) - 0.01 if falls else 0.0
        tilt = turn_about(across, -angle)
        rotation = compose(tilt, turn_about((0, 0, 1), heading))
        pivot = (0.0, 0.0, height)
        plank = cast.body(
            Shape.BOX,
            (long, wide, thin),
            pivot,
            density=200.0,
            rotation_wxyz=rotation,
            mount=Hinge(pivot, (float(across[0]), float(across[1]), 0.0)),
            label="plank",
        )
        raised = along * np.cos(angle) + np.array([0, 0, np.sin(angle)])
        normal = np.cross(raised, across)
        bodies, mass_kg, arm = [plank], 0.0, 1.0
        for side in (-1.0, 1.0):
            side_m = radius * cast.uniform(0.8, 1.0)
            half = (side_m, side_m, radius * cast.uniform(0.6, 0.9))
            volume = 8 * half[0] * half[1] * half[2]
            # the second one falls, or is the one that outweighs the other
            last_arm, arm = arm, long * cast.uniform(0.6, 0.85)
            share = 1.0 if falls else last_arm / arm
            density = mass_kg * ratio * share / volume if mass_kg else 300.0
            mass_kg = density * volume
            place = np.array(pivot) + side * arm * raised + normal * (thin + half[2])
            turn = rotation
            if falls and side > 0:
                place[2] += cast.uniform(0.8, 1.8)
                turn = turn_about((0, 0, 1), heading)
            bodies.append(cast.body(Shape.BOX, half, place, density=density, rotation_wxyz=turn))
        lying, heavy = name_all([bodies[1].name]), name_all([bodies[2].name])
        lying = lying[0].lower() + lying[1:]
        caption = f"{heavy} outweighs {lying} on a seesaw."
        if falls:
            caption = f"{heavy} falls on the raised end of a seesaw and throws up {lying}."
        fulcrum = Prop(
            Shape.BOX,
            (height * 0.62, wide * 0.8, height * 0.62),
            (0.0, 0.0, 0.0),
            cast.prop_color(),
            compose(turn_about((0, 0, 1), heading), turn_about((0, 1, 0), np.pi / 4)),
            is_solid=False,
        )
        path = np.linspace(-long, long, 9)[:, None] * along[:2]
        return cast.stage(
            bodies,
            caption=caption,
            view=cast.view(azimuth_rad=heading + np.pi / 2, spread_rad=0.6),
            props=(fulcrum, *cast.distractors(path, 1.2)),
            time_s=cast.times((1 / 30, 1 / 30, 1 / 20)),
            restitution=0.1,
            friction=0.8,
            max_width_px=46.0,
            facts={"pivot_z_m": height, "heading_rad": heading},
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """The plank turns as the torques about the fulcrum say."""
        return (judge("torque", _misfits(truth_of(clip)), 0.08, "turning by the sum of torques"),)


def _misfits(truth: Truth) -> list[float]:
    """Angular momentum about the fulcrum that weight does not account for, frame by frame.

    Whatever the bodies do to each other and the hinge to the plank has no share in it. Over the
    momentum that the weight of all bodies gives at the length of their arms. Steps in which
    something touches the floor are left out.
    """
    heading = truth.fact("heading_rad")
    axis = np.array([-np.sin(heading), np.cos(heading), 0.0])
    arms = truth.position_m - np.array([0.0, 0.0, truth.fact("pivot_z_m")])
    mass = truth.mass_kg[:, None]
    orbit = mass * (np.cross(arms, truth.velocity_mps) @ axis)
    momentum = (orbit + spin_momentum(truth) @ axis).sum(axis=0)
    torque = (mass * (np.cross(arms, truth.gravity_mps2) @ axis)).sum(axis=0)
    scale = (mass * truth.g * np.linalg.norm(arms, axis=-1)).sum(axis=0)
    grounded = [c for row in truth.rows for c in truth.touches_of(row) if c.b == STATIC]
    misfits = []
    for t in range(1, len(truth.time_s)):
        low, high = truth.time_s[t - 1], truth.time_s[t]
        if any(c.start_s <= high and c.end_s >= low for c in grounded):
            continue
        given = (torque[t - 1] + torque[t]) / 2 * (high - low)
        misfits.append(float((momentum[t] - momentum[t - 1] - given) / (scale[t] * (high - low))))
    return misfits
