"""Scenarios of the suite `laws`: discs after PhyWorld (Kang et al. 2024, arXiv 2411.02385).

Uniform motion, collision and parabola in a world of 10 by 10, 32 frames 0.1 apart, discs whole in
view at the start. Radius .7 to 1.4 and speed 1 to 4 are in distribution; beyond lie radii .3 to .6
and 1.5 to 2 and speeds 0 to .8 and 4.5 to 6. As in the paper's data, either the radius, or the
speed, or both are beyond (its levels), and both discs of a collision alike.

Every scenario exists twice. *Corrected*: pixels have centres, edges are covered in proportion, and
collisions are exactly elastic. *As published*: positions come out of a solver with a step of 0.01,
in which discs touch a step late, are pushed apart by a fifth of their overlap at a time, and do not
bounce at all when they approach at less than 1 (the velocity threshold of Box2D, whose defaults
the published generator uses); pictures are drawn with a soft rim on a grid whose first and last
pixels lie on the borders of the world, at 256 pixels, and made smaller.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from worldline.core.clip import Clip
from worldline.core.scene import Contact
from worldline.sim.discs import WORLD_M, Discs, draw_discs, film_discs

__all__ = [
    "BEYOND",
    "CONTEXT",
    "GRAVITY_MPS2",
    "LAWS",
    "NUM_FRAMES",
    "STEP_S",
    "WITHIN",
    "DiscScene",
    "Law",
    "Range",
    "Twice",
    "draw_scene",
    "film",
]

NUM_FRAMES, CONTEXT, STEP_S = 32, 3, 0.1
GRAVITY_MPS2 = 2.5
MARGIN = 0.05 * WORLD_M
"""Discs keep so far from the upper and lower border, as published."""

WITHIN = {"radius_m": (0.7, 1.4), "speed_mps": (1.0, 4.0)}
BEYOND = {"radius_m": ((0.3, 0.6), (1.5, 2.0)), "speed_mps": ((0.0, 0.8), (4.5, 6.0))}
COLORS = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0))

SOLVER_STEP_S, THRESHOLD_MPS, CORRECTION, SLOP_M = 0.01, 1.0, 0.2, 0.005
"""Defaults of Box2D 2.3: velocity threshold, Baumgarte factor, linear slop."""

DRAWN_PX, RIM = 256, 0.03


class Law(StrEnum):
    """What the scene is about."""

    UNIFORM = "uniform"
    COLLISION = "collision"
    PARABOLA = "parabola"


LAWS = tuple(Law)


class Range(StrEnum):
    """Where the scene's numbers are drawn from."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, eq=False)
class DiscScene:
    """One scenario: start, and everything that follows from it exactly.

    Attributes:
        law: see `Law`.
        radius_m: `[N]`.
        start_m, velocity_mps: `[N, 2]` (x, z) at time 0.
    """

    law: Law
    radius_m: Float[np.ndarray, " n"]
    start_m: Float[np.ndarray, "n 2"]
    velocity_mps: Float[np.ndarray, "n 2"]

    @property
    def gravity_mps2(self) -> float:
        """Downward."""
        return GRAVITY_MPS2 if self.law is Law.PARABOLA else 0.0

    @property
    def mass_kg(self) -> Float[np.ndarray, " n"]:
        """In proportion to area."""
        return np.pi * self.radius_m**2

    @property
    def meet_s(self) -> float:
        """When two discs touch; infinite if they never do."""
        if len(self.radius_m) < 2:
            return float("inf")
        closing = float(self.velocity_mps[0, 0] - self.velocity_mps[1, 0])
        gap = float(self.start_m[1, 0] - self.start_m[0, 0] - self.radius_m.sum())
        return gap / closing if closing > 0 else float("inf")


