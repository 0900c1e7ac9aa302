"""Bodies that go their own way: found by the readout, measured in pixels, carried as a whole.

Where a picture is plain enough to say what a body is to a fraction of a pixel, and its path is
known well enough, the body is taken out of the context, everything else is continued as usual, and
the body is laid over it along its own path. What it looks like stays exactly as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8

from worldline.dynamics.bodies import Bodies, Seed, measure_bodies
from worldline.dynamics.body_motion import states_of

if TYPE_CHECKING:
    from worldline.world.world import World

__all__ = ["Carried", "Foreseen", "carry_bodies", "find_bodies", "foresee_bodies"]

_UPSCALE = 4
"""Bodies are moved on pictures so many times larger, so that their rims stay sharp."""

_STILL = 24
"""Levels of 255 by which pixels may change where nothing moves: codecs, and rims of bodies."""

_LOOK_AT = 16
"""Frames ahead at which a path's doubt decides, however few are asked for."""


@dataclass(frozen=True, eq=False)
class Foreseen:
    """Bodies of a context with their paths, known well enough to be carried or not.

    Attributes:
        bodies: N of them, at least one.
        center_px: `[N, F, 2]` where each goes, for at least 16 frames.
        std_px: `[N, F]` doubt of that.
    """

    bodies: Bodies
    center_px: Float[np.ndarray, "n f 2"]
    std_px: Float[np.ndarray, "n f"]


@dataclass(frozen=True, eq=False)
class Carried:
    """Bodies with their paths in S futures of F frames.

    Attributes:
        bodies: N of them.
        plain: `[K, h, w, 3]` the context without them.
        shift_px: `[S, N, F, 2]` from their last place; the first future is the expected one.
        std_px: `[N, F]` doubt of the paths.
        last: `[h, w, 3]` the last frame of the context.
    """

    bodies: Bodies
    plain: UInt8[np.ndarray, "k h w 3"]
    shift_px: Float[np.ndarray, "s n f 2"]
    std_px: Float[np.ndarray, "n f"]
    last: UInt8[np.ndarray, "h w 3"]

    def lay_over(self, frames: UInt8[np.ndarray, "s f h w 3"]) -> UInt8[np.ndarray, "s f h w 3"]:
        """Futures of everything else, with the bodies in them."""
        done = frames.astype(np.float64) / 255
        image = self.last.astype(np.float64) / 255
        for n in range(len(self.bodies)):
            share = self.bodies.share[n]
            # the body's part of each pixel: what is left when the ground's part is taken off
            own = image - (1 - share[..., None]) * self.bodies.ground[n]
            own = np.where(share[..., None] > 0, own, 0.0)
            layer = np.dstack([own, share])
            for s, h in np.ndindex(frames.shape[:2]):
                moved = _shift(layer, self.shift_px[s, n, h])
                done[s, h] = moved[..., :3] + (1 - moved[..., 3:]) * done[s, h]
        return np.clip(np.rint(done * 255), 0, 255).astype(np.uint8)

    def alone(self) -> UInt8[np.ndarray, "s f h w 3"]:
        """Futures in which nothing else moves."""
        shape = self.shift_px.shape[0], self.shift_px.shape[2], *self.last.shape
        return self.lay_over(np.broadcast_to(self.plain[-1], shape))

    @property
    def is_all_that_moves(self) -> bool:
        """Without the bodies the context stands still."""
        change = np.abs(np.diff(self.plain.astype(np.int16), axis=0))
        return bool(change.max(initial=0) <= _STILL)

    def reach(self) -> Bool[np.ndarray, "s f h w"]:
        """Pixels at and around the bodies in each frame, where nothing else is to be painted."""
        height, width = self.last.shape[:2]
        y, x = np.mgrid[:height, :width] + 0.5
        place = self.bodies.center_px[:, -1, None] + self.shift_px  # [S, N, F, 2]
        radius = 1.5 * self.bodies.radius_px[:, -1] + 4.0
        near = np.zeros((*place.shape[:1], place.shape[2], height, width), dtype=bool)
        for n in range(len(self.bodies)):
            dx = x - place[:, n, :, 0, None, None]
            dy = y - place[:, n, :, 1, None, None]
            near |= dx**2 + dy**2 < radius[n] ** 2
        return near


