"""A pusher that actions move, and what it pushes over the floor."""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import mujoco
import numpy as np
from jaxtyping import Float

from worldline.core import STATIC, Clip, Contact, Verdict
from worldline.sim.engine import drive, simulate
from worldline.sim.families.base import Casting, name_all, turn_about, upright_height
from worldline.sim.families.laws import Truth, judge, mechanical_energy, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split
from worldline.sim.stage import Glide, Shape, Stage, View
from worldline.sim.studio import film_stage

__all__ = ["Push"]

PUSHER = 0
"""Object id of the pusher."""

_SMOOTHNESS = 0.3
"""Share of the way to the wanted velocity that is gone in each frame."""


class Push:
    """A pusher moves over the floor and pushes one to three bodies about.

    `Clip.actions` `[T, 2]` is its velocity in metres per second over the floor from frame t to
    t + 1; the camera stands so that x is to the right and y away from it. The last action is the
    one that would come next. Of itself the pusher steers toward one body or
    place after another, with turns and a pace that are random but smooth.
    """

    name = "push"
    has_camera = True
    ranges = Ranges(
        train={
            "radius_m": ((0.24, 0.42),),
            "speed_mps": ((1.0, 2.0),),
            "friction": ((0.25, 0.5),),
        },
        beyond={
            "radius_m": ((0.17, 0.2), (0.5, 0.6)),
            "speed_mps": ((0.6, 0.8), (2.4, 3.0)),
            "friction": ((0.12, 0.18), (0.55, 0.65)),
        },
        hole={"radius_m": (0.3, 0.36), "speed_mps": (1.35, 1.65)},
    )

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        stage = self.stage(split, rng)
        policy = _Policy(stage, rng)
        rollout = simulate(stage, policy)
        clip = film_stage(stage, shot, rollout)
        assert clip.scene is not None
        caption = _caption([body.name for body in stage.bodies], _pushed(clip.scene.contacts))
        clip = replace(clip, caption=caption, scene=replace(clip.scene, caption=caption))
        policy.decide(rollout.position_m[:, -1, :2])
        return replace(clip, actions=np.array(policy.actions))

    def stage(self, split: Split, rng: np.random.Generator) -> Stage:
        """Draw the pusher and what lies about; nothing moves yet."""
        cast = Casting(split, rng)
        values = self.ranges.draw(split, rng)
        radius, tall = cast.uniform(0.14, 0.22), cast.uniform(0.14, 0.26)
        bodies = [
            cast.body(
                Shape.CYLINDER, (radius, radius, tall), (0, 0, tall), mount=Glide(), label="pusher"
            )
        ]
        count = cast.count(1, 3)
        turn = cast.uniform(0, 2 * np.pi)
        for index in range(count):
            shape = cast.pick((Shape.BOX, Shape.BOX, Shape.CYLINDER, Shape.BALL))
            half = cast.half_sides(shape, values["radius_m"] * cast.uniform(0.85, 1.0), slim=0.8)
            angle = turn + 2 * np.pi * index / count + cast.uniform(-0.4, 0.4)
            reach = radius + float(np.hypot(half[0], half[1])) + cast.uniform(0.25, 0.6)
            place = (reach * np.cos(angle), reach * np.sin(angle), upright_height(shape, half))
            yaw = turn_about((0, 0, 1), cast.uniform(0, 2 * np.pi))
            bodies.append(cast.body(shape, half, place, rotation_wxyz=yaw))
        return cast.stage(
            bodies,
            caption=_caption([body.name for body in bodies], set(range(1, len(bodies)))),
            view=View(
                azimuth_rad=-np.pi / 2,
                elevation_rad=cast.uniform(0.55, 1.2),
                focal_ratio=cast.uniform(0.85, 1.6),
                margin=cast.uniform(0.02, 0.15),
                offset=(cast.uniform(-1, 1), cast.uniform(-1, 1)),
            ),
            restitution=0.1,
            friction=values["friction"],
            min_width_px=7.0,
            facts={"speed_mps": values["speed_mps"]},
        )

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """The pusher goes where the actions say; bodies gain energy only while they are touched."""
        truth = truth_of(clip)
        if clip.actions is None:
            raise ValueError("a clip without actions is not one of pushing")
        step_s = np.diff(truth.time_s)[:, None]
        moved = np.diff(truth.position_m[PUSHER, :, :2], axis=0)
        errors = np.linalg.norm(moved - clip.actions[:-1] * step_s, axis=1)
        return (
            judge("action", errors.tolist(), 0.002, "a pusher that moves as its actions say"),
            judge("cause", _gains(truth), 0.06, "energy gained only while touched"),
        )


