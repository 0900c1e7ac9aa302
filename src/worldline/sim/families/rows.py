"""Dominoes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from worldline.core import Clip, Verdict
from worldline.sim.families.base import Casting, turn_about
from worldline.sim.families.laws import Truth, growth_share, judge, mechanical_energy, truth_of
from worldline.sim.families.upright import tipped
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Shape, Stage
from worldline.sim.studio import film_stage

__all__ = ["Dominoes"]


class Dominoes:
    """A row of four to eight thin blocks; the first falls and takes the others with it."""

    name = "dominoes"
    has_camera = True
    ranges = Ranges(
        train={
            "half_height_m": ((0.3, 0.5),),
            "gap": ((0.45, 0.9),),
            "bend_rad": ((-0.12, 0.12),),
        },
        beyond={
            "half_height_m": ((0.2, 0.25), (0.58, 0.75)),
            "gap": ((0.32, 0.4), (1.0, 1.2)),
        },
        hole={"half_height_m": (0.37, 0.43), "gap": (0.6, 0.74)},
    )
    """`gap` is the distance between neighbours over half their height, `bend_rad` how much the row
    turns from one to the next."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the row."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        tall = values["half_height_m"]
        thin, wide = tall * cast.uniform(0.12, 0.18), tall * cast.uniform(0.4, 0.6)
        count = cast.count(4, 8)
        heading = cast.uniform(0, 2 * np.pi)
        middle = heading + values["bend_rad"] * (count - 1) / 2
        place = np.zeros(2)
        bodies, spots = [], []
        half = (thin, wide, tall)
        for index in range(count):
            if index == 0:
                spot = (float(place[0]), float(place[1]))
                first = tipped(
                    cast,
                    Shape.BOX,
                    half,
                    spot,
                    heading_rad=heading,
                    tilt_share=cast.uniform(0.3, 0.6),
                    push=cast.uniform(4.0, 7.0),
                )
                bodies.append(first)
            else:
                turn = turn_about((0, 0, 1), heading)
                bodies.append(
                    cast.body(Shape.BOX, half, (*place, tall), density=400.0, rotation_wxyz=turn)
                )
            spots.append(place.copy())
            heading += values["bend_rad"]
            step = values["gap"] * tall + 2 * thin
            place += step * np.array([np.cos(heading), np.sin(heading)])
        return cast.stage(
            bodies,
            caption=f"A row of {count} dominoes falls over, the {bodies[0].color_name} one first.",
            view=cast.view(azimuth_rad=middle + np.pi / 2, spread_rad=0.6),
            props=cast.distractors(np.array(spots), 1.5),
            time_s=cast.times((1 / 20, 1 / 15, 1 / 15)),
            restitution=0.1,
            friction=0.35,
            min_width_px=7.0,
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Each stands until its neighbour touches it, they go in order, energy never grows."""
        truth = truth_of(clip)
        assert truth.scene.rotation_wxyz is not None
        _, x, y, _ = np.moveaxis(truth.scene.rotation_wxyz, -1, 0)
        tilt = np.arccos(np.clip(1 - 2 * (x * x + y * y), -1, 1))
        early = [
            float(tilt[row][truth.time_s < truth.first_meeting_s(row)].max(initial=0.0))
            for row in truth.rows
            if row > 0
        ]
        hits = [_hit_s(truth, row) for row in truth.rows if row > 0]
        order = [max(a - b, 0.0) for a, b in pairwise(hits) if np.isfinite(b)]
        energy = mechanical_energy(truth).sum(axis=0)
        return (
            judge("cause", early, 0.02, "dominoes that stand until they are touched"),
            judge("order", order, 0.0, "dominoes that are hit one after the other"),
            judge("energy", [growth_share(energy)], 0.02, "energy that never grows"),
        )


def _hit_s(truth: Truth, row: int) -> float:
    """When a domino is first touched by the one before it; infinite if it never is."""
    pair = {row - 1, row}
    return min((c.start_s for c in truth.touches_of(row) if {c.a, c.b} == pair), default=np.inf)
