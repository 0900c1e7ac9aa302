"""Bodies on slopes: down a ramp, and to and fro in a valley."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from worldline.core import Clip, Verdict
from worldline.sim.families.base import Casting, compose, name_all, turn_about
from worldline.sim.families.laws import Truth, judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Body, Prop, Shape, Stage
from worldline.sim.studio import film_stage

__all__ = ["Ramp", "USlope"]


def _plank(
    cast: Casting,
    start: np.ndarray,
    end: np.ndarray,
    half_width_m: float,
    color: tuple[float, float, float],
) -> Prop:
    """A box whose upper face runs from one point to another and whose lower one is in the floor.

    Points are (x, y, z) of the middle of the face's two edges.
    """
    way = end - start
    length, heading = float(np.linalg.norm(way)), float(np.arctan2(way[1], way[0]))
    pitch = float(np.arcsin(-way[2] / length))
    rotation = compose(turn_about((0, 0, 1), heading), turn_about((0, 1, 0), pitch))
    along = way / length
    across = np.array([-np.sin(heading), np.cos(heading), 0.0])
    normal = np.cross(along, across)
    thick = 0.55 * max(start[2], end[2]) / normal[2] + 0.05
    x, y, z = ((start + end) / 2 - normal * thick).tolist()
    return Prop(Shape.BOX, (length / 2, half_width_m, thick), (x, y, z), color, rotation)


class Ramp:
    """A ball rolls or a box slides from rest down a ramp; sometimes both, side by side."""

    name = "ramp"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.22, 0.42),),
            "slope_rad": ((0.25, 0.5),),
            "grip": ((0.35, 0.75),),
        },
        beyond={
            "radius_m": ((0.14, 0.18), (0.48, 0.58)),
            "slope_rad": ((0.15, 0.2), (0.55, 0.68)),
        },
        hole={"radius_m": (0.29, 0.35), "slope_rad": (0.34, 0.41)},
    )
    """`grip` is the coefficient of friction over the tangent of the slope: below 1 boxes slide, and
    above 2/7 balls roll without slipping."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the ramp and what goes down it."""
        cast = Casting(split, rng)
        heading = cast.uniform(0, 2 * np.pi)
        along = np.array([np.cos(heading), np.sin(heading), 0.0])
        across = np.array([-along[1], along[0], 0.0])
        values = self.ranges.draw(split, rng)
        slope, radius = values["slope_rad"], values["radius_m"]
        downhill = along * np.cos(slope) - np.array([0, 0, np.sin(slope)])
        normal = np.cross(downhill, across)
        kind = rng.random()
        shapes = [Shape.BALL] if kind < 0.35 else [Shape.BOX]
        if kind > 0.7:
            shapes = [Shape.BALL, Shape.BOX]
        length = cast.uniform(3.0, 4.0)
        gap = 1.5 * radius
        bodies = []
        for index, shape in enumerate(shapes):
            if shape is Shape.BALL:
                half = (radius, radius, radius)
            else:
                # long and low, so that friction does not tip it
                half = (radius, radius * cast.uniform(0.7, 1.0), radius * cast.uniform(0.5, 0.7))
            place = -downhill * (length - 1.3 * radius) + normal * half[2]
            place = place + across * gap * (2 * index - len(shapes) + 1)
            bodies.append(_at_rest(cast, shape, half, place, heading, slope))
        color = cast.prop_color()
        half_width = gap * len(shapes) + 0.1
        ramp = _plank(cast, -downhill * length, np.zeros(3), half_width, color)
        verb = " and ".join("rolls" if shape is Shape.BALL else "slides" for shape in shapes)
        names = [body.name for body in bodies]
        caption = f"{name_all(names[:1])} {verb} down a ramp."
        if len(names) == 2:
            second = name_all(names[1:])
            caption = (
                f"{name_all(names[:1])} rolls and {second[0].lower()}{second[1:]} slides down a "
                "ramp."
            )
        path = np.linspace(-3, 2.5, 12)[:, None] * along[:2]
        return cast.stage(
            bodies,
            caption=caption,
            view=cast.view(azimuth_rad=heading + np.pi / 2, spread_rad=0.6),
            props=(ramp, *cast.distractors(path, 2.2)),
            restitution=0.1,
            friction=values["grip"] * float(np.tan(slope)),
            lead_s=cast.uniform(0.0, 0.2),
            facts={"slope_rad": slope},
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Rolling a = 5/7 g sin, sliding a = g (sin - mu cos), as long as it is on the ramp."""
        truth = truth_of(clip)
        slope, mu = truth.fact("slope_rad"), truth.fact("friction")
        rolls, slides = [], []
        for row, label in enumerate(truth.scene.labels):
            speed = np.linalg.norm(truth.velocity_mps[row], axis=1)
            steep = -truth.velocity_mps[row, :, 2] / np.maximum(speed, 1e-9)
            # the first frames may still settle, and the foot of the ramp is another matter
            on_ramp = (np.abs(steep - np.sin(slope)) < 0.01) & (speed > 0.15)
            on_ramp &= truth.time_s < truth.first_meeting_s(row)
            if on_ramp.sum() < 4:
                continue
            found = np.polyfit(truth.time_s[on_ramp], speed[on_ramp], 1)[0]
            if label == "ball":
                rolls.append(float(found / (5 / 7 * truth.g * np.sin(slope)) - 1))
            else:
                wanted = truth.g * (np.sin(slope) - mu * np.cos(slope))
                slides.append(float((found - wanted) / (truth.g * np.sin(slope))))
        return (
            judge("rolling", rolls, 0.05, "rolling down a ramp with 5/7 g sin"),
            judge("sliding", slides, 0.05, "sliding down a ramp with g (sin - mu cos)"),
        )


def _at_rest(
    cast: Casting,
    shape: Shape,
    half_m: tuple[float, float, float],
    place: np.ndarray,
    heading_rad: float,
    slope_rad: float,
) -> Body:
    level = compose(turn_about((0, 0, 1), heading_rad), turn_about((0, 1, 0), slope_rad))
    rotation = cast.rotation() if shape is Shape.BALL else level
    return cast.body(shape, half_m, place, rotation_wxyz=rotation)


class USlope:
    """A ball rolls to and fro in a valley: two slopes that meet, or a round trough."""

    name = "u_slope"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.15, 0.24),),
            "steepness_rad": ((0.4, 0.7),),
            "height_m": ((0.4, 0.7),),
        },
        beyond={
            "radius_m": ((0.1, 0.13), (0.27, 0.3)),
            "steepness_rad": ((0.25, 0.35), (0.75, 0.8)),
            "height_m": ((0.3, 0.35), (0.8, 1.0)),
        },
        hole={"steepness_rad": (0.5, 0.6), "height_m": (0.5, 0.6)},
    )
    """`steepness_rad` is the slopes', and 5/8 of a round trough's at its rim; `height_m`
    is the height from which the ball starts, over the bottom."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        return film_stage(self.stage(split, rng), shot)

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the valley and where the ball starts."""
        cast = Casting(split, rng)
        heading = cast.uniform(0, 2 * np.pi)
        along = np.array([np.cos(heading), np.sin(heading), 0.0])
        values = self.ranges.draw(split, rng)
        radius, steep, height = values["radius_m"], values["steepness_rad"], values["height_m"]
        is_round = rng.random() < 0.5
        rim = height / 0.75  # the ball starts three quarters up the side
        if is_round:
            bend = rim / (1 - np.cos(1.6 * steep))
            angles = np.linspace(-1.6 * steep, 1.6 * steep, 17)
            line = bend * np.stack([np.sin(angles), 1 - np.cos(angles)], axis=-1)
            start_angle = float(np.arccos(1 - height / bend))
            foot = bend * np.sin(start_angle)
        else:
            reach = rim / np.tan(steep)
            line = np.array([[-reach, rim], [0.0, 0.0], [reach, rim]])
            start_angle, foot, bend = steep, 0.75 * reach, 0.0
        way = cast.sign()
        normal = np.array([-np.sin(start_angle), np.cos(start_angle)])
        # the faces of a round trough are chords, so they stand out a little over the arc
        free = radius + (0.5 * 0.1**2 * bend * steep**2 if is_round else 0.0)
        x, z = np.array([foot, height]) + free * normal
        ground = 0.03
        place = along * way * x + np.array([0, 0, z + ground])
        ball = cast.body(Shape.BALL, (radius, radius, radius), place, rotation_wxyz=cast.rotation())
        color, half_width = cast.prop_color(), radius * cast.uniform(1.5, 2.5)
        edges = [along * u + np.array([0, 0, v + ground]) for u, v in line]
        planks = [_plank(cast, a, b, half_width, color) for a, b in pairwise(edges)]
        valley = "round valley" if is_round else "valley of two slopes"
        path = np.linspace(-3, 3, 13)[:, None] * along[:2]
        return cast.stage(
            [ball],
            caption=f"{name_all([ball.name])} rolls to and fro in a {valley}.",
            view=cast.view(azimuth_rad=heading + np.pi / 2, spread_rad=0.45),
            props=(*planks, *cast.distractors(path, 1.5)),
            time_s=cast.times((1 / 20, 1 / 15, 1 / 15)),
            restitution=0.1,
            # little more than rolling needs (2/7 of the tangent): where the slopes meet the ball
            # slips, and MuJoCo's contact law makes energy out of slipping under much friction
            friction=0.35 * float(np.tan(start_angle)),
            min_width_px=7.0,
            landmarks_m=(edges[0], edges[-1]),
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Energy never grows, and the ball rolls without slipping, down and up again."""
        truth = truth_of(clip)
        energy = _rolling_energy(truth)
        start = truth.g * (truth.position_m[0, 0, 2] - truth.position_m[0, :, 2].min())
        growth = np.maximum.accumulate(energy[::-1])[::-1] - energy
        height = truth.position_m[0, :, 2]
        lowest = int(height.argmin())
        climbs = [float(height[-4:].max() <= height[lowest])] if lowest < len(height) - 4 else []
        return (
            judge("energy", [float(growth.max() / start)], 0.03, "energy that never grows"),
            judge("return", climbs, 0.0, "a ball that climbs the other side"),
        )


def _rolling_energy(truth: Truth) -> np.ndarray:
    """Energy per mass of the first body, a ball."""
    radius = truth.extent_m[0, 0] / 2
    speed = (truth.velocity_mps[0] ** 2).sum(axis=1)
    spin = (truth.angular_velocity_radps[0] ** 2).sum(axis=1)
    return truth.g * truth.position_m[0, :, 2] + speed / 2 + 0.2 * radius**2 * spin
