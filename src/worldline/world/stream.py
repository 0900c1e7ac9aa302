"""Frames and latent steps of a world: which frames make whole steps, and pieces that follow others.

With an image tokenizer each frame is a step and pieces do not depend on what came before, so that
all of this does nothing.
"""

from __future__ import annotations

import torch
from jaxtyping import UInt8
from torch import Tensor

from worldline.core.latents import Latents
from worldline.tokenizer import StreamCarry, Tokenizer

__all__ = ["count_ahead", "encode_after", "encode_long", "fill_up"]

_PIECE = 256
"""Frames that are encoded at a time."""


def count_ahead(tokenizer: Tokenizer, horizon: int) -> int:
    """Latent steps that it takes to go on for so many frames; the last may reach further."""
    return -(-horizon // tokenizer.time_stride)


def fill_up(tokenizer: Tokenizer, frames: UInt8[Tensor, "b t h w 3"]) -> Tensor:
    """Frames that follow whole steps, with copies of the last until they make whole steps too."""
    missing = -frames.shape[1] % tokenizer.time_stride
    return torch.cat([frames, frames[:, -1:].expand(-1, missing, -1, -1, -1)], dim=1)


def encode_long(
    tokenizer: Tokenizer, frames: UInt8[Tensor, "1 t h w 3"]
) -> tuple[StreamCarry, Latents]:
    """A clip of any length that makes whole steps, piece by piece, and the carry after it."""
    first = tokenizer.whole_frames(_PIECE)
    carry, start = tokenizer.encode_step(None, frames[:, :first])
    parts = [start.tokens]
    for i in range(first, frames.shape[1], _PIECE):
        carry, part = tokenizer.encode_step(carry, frames[:, i : i + _PIECE])
        parts.append(part.tokens)
    return carry, Latents(torch.cat(parts, dim=1), tokenizer.grid)


def encode_after(
    tokenizer: Tokenizer,
    carry: StreamCarry,
    frames: UInt8[Tensor, "b t h w 3"],
) -> Latents:
    """Latents of frames that follow whole steps; the last step is filled up.

    Args:
        tokenizer: with its carry after what came before, for a batch of one or of B.
        frames: `[B, T, H, W, 3]`.
    """
    if carry.past and len(carry.past[0]) != len(frames):
        carry = carry.repeat(len(frames))
    return tokenizer.encode_step(carry, fill_up(tokenizer, frames))[1]
