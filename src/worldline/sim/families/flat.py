"""The three disc scenes of PhyWorld (arXiv 2411.02385): uniform motion, parabola, collision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from worldline.core import Clip, Contact, Verdict
from worldline.sim.appearance import draw_plain_colors
from worldline.sim.discs import WORLD_M, Discs, film_discs
from worldline.sim.families.base import name_all
from worldline.sim.families.laws import Truth, judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Vector

__all__ = [
    "DISC_RANGES",
    "NUM_FRAMES",
    "STEP_S",
    "DiscCollision",
    "DiscParabola",
    "DiscUniform",
    "draw_look",
    "frame_times",
]

NUM_FRAMES, STEP_S = 32, 0.1
GRAVITY_MPS2 = 2.5

DISC_RANGES = Ranges(
    train={"radius_m": ((0.7, 1.4),), "speed_mps": ((1.0, 4.0),)},
    beyond={
        "radius_m": ((0.3, 0.6), (1.5, 2.0)),
        "speed_mps": ((0.0, 0.8), (4.5, 6.0)),
    },
    hole={"radius_m": (0.95, 1.1), "speed_mps": (2.2, 2.8)},
    corner={"radius_m": (1.2, 1.4), "speed_mps": (3.2, 4.0)},
)
"""Ranges in and out of distribution as in the paper; in TRAIN a hole and a corner are cut out."""

_PAPER_COLORS: tuple[tuple[str, Vector], ...] = (
    ("red", (0.86, 0.15, 0.15)),
    ("blue", (0.15, 0.25, 0.86)),
    ("green", (0.1, 0.65, 0.25)),
)


def frame_times() -> np.ndarray:
    """Times of the frames of every disc scene."""
    return np.arange(NUM_FRAMES) * STEP_S


def draw_look(
    split: Split, rng: np.random.Generator, count: int
) -> tuple[tuple[str, ...], tuple[Vector, ...], Vector]:
    """Names and colours of the discs, and the ground.

    The splits that test generalisation keep to the plain look of the paper; the ones to learn from
    show it half of the time and any colours the other half.
    """
    if split in (Split.TRAIN, Split.HELD_OUT) and rng.random() < 0.5:
        names, colors, ground = draw_plain_colors(count, rng)
        return tuple(f"{name} disc" for name in names), colors, ground
    order = rng.permutation(len(_PAPER_COLORS))[:count]
    names, colors = zip(*(_PAPER_COLORS[i] for i in order), strict=True)
    return tuple(f"{name} disc" for name in names), tuple(colors), (1.0, 1.0, 1.0)


def _state(start: Sequence[float], velocity: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    steady = np.repeat(np.asarray(velocity, dtype=np.float64)[None], NUM_FRAMES, axis=0)
    return np.asarray(start) + steady * frame_times()[:, None], steady


def _side(way: float) -> str:
    return "right" if way > 0 else "left"


class DiscUniform:
    """One disc moves horizontally at constant speed."""

    name = "disc_uniform"
    has_camera = False
    ranges = DISC_RANGES

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        values = self.ranges.draw(split, rng)
        radius, way = values["radius_m"], float(rng.choice((-1.0, 1.0)))
        start_x = WORLD_M / 2 - way * (WORLD_M / 2 - rng.uniform(0.2, 1.0) - 0.5 * radius)
        start_z = float(rng.uniform(radius, WORLD_M - radius))
        position, velocity = _state((start_x, start_z), (way * values["speed_mps"], 0.0))
        named, colors, ground = draw_look(split, rng, 1)
        discs = Discs(
            time_s=frame_times(),
            radius_m=np.array([radius]),
            position_m=position[None],
            velocity_mps=velocity[None],
            colors=colors,
            ground=ground,
            gravity_mps2=0.0,
            caption=f"{name_all(named)} moves to the {_side(way)} at constant speed.",
        )
        return film_discs(discs, shot.size_px)

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Positions advance by the same vector in every step."""
        error = np.abs(np.diff(truth_of(clip).position_m, n=2, axis=1)).max()
        return (judge("inertia", [float(error)], 1e-9, "uniform motion"),)


