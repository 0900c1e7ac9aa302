"""What the families know of the past: the frame before, its change, and a sliding cache."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.nn import KeyValue

__all__ = ["Cache", "before_and_change", "extend", "newest"]

Cache = tuple[KeyValue, ...]
"""Keys and values of the frames before, one entry per block over time."""


def before_and_change(seen: Float[Tensor, "b t n c"]) -> tuple[Tensor, Tensor]:
    """For each frame of clips: the frame before it, and how that one had changed.

    The first frame stands before itself; nothing has changed in it.
    """
    before = torch.cat([seen[:, :1], seen[:, :-1]], dim=1)
    earlier = torch.cat([seen[:, :1], before[:, :-1]], dim=1)
    return before, before - earlier


def newest(seen: Float[Tensor, "b t n c"]) -> Float[Tensor, "b 2 n c"]:
    """The two newest frames; a single one twice."""
    return torch.cat([seen[:, :1], seen], dim=1)[:, -2:]


def extend(cache: Cache, fresh: Cache, window: int) -> Cache:
    """Append newer frames (to an empty cache too) and keep what a window of frames still needs."""
    if not cache:
        keep = max(window - 1, 1)
        return tuple(KeyValue(kv.key[:, :, -keep:], kv.value[:, :, -keep:]) for kv in fresh)
    return tuple(old.append(new, window - 1) for old, new in zip(cache, fresh, strict=True))