def _shift(
    layer: Float[np.ndarray, "h w c"], shift: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, "h w c"]:
    """Move a picture by parts of a pixel: whole pixels first, the rest on an enlarged picture."""
    height, width = layer.shape[:2]
    whole = np.floor(shift)
    rest = (shift - whole) * _UPSCALE
    fine = np.repeat(np.repeat(layer, _UPSCALE, 0), _UPSCALE, 1)
    matrix = np.array([[1.0, 0.0, rest[0]], [0.0, 1.0, rest[1]]])
    size = (width * _UPSCALE, height * _UPSCALE)
    fine = cv2.warpAffine(fine, matrix, size, flags=cv2.INTER_LINEAR)
    near = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    moved = np.zeros_like(layer)
    dx, dy = int(whole[0]), int(whole[1])
    if abs(dx) >= width or abs(dy) >= height:
        return moved
    rows, columns = slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx))
    back_rows = slice(max(0, -dy), height - max(0, dy))
    back_columns = slice(max(0, -dx), width - max(0, dx))
    moved[rows, columns] = near[back_rows, back_columns]
    return moved


@torch.no_grad()
def find_bodies(world: World, frames: UInt8[np.ndarray, "k h w 3"]) -> Bodies:
    """Measure what the world's readout sees in frames of the world's size."""
    detections = world.readout.detect(world.encode_frames(frames))[-len(frames) :]
    seeds = [[Seed(d.x_px, d.y_px, (d.w_px + d.h_px) / 4) for d in found] for found in detections]
    missing = len(frames) - len(seeds)  # frames before the first whole latent step
    return measure_bodies(frames, [[] for _ in range(missing)] + seeds)


@torch.no_grad()
def foresee_bodies(
    world: World, frames: UInt8[np.ndarray, "k h w 3"], horizon: int
) -> Foreseen | None:
    """Bodies and their paths; None where there are none, or the world may carry none."""
    if world.bodies is None or _limit(world) <= 0 or len(frames) < 2:
        return None
    bodies = find_bodies(world, frames[-world.bodies.config.context :])
    if not len(bodies):
        return None
    paths = world.bodies(states_of(bodies), max(horizon, _LOOK_AT))
    center, std = (part[0].double().numpy() for part in (paths.center_px, paths.std_px))
    return Foreseen(bodies, center, std)


def _limit(world: World) -> float:
    return float(world.calibration.get("firm_px", 0.0))


@torch.no_grad()
def carry_bodies(
    world: World,
    frames: UInt8[np.ndarray, "k h w 3"],
    *,
    horizon: int,
    samples: int,
    seed: int,
    foreseen: Foreseen | None = None,
) -> Carried | None:
    """Bodies whose paths are known well enough, or None where there are none.

    How well is well enough was found on held-out clips and lies in the world's calibration; a world
    without that carries none. `foreseen` is what `foresee_bodies` says of these frames, where that
    is known already.
    """
    foreseen = foresee_bodies(world, frames, horizon) if foreseen is None else foreseen
    if foreseen is None or world.bodies is None:
        return None
    seen, bodies = frames[-world.bodies.config.context :], foreseen.bodies
    firm = foreseen.std_px[:, _LOOK_AT - 1] <= _limit(world)
    if not firm.any():
        return None
    std = foreseen.std_px[:, :horizon]
    shift = foreseen.center_px[:, :horizon] - bodies.center_px[:, -1, None]
    noise = np.random.default_rng(seed).standard_normal((samples, len(bodies), 1, 2))
    noise[0] = 0.0
    drawn = shift[None] + noise * std[None, ..., None]
    kept = bodies.keep(firm)
    return Carried(kept, _without(world, seen, kept), drawn[:, firm], std[firm], frames[-1])


def _without(
    world: World, frames: UInt8[np.ndarray, "k h w 3"], bodies: Bodies
) -> UInt8[np.ndarray, "k h w 3"]:
    """The frames with ground where the bodies are."""
    height, width = frames.shape[1:3]
    y, x = np.mgrid[:height, :width] + 0.5
    plain = frames.copy()
    for n in range(len(bodies)):
        for t in range(len(frames)):
            center, radius = bodies.center_px[n, t], bodies.radius_px[n, t]
            if np.isfinite(radius):
                here = np.hypot(x - center[0], y - center[1]) <= 1.1 * radius + 1.5
                plain[t][here] = np.rint(bodies.ground[n] * 255)
    return plain
