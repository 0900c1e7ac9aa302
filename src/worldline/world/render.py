"""From sampled latents to what is shown: pixels with detail, spread, verdicts over futures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float, UInt8
from torch import Tensor

from worldline.core.latents import Controls, Latents
from worldline.core.verdict import Outcome, Verdict
from worldline.dynamics import ConstantVelocityWarp, TrajectoryForecaster, TrajectoryWarp
from worldline.tokenizer import StreamCarry, Tokenizer, from_unit, to_unit
from worldline.world.bodies import Carried, Foreseen, carry_bodies
from worldline.world.stream import encode_after

if TYPE_CHECKING:
    from worldline.world.world import World

__all__ = [
    "NEVER",
    "Reference",
    "calibrated_warp",
    "continue_pictures",
    "make_reference",
    "measure_spread",
    "render",
    "render_onto",
    "render_step",
    "worst_verdicts",
]

NEVER = 4.0
"""Threshold at which no correction counts, since no two pixels differ by more."""

_SAME = 0.1
"""Change of a decoded pixel, of a range of 2, at which lost detail counts 1 / e."""


def calibrated_warp(
    trajectory: TrajectoryForecaster | None, calibration: Mapping[str, Any]
) -> TrajectoryWarp | ConstantVelocityWarp:
    """What carries pixels along forecast trajectories, mixed as held-out clips justified; straight
    on if none are forecast."""
    if trajectory is None:
        return ConstantVelocityWarp()
    share = calibration.get("trajectory_share", (1.0,))
    gap_px = calibration.get("trajectory_gap_px", (float("inf"),))
    return TrajectoryWarp(trajectory, share=share, gap_px=gap_px)


@dataclass(frozen=True, eq=False)
class Reference:
    """Frames that a forecast is a correction to, `[F, h, w, 3]` or `[S, F, h, w, 3]` in [-1, 1].

    One frame (the last one seen) stands for all moments, else there is one per forecast frame; and
    the same for all futures, or S of them.

    Attributes:
        decoded: the frames after a round trip through the tokenizer.
        residual: what the round trip lost.
        carry: the tokenizer's, after it has decoded the frames that were seen; forecasts are
            decoded as what follows. None: decoded on their own, as if nothing was before.
    """

    decoded: Tensor
    residual: Tensor
    carry: StreamCarry | None = None


@torch.no_grad()
def make_reference(
    tokenizer: Tokenizer,
    frames: UInt8[np.ndarray, "*s f h w 3"],
    seen: UInt8[np.ndarray, "k h w 3"] | None = None,
) -> Reference:
    """Send frames through the tokenizer and keep what it loses.

    Args:
        tokenizer: of the world.
        frames: to refer to. If they are the last of `seen`, one frame only.
        seen: the context, of whole latent steps, whose last frame is referred to if `frames` is its
            last one and which `frames` follow otherwise. Of no concern to image tokenizers.
    """
    if tokenizer.time_stride > 1:
        return _refer_in_stream(tokenizer, frames, seen if seen is not None else frames)
    whole = torch.from_numpy(np.ascontiguousarray(frames))
    batch = whole.reshape(-1, *whole.shape[-4:])
    decoded = tokenizer.decode_unit(tokenizer.encode(batch)).float().reshape(whole.shape)
    return Reference(decoded, to_unit(whole, torch.float32) - decoded)


def _refer_in_stream(
    tokenizer: Tokenizer, frames: UInt8[np.ndarray, "*s f h w 3"], seen: np.ndarray
) -> Reference:
    known = torch.from_numpy(np.ascontiguousarray(seen))[None]
    after, latents = tokenizer.encode_step(None, known)
    carry, image = tokenizer.decode_step_unit(None, latents)
    whole = torch.from_numpy(np.ascontiguousarray(frames))
    if len(frames) == 1 and np.array_equal(frames[0], seen[-1]):
        decoded = image[0, -1:].float()
    else:
        batch = whole.reshape(-1, *whole.shape[-4:])
        future = encode_after(tokenizer, after, batch)
        image = tokenizer.decode_step_unit(carry.repeat(len(batch)), future)[1]
        decoded = image[:, : batch.shape[1]].float().reshape(whole.shape)
    return Reference(decoded, to_unit(whole, torch.float32) - decoded, carry)


@torch.no_grad()
def render(
    tokenizer: Tokenizer,
    latents: Latents,
    reference: Reference,
    threshold: Sequence[float] = (0.0,),
    horizon: int | None = None,
) -> UInt8[np.ndarray, "b t h w 3"]:
    """Decode latents `[B, T, N, C]` as corrections to the reference.

    The difference between what the world says and the reference, both as decoded, is shrunk pixel
    by pixel with the non-negative garrote (Breiman 1995, eq. 2.4): what is smaller than the
    threshold counts as noise and vanishes, what is larger is kept. Where little difference is left
    the detail that the tokenizer lost of the reference still holds, and is added.

    Args:
        threshold: per forecast frame, root mean square over 5x5 pixels and colours, of a range of
            2; the last number also stands for all later frames.
        horizon: frames to show, if not all that the latents have.
    """
    return render_step(tokenizer, latents, reference, threshold, horizon)[1]


@torch.no_grad()
def render_step(
    tokenizer: Tokenizer,
    latents: Latents,
    reference: Reference,
    threshold: Sequence[float] = (0.0,),
    horizon: int | None = None,
) -> tuple[Reference, UInt8[np.ndarray, "b t h w 3"]]:
    """As `render`, and the reference for the frames that follow these."""
    carry = reference.carry
    if carry is not None and carry.past and len(carry.past[0]) != len(latents.tokens):
        carry = carry.repeat(len(latents.tokens))
    after, image = tokenizer.decode_step_unit(carry, latents)
    image = image[:, :horizon].float().clamp(-1, 1)
    change = image - reference.decoded
    limit = torch.tensor(threshold, dtype=torch.float32)
    limit = limit[torch.arange(image.shape[1]).clamp(max=len(limit) - 1)][:, None, None, None]
    if bool((limit > 0).any()):
        power = _around(F.avg_pool2d, change.square().mean(-1, keepdim=True), 5)
        change = change * (1 - limit**2 / power.clamp_min(1e-12)).clamp_min(0.0)
    widest = _around(F.max_pool2d, change.abs().amax(-1, keepdim=True), 3)
    detail = torch.exp(-((widest / _SAME) ** 2)) * reference.residual
    shown = from_unit(reference.decoded + change + detail).numpy()
    return replace(reference, carry=None if carry is None else after), shown


def render_onto(
    world: World,
    futures: Latents,
    seen: UInt8[np.ndarray, "k h w 3"],
    seed: int,
    horizon: int,
    foreseen: Foreseen | None = None,
) -> UInt8[np.ndarray, "s t h w 3"]:
    """Decode futures as corrections to the context carried along forecast trajectories.

    How large a correction must be to count was found on held-out clips, for each step ahead. An
    uncalibrated world (without a threshold) corrects the last frame instead. Bodies that are
    carried as a whole are laid over the rest, and nothing is corrected at or near them; where
    nothing else moves there is nothing to correct. `foreseen` spares looking for them twice.
    """
    tokenizer, warp = world.tokenizer, world.warp
    threshold = world.calibration.get("correction_threshold")
    if threshold is None or len(seen) < 2 or isinstance(warp, ConstantVelocityWarp):
        still = make_reference(tokenizer, seen[-1:], seen)
        return render(tokenizer, futures, still, horizon=horizon)
    samples = len(futures.tokens)
    drawn = {"horizon": horizon, "samples": samples, "seed": seed}
    carried = carry_bodies(world, seen, **drawn, foreseen=foreseen)
    return _compose(world, futures, seen, seed, horizon, carried)


def _compose(
    world: World,
    futures: Latents,
    seen: UInt8[np.ndarray, "k h w 3"],
    seed: int,
    horizon: int,
    carried: Carried | None,
) -> UInt8[np.ndarray, "s t h w 3"]:
    """What a calibrated world shows: bodies that are carried, laid over everything else."""
    tokenizer, warp, samples = world.tokenizer, world.warp, len(futures.tokens)
    threshold = world.calibration["correction_threshold"]
    assert isinstance(warp, TrajectoryWarp)
    if carried is None:
        moved = warp.imagine(seen, horizon, samples=samples, seed=seed)
        return _correct(tokenizer, futures, moved, seen, threshold)
    if carried.is_all_that_moves:
        return carried.alone()
    moved = carried.lay_over(warp.imagine(carried.plain, horizon, samples=samples, seed=seed))
    corrected = _correct(tokenizer, futures, moved, seen, threshold)
    return np.where(carried.reach()[..., None], moved, corrected)


def _correct(
    tokenizer: Tokenizer,
    futures: Latents,
    moved: UInt8[np.ndarray, "s t h w 3"],
    seen: UInt8[np.ndarray, "k h w 3"],
    threshold: Sequence[float],
) -> UInt8[np.ndarray, "s t h w 3"]:
    """Frames with what the world says differently; frames that it was not asked for stay."""
    asked = moved.shape[1]
    if tokenizer.time_stride == 1:
        asked = min(asked, futures.tokens.shape[1])
    reference = make_reference(tokenizer, moved[:, :asked], seen)
    corrected = render(tokenizer, futures, reference, threshold, asked)
    return np.concatenate([corrected, moved[:, asked:]], axis=1)


def _count_corrected(threshold: Sequence[float], horizon: int) -> int:
    """Frames ahead, to the last one in which a correction can count."""
    limits = [threshold[min(step, len(threshold) - 1)] for step in range(horizon)]
    return max((step + 1 for step, limit in enumerate(limits) if limit < NEVER), default=0)


def continue_pictures(
    world: World,
    seen: UInt8[np.ndarray, "k h w 3"],
    *,
    horizon: int,
    samples: int,
    seed: int,
    controls: Controls | None,
) -> UInt8[np.ndarray, "s t h w 3"]:
    """Futures of frames of whole latent steps. Latents are rolled out as far as anything of them
    is seen: to the last frame that they may correct, and not at all where carried bodies are all
    that moves."""
    drawn = {"samples": samples, "seed": seed}
    latents = world.encode_frames(seen)
    threshold = world.calibration.get("correction_threshold")
    if threshold is None or len(seen) < 2 or world.trajectory is None:
        futures = world.continue_latents(latents, horizon=horizon, controls=controls, **drawn)
        return render_onto(world, futures, seen, seed, horizon)
    carried = carry_bodies(world, seen, horizon=horizon, samples=samples, seed=seed)
    if carried is not None and carried.is_all_that_moves:
        return carried.alone()
    ahead = horizon
    if world.tokenizer.time_stride == 1:
        ahead = max(1, _count_corrected(threshold, horizon))
    futures = world.continue_latents(latents, horizon=ahead, controls=controls, **drawn)
    return _compose(world, futures, seen, seed, horizon, carried)


def _around(pool: Callable[..., Tensor], x: Tensor, side: int) -> Tensor:
    """Pool `[B, T, h, w, 1]` over squares of `side` pixels, keeping the size."""
    planes = x.flatten(0, 1).permute(0, 3, 1, 2)
    pooled = pool(planes, side, stride=1, padding=side // 2)
    return pooled.permute(0, 2, 3, 1).reshape(x.shape)


def measure_spread(
    drawn: UInt8[np.ndarray, "s t h w 3"], scale: Sequence[float], floor: Sequence[float] = (0.0,)
) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, "t h w"]]:
    """Error to be expected per frame and per pixel, root mean square, in [0, 1] intensity.

    It follows from the spread between futures and what such a spread meant on held-out clips.

    Args:
        drawn: at least two futures.
        scale: per forecast step, the error that a spread of one meant on held-out clips; the last
            number also stands for all later steps.
        floor: per forecast step, the error that was left where the futures agreed; part of the
            number per frame, since it cannot be assigned to pixels.
    """
    std = (drawn.astype(np.float64) / 255).std(axis=0, ddof=1)
    factor = np.asarray(scale, dtype=np.float64)
    factor = factor[np.minimum(np.arange(len(std)), len(factor) - 1)]
    per_px = np.minimum(np.sqrt((std**2).mean(-1)) * factor[:, None, None], 1.0)
    least = np.asarray(floor, dtype=np.float64)
    least = least[np.minimum(np.arange(len(std)), len(least) - 1)]
    return np.minimum(np.sqrt((per_px**2).mean((1, 2)) + least**2), 1.0), per_px


_RANK = {Outcome.UNTESTABLE: 0, Outcome.PASS: 1, Outcome.FAIL: 2}


def worst_verdicts(audits: Sequence[tuple[Verdict, ...]]) -> tuple[Verdict, ...]:
    """Per law the worst verdict over the futures; fail before pass before untestable.

    The quantity `futures_failed` counts the futures that broke the law.
    """
    worst: dict[str, Verdict] = {}
    failed: dict[str, int] = {}
    for verdict in (v for audit in audits for v in audit):
        failed[verdict.law] = failed.get(verdict.law, 0) + (verdict.outcome is Outcome.FAIL)
        held = worst.get(verdict.law)
        if held is None or _RANK[verdict.outcome] > _RANK[held.outcome]:
            worst[verdict.law] = verdict
    return tuple(
        replace(v, quantities={**v.quantities, "futures_failed": failed[law]})
        for law, v in worst.items()
    )
