"""Pendulums."""

from __future__ import annotations

import numpy as np
from scipy.special import ellipk

from worldline.core import Clip, Verdict
from worldline.sim.families.base import Casting, compose, name_all, turn_about
from worldline.sim.families.laws import Truth, judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Prop, Rod, Shape, Stage
from worldline.sim.studio import film_stage

__all__ = ["Pendulum"]


class Pendulum:
    """One or two bodies swing on thin rods."""

    name = "pendulum"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.2, 0.4),),
            "length_m": ((1.0, 2.2),),
            "swing_rad": ((0.4, 1.3),),
        },
        beyond={
            "radius_m": ((0.12, 0.16), (0.45, 0.55)),
            "length_m": ((0.7, 0.9), (2.5, 3.2)),
            "swing_rad": ((0.15, 0.3), (1.5, 2.2)),
        },
        hole={"length_m": (1.4, 1.7), "swing_rad": (0.7, 1.0)},
    )

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw what swings, how far and on how long a rod."""
        cast = Casting(split, rng)
        heading = cast.uniform(0, 2 * np.pi)
        along = np.array([np.cos(heading), np.sin(heading), 0.0])
        axis = np.array([-along[1], along[0], 0.0])
        count = 1 if rng.random() < 0.6 else 2
        bodies, facts, props = [], {}, []
        for index in range(count):
            values = self.ranges.draw(split, rng)
            shape = cast.pick((Shape.BALL, Shape.BALL, Shape.BOX))
            radius, length = values["radius_m"], values["length_m"]
            half = (radius, radius, radius * (1 if shape is Shape.BALL else cast.uniform(0.6, 1)))
            pivot = axis * (index - 0.5 * (count - 1)) * 1.4
            pivot[2] = length + 1.5 * radius + cast.uniform(0.1, 0.6)
            angle = values["swing_rad"] * cast.sign()
            down = np.array([0, 0, -np.cos(angle)]) - along * np.sin(angle)
            yaw, tilt = turn_about((0, 0, 1), heading), turn_about((0, 1, 0), angle)
            rotation = compose(yaw, tilt)
            px, py, pz = pivot.tolist()
            rod = Rod((px, py, pz), (float(axis[0]), float(axis[1]), 0.0), 0.03)
            bodies.append(
                cast.body(shape, half, pivot + length * down, rotation_wxyz=rotation, rod=rod)
            )
            facts |= {
                f"length{index}_m": length,
                f"swing{index}_rad": values["swing_rad"],
                f"pivot{index}_z_m": pz,
            }
            turn = turn_about((0, 0, 1), heading)
            props.append(Prop(Shape.BOX, (0.08, 0.2, 0.08), (px, py, pz), (0.3, 0.3, 0.3), turn))
        verb = "swings" if count == 1 else "swing"
        on = "on a rod" if count == 1 else "on rods"
        return cast.stage(
            bodies,
            caption=f"{name_all([body.name for body in bodies])} {verb} {on}.",
            view=cast.view(azimuth_rad=heading + np.pi / 2, spread_rad=0.6),
            props=(*props, *cast.distractors(np.linspace(-2, 2, 9)[:, None] * along[:2], 1.2)),
            lead_s=cast.uniform(0, 1.5),
            facts=facts,
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Energy lasts, and the period is that of a physical pendulum at its amplitude."""
        truth = truth_of(clip)
        drift, periods = [], []
        for row in truth.rows:
            length, swing = truth.fact(f"length{row}_m"), truth.fact(f"swing{row}_rad")
            inertia = length**2 + _spin_inertia(truth, row)  # per mass
            spin = np.linalg.norm(truth.angular_velocity_radps[row], axis=1)
            height = truth.position_m[row, :, 2] - truth.fact(f"pivot{row}_z_m") + length
            energy = 0.5 * inertia * spin**2 + truth.g * height
            drift.append(float(np.abs(energy / (truth.g * length * (1 - np.cos(swing))) - 1).max()))
            quarter = np.sqrt(inertia / (truth.g * length)) * ellipk(np.sin(swing / 2) ** 2)
            periods += (np.diff(_turns(truth, row)) / quarter - 1).tolist()
        return (
            judge("energy", drift, 0.02, "a swing that keeps its energy"),
            judge("period", periods, 0.02, "quarter periods between low and high points"),
        )


def _spin_inertia(truth: Truth, row: int) -> float:
    """Moment of inertia per mass about the hinge's direction through the centre."""
    x, _, z = truth.extent_m[row] / 2
    return 0.4 * x * x if truth.scene.labels[row] == "ball" else (x * x + z * z) / 3


def _turns(truth: Truth, row: int) -> np.ndarray:
    """Times at the lowest and at the highest points: where the vertical speed changes its sign."""
    v, time_s = truth.velocity_mps[row, :, 2], truth.time_s
    at = np.flatnonzero((v[:-1] < 0) != (v[1:] < 0))
    return time_s[at] - v[at] * (time_s[at + 1] - time_s[at]) / (v[at + 1] - v[at])
