"""Balls on a table with cushions, seen from above."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from worldline.core import STATIC, Clip, Verdict
from worldline.sim.families.base import Casting, turn_about
from worldline.sim.families.laws import Truth, growth_share, judge, mechanical_energy, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Prop, Shape, Stage, View
from worldline.sim.studio import film_stage

__all__ = ["Billiards"]

_CUSHION_M = 0.12
"""Half the width of a cushion."""


class Billiards:
    """One ball rolls at three to six others on a table and hits at least the first of them."""

    name = "billiards"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.14, 0.2),),
            "speed_mps": ((1.6, 3.4),),
            "restitution": ((0.75, 0.95),),
        },
        beyond={
            "radius_m": ((0.1, 0.12), (0.23, 0.26)),
            "speed_mps": ((0.9, 1.3), (3.8, 4.6)),
        },
        hole={"radius_m": (0.16, 0.18), "speed_mps": (2.2, 2.8)},
    )

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the table, the balls and the first stroke."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        radius, speed = values["radius_m"], values["speed_mps"]
        half = np.array([cast.uniform(1.2, 1.6), cast.uniform(0.8, 1.05)])
        heading = cast.uniform(0, np.pi)
        axes = np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
        spots = _lay_out(cast, cast.count(3, 6) + 1, half - 1.3 * radius, 2.3 * radius)
        # the first ball goes for the nearest one, off its centre by up to a radius
        nearest = 1 + int(np.linalg.norm(spots[1:] - spots[0], axis=1).argmin())
        way = spots[nearest] - spots[0]
        distance = float(np.linalg.norm(way))
        way /= distance
        miss = cast.uniform(-1.0, 1.0) * radius
        aim = spots[nearest] + miss * np.array([-way[1], way[0]]) - spots[0]
        velocity = np.append((aim / np.linalg.norm(aim)) @ axes * speed, 0.0)
        bodies = []
        for index, spot in enumerate(spots @ axes):
            moving = velocity if index == 0 else np.zeros(3)
            bodies.append(
                cast.body(
                    Shape.BALL,
                    (radius, radius, radius),
                    (*spot, radius),
                    density=600.0,
                    rotation_wxyz=cast.rotation(),
                    velocity_mps=moving,
                    angular_velocity_radps=np.cross((0, 0, 1), moving) / radius,
                )
            )
        signs = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)])
        corners = np.pad(half * signs @ axes, ((0, 0), (0, 1)))
        color = bodies[0].color_name
        return cast.stage(
            bodies,
            caption=f"{'An' if color[0] in 'aeiou' else 'A'} {color} ball rolls at "
            f"{len(bodies) - 1} other balls on a table with cushions.",
            view=View(
                azimuth_rad=heading + (0.5 if rng.random() < 0.5 else -0.5) * np.pi,
                elevation_rad=cast.uniform(1.0, 1.5),
                focal_ratio=cast.uniform(1.0, 1.8),
                margin=cast.uniform(0.05, 0.12),
                offset=(cast.uniform(-1, 1), cast.uniform(-1, 1)),
            ),
            props=_cushions(half, radius, axes, heading, cast),
            time_s=cast.times((1 / 30, 1 / 30, 1 / 20)),
            restitution=values["restitution"],
            friction=cast.uniform(0.05, 0.12),
            min_width_px=4.5,
            landmarks_m=list(corners),
            facts={
                "half_length_m": half[0],
                "half_width_m": half[1],
                "heading_rad": heading,
            },
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Momentum lasts through collisions, energy never grows, no ball leaves the table."""
        truth = truth_of(clip)
        energy = (
            mechanical_energy(truth).sum(axis=0)
            - (truth.mass_kg * truth.g) @ (truth.position_m[..., 2])
        )
        # a ball that is pressed together in one frame has its energy back in the next
        lasting = np.maximum(energy[:-1], energy[1:])
        margin = _margins(truth).min()
        return (
            judge("momentum", _losses(truth), 0.05, "momentum through a collision"),
            judge("energy", [growth_share(lasting)], 0.03, "energy that never grows"),
            judge("cushion", [max(-float(margin), 0.0)], 0.03, "balls that stay on the table"),
        )


def _margins(truth: Truth) -> Float[np.ndarray, "n t"]:
    """Distance from the rim of each ball to the nearest cushion, negative when pressed into it."""
    heading = truth.fact("heading_rad")
    axes = np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
    local = np.abs(truth.position_m[..., :2] @ axes.T) + truth.extent_m[:, None, :1] / 2
    half = np.array([truth.fact("half_length_m"), truth.fact("half_width_m")])
    return (half - local).min(axis=-1)


def _lay_out(cast: Casting, count: int, half_m: np.ndarray, apart_m: float) -> np.ndarray:
    """Places on the table, no two nearer than `apart_m`; fewer if there is no room."""
    spots: list[np.ndarray] = []
    for _ in range(60 * count):
        spot = cast.rng.uniform(-half_m, half_m)
        if all(np.linalg.norm(spot - other) >= apart_m for other in spots):
            spots.append(spot)
        if len(spots) == count:
            break
    return np.array(spots)


def _cushions(
    half_m: np.ndarray, radius_m: float, axes: np.ndarray, heading_rad: float, cast: Casting
) -> tuple[Prop, ...]:
    color, height = cast.prop_color(), 0.7 * radius_m
    turn = turn_about((0, 0, 1), heading_rad)
    long = (float(half_m[0]) + 2 * _CUSHION_M, _CUSHION_M, height)
    short = (_CUSHION_M, float(half_m[1]), height)
    props = []
    for size, across in ((long, np.array([0.0, 1.0])), (short, np.array([1.0, 0.0]))):
        for side in (-1.0, 1.0):
            x, y = (side * across * (half_m + _CUSHION_M)) @ axes
            props.append(Prop(Shape.BOX, size, (float(x), float(y), height), color, turn))
    return tuple(props)


def _losses(truth: Truth) -> list[float]:
    """Change of the momentum of two balls through a collision, beyond what friction may take.

    Over the momentum of both before. Collisions during which either touches a third ball or a
    cushion are left out.
    """
    slowing = truth.fact("friction") * truth.g
    momentum = (truth.mass_kg[:, None, None] * truth.velocity_mps)[..., :2]
    # less room than the way of one frame
    speed = np.linalg.norm(truth.velocity_mps, axis=-1)
    near = _margins(truth) - speed * float(np.diff(truth.time_s).max())
    losses = []
    for contact in truth.scene.contacts:
        before = int(np.searchsorted(truth.time_s, contact.start_s) - 1)
        after = int(np.searchsorted(truth.time_s, contact.end_s))
        if contact.b == STATIC or before < 0 or after >= len(truth.time_s):
            continue
        low, high = truth.time_s[before], truth.time_s[after]
        pair = [truth.scene.index(contact.a), truth.scene.index(contact.b)]
        own = {contact.a, contact.b}
        touches = [c for row in pair for c in truth.touches_of(row) if c.b != STATIC]
        others = [c for c in touches if {c.a, c.b} != own]
        if any(c.start_s <= high and c.end_s >= low for c in others):
            continue
        if (near[pair, before] < 0).any() or (near[pair, after] < 0).any():
            continue
        total = momentum[pair].sum(axis=0)
        mass = truth.mass_kg[pair].sum()
        change = float(np.linalg.norm(total[after] - total[before]))
        scale = float(np.linalg.norm(momentum[pair, before], axis=1).sum())
        losses.append(max(change - 1.2 * slowing * mass * (high - low), 0.0) / scale)
    return losses
