"""What the families know of the past: the frame before, its change, a sliding cache, a carry."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.nn import KeyValue

__all__ = ["Cache", "FlowCarry", "before_and_change", "extend", "newest"]

Cache = tuple[KeyValue, ...]
"""Keys and values of the frames before, one entry per block over time."""


@dataclass(frozen=True, eq=False)
class FlowCarry:
    """State of a rollout.

    Attributes:
        cache: keys and values per temporal layer.
        last: `[B, 2, N, C]` the two newest frames.
        num_frames: frames seen and sampled so far.
        generator_state: state of the noise generator, copied so that a fork repeats its noise.
        alike: how many rows of the batch, one after the other, share their noise: futures that
            differ in nothing but what is done.
    """

    cache: Cache
    last: Tensor
    num_frames: int
    generator_state: Tensor
    alike: int = 1


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


def extend(cache: Cache, fresh: Cache, window: int, sink: int = 0) -> Cache:
    """Append newer frames (to an empty cache too) and keep what a window of frames still needs.

    With a `sink` the first frames of a rollout stay in it for ever; see `KeyValue.append`.
    """
    keep = max(window - 1, 1)
    if not cache:
        cache = tuple(KeyValue(kv.key[:, :, :0], kv.value[:, :, :0]) for kv in fresh)
    return tuple(old.append(new, keep, sink) for old, new in zip(cache, fresh, strict=True))
