"""Vehicles on two lanes that cross."""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from worldline.core import Clip, Verdict
from worldline.physics.laws.solids import Solid, overlap_depth
from worldline.sim.engine import drive, simulate
from worldline.sim.families.base import Casting, name_all, turn_about
from worldline.sim.families.laws import Truth, judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Body, Glide, Prop, Shape, Stage, View
from worldline.sim.studio import film_stage

__all__ = ["Traffic"]

_LENGTHS = {"car": (0.8, 1.0), "van": (1.05, 1.25), "truck": (1.35, 1.7)}
"""Half lengths in metres: vehicles are about half as large as real ones."""


@dataclass(frozen=True)
class _Way:
    """How a vehicle drives along its lane.

    Attributes:
        heading_rad: direction of the lane.
        start_m: where on the lane it is at time 0; the lanes cross at 0.
        speed_mps: at first.
        brake_s: when it starts to brake; infinite if it does not.
        brake_mps2: how strongly, until it stands.
    """

    heading_rad: float
    start_m: float
    speed_mps: float
    brake_s: float = np.inf
    brake_mps2: float = 1.0

    @property
    def unit(self) -> np.ndarray:
        """Direction of the lane in the plane."""
        return np.array([np.cos(self.heading_rad), np.sin(self.heading_rad)])

    def speed_at(self, time_s: float) -> float:
        """Speed at a time."""
        return max(self.speed_mps - self.brake_mps2 * max(time_s - self.brake_s, 0.0), 0.0)


class Traffic:
    """Two to four vehicles near a crossing: one just misses another, or brakes and lets it pass.

    The motion is prescribed; nothing collides.
    """

    name = "traffic"
    has_camera = True
    ranges = Ranges(
        train={
            "speed_mps": ((2.5, 5.0),),
            "brake_mps2": ((2.5, 5.0),),
            "gap_s": ((0.15, 0.7),),
        },
        beyond={
            "speed_mps": ((1.5, 2.1), (5.6, 7.0)),
            "brake_mps2": ((1.6, 2.2), (5.6, 7.5)),
        },
        hole={"speed_mps": (3.3, 4.1), "gap_s": (0.35, 0.5)},
    )
    """`gap_s` is the time between one vehicle leaving the place where the lanes cross and the other
    entering it (post-encroachment time)."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        stage, ways = self.plan(split, rng)
        return film_stage(stage, shot, simulate(stage, _Drivers(ways, stage)))

    def plan(self, split: Split, rng: np.random.Generator) -> tuple[Stage, tuple[_Way, ...]]:
        """Draw the crossing, the vehicles and how they drive."""
        cast = Casting(split, rng)
        time_s = cast.times((1 / 15, 1 / 15, 1 / 10))
        heading = cast.uniform(0, 2 * np.pi)
        cross = heading + cast.sign() * (np.pi / 2 + cast.uniform(-0.25, 0.25))
        values, other = self.ranges.draw(split, rng), self.ranges.draw(split, rng)
        halves = [_vehicle(cast) for _ in range(2)]
        brakes = rng.random() < 0.5
        ways = list(
            _plan_pair(cast, halves, (heading, cross), values, other["speed_mps"], time_s, brakes)
        )
        labels = [label for label, _ in halves]
        sizes = [half for _, half in halves]
        for lane in range(2):
            if rng.random() < 0.4:
                # one more drives ahead of the first, or behind the second in the same way
                label, half = _vehicle(cast)
                space = half[0] + sizes[lane][0] + cast.uniform(0.5, 1.5)
                ahead = space if lane == 0 else -space
                ways.append(_shifted(ways[lane], ahead))
                labels.append(label)
                sizes.append(half)
        bodies = [_on_lane(cast, *what) for what in zip(ways, labels, sizes, strict=True)]
        first, second = (name_all([body.name]) for body in bodies[:2])
        first = first[0].lower() + first[1:]
        caption = f"{second} brakes and lets {first} pass at a crossing."
        if not brakes:
            caption = f"{second} just misses {first} at a crossing."
        stage = cast.stage(
            bodies,
            caption=caption,
            view=View(
                azimuth_rad=cast.uniform(0, 2 * np.pi),
                elevation_rad=cast.uniform(0.7, 1.5),
                focal_ratio=cast.uniform(0.9, 1.6),
                margin=cast.uniform(0.02, 0.1),
                offset=(cast.uniform(-1, 1), cast.uniform(-1, 1)),
            ),
            props=_roads(cast, (heading, cross)),
            time_s=time_s,
            min_width_px=11.0,
            landmarks_m=((0.0, 0.0, 0.0),),
            facts={"brake_mps2": values["brake_mps2"], "brakes": float(brakes)},
        )
        return stage, tuple(ways)

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Vehicles drive as fast as they say, brake evenly, and never share space."""
        truth = truth_of(clip)
        step_s = np.diff(truth.time_s)
        mean = (truth.velocity_mps[:, 1:] + truth.velocity_mps[:, :-1]) / 2
        # where braking starts or ends within a step, the mean of its ends is not exact
        granted = truth.fact("brake_mps2") * step_s[:, None] ** 2 / 8
        errors = np.abs(np.diff(truth.position_m, axis=1) - mean * step_s[:, None]) - granted
        speed = np.linalg.norm(truth.velocity_mps, axis=-1)
        change = np.diff(speed, axis=1) / step_s
        over = np.maximum(change, -change - truth.fact("brake_mps2")).max()
        depth = max(
            _overlap(truth, i, j, t)
            for i, j in itertools.combinations(truth.rows, 2)
            for t in range(len(truth.time_s))
        )
        return (
            judge(
                "motion",
                [max(float(errors.max()), 0.0)],
                0.002,
                "places that follow from the speeds",
            ),
            judge("braking", [max(float(over), 0.0)], 0.05, "speed that only falls, and evenly"),
            judge("interpenetration", [max(depth, 0.0)], 0.0, "vehicles that do not overlap"),
        )