class DiscParabola:
    """One disc is thrown horizontally and falls."""

    name = "disc_parabola"
    has_camera = False
    ranges = DISC_RANGES

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        values = self.ranges.draw(split, rng)
        radius, way = values["radius_m"], float(rng.choice((-1.0, 1.0)))
        start_x = WORLD_M / 2 - way * (WORLD_M / 2 - rng.uniform(0.2, 1.0) - 0.5 * radius)
        start_z = float(rng.uniform(7.0, WORLD_M - 0.5 * radius))
        position, velocity = _state((start_x, start_z), (way * values["speed_mps"], 0.0))
        time_s = frame_times()
        position[:, 1] -= 0.5 * GRAVITY_MPS2 * time_s**2
        velocity[:, 1] -= GRAVITY_MPS2 * time_s
        named, colors, ground = draw_look(split, rng, 1)
        discs = Discs(
            time_s=time_s,
            radius_m=np.array([radius]),
            position_m=position[None],
            velocity_mps=velocity[None],
            colors=colors,
            ground=ground,
            gravity_mps2=GRAVITY_MPS2,
            caption=f"{name_all(named)} flies to the {_side(way)} and falls.",
        )
        return film_discs(discs, shot.size_px)

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """The second difference of position is the acceleration of free fall."""
        truth = truth_of(clip)
        second = np.diff(truth.position_m, n=2, axis=1) / STEP_S**2
        error = np.abs(second - truth.gravity_mps2).max()
        return (judge("gravity", [float(error)], 1e-6, "free fall with acceleration g"),)


class DiscCollision:
    """Two discs move toward each other and collide head-on without loss."""

    name = "disc_collision"
    has_camera = False
    ranges = DISC_RANGES

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        draws = [self.ranges.draw(split, rng) for _ in range(2)]
        radius = np.array([draw["radius_m"] for draw in draws])
        before = np.array([draws[0]["speed_mps"], -draws[1]["speed_mps"]])
        meet_x = float(rng.uniform(4.5, 5.5))
        room = np.array([meet_x, WORLD_M - meet_x]) - radius - 0.2
        latest_s = float(np.min(room / np.maximum(np.abs(before), 1e-6)))
        meet_s = min(latest_s * float(rng.uniform(0.6, 1.0)), 2.0)
        z = float(rng.uniform(radius.max(), WORLD_M - radius.max()))
        mass = np.pi * radius**2
        common = (mass * before).sum() / mass.sum()
        after = 2 * common - before
        time_s = frame_times()
        touch_x = meet_x + radius * np.array([-1.0, 1.0])
        speeds = np.where(time_s < meet_s, before[:, None], after[:, None])
        x = touch_x[:, None] + speeds * (time_s - meet_s)
        named, colors, ground = draw_look(split, rng, 2)
        impulse = float(mass[0] * abs(after[0] - before[0]))
        touch = Contact(a=0, b=1, start_s=meet_s, end_s=meet_s, impulse_ns=impulse)
        discs = Discs(
            time_s=time_s,
            radius_m=radius,
            position_m=np.stack([x, np.full_like(x, z)], axis=-1),
            velocity_mps=np.stack([speeds, np.zeros_like(speeds)], axis=-1),
            colors=colors,
            ground=ground,
            gravity_mps2=0.0,
            contacts=(touch,),
            caption=f"{name_all(named)} collide head-on.",
        )
        return film_discs(discs, shot.size_px)

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Momentum and kinetic energy last, and the discs never overlap."""
        truth = truth_of(clip)
        mass, v = truth.mass_kg[:, None], truth.velocity_mps[..., 0]
        momentum, energy = (mass * v).sum(0), (0.5 * mass * v * v).sum(0)
        return (
            judge("momentum", [float(np.ptp(momentum))], 1e-9, "momentum of both discs"),
            judge("energy", [float(np.ptp(energy))], 1e-9, "kinetic energy of both discs"),
            judge("interpenetration", [_overlap(truth)], 1e-9, "discs that do not overlap"),
        )


def _overlap(truth: Truth) -> float:
    gap = np.linalg.norm(truth.position_m[1] - truth.position_m[0], axis=1)
    return float(np.maximum(truth.extent_m[:, 0].sum() / 2 - gap, 0).max())
