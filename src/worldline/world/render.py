"""From sampled latents to what is shown: pixels with detail, spread, verdicts over futures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from worldline.core.latents import Latents
from worldline.core.verdict import Outcome, Verdict
from worldline.tokenizer import ContinuousTokenizer, from_unit, to_unit

__all__ = ["Reference", "make_reference", "measure_spread", "render", "worst_verdicts"]

_SAME = 0.1
"""Change of a decoded pixel, of a range of 2, at which lost detail counts 1 / e."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Last context frame as decoded, `[h, w, 3]`, and what the decoder left out of it."""

    decoded: Tensor
    residual: Tensor


@torch.no_grad()
def make_reference(
    tokenizer: ContinuousTokenizer, latents: Latents, last: UInt8[np.ndarray, "h w 3"]
) -> Reference:
    """Compare the last of some latents `[1, T, N, C]` with the frame that it stands for."""
    newest = Latents(latents.tokens[:, -1:], latents.grid)
    decoded = tokenizer.decode_unit(newest).float()[0, 0]
    return Reference(decoded, to_unit(torch.from_numpy(last), torch.float32) - decoded)


@torch.no_grad()
def render(
    tokenizer: ContinuousTokenizer, latents: Latents, reference: Reference | None
) -> UInt8[np.ndarray, "b t h w 3"]:
    """Decode, putting back the detail of the last seen frame wherever nothing changed.

    A small tokenizer loses fine texture. Where the decoded frame still agrees with the decoded last
    context frame, the detail that the tokenizer lost there is still right, and is added.
    """
    image = tokenizer.decode_unit(latents).float()
    if reference is not None:
        change = (image - reference.decoded).abs().amax(-1, keepdim=True)
        widest = torch.nn.functional.max_pool2d(
            change.flatten(0, 1).permute(0, 3, 1, 2), 3, stride=1, padding=1
        )
        change = widest.permute(0, 2, 3, 1).reshape(change.shape)
        image = image + torch.exp(-((change / _SAME) ** 2)) * reference.residual
    return from_unit(image).numpy()


def measure_spread(
    drawn: UInt8[np.ndarray, "s t h w 3"], scale: Sequence[float]
) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, "t h w"]]:
    """Root mean square spread between futures per frame and per pixel, in [0, 1] intensity.

    Args:
        drawn: at least two futures.
        scale: per forecast step, the error that a spread of one meant on held-out clips; the last
            number also stands for all later steps.
    """
    std = (drawn.astype(np.float64) / 255).std(axis=0, ddof=1)
    factor = np.asarray(scale, dtype=np.float64)
    factor = factor[np.minimum(np.arange(len(std)), len(factor) - 1)]
    per_px = np.sqrt((std**2).mean(-1)) * factor[:, None, None]
    return np.sqrt((per_px**2).mean((1, 2))), per_px


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