def _vehicle(cast: Casting) -> tuple[str, tuple[float, float, float]]:
    """Word and half side lengths."""
    label = list(_LENGTHS)[int(cast.rng.choice(3, p=[0.6, 0.2, 0.2]))]
    tall = cast.uniform(0.26, 0.34) if label == "car" else cast.uniform(0.4, 0.55)
    return label, (cast.uniform(*_LENGTHS[label]), cast.uniform(0.36, 0.46), tall)


def _plan_pair(
    cast: Casting,
    halves: Sequence[tuple[str, tuple[float, float, float]]],
    headings: tuple[float, float],
    values: dict[str, float],
    other_speed_mps: float,
    time_s: np.ndarray,
    brakes: bool,
) -> tuple[_Way, _Way]:
    """The one that goes first and the one that passes after it or stops before it."""
    (_, (long, wide, _)), (_, (other_long, other_wide, _)) = halves
    angle = headings[1] - headings[0]
    sine, cosine = abs(np.sin(angle)), abs(np.cos(angle))
    # half the way during which a vehicle covers the other's lane
    covers = (other_wide + wide * cosine) / sine + long
    other_covers = (wide + other_wide * cosine) / sine + other_long
    speed = values["speed_mps"]
    middle_s = float(time_s[-1]) * cast.uniform(0.35, 0.5)
    first = _Way(headings[0], -speed * middle_s, speed)
    if not brakes:
        enters_s = middle_s + covers / speed + values["gap_s"]
        start = -other_covers - other_speed_mps * enters_s
        return first, _Way(headings[1], start, other_speed_mps)
    stop = -other_covers - cast.uniform(0.15, 0.8)
    way = other_speed_mps**2 / (2 * values["brake_mps2"])
    # without braking both would be at the crossing at the same time
    brake_s = max(middle_s + (stop - way) / other_speed_mps, 0.15 * float(time_s[-1]))
    start = stop - way - other_speed_mps * brake_s
    return first, _Way(headings[1], start, other_speed_mps, brake_s, values["brake_mps2"])


def _shifted(way: _Way, ahead_m: float) -> _Way:
    return _Way(way.heading_rad, way.start_m + ahead_m, way.speed_mps, way.brake_s, way.brake_mps2)


def _on_lane(cast: Casting, way: _Way, label: str, half_m: tuple[float, float, float]) -> Body:
    return cast.body(
        Shape.BOX,
        half_m,
        (*(way.start_m * way.unit), half_m[2]),
        rotation_wxyz=turn_about((0, 0, 1), way.heading_rad),
        velocity_mps=(*(way.speed_mps * way.unit), 0.0),
        mount=Glide(),
        label=label,
    )


def _roads(cast: Casting, headings: Sequence[float]) -> tuple[Prop, ...]:
    grey = cast.uniform(0.2, 0.42)
    wide = cast.uniform(0.7, 1.0)
    return tuple(
        Prop(
            Shape.BOX,
            (60.0, wide, 0.005),
            (0.0, 0.0, 0.0),
            (grey, grey, grey),
            turn_about((0, 0, 1), heading),
            is_solid=False,
        )
        for heading in headings
    )


def _overlap(truth: Truth, i: int, j: int, frame: int) -> float:
    assert truth.scene.rotation_wxyz is not None
    a, b = (
        Solid.of(
            "box",
            truth.position_m[row, frame],
            truth.extent_m[row],
            truth.scene.rotation_wxyz[row, frame],
        )
        for row in (i, j)
    )
    assert a is not None
    assert b is not None
    return overlap_depth(a, b)


class _Drivers:
    """Sets the speed of each vehicle at each physics step."""

    def __init__(self, ways: Sequence[_Way], stage: Stage) -> None:
        self.ways = ways
        self.start_s = float(stage.time_s[0])

    def __call__(self, model: mujoco.MjModel, data: mujoco.MjData, moment_s: float) -> None:
        # the middle of the step, so that an even braking is summed up without error
        middle_s = moment_s - self.start_s + model.opt.timestep / 2
        for index, way in enumerate(self.ways):
            drive(model, data, index, way.unit * way.speed_at(middle_s))