def _pushed(contacts: Sequence[Contact]) -> set[int]:
    """Bodies that the pusher touches, by itself or by way of others."""
    reached = {PUSHER}
    for contact in contacts:  # in order of start
        pair = {contact.a, contact.b}
        if STATIC not in pair and pair & reached:
            reached |= pair
    return reached - {PUSHER}


def _caption(names: Sequence[str], pushed: set[int]) -> str:
    """What the pusher (the first of the bodies) does, and what it leaves alone."""

    def all_of(rows: Sequence[int]) -> str:
        text = name_all([names[row] for row in rows])
        return text[0].lower() + text[1:]

    others = range(1, len(names))
    hit, left = [i for i in others if i in pushed], [i for i in others if i not in pushed]
    text = f"{name_all(names[:1])} moves over the floor"
    if hit:
        text += f" and pushes {all_of(hit)}"
    if left:
        text += f", past {all_of(left)}"
    return f"{text}."


def _gains(truth: Truth) -> list[float]:
    """Energy that a body gains from one frame to the next while no other touches it.

    Over its mass and the square of the pusher's usual speed.
    """
    energy = mechanical_energy(truth) / truth.mass_kg[:, None] / truth.fact("speed_mps") ** 2
    gains = []
    for row in truth.rows:
        touches = [c for c in truth.touches_of(row) if c.b >= 0]
        for t in range(1, len(truth.time_s)):
            low, high = truth.time_s[t - 1], truth.time_s[t]
            if row != PUSHER and not any(c.start_s <= high and c.end_s >= low for c in touches):
                gains.append(max(float(energy[row, t] - energy[row, t - 1]), 0.0))
    return gains


class _Policy:
    """Chooses the pusher's velocity at each frame and holds it until the next."""

    def __init__(self, stage: Stage, rng: np.random.Generator) -> None:
        self.time_s = stage.time_s
        self.speed_mps = stage.facts["speed_mps"]
        self.rng = rng
        self.num_bodies = len(stage.bodies)
        self.goal = 1
        self.spot_m = np.zeros(2)
        self.pace = 1.0
        self.turn_rad = 0.0
        self.velocity_mps = np.zeros(2)
        self.actions: list[np.ndarray] = []

    def __call__(self, model: mujoco.MjModel, data: mujoco.MjData, moment_s: float) -> None:
        if moment_s > self.time_s[len(self.actions)] - 1e-6:
            self.decide(data.xipos[1:, :2])
        drive(model, data, PUSHER, self.actions[-1])

    def decide(self, place_m: Float[np.ndarray, "n 2"]) -> None:
        """Choose the next action from where the bodies are."""
        if self.rng.random() < 0.07:
            # to a body, or instead of to itself to a place on the floor
            self.goal = int(self.rng.integers(self.num_bodies))
            self.spot_m = self.rng.uniform(-1.3, 1.3, 2)
        # the wanted direction wanders about the one to the goal, and returns to it
        self.turn_rad = 0.85 * self.turn_rad + float(self.rng.normal(0, 0.2))
        self.pace = float(np.clip(0.1 + 0.9 * self.pace + self.rng.normal(0, 0.12), 0.2, 1.3))
        goal_m = self.spot_m if self.goal == PUSHER else place_m[self.goal]
        way = goal_m - place_m[PUSHER]
        way = way / max(float(np.linalg.norm(way)), 1e-6)
        cos, sin = np.cos(self.turn_rad), np.sin(self.turn_rad)
        turned = np.array([cos * way[0] - sin * way[1], sin * way[0] + cos * way[1]])
        wanted = self.speed_mps * self.pace * turned
        self.velocity_mps = self.velocity_mps + _SMOOTHNESS * (wanted - self.velocity_mps)
        self.actions.append(self.velocity_mps)
