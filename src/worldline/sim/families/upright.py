"""Standing bodies: stacks that hold and that fall, and tall bodies that topple."""

from __future__ import annotations

import numpy as np

from worldline.core import Clip, Verdict
from worldline.sim.families.base import Casting, compose, name_all, scatter, turn_about
from worldline.sim.families.laws import growth_share, judge, mechanical_energy, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Body, Shape, Stage, Vector
from worldline.sim.studio import film_stage

__all__ = ["Stack", "Topple", "UnstableStack", "tipped"]


class Stack:
    """Boxes stand on each other; one or two more fall on top and stay."""

    name = "stack"
    has_camera = True
    ranges = Ranges(
        train={"half_m": ((0.3, 0.5),), "flatness": ((0.45, 0.8),), "height_m": ((0.8, 2.0),)},
        beyond={"half_m": ((0.2, 0.25), (0.6, 0.75)), "height_m": ((0.3, 0.6), (2.3, 2.8))},
        hole={"half_m": (0.37, 0.43), "height_m": (1.2, 1.6)},
    )

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the tower and what falls on it."""
        cast = Casting(split, rng)
        num_standing, num_falling = cast.count(1, 2), cast.count(1, 2)
        values = self.ranges.draw(split, rng)
        bodies: list[Body] = []
        top, wide = 0.0, values["half_m"]
        for index in range(num_standing + num_falling):
            thick = wide * values["flatness"] * cast.uniform(0.85, 1.0)
            half = (wide, wide * cast.uniform(0.85, 1.0), thick)
            falling = index >= num_standing
            if falling:
                # later ones start higher, so that they land one after the other
                top += values["height_m"] * (1 if index == num_standing else 1.6)
            off = rng.uniform(-0.12, 0.12, 2) * wide if index else np.zeros(2)
            turn = turn_about((0, 0, 1), cast.uniform(-0.15, 0.15))
            bodies.append(
                cast.body(Shape.BOX, half, (*off, top + thick), density=400.0, rotation_wxyz=turn)
            )
            top += 2 * thick
            wide *= cast.uniform(0.85, 0.97)
        falls = name_all([body.name for body in bodies[num_standing:]])
        stand = name_all([body.name for body in bodies[:num_standing]])
        stand = stand[0].lower() + stand[1:]
        verb = "falls" if num_falling == 1 else "fall"
        keep = "stays" if num_falling == 1 else "stay"
        return cast.stage(
            bodies,
            caption=f"{falls} {verb} on top of {stand} and {keep} there.",
            props=cast.distractors(np.zeros((1, 2)), 1.5),
            time_s=cast.times((1 / 30, 1 / 30, 1 / 30, 1 / 20)),
            restitution=0.1,
            friction=0.7,
            facts={"num_standing": float(num_standing)},
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """What stands keeps its place; what has landed rests on the box below."""
        truth = truth_of(clip)
        drift, gaps = [], []
        num_standing = int(truth.fact("num_standing"))
        for row in truth.rows:
            if row < num_standing:
                moved = truth.position_m[row] - truth.position_m[row, 0]
                drift.append(float(np.linalg.norm(moved, axis=1).max()))
                continue
            landed = truth.touches_of(row)
            if landed and landed[0].start_s < truth.time_s[-1] - 0.3:
                below = truth.extent_m[: row + 1, 2].sum() - truth.extent_m[row, 2] / 2
                gaps.append(float(truth.position_m[row, -1, 2] - below))
        return (
            judge("stability", drift, 0.08, "a standing stack that stays"),
            judge("support", gaps, 0.05, "a fallen box that rests on the stack"),
        )


class Topple:
    """One or two tall bodies, tipped past their edge, fall over."""

    name = "topple"
    has_camera = True
    ranges = Ranges(
        train={"half_m": ((0.13, 0.26),), "tallness": ((3.0, 5.0),), "push": ((1.4, 2.4),)},
        beyond={"half_m": ((0.3, 0.38),), "tallness": ((2.2, 2.7), (5.5, 7.0))},
        hole={"half_m": (0.17, 0.21), "tallness": (3.6, 4.3)},
    )

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw what falls over, and which way."""
        cast = Casting(split, rng)
        spots = scatter(cast, cast.count(1, 2), 2.6)
        bodies = []
        for x, y in spots:
            values = self.ranges.draw(split, rng)
            shape = cast.pick((Shape.BOX, Shape.BOX, Shape.CYLINDER))
            base = values["half_m"]
            bodies.append(
                tipped(
                    cast,
                    shape,
                    (base, base, base * values["tallness"]),
                    (x, y),
                    heading_rad=cast.uniform(0, 2 * np.pi),
                    tilt_share=cast.uniform(0.2, 0.8),
                    push=values["push"],
                )
            )
        verb = "topples" if len(bodies) == 1 else "topple"
        return cast.stage(
            bodies,
            caption=f"{name_all([body.name for body in bodies])} {verb} over.",
            props=cast.distractors(spots, 2.2),
            restitution=cast.uniform(0.1, 0.25),
            friction=0.8,
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """The body starts near upright, gets past its balance, and in time lies on its side."""
        truth = truth_of(clip)
        assert truth.scene.rotation_wxyz is not None
        _, x, y, _ = np.moveaxis(truth.scene.rotation_wxyz, -1, 0)
        steepness = 1 - 2 * (x * x + y * y)
        balance = truth.extent_m[:, 2] / np.hypot(truth.extent_m[:, 0], truth.extent_m[:, 2])
        # the time to fall grows with the root of the height
        long_s = 5 * np.sqrt(truth.extent_m[:, 2] / 2 / truth.g)
        fallen = steepness[truth.time_s[-1] > long_s, -1]
        return (
            judge("upright", (1 - steepness[:, 0]).tolist(), 0.15, "a start near upright"),
            judge(
                "balance",
                np.maximum(steepness[:, -1] - balance, 0).tolist(),
                0.0,
                "an end past the balance",
            ),
            judge("toppling", fallen.tolist(), 0.5, "an end on the side"),
        )


def tipped(
    cast: Casting,
    shape: Shape,
    half_m: Vector,
    spot: tuple[float, float],
    *,
    heading_rad: float,
    tilt_share: float,
    push: float,
) -> Body:
    """A tall body that turns about its bottom edge.

    Args:
        heading_rad: direction in which it falls.
        tilt_share: tilt at the start, as a share of the tilt at which it balances.
        push: turning speed, over the speed that just brings it to the balance.
    """
    base, tall = half_m[0], half_m[2]
    reach, balance = float(np.hypot(base, tall)), float(np.arctan2(base, tall))
    tilt = tilt_share * balance
    # energy: I w^2 / 2 = m g reach (1 - cos(balance - tilt)), with I = 4/3 m reach^2 of a thin box
    least = np.sqrt(1.5 * 9.81 * (1 - np.cos(balance - tilt)) / reach)
    spin = push * float(least)
    along = np.array([np.cos(heading_rad), np.sin(heading_rad), 0.0])
    axis = np.array([-along[1], along[0], 0.0])
    lean = balance - tilt  # of the line from the edge to the centre, from the vertical
    arm = reach * (np.array([0, 0, np.cos(lean)]) - along * np.sin(lean))
    edge = np.array([*spot, 0.0]) + along * base
    rotation = compose(turn_about(axis, tilt), turn_about((0, 0, 1), heading_rad))
    return cast.body(
        shape,
        half_m,
        edge + arm,
        density=400.0,
        rotation_wxyz=rotation,
        velocity_mps=np.cross(spin * axis, arm),
        angular_velocity_radps=spin * axis,
    )


class UnstableStack:
    """A stack of boxes of which one reaches too far over the one below, so that it falls."""

    name = "unstable_stack"
    has_camera = True
    ranges = Ranges(
        train={
            "half_m": ((0.28, 0.48),),
            "flatness": ((0.4, 0.75),),
            "overhang": ((1.2, 1.5),),
        },
        beyond={
            "half_m": ((0.2, 0.24), (0.55, 0.7)),
            "overhang": ((1.06, 1.1), (1.6, 1.8)),
        },
        hole={"half_m": (0.35, 0.41), "overhang": (1.28, 1.38)},
    )
    """`overhang` is the way from the middle of a box to the common centre of mass of all above it,
    over half the width of the box: more than 1 falls."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the stack and the place where it fails."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        count = cast.count(2, 4)
        last = cast.count(0, count - 2)
        heading = cast.uniform(0, 2 * np.pi)
        along = np.array([np.cos(heading), np.sin(heading)])
        bodies: list[Body] = []
        top, place = 0.0, np.zeros(2)
        for index in range(count):
            wide = values["half_m"] * cast.uniform(0.9, 1.0)
            half = (wide, wide, values["half_m"] * values["flatness"] * cast.uniform(0.85, 1.0))
            bodies.append(
                cast.body(
                    Shape.BOX,
                    half,
                    (*place, top + half[2]),
                    density=400.0,
                    rotation_wxyz=turn_about((0, 0, 1), heading),
                )
            )
            top += 2 * half[2]
            # all above the failing place stand straight, so their common centre is that of the next
            place = place + along * wide * (values["overhang"] if index == last else 0.0)
        upper = name_all([body.name for body in bodies[last + 1 :]])
        verb = "falls" if last == count - 2 else "fall"
        return cast.stage(
            bodies,
            caption=f"{upper} {verb} off {_lower(name_all([bodies[last].name]))}.",
            view=cast.view(azimuth_rad=heading + np.pi / 2, spread_rad=0.9),
            props=cast.distractors(np.zeros((1, 2)), 2.2),
            time_s=cast.times((1 / 30, 1 / 30, 1 / 20)),
            restitution=0.1,
            friction=0.7,
            max_width_px=17.0,
            facts={"support": float(last)},
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """What is above has its centre of mass beyond the edge, and falls; energy never grows."""
        truth = truth_of(clip)
        support = int(truth.fact("support"))
        above = slice(support + 1, None)
        share = truth.mass_kg[above, None] / truth.mass_kg[above].sum()
        center = (share * truth.position_m[above, 0]).sum(axis=0) - truth.position_m[support, 0]
        reach = float(np.hypot(center[0], center[1])) / (truth.extent_m[support, 0] / 2)
        moved = np.linalg.norm(truth.position_m[above, -1] - truth.position_m[above, 0], axis=1)
        needed = truth.extent_m[support, 0] / 10
        energy = mechanical_energy(truth).sum(axis=0)
        return (
            judge("overhang", [max(1.0 - reach, 0.0)], 0.0, "a centre of mass beyond the edge"),
            judge("collapse", [max(needed - float(moved.max()), 0.0)], 0.0, "a stack that falls"),
            judge("energy", [growth_share(energy)], 0.02, "energy that never grows"),
        )


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]
