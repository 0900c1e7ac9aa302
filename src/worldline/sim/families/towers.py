"""Towers of blocks that something rolls into."""

from __future__ import annotations

import numpy as np

from worldline.core import Clip, Verdict
from worldline.sim.families.base import Casting, turn_about
from worldline.sim.families.laws import growth_share, judge, mechanical_energy, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Shape, Stage
from worldline.sim.studio import film_stage

__all__ = ["Tower"]

_COUNTS = {3: "three", 4: "four", 5: "five"}


class Tower:
    """A ball rolls into a tower of three to five blocks."""

    name = "tower"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.28, 0.48),),
            "speed_mps": ((3.0, 5.5),),
            "half_m": ((0.2, 0.32),),
        },
        beyond={
            "radius_m": ((0.17, 0.21), (0.54, 0.66)),
            "speed_mps": ((1.8, 2.5), (6.2, 8.0)),
        },
        hole={"radius_m": (0.35, 0.41), "speed_mps": (3.9, 4.6)},
    )
    """`half_m` is half the width of the blocks."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the tower and what rolls at it."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        radius, speed, wide = values["radius_m"], values["speed_mps"], values["half_m"]
        heading = cast.uniform(0, 2 * np.pi)
        way = np.array([np.cos(heading), np.sin(heading), 0.0])
        across = np.array([-way[1], way[0], 0.0])
        meet_s = cast.uniform(0.2, 0.5)
        start = -way * (wide + radius + speed * meet_s) + across * wide * cast.uniform(-0.3, 0.3)
        start[2] = radius
        ball = cast.rolling_ball(radius, start, way, speed, density=cast.uniform(1500, 2500))
        blocks, top = [], 0.0
        for index in range(cast.count(3, 5)):
            thick = wide * cast.uniform(0.75, 1.0)
            off = rng.uniform(-0.08, 0.08, 2) * wide if index else np.zeros(2)
            turn = turn_about((0, 0, 1), heading + cast.uniform(-0.2, 0.2))
            blocks.append(
                cast.body(
                    Shape.BOX,
                    (wide, wide, thick),
                    (*off, top + thick),
                    density=cast.uniform(120, 220),
                    rotation_wxyz=turn,
                )
            )
            top += 2 * thick
        number = f"{_COUNTS[len(blocks)]} " if rng.random() < 0.5 else ""
        article = "An" if ball.color_name[0] in "aeiou" else "A"
        path = np.linspace(-speed * meet_s, 1.5, 12)[:, None] * way[:2]
        return cast.stage(
            [ball, *blocks],
            caption=f"{article} {ball.color_name} ball rolls into a tower of {number}blocks.",
            view=cast.view(azimuth_rad=heading + np.pi / 2, spread_rad=0.7),
            props=cast.distractors(path, 1.8),
            time_s=cast.times((1 / 20, 1 / 20, 1 / 30)),
            restitution=0.1,
            friction=0.5,
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """The ball rolls, the tower stands until it is hit, and energy never grows."""
        truth = truth_of(clip)
        hit_s = truth.first_meeting_s(0)
        calm = truth.time_s < hit_s
        speed = np.linalg.norm(truth.velocity_mps[0], axis=1)
        spin = np.linalg.norm(truth.angular_velocity_radps[0], axis=1)
        slips = (np.abs(speed - truth.extent_m[0, 0] / 2 * spin) / speed)[calm].tolist()
        moved = truth.position_m[1:] - truth.position_m[1:, :1]
        early = np.linalg.norm(moved[:, calm], axis=-1).ravel().tolist()
        energy = mechanical_energy(truth).sum(axis=0)
        return (
            judge("rolling", slips, 0.03, "a ball that rolls without slipping"),
            judge("cause", early, 0.02, "a tower that stands until it is hit"),
            judge("energy", [growth_share(energy)], 0.02, "energy that never grows"),
        )