@dataclass(frozen=True, eq=False)
class Twice:
    """A scene as a clip.

    Attributes:
        frames: `[T, h, w, 3]`.
        position_m: `[N, T, 2]` (x, z) the truth that goes with it.
        clip: with everything a suite may ask for.
        scene: what was filmed.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    position_m: Float[np.ndarray, "n t 2"]
    clip: Clip
    scene: DiscScene

    def at_constant_velocity(
        self, context: int, horizon: int, *, published: bool
    ) -> UInt8[np.ndarray, "t h w 3"]:
        """Pictures of the discs going on as they did over the last true step of the context."""
        last, step = (
            self.position_m[:, context - 1],
            np.diff(self.position_m, axis=1)[:, context - 2],
        )
        ahead = last[:, None] + step[:, None] * np.arange(1, horizon + 1)[:, None]
        return _draw(self.scene, ahead, self.frames.shape[1], published=published)


def draw_scene(law: Law, where: Range, rng: np.random.Generator) -> DiscScene:
    """One scenario; in a collision the discs touch between frame 4 and frame 24."""
    while True:
        radius, speed = _numbers(where, 2 if law is Law.COLLISION else 1, rng)
        scene = _start(law, radius, speed, rng)
        if law is not Law.COLLISION or 4 * STEP_S <= scene.meet_s <= 24 * STEP_S:
            return scene


def _numbers(where: Range, num: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    level, side = int(rng.integers(3)), int(rng.integers(2))
    found = []
    for number, name in enumerate(("radius_m", "speed_mps")):
        beyond = where is Range.OUT and level in (number, 2)
        low, high = BEYOND[name][side] if beyond else WITHIN[name]
        found.append(rng.uniform(low, high, num))
    return found[0], found[1]


def _start(law: Law, radius: np.ndarray, speed: np.ndarray, rng: np.random.Generator) -> DiscScene:
    r, largest = float(radius[0]), float(radius.max())
    if law is Law.COLLISION:
        room = WORLD_M - 2 * radius.sum()
        gap = rng.uniform(0.0, 1.0) * room
        x = radius[0] + rng.uniform(0.0, 1.0) * (room - gap)
        z = rng.uniform(largest + MARGIN, WORLD_M - MARGIN - largest)
        start = np.array([[x, z], [x + radius.sum() + gap, z]])
        return DiscScene(law, radius, start, np.array([[speed[0], 0.0], [-speed[1], 0.0]]))
    way = float(rng.choice((-1.0, 1.0)))
    # far enough from the border ahead for twelve frames in view, where there is room for them
    ahead = max(WORLD_M - 12 * STEP_S * float(speed[0]) - r, r)
    x = rng.uniform(r, ahead)
    top = WORLD_M - MARGIN - r
    low = top - 1.0 if law is Law.PARABOLA else r + MARGIN
    z = rng.uniform(low, top)
    start = np.array([[x if way > 0 else WORLD_M - x, z]])
    return DiscScene(law, radius, start, np.array([[way * speed[0], 0.0]]))


def film(scene: DiscScene, size_px: int, *, published: bool) -> Twice:
    """Draw a scenario; see the module for what `published` means."""
    time_s = np.arange(NUM_FRAMES) * STEP_S
    position, velocity = (_solved if published else _exact)(scene, time_s)
    touch = ()
    if np.isfinite(scene.meet_s):
        impulse = float(scene.mass_kg[0] * np.abs(velocity[0, -1, 0] - velocity[0, 0, 0]))
        touch = (Contact(0, 1, scene.meet_s, scene.meet_s, impulse_ns=impulse),)
    discs = Discs(
        time_s=time_s,
        radius_m=scene.radius_m,
        position_m=position,
        velocity_mps=velocity,
        colors=COLORS[: len(scene.radius_m)],
        ground=(1.0, 1.0, 1.0),
        gravity_mps2=scene.gravity_mps2,
        caption=f"PhyWorld, {scene.law}",
        contacts=touch,
    )
    clip = film_discs(discs, size_px)
    if published:
        clip = replace(clip, frames=_draw(scene, position, size_px, published=True))
    return Twice(clip.frames, position, clip, scene)


def _draw(
    scene: DiscScene, position: Float[np.ndarray, "n t 2"], size_px: int, *, published: bool
) -> UInt8[np.ndarray, "t h w 3"]:
    if published:
        return _paint(scene, position, size_px)
    scale = size_px / WORLD_M
    center_px = np.stack([position[..., 0], WORLD_M - position[..., 1]], axis=-1) * scale
    colors = COLORS[: len(position)]
    return draw_discs(center_px, scene.radius_m * scale, colors, (1.0, 1.0, 1.0), size_px)[0]


def _exact(scene: DiscScene, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    before = scene.velocity_mps
    velocity = np.repeat(before[:, None], len(time_s), axis=1)
    position = scene.start_m[:, None] + velocity * time_s[:, None]
    if np.isfinite(scene.meet_s):
        after = 2 * (scene.mass_kg @ before) / scene.mass_kg.sum() - before
        late = time_s >= scene.meet_s
        velocity = np.where(late[:, None], after[:, None], velocity)
        position = (
            position + (after - before)[:, None] * np.maximum(time_s - scene.meet_s, 0)[:, None]
        )
    position[..., 1] -= 0.5 * scene.gravity_mps2 * time_s**2
    velocity[..., 1] -= scene.gravity_mps2 * time_s
    return position, velocity


def _solved(scene: DiscScene, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Semi-implicit Euler with one contact along x, positions taken after the first step on."""
    stride = round(STEP_S / SOLVER_STEP_S)
    x, v, mass = scene.start_m.copy(), scene.velocity_mps.copy(), scene.mass_kg
    reach = scene.radius_m.sum()
    positions, velocities = [], []
    for step in range(stride * len(time_s)):
        v[:, 1] -= scene.gravity_mps2 * SOLVER_STEP_S
        pair = len(x) == 2
        if pair and x[1, 0] - x[0, 0] <= reach:
            closing = float(v[0, 0] - v[1, 0])
            if closing > 0:
                bounce = closing if closing > THRESHOLD_MPS else 0.0
                push = (closing + bounce) / (1 / mass).sum()
                v[:, 0] += np.array([-push, push]) / mass
        x += v * SOLVER_STEP_S
        overlap = reach - (x[1, 0] - x[0, 0]) if pair else 0.0
        if overlap > SLOP_M:
            apart = CORRECTION * (overlap - SLOP_M) / (1 / mass).sum()
            x[:, 0] += np.array([-apart, apart]) / mass
        if step % stride == 0:
            positions.append(x.copy())
            velocities.append(v.copy())
    return np.stack(positions, axis=1), np.stack(velocities, axis=1)


def _paint(
    scene: DiscScene, position: Float[np.ndarray, "n t 2"], size_px: int
) -> UInt8[np.ndarray, "t h w 3"]:
    line = np.linspace(0.0, 1.0, DRAWN_PX)
    frames = np.full((position.shape[1], DRAWN_PX, DRAWN_PX, 3), 255.0)
    for number, radius in enumerate(scene.radius_m / WORLD_M):
        place = position[number] / WORLD_M
        for frame, (x, z) in zip(frames, place, strict=True):
            columns, rows = (
                slice(*np.searchsorted(line, (v - radius, v + radius))) for v in (x, z)
            )
            square = (line[columns] - x)[None] ** 2 + (line[rows] - z)[:, None] ** 2
            share = np.clip((radius**2 - square) / (radius**2 * RIM), 0, 1)[..., None]
            part = frame[rows, columns]
            part += share * (255 * np.asarray(COLORS[number]) - part)
    upright = frames[:, ::-1].astype(np.uint8)
    if size_px == DRAWN_PX:
        return np.ascontiguousarray(upright)
    shape = (size_px, size_px)
    return np.stack([cv2.resize(f, shape, interpolation=cv2.INTER_AREA) for f in upright])
