"""Two more disc scenes in closed form: one that actions drive, and one that bounces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from worldline.core import STATIC, Clip, Contact, Verdict
from worldline.sim.discs import WORLD_M, Discs, film_discs
from worldline.sim.families.base import name_all
from worldline.sim.families.flat import NUM_FRAMES, STEP_S, draw_look, frame_times
from worldline.sim.families.laws import judge, truth_of
from worldline.sim.framing import Shot
from worldline.sim.splits import Ranges, Split

__all__ = ["DiscBounce", "DrivenDisc"]

BOUNCE_GRAVITY_MPS2 = 6.0


class DrivenDisc:
    """A disc that drives over plain ground, seen from above; its acceleration is the action.

    `Clip.actions` `[T, 2]` holds the acceleration in metres per second squared from frame t to
    t + 1, to the right and up in the image. With the step h: v' = v + a h and
    x' = x + v h + a h^2 / 2. The last action is the one that would come next. Of itself the disc is
    driven about at random but smoothly, and back to the middle.
    """

    name = "driven_disc"
    has_camera = False
    ranges = Ranges(
        train={"radius_m": ((0.7, 1.4),), "push_mps2": ((2.5, 6.0),)},
        beyond={"radius_m": ((0.3, 0.6), (1.5, 2.0)), "push_mps2": ((0.8, 1.6), (8.0, 11.0))},
        hole={"radius_m": (0.95, 1.1), "push_mps2": (3.6, 4.6)},
        corner={"radius_m": (1.2, 1.4), "push_mps2": (5.2, 6.0)},
    )
    """`push_mps2` is the usual strength of the random part of the acceleration."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        values = self.ranges.draw(split, rng)
        radius = values["radius_m"]
        position, velocity, actions = _drive(values["push_mps2"], rng)
        named, colors, ground = draw_look(split, rng, 1)
        time_s = frame_times()
        # it stands on the ground all the time, and so it is not free
        ground_touch = Contact(a=0, b=STATIC, start_s=0.0, end_s=float(time_s[-1]))
        discs = Discs(
            time_s=time_s,
            radius_m=np.array([radius]),
            position_m=position[None],
            velocity_mps=velocity[None],
            colors=colors,
            ground=ground,
            gravity_mps2=0.0,
            contacts=(ground_touch,),
            caption=f"{name_all(named)} drives about, seen from above.",
        )
        return replace(film_discs(discs, shot.size_px), actions=actions)

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Velocity and place follow from the actions."""
        truth = truth_of(clip)
        if clip.actions is None:
            raise ValueError("a clip without actions is not one of a driven disc")
        x, v = truth.position_m[0][:, [0, 2]], truth.velocity_mps[0][:, [0, 2]]
        a, h = clip.actions[:-1], np.diff(truth.time_s)[:, None]
        speed_error = np.abs(v[1:] - v[:-1] - a * h).max()
        place_error = np.abs(x[1:] - x[:-1] - v[:-1] * h - a * h**2 / 2).max()
        return (
            judge("acceleration", [float(speed_error)], 1e-9, "velocity that follows the actions"),
            judge("motion", [float(place_error)], 1e-9, "places that follow the actions"),
        )


def _drive(
    push_mps2: float, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "t 2"], Float[np.ndarray, "t 2"], Float[np.ndarray, "t 2"]]:
    """Places, velocities and accelerations; the random part wanders (Ornstein and Uhlenbeck)."""
    position = np.empty((NUM_FRAMES, 2))
    velocity, actions = np.empty_like(position), np.empty_like(position)
    x = rng.uniform(0.3 * WORLD_M, 0.7 * WORLD_M, 2)
    v = rng.normal(0, 0.5, 2)
    wander = rng.normal(0, push_mps2, 2)
    # a spring and a brake keep it in view, with about the same room for weak and strong pushes
    spring = push_mps2 / 1.6
    for t in range(NUM_FRAMES):
        a = wander - spring * (x - WORLD_M / 2) - np.sqrt(spring) * v
        position[t], velocity[t], actions[t] = x, v, a
        x = x + v * STEP_S + a * STEP_S**2 / 2
        v = v + a * STEP_S
        wander = 0.85 * wander + np.sqrt(1 - 0.85**2) * rng.normal(0, push_mps2, 2)
    return position, velocity, actions


class DiscBounce:
    """A disc falls and bounces on the lower edge of the image."""

    name = "disc_bounce"
    has_camera = False
    ranges = Ranges(
        train={
            "radius_m": ((0.6, 1.2),),
            "drop_m": ((3.0, 6.0),),
            "restitution": ((0.6, 0.9),),
        },
        beyond={
            "radius_m": ((0.3, 0.5), (1.35, 1.7)),
            "drop_m": ((1.8, 2.5), (6.3, 6.6)),
            "restitution": ((0.4, 0.52), (0.95, 1.0)),
        },
        hole={"radius_m": (0.8, 1.0), "restitution": (0.72, 0.8)},
        corner={"radius_m": (1.05, 1.2), "drop_m": (5.0, 6.0)},
    )
    """`drop_m` is the height of its lowest point at the start."""

    def make(self, split: Split, rng: np.random.Generator, shot: Shot) -> Clip:
        """See `Family.make`."""
        values = self.ranges.draw(split, rng)
        radius, way = values["radius_m"], float(rng.choice((-1.0, 1.0)))
        speed = way * float(rng.uniform(0.2, 1.4))
        time_s = frame_times()
        height, rise, bounces_s = _bounce(values["drop_m"], values["restitution"], time_s)
        start_x = WORLD_M / 2 - speed * float(time_s[-1]) * rng.uniform(0.35, 0.65)
        named, colors, ground = draw_look(split, rng, 1)
        mass_kg = np.pi * radius**2
        touches = tuple(
            Contact(0, STATIC, at_s, at_s, impulse_ns=float(mass_kg * change))
            for at_s, change in bounces_s
        )
        discs = Discs(
            time_s=time_s,
            radius_m=np.array([radius]),
            position_m=np.stack([start_x + speed * time_s, radius + height], axis=-1)[None],
            velocity_mps=np.stack([np.full(NUM_FRAMES, speed), rise], axis=-1)[None],
            colors=colors,
            ground=ground,
            gravity_mps2=BOUNCE_GRAVITY_MPS2,
            contacts=touches,
            caption=f"{name_all(named)} bounces to the {'right' if way > 0 else 'left'}.",
        )
        return film_discs(discs, shot.size_px)

    def self_check(self, clip: Clip) -> tuple[Verdict, ...]:
        """Acceleration is g between bounces, and no bounce gives back more than came."""
        truth = truth_of(clip)
        z, v, time_s = truth.position_m[0, :, 2], truth.velocity_mps[0, :, 2], truth.time_s
        radius = truth.extent_m[0, 2] / 2
        falling, shares = [], []
        energy = v**2 / 2 + truth.g * (z - radius)
        for t in range(1, len(time_s)):
            low, high = time_s[t - 1], time_s[t]
            hits = [c for c in truth.scene.contacts if low < c.start_s <= high]
            if hits:
                shares.append(max(float(energy[t] / energy[t - 1]) - 1, 0.0))
            else:
                falling.append(float((v[t] - v[t - 1]) / (high - low) + truth.g))
        return (
            judge("gravity", falling, 1e-6, "free fall with acceleration g"),
            judge("energy", shares, 1e-9, "bounces that give back no more than came"),
            judge("floor", [max(float(radius - z.min()), 0.0)], 1e-9, "a disc above the floor"),
        )


def _bounce(
    drop_m: float, restitution: float, time_s: Float[np.ndarray, " t"]
) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"], list[tuple[float, float]]]:
    """Height of the lowest point, speed upward, and (time, change of speed) of each bounce."""
    g = BOUNCE_GRAVITY_MPS2
    height, rise = np.empty_like(time_s), np.empty_like(time_s)
    start_s, start_m, up_mps = 0.0, drop_m, 0.0
    bounces: list[tuple[float, float]] = []
    while start_s < time_s[-1]:
        down_mps = float(np.sqrt(up_mps**2 + 2 * g * start_m))
        end_s = start_s + (up_mps + down_mps) / g
        part = (time_s >= start_s) & (time_s < end_s)
        since_s = time_s[part] - start_s
        height[part] = start_m + up_mps * since_s - g * since_s**2 / 2
        rise[part] = up_mps - g * since_s
        if end_s <= time_s[-1]:
            bounces.append((end_s, (1 + restitution) * down_mps))
        start_s, start_m, up_mps = end_s, 0.0, restitution * down_mps
    return height, rise, bounces
