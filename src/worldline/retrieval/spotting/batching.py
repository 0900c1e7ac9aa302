"""Windows side by side, padded, as tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from worldline.retrieval.spotting.network import Batch
from worldline.retrieval.spotting.tokens import Tokens

__all__ = ["collate", "pile"]


def collate(tokens: Sequence[Tokens]) -> Batch:
    """One batch of at least one window."""
    n = max(1, *(len(t.tracks) for t in tokens))
    s = max(len(t.grid_s) for t in tokens)
    return Batch(
        seen=pile([t.seen for t in tokens], (n, s)),
        there=pile([np.ones(len(t.grid_s), bool) for t in tokens], (s,)),
        motion=pile([t.motion for t in tokens], (n, s)),
        found=pile([t.found for t in tokens], (n, s)),
        crop=pile([t.crop for t in tokens], (n, s)),
        flow=pile([t.flow for t in tokens], (n, s)),
        field=pile([t.field for t in tokens], (s,)),
        swatch=pile([t.swatch for t in tokens], (n,)),
    )


def pile(parts: Sequence[np.ndarray], lead: tuple[int, ...], fill: float = 0) -> Tensor:
    """Arrays one upon the other, their first axes padded to the sizes in `lead` with `fill`."""
    whole = np.full((len(parts), *lead, *parts[0].shape[len(lead) :]), fill, parts[0].dtype)
    for row, part in enumerate(parts):
        whole[(row, *(slice(k) for k in part.shape[: len(lead)]))] = part
    return torch.from_numpy(whole)
