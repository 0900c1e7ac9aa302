"""`Surprise`: how unexpected each frame of a clip was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.wording import counted
from worldline.world.arguments import require_seed
from worldline.world.expectation import EVIDENCE_WEIGHT, weigh_evidence

if TYPE_CHECKING:
    from worldline.world.world import World

__all__ = ["Surprise", "grade", "measure_surprise", "spread_steps"]


@dataclass(frozen=True, eq=False)
class Surprise:
    """How unexpected each frame of a clip was.

    Attributes:
        time_s: `[T]` of the frames as the world saw them.
        per_frame: `[T]` squared latent error of the prediction from the frames before, over its
            mean on held-out training material (1: as usual), and `EVIDENCE_WEIGHT` times what the
            frame adds to the evidence of object files (`worldline.world.expectation`); 0 for the
            first two latent steps (two frames, for an image tokenizer), which nothing can be
            expected of. The frames of one latent step are surprising together.
        max: the largest.
        quantile: share of single held-out frames with less surprise than `max`.
    """

    time_s: Float[np.ndarray, " t"]
    per_frame: Float[np.ndarray, " t"]
    max: float
    quantile: float


def measure_surprise(world: World, clip: Clip, *, seed: int) -> Surprise:
    """What `World.surprise` does; see there."""
    seed = require_seed(seed)
    view = world.look(clip)
    stride = world.tokenizer.time_stride
    if len(view.frames) < 1 + 2 * stride:
        raise InputError(
            f"{clip.provenance.source or 'clip'}: has {counted(len(view.frames), 'frame')} "
            f"at the world's rate; at least {1 + 2 * stride} are needed to be surprised by one"
        )
    seen = world.newest(view.frames)
    controls = world.feed(clip, view.time_s[-len(seen) :])
    per_step = world.raw_surprise(world.encode_frames(seen), seed=seed, controls=controls)
    evidence = weigh_evidence(view.frames)
    return grade(view.time_s, per_step, world.calibration, stride=stride, evidence=evidence)


def spread_steps(
    per_step: Float[np.ndarray, " s"], stride: int, num_frames: int
) -> Float[np.ndarray, " t"]:
    """Each latent step's surprise for all frames of the step, and 0 for frames before the first.

    Args:
        per_step: of the steps that end with the last frame.
        stride: frames per step after the first, which has one.
        num_frames: T.
    """
    per_frame = np.repeat(per_step, np.r_[1, np.full(len(per_step) - 1, stride)])
    return np.concatenate([np.zeros(num_frames - len(per_frame)), per_frame])


def grade(
    time_s: Float[np.ndarray, " t"],
    raw: Float[np.ndarray, " s"],
    calibration: Mapping[str, Any],
    *,
    stride: int = 1,
    evidence: Float[np.ndarray, " t"] | None = None,
) -> Surprise:
    """Bring raw latent errors of each latent step onto the scale of the world's calibration.

    Args:
        time_s: of the frames.
        raw: squared latent errors of the steps that end with the last frame.
        calibration: of the world.
        stride: frames per latent step.
        evidence: what each frame adds to it; none if absent.
    """
    per_step = raw / float(calibration.get("surprise_mean", 1.0))
    per_step[:2] = 0.0
    per_frame = spread_steps(per_step, stride, len(time_s))
    if evidence is not None:
        first = len(time_s) - len(per_step[2:]) * stride
        together = evidence[first:].reshape(-1, stride).max(axis=1)
        per_frame[first:] += EVIDENCE_WEIGHT * np.repeat(together, stride)
    table = np.asarray(calibration.get("surprise_quantiles", (0.0, np.inf)), dtype=np.float64)
    top = float(per_frame.max())
    share = float(np.interp(top, table, np.linspace(0.0, 1.0, len(table))))
    return Surprise(time_s, per_frame, top, share)
