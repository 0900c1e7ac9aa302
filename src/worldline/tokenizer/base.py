"""What every tokenizer does."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from worldline.core.latents import Latents

__all__ = ["Tokenizer", "from_unit", "to_unit"]


class Tokenizer(nn.Module, ABC):
    """Frames to tokens and, if `can_decode`, back.

    Attributes:
        size_px: side of the square frames that it takes.
        grid: (rows, columns) of tokens.
        channels: numbers per token.
        can_decode: whether `decode` gives pixels (a representation-only tokenizer has none).
    """

    size_px: int
    grid: tuple[int, int]
    channels: int
    can_decode: bool

    @abstractmethod
    def encode(self, frames: UInt8[Tensor, "b t h w 3"]) -> Latents:
        """Tokens of each frame."""

    @abstractmethod
    def decode(self, latents: Latents) -> UInt8[Tensor, "b t h w 3"]:
        """Frames of tokens. Raises `ValueError` where `can_decode` is false."""

    @abstractmethod
    def loss(
        self,
        frames: UInt8[Tensor, "b h w 3"],
        weight: Float[Tensor, "b h w"],
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Training losses; the entry "total" is the one to minimise."""


def to_unit(frames: UInt8[Tensor, "*b h w 3"], dtype: torch.dtype) -> Tensor:
    """uint8 RGB to numbers in [-1, 1]."""
    return frames.to(dtype) / 127.5 - 1.0


def from_unit(x: Tensor) -> Tensor:
    """Numbers in [-1, 1] to uint8, rounded and clipped."""
    return ((x.to(torch.float32) + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
