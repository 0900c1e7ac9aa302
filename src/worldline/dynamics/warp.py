"""Continue a video by carrying its pixels along forecast trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from worldline.dynamics.extrapolate import extrapolate_velocity
from worldline.dynamics.lift import Lifted, Lifter
from worldline.dynamics.trajectory import TrajectoryForecaster

__all__ = ["TrajectoryWarp"]

_SHOWN = 0.25
"""Share of a cell that must be expected to stay in sight for it to be drawn: in doubt it is, since
objects do not vanish."""


@dataclass(frozen=True, eq=False)
class TrajectoryWarp:
    """Every moving pixel goes where the forecaster sends it.

    Attributes:
        forecaster: trained.
        lifter: tells what moves.
        share: per step ahead, weight of the forecaster's displacement; the rest is constant
            velocity's. The last number also stands for all later steps.
    """

    forecaster: TrajectoryForecaster
    lifter: Lifter = Lifter()
    share: Sequence[float] = (1.0,)

    @torch.no_grad()
    def predict(
        self, context_frames: UInt8[np.ndarray, "k h w 3"], horizon: int, seed: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """The middle future alone; see `imagine`."""
        return self.imagine(context_frames, horizon, samples=1, seed=seed)

    @torch.no_grad()
    def imagine(
        self, context_frames: UInt8[np.ndarray, "k h w 3"], horizon: int, *, samples: int, seed: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """Several futures, the middle one first.

        Beyond the forecaster's own horizon each future goes on from its own last frames.

        Raises:
            InputError: fewer than two context frames.
        """
        config = self.forecaster.config
        generator = torch.Generator().manual_seed(seed)
        done: np.ndarray = np.empty((samples, 0, *context_frames.shape[1:]), dtype=np.uint8)
        contexts = np.repeat(context_frames[None, -config.context :], samples, axis=0)
        while done.shape[1] < horizon:
            noise = torch.randn((samples, config.noise_size), generator=generator)
            noise[0] = 0
            steps = min(config.horizon, horizon - done.shape[1])
            fresh = self._go_on(contexts, noise, steps, done.shape[1])
            done = np.concatenate([done, fresh], axis=1)
            contexts = np.concatenate([contexts, fresh], axis=1)[:, -config.context :]
        return done

    def _go_on(
        self, contexts: UInt8[np.ndarray, "s k h w 3"], noise: torch.Tensor, steps: int, first: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        motion = self.forecaster(torch.from_numpy(np.ascontiguousarray(contexts)), noise)
        shifts = motion.shift_px[:, :steps].double().numpy()
        seen = motion.visible[:, :steps].sigmoid().double().numpy()
        same = first == 0  # futures share their context, and what is lifted off it
        lifted = self.lifter.lift(contexts[0])
        futures = []
        for index in range(len(contexts)):
            if not same and index:
                lifted = self.lifter.lift(contexts[index])
            shift, share_seen = spread_to_points(lifted, shifts[index], seen[index])
            frames = []
            for step in range(steps):
                share = self.share[min(first + step, len(self.share) - 1)]
                moved = shift[step] * lifted.upscale
                if share < 1:
                    straight = extrapolate_velocity(lifted, step + 1)
                    moved = share * moved + (1 - share) * straight
                frames.append(lifted.lay_down(moved, draw_order(share_seen[step])))
            futures.append(np.stack(frames))
        return np.stack(futures)


def draw_order(seen: Float[np.ndarray, " p"]) -> Int[np.ndarray, " d"]:
    """Points that are shown, those that more of is expected to be seen over the others."""
    order = np.argsort(np.round(seen, 1), kind="stable")
    return order[seen[order] >= _SHOWN]


def spread_to_points(
    lifted: Lifted, shift_px: Float[np.ndarray, "n r c 2"], seen: Float[np.ndarray, "n r c"]
) -> tuple[Float[np.ndarray, "n p 2"], Float[np.ndarray, "n p"]]:
    """Interpolate numbers of cells at the points of a lifted front.

    Bilinear, but each cell counts by how much of it the point's own body fills.
    """
    rows, columns = shift_px.shape[1:3]
    height, width = lifted.front.shape
    values = np.concatenate([shift_px, seen[..., None]], axis=-1).reshape(len(shift_px), -1, 3)
    row = np.clip((lifted.y + 0.5) / height * rows - 0.5, 0, rows - 1)
    column = np.clip((lifted.x + 0.5) / width * columns - 0.5, 0, columns - 1)
    top = np.minimum(row.astype(int), rows - 2)
    left = np.minimum(column.astype(int), columns - 2)
    down, right = row - top, column - left
    cover = np.zeros((len(lifted.x), 4))
    corners = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for body in lifted.bodies:
        own = body[lifted.y, lifted.x]
        area = cv2.resize(body.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
        for k, (i, j) in enumerate(corners):
            cover[own, k] = area[top[own] + i, left[own] + j]
    total = np.zeros((len(shift_px), len(lifted.x), 3))
    weights = np.zeros(len(lifted.x))
    for k, (i, j) in enumerate(corners):
        near = (down if i else 1 - down) * (right if j else 1 - right) * cover[:, k]
        total += near[:, None] * values[:, (top + i) * columns + left + j]
        weights += near
    mean = total / np.maximum(weights, 1e-9)[:, None]
    return mean[..., :2], mean[..., 2]
