"""What speaks for and against a forecast, out of what making it has computed anyway.

All are numbers per frame; those of the context are the same for all frames. None looks at what
really comes.

- `strange_context`, `strange_forecast`: Mahalanobis distance (1936) of pooled latents from those of
  held-out material; needs calibration.
- `disagreement`: log mean square spread between the latents of the drawn futures, encoded again.
- `spread`: log of the uncertainty in pixels.
- `residual`: log mean square of what the tokenizer loses of the forecast, over the same of the
  context: frames that decode badly are unlike what the tokenizer knows.
- `surprise`: log mean square latent error of predicting each frame of the context from those
  before it.
- `agitation`: log mean square second difference of the context's latents: how much what happens
  changes already.
- `laws`: largest -log p of a law over the futures' scenes, from the moment of the deviation on.
- `parting`: how far a body's places in the futures lie apart, root mean square in pixels, of the
  body for which that is most; in logarithms as all that follow.
- `bodies`: how many move; `reach`: the longest path so far; `detour`: how much longer a path is
  than the straight line, as a share; `bend`: sum of the changes of velocity along a path.
- `doubt`: how unsure mechanics are of where a body of the context goes, standard deviation in
  pixels, of the body for which that is most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8

from worldline.core.latents import Latents
from worldline.core.scene import Scene
from worldline.core.verdict import Verdict
from worldline.tokenizer import Tokenizer, to_unit

__all__ = [
    "SIGNALS",
    "Evidence",
    "gather",
    "measure_moved",
    "measure_parting",
    "pool",
    "read_signals",
]

SIGNALS = {
    "strange_context": "the context is unlike the material that the monitor knows",
    "strange_forecast": "the forecast is unlike the material that the monitor knows",
    "disagreement": "the drawn futures part from each other",
    "spread": "the pixels of the drawn futures part from each other",
    "residual": "the forecast shows what the tokenizer cannot reproduce",
    "surprise": "what moved in the context was not expected",
    "agitation": "the motion in the context changes a lot",
    "laws": "the forecast breaks a law of motion",
    "parting": "the drawn futures disagree where a body goes",
    "bodies": "many bodies move",
    "reach": "a body goes far",
    "detour": "a body turns round or bounces",
    "bend": "a body changes its velocity a lot",
    "doubt": "mechanics leave open where a body goes",
}
"""Names in the order of the columns, and what a large value means."""

_MOVING_PX = 2.0
_SAME_PX = 4.0
_MOST_BEND_PX = 5.0

_LEAST_DOUBT_PX = 1e-3
_MOST_LOG_P = 12.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a forecast leaves behind for its monitor.

    Attributes:
        context: `[K, N, C]` latents of the context's steps.
        futures: `[S, H, N, C]` latents of the drawn futures, encoded from their pixels; a latent
            step's stands for all its frames.
        residual: `[H]` mean square of what decoding loses of the first future, range of 2.
        context_residual: log mean square of what decoding loses of the context.
        surprise: log mean square latent error of predicting the context's steps.
        uncertainty: `[H]` of the forecast.
        scenes: of the futures, each with the frames at `time_s`.
        audits: verdicts of each future.
        time_s: `[H]` of the frames.
        doubt_px: `[H]` largest standard deviation of a whole body's path; 0 where there is none.
    """

    context: Float[np.ndarray, "k n c"]
    futures: Float[np.ndarray, "s h n c"]
    residual: Float[np.ndarray, " h"]
    context_residual: float
    surprise: float
    uncertainty: Float[np.ndarray, " h"]
    scenes: Sequence[Scene]
    audits: Sequence[tuple[Verdict, ...]]
    time_s: Float[np.ndarray, " h"]
    doubt_px: Float[np.ndarray, " h"]


@torch.no_grad()
def gather(
    tokenizer: Tokenizer,
    context: Latents,
    encoded: Sequence[Latents],
    first: UInt8[np.ndarray, "t h w 3"],
    features: Float[np.ndarray, " f"] | None,
    uncertainty: Float[np.ndarray, " t"],
    scenes: Sequence[Scene],
    audits: Sequence[tuple[Verdict, ...]],
    time_s: Float[np.ndarray, " t"],
    doubt_px: Float[np.ndarray, " t"],
) -> Evidence:
    """Put together what `World.predict` has computed; only decoding the first future is added.

    Args:
        tokenizer: of the world.
        context: latents `[1, K, N, C]`.
        encoded: of each future, `[1, H', N, C]`.
        first: frames of the first future.
        features: see `worldline.world.trust`; None if the context was too short for them.
        uncertainty, scenes, audits, time_s: of the forecast.
        doubt_px: see `Evidence`.
    """
    stride = tokenizer.time_stride
    step = np.arange(len(first)) // stride
    futures = np.concatenate([latents.tokens.float().numpy() for latents in encoded])
    residual = np.full(len(first), np.nan)
    if stride == 1:  # frames of longer steps can only be decoded together with those before
        lost = tokenizer.decode_unit(encoded[0]).float()[0] - to_unit(
            torch.from_numpy(first), torch.float32
        )
        residual = lost.square().mean((1, 2, 3)).double().numpy()
    return Evidence(
        context=context.tokens[0].double().numpy(),
        futures=futures[:, np.minimum(step, futures.shape[1] - 1)].astype(np.float64),
        residual=residual,
        context_residual=np.nan if features is None else float(features[0]),
        surprise=np.nan if features is None else float(features[1]),
        uncertainty=uncertainty,
        scenes=scenes,
        audits=audits,
        time_s=time_s,
        doubt_px=doubt_px,
    )


