"""Continue a video by carrying its pixels along forecast trajectories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from worldline.dynamics.extrapolate import extrapolate_velocity
from worldline.dynamics.lift import Lifted, Lifter
from worldline.dynamics.trajectory import TrajectoryForecaster

__all__ = ["TrajectoryWarp", "mix"]

_SHOWN = 0.25
"""Share of a cell that must be expected to stay in sight for it to be drawn: in doubt it is, since
objects do not vanish."""

_SMOOTH_PX = 3.0
"""Width of the average over a body's cells one frame ahead; it grows with the root of the steps."""

_RIGID_PX = 2.0
"""Misfit of a body's cells to one similarity at which that counts as much as the cells do."""

_MAX_SIZE_CHANGE = 1.25
"""Factor by which a body grows or shrinks at most, coming nearer or going away."""

_FIRM_PX2 = 0.5
"""Keeps the turn and size of tiny bodies from being fitted to noise."""


@dataclass(frozen=True, eq=False)
class TrajectoryWarp:
    """Every moving pixel goes where the forecaster sends it.

    Attributes:
        forecaster: trained.
        lifter: tells what moves.
        share: per step ahead, least weight of the forecaster's displacement; the rest is constant
            velocity's. The last number also stands for all later steps.
        gap_px: per step ahead, how far the two must lie apart for the forecaster to weigh more than
            that; the same holds for the last number. See `mix`.
    """

    forecaster: TrajectoryForecaster
    lifter: Lifter = Lifter()
    share: Sequence[float] = (1.0,)
    gap_px: Sequence[float] = (float("inf"),)

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

    @torch.no_grad()
    def compare(
        self,
        context_frames: UInt8[np.ndarray, "k h w 3"],
        horizon: int,
        mixes: Sequence[tuple[float, float]],
    ) -> UInt8[np.ndarray, "m t h w 3"]:
        """The middle future under each of several mixes (share, gap in pixels), all steps alike.

        Args:
            context_frames: two at least.
            horizon: not beyond the forecaster's own.
            mixes: to try.
        """
        config = self.forecaster.config
        seen = context_frames[-config.context :]
        lifted = self.lifter.lift(seen)
        noise = torch.zeros(1, config.noise_size)
        (paths,) = self._forecast(seen[None], [lifted], noise, horizon)
        return np.stack(
            [replace(self, share=(s,), gap_px=(gap,))._draw(lifted, paths, 0) for s, gap in mixes]
        )

    @torch.no_grad()
    def draw_moves(
        self, context_frames: UInt8[np.ndarray, "k h w 3"], horizon: int, *, seed: int
    ) -> tuple[Lifted, list[tuple[Float[np.ndarray, "p 2"], Int[np.ndarray, " d"]]]]:
        """One drawn future as what is lifted, and what is laid down in each frame.

        Args:
            context_frames: two at least.
            horizon: not beyond the forecaster's own.
            seed: of the future's noise.
        """
        config = self.forecaster.config
        seen = context_frames[-config.context :]
        lifted = self.lifter.lift(seen)
        noise = torch.randn((1, config.noise_size), generator=torch.Generator().manual_seed(seed))
        (paths,) = self._forecast(seen[None], [lifted], noise, horizon)
        return lifted, list(self._moves(lifted, paths, 0))

    def _go_on(
        self, contexts: UInt8[np.ndarray, "s k h w 3"], noise: torch.Tensor, steps: int, first: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        if first == 0:  # futures share their context, and what is lifted off it
            lifted = [self.lifter.lift(contexts[0])] * len(contexts)
        else:
            lifted = [self.lifter.lift(seen) for seen in contexts]
        paths = self._forecast(contexts, lifted, noise, steps)
        return np.stack([self._draw(*pair, first) for pair in zip(lifted, paths, strict=True)])

    def _forecast(
        self,
        contexts: UInt8[np.ndarray, "s k h w 3"],
        lifted: Sequence[Lifted],
        noise: torch.Tensor,
        steps: int,
    ) -> list[_Paths]:
        frames = torch.from_numpy(np.ascontiguousarray(contexts))
        alike = lifted[0] is lifted[-1]  # futures that share their context share its flow
        flows = self.forecaster.measure(frames[:1] if alike else frames)
        motion = self.forecaster(frames, noise, flows.expand(len(frames), -1, -1, -1, -1))
        shifts = motion.shift_px[:, :steps].double().numpy()
        seen = motion.visible[:, :steps].sigmoid().double().numpy()
        found = []
        straight: list[np.ndarray] = []
        for index, one in enumerate(lifted):
            if not index or one is not lifted[index - 1]:
                straight = [extrapolate_velocity(one, step + 1) for step in range(steps)]
            shift, share_seen = spread_to_points(one, shifts[index], seen[index])
            found.append(_Paths(shift * one.upscale, straight, share_seen))
        return found

    def _draw(self, lifted: Lifted, paths: _Paths, first: int) -> UInt8[np.ndarray, "t h w 3"]:
        """Frames of one future, of which `first` were drawn before."""
        moves = self._moves(lifted, paths, first)
        return np.stack([lifted.lay_down(shift, drawn) for shift, drawn in moves])

    def _moves(
        self, lifted: Lifted, paths: _Paths, first: int
    ) -> Iterator[tuple[Float[np.ndarray, "p 2"], Int[np.ndarray, " d"]]]:
        """What is laid down in each frame, and in which order; see `Lifted.lay_down`."""
        for step, (moved, straight) in enumerate(zip(paths.moved, paths.straight, strict=True)):
            share = self.share[min(first + step, len(self.share) - 1)]
            gap_px = self.gap_px[min(first + step, len(self.gap_px) - 1)]
            if share < 1:
                moved = mix(moved, straight, share, gap_px * lifted.upscale)
            yield moved, draw_order(paths.seen[step])


@dataclass(frozen=True, eq=False)
class _Paths:
    """Where the points of a lifted front go in one future.

    Attributes:
        moved: `[T, P, 2]` displacement in fine pixels as forecast.
        straight: the same at constant velocity, per step.
        seen: `[T, P]` share that is expected to stay in sight.
    """

    moved: Float[np.ndarray, "t p 2"]
    straight: Sequence[Float[np.ndarray, "p 2"]]
    seen: Float[np.ndarray, "t p"]


def mix(
    forecast: Float[np.ndarray, "p 2"], straight: Float[np.ndarray, "p 2"], share: float, gap: float
) -> Float[np.ndarray, "p 2"]:
    """Displacements between the forecaster's and constant velocity's.

    Cells are coarser than dense flow: what the forecaster says a little differently is noise and
    counts by `share`. What it says quite differently is a contact or a turn: the rest of the weight
    is the non-negative garrote (Breiman 1995, eq. 2.4), `1 - (gap / distance)^2` from `gap` on.

    Args:
        forecast, straight: displacements.
        share: least weight of the forecaster's.
        gap: distance in the unit of the displacements; infinite to go by the share alone.
    """
    if not np.isfinite(gap):
        return share * forecast + (1 - share) * straight
    square = ((forecast - straight) ** 2).sum(-1, keepdims=True)
    weight = share + (1 - share) * np.maximum(1 - gap**2 / np.maximum(square, 1e-12), 0)
    return weight * forecast + (1 - weight) * straight


def draw_order(seen: Float[np.ndarray, " p"]) -> Int[np.ndarray, " d"]:
    """Points that are shown, those that more of is expected to be seen over the others."""
    order = np.argsort(np.round(seen, 1), kind="stable")
    return order[seen[order] >= _SHOWN]


def spread_to_points(
    lifted: Lifted, shift_px: Float[np.ndarray, "n r c 2"], seen: Float[np.ndarray, "n r c"]
) -> tuple[Float[np.ndarray, "n p 2"], Float[np.ndarray, "n p"]]:
    """Interpolate numbers of cells at the points of a lifted front.

    Bilinear, but each cell counts by how much of it the point's own body fills. Displacements are
    drawn toward the one similarity (shift, turn, a little change of size) that fits all cells of
    the body best, with weight 1 / (1 + r^4) for a misfit of r in units of `_RIGID_PX`: small
    disagreements between cells are noise that would melt the body, large ones mean two bodies that
    touch.
    """
    rows, columns = shift_px.shape[1:3]
    height, width = lifted.front.shape
    row = np.clip((lifted.y + 0.5) / height * rows - 0.5, 0, rows - 1)
    column = np.clip((lifted.x + 0.5) / width * columns - 0.5, 0, columns - 1)
    top = np.minimum(row.astype(int), rows - 2)
    left = np.minimum(column.astype(int), columns - 2)
    down, right = row - top, column - left
    num, num_points = len(shift_px), len(lifted.x)
    flat = np.concatenate([shift_px, seen[..., None]], axis=-1).reshape(num, -1, 3)
    place = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    cell = np.array([width / columns, height / rows]) / lifted.upscale
    result = np.zeros((num, num_points, 3))
    for body in lifted.bodies:
        own = np.flatnonzero(body[lifted.y, lifted.x])
        area = cv2.resize(body.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
        cover = area.reshape(-1).astype(np.float64)
        numbers = _smooth(flat.reshape(num, rows, columns, 3), area, cell[0]).reshape(num, -1, 3)
        total, weights = np.zeros((num, len(own), 3)), np.zeros(len(own))
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            at = (top[own] + i) * columns + left[own] + j
            near = (down[own] if i else 1 - down[own]) * (right[own] if j else 1 - right[own])
            near = near * cover[at]
            total += near[:, None] * numbers[:, at]
            weights += near
        mean = total / np.maximum(weights, 1e-9)[:, None]
        if cv2.connectedComponents(body.astype(np.uint8))[0] > 2:  # scattered specks, not a body
            result[:, own] = mean
            continue
        filled = np.flatnonzero(cover > 0)
        points = np.stack([column[own], row[own]], axis=-1)
        fit, misfit = _fit_similarity(
            place[filled] * cell, numbers[:, filled, :2], cover[filled], points * cell
        )
        share = 1 / (1 + (misfit / _RIGID_PX**2) ** 2)
        mean[..., :2] += share[:, None, None] * (fit - mean[..., :2])
        result[:, own] = mean
    return result[..., :2], result[..., 2]


def _smooth(
    field: Float[np.ndarray, "n r c k"], cover: Float[np.ndarray, "r c"], cell_px: float
) -> Float[np.ndarray, "n r c k"]:
    """Average over neighbouring cells of the same body, the wider the farther ahead."""
    weight = cover.astype(np.float32)[..., None]
    result = np.empty_like(field)
    for step, numbers in enumerate(field):
        sigma = _SMOOTH_PX * (step + 1) ** 0.5 / cell_px
        stack = np.concatenate([numbers * weight, weight], axis=-1).astype(np.float32)
        total = cv2.GaussianBlur(stack, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
        result[step] = total[..., :-1] / np.maximum(total[..., -1:], 1e-9)
    return result


def _fit_similarity(
    place: Float[np.ndarray, "k 2"],
    shift: Float[np.ndarray, "n k 2"],
    weight: Float[np.ndarray, " k"],
    points: Float[np.ndarray, "p 2"],
) -> tuple[Float[np.ndarray, "n p 2"], Float[np.ndarray, " n"]]:
    """Weighted least squares for displacements `t + a d + b rot90(d)`, d from the middle.

    Returns:
        the fit at `points`, and the mean square misfit.
    """
    weight = weight / weight.sum()
    middle = weight @ place
    mean = np.einsum("k,nki->ni", weight, shift)
    turned = np.array([[0.0, 1.0], [-1.0, 0.0]])  # d @ turned = rot90(d)
    d, e = place - middle, shift - mean[:, None]
    spread = weight @ (d**2).sum(-1) + _FIRM_PX2
    a = np.einsum("k,nki,ki->n", weight, e, d) / spread
    b = np.einsum("k,nki,ki->n", weight, e, d @ turned) / spread
    size = np.maximum(np.hypot(1 + a, b), 1e-6)
    kept = np.clip(size, 1 / _MAX_SIZE_CHANGE, _MAX_SIZE_CHANGE) / size
    a, b = (1 + a) * kept - 1, b * kept

    def model(offset: np.ndarray) -> np.ndarray:
        return a[:, None, None] * offset + b[:, None, None] * (offset @ turned)

    misfit = np.einsum("k,nki->n", weight, (e - model(d)) ** 2)
    return mean[:, None] + model(points - middle), misfit