def pool(latents: Float[np.ndarray, "*b n c"]) -> Float[np.ndarray, "*b d"]:
    """Mean and logarithm of the standard deviation of each channel over a frame's tokens."""
    return np.concatenate([latents.mean(-2), np.log(latents.std(-2) + 1e-3)], axis=-1)


def read_signals(
    evidence: Evidence, strange: tuple[float, Float[np.ndarray, " h"]]
) -> Float[np.ndarray, "h s"]:
    """The signals, in the order of `SIGNALS`.

    Args:
        evidence: of the forecast.
        strange: distances of the context and of each frame of the first future.
    """
    turns = np.diff(evidence.context, n=2, axis=0)
    agitation = float(np.log(np.square(turns).mean() + 1e-8)) if len(turns) else np.nan
    horizon = len(evidence.time_s)
    part = np.full(horizon, np.nan)
    if len(evidence.futures) > 1:
        part = evidence.futures.var(axis=0, ddof=1).mean((1, 2))
    columns = (
        np.full(horizon, strange[0]),
        strange[1],
        _log(part),
        _log(evidence.uncertainty**2),
        _log(evidence.residual) - evidence.context_residual,
        np.full(horizon, evidence.surprise),
        np.full(horizon, agitation),
        _laws(evidence),
    )
    doubt = np.log(evidence.doubt_px + _LEAST_DOUBT_PX)[:, None]
    paths = _paths(evidence.scenes, horizon)
    return np.concatenate([np.stack(columns, axis=1), paths, doubt], axis=1)


def _paths(scenes: Sequence[Scene], horizon: int) -> Float[np.ndarray, "h 5"]:
    """`parting`, `bodies`, `reach`, `detour` and `bend` of the first scene's paths."""
    found = np.zeros((horizon, 5))
    found[:, 0] = np.nan if len(scenes) < 2 else 0.0
    scene = scenes[0]
    if not len(scene.ids):
        return found
    center, visible = scene.center_px, scene.visible
    both = visible[:, 1:] & visible[:, :-1]
    steps = np.where(both[..., None], np.diff(center, axis=1), 0.0)
    length = np.pad(np.linalg.norm(steps, axis=-1).cumsum(axis=1), ((0, 0), (1, 0)))
    moved = measure_moved(scene)
    turns = np.linalg.norm(np.diff(steps, axis=1), axis=-1)
    bend = np.pad(np.minimum(turns, _MOST_BEND_PX).cumsum(axis=1), ((0, 0), (2, 0)))[:, :horizon]
    moving = length[:, -1] > _MOVING_PX
    parting = measure_parting(scenes)
    if len(scenes) > 1:
        found[:, 0] = np.log1p(np.where(visible, parting, 0.0).max(axis=0))
    found[:, 1] = np.log1p(moving.sum())
    found[:, 2] = np.log1p(length.max(axis=0))
    detour = np.where(moving[:, None] & visible, (length - moved) / (length + 1), 0.0)
    found[:, 3] = np.maximum(detour, 0.0).max(axis=0)
    found[:, 4] = np.log1p(bend.max(axis=0))
    return found


def measure_moved(scene: Scene) -> Float[np.ndarray, "n h"]:
    """Distance of each object from where it is first seen, in pixels; 0 where it is not seen."""
    rows, first = np.arange(len(scene.ids)), scene.visible.argmax(axis=1)
    start = scene.center_px[rows, first]
    away = np.linalg.norm(scene.center_px - start[:, None], axis=-1)
    return np.where(scene.visible, away, 0.0)


def measure_parting(scenes: Sequence[Scene]) -> Float[np.ndarray, "n h"]:
    """How far each object of the first scene lies from itself in the other futures.

    Root mean square over the futures about their mean, in pixels. It is the same object that is
    nearest where the first scene first sees it, and within 4 px there.
    """
    scene = scenes[0]
    spread = np.zeros(scene.visible.shape)
    first = scene.visible.argmax(axis=1)
    for n, start in enumerate(first.tolist()):
        here = scene.center_px[n]
        paths = [here]
        for other in scenes[1:]:
            away = np.linalg.norm(other.center_px[:, start] - here[start], axis=-1)
            away = np.where(other.visible[:, start], away, np.inf)
            if len(away) and away.min() < _SAME_PX:
                k = int(away.argmin())
                paths.append(np.where(other.visible[k][:, None], other.center_px[k], here))
        spread[n] = np.sqrt(np.var(paths, axis=0).sum(axis=-1))
    return np.nan_to_num(spread)


def _log(values: Float[np.ndarray, " h"]) -> Float[np.ndarray, " h"]:
    return np.log(np.maximum(values, 1e-8))


def _laws(evidence: Evidence) -> Float[np.ndarray, " h"]:
    found = np.zeros(len(evidence.time_s))
    for verdict in (v for audit in evidence.audits for v in audit):
        if verdict.p_value is None:
            continue
        size = min(-float(np.log(max(verdict.p_value, 1e-12))), _MOST_LOG_P)
        moment_s = evidence.time_s[0] if verdict.moment_s is None else verdict.moment_s
        late = evidence.time_s >= moment_s - 1e-6
        found[late] = np.maximum(found[late], size)
    return found
