"""What every tokenizer does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from worldline.core.latents import Latents

__all__ = ["StreamCarry", "Tokenizer", "from_unit", "to_unit"]


@dataclass(frozen=True, eq=False)
class StreamCarry:
    """What a tokenizer remembers of a stream between two pieces of it.

    Attributes:
        past: what the next piece still depends on; empty if each frame stands alone.
    """

    past: tuple[Tensor, ...] = ()

    def repeat(self, times: int) -> StreamCarry:
        """The whole batch, several times in a row."""
        return StreamCarry(tuple(torch.cat([value] * times) for value in self.past))


class Tokenizer(nn.Module, ABC):
    """Clips to tokens and, if `can_decode`, back.

    The first frame of a clip is the first latent step; after it every `time_stride` frames make
    one. So 1 + k * time_stride frames are 1 + k steps, in whole clips and in streams alike.

    A clip can also come in pieces. All memory of such a stream lies in an explicit carry: `None`
    opens a stream, each step returns a new carry, and keeping an old one keeps that moment. The
    pieces give what the whole clip gives.

    Attributes:
        size_px: side of the square frames that it takes.
        grid: (rows, columns) of tokens.
        channels: numbers per token.
        time_stride: frames per latent step after the first; 1 for image tokenizers.
        can_decode: whether `decode` gives pixels (a representation-only tokenizer has none).
    """

    size_px: int
    grid: tuple[int, int]
    channels: int
    time_stride: int
    can_decode: bool

    @abstractmethod
    def encode_step(
        self, carry: StreamCarry | None, frames: UInt8[Tensor, "b t h w 3"]
    ) -> tuple[StreamCarry, Latents]:
        """Tokens of the next frames of a stream.

        Args:
            carry: of the frames before, or None if these are the first.
            frames: `[B, T, H, W, 3]`; T is 1 + k * time_stride at the start of a stream and
                k * time_stride further on.

        Raises:
            ValueError: frames of another size, or a T that does not make whole steps.
        """

    @abstractmethod
    def decode_step_unit(
        self, carry: StreamCarry | None, latents: Latents
    ) -> tuple[StreamCarry, Float[Tensor, "b t h w 3"]]:
        """Frames in about [-1, 1], not rounded, of the next latent steps of a stream.

        Raises:
            ValueError: latents of another grid or number of channels, or `can_decode` is false.
        """

    @abstractmethod
    def loss(
        self,
        frames: UInt8[Tensor, "b t h w 3"],
        weight: Float[Tensor, "b t h w"],
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Training losses of clips; the entry "total" is the one to minimise.

        Args:
            frames: clips from their first frame on, so T = 1 + k * time_stride.
            weight: how much each pixel counts.
            generator: of noise.

        Raises:
            ValueError: frames of another size, or a T that does not make whole steps.
        """

    @abstractmethod
    def measure_latents(self, frames: UInt8[Tensor, "b t h w 3"]) -> None:
        """Set the normalisation of the latents, if there is any, from sample clips, after training.

        Raises:
            ValueError: frames of another size, or a T that does not make whole steps.
        """

    def encode(self, frames: UInt8[Tensor, "b t h w 3"]) -> Latents:
        """Tokens of whole clips. Raises `ValueError` as `encode_step` does."""
        return self.encode_step(None, frames)[1]

    def decode_step(
        self, carry: StreamCarry | None, latents: Latents
    ) -> tuple[StreamCarry, UInt8[Tensor, "b t h w 3"]]:
        """The next frames of a stream. Raises `ValueError` as `decode_step_unit` does."""
        carry, image = self.decode_step_unit(carry, latents)
        return carry, from_unit(image)

    def decode_unit(self, latents: Latents) -> Float[Tensor, "b t h w 3"]:
        """Whole clips in about [-1, 1], not rounded. Raises as `decode_step_unit` does."""
        return self.decode_step_unit(None, latents)[1]

    def decode(self, latents: Latents) -> UInt8[Tensor, "b t h w 3"]:
        """Whole clips. Raises `ValueError` as `decode_step_unit` does."""
        return from_unit(self.decode_unit(latents))

    def count_steps(self, num_frames: int, *, opening: bool = True) -> int:
        """Latent steps that so many frames make, at the start of a stream or further on.

        Raises:
            ValueError: they do not make whole steps.
        """
        rest = num_frames - opening
        if num_frames < 1 or rest % self.time_stride:
            wanted = f"{'1 + ' if opening else ''}k * {self.time_stride}"
            place = "at the start of a clip" if opening else "further on in a stream"
            raise ValueError(
                f"tokenizer takes {wanted} frames {place}, at least one, but got {num_frames}"
            )
        return rest // self.time_stride + opening

    def whole_frames(self, num_frames: int) -> int:
        """The most frames, of so many (at least one), that make whole steps from a clip's start."""
        return num_frames - (num_frames - 1) % self.time_stride

    def require_frames(self, frames: Tensor, *, opening: bool = True) -> int:
        """Latent steps that frames `[B, T, H, W, 3]` make.

        Raises:
            ValueError: they have another size, or do not make whole steps.
        """
        if tuple(frames.shape[2:]) != (self.size_px, self.size_px, 3):
            raise ValueError(
                f"tokenizer takes {self.size_px}x{self.size_px} RGB, got {tuple(frames.shape[2:])}"
            )
        return self.count_steps(frames.shape[1], opening=opening)

    def require_latents(self, latents: Latents) -> None:
        """Raise `ValueError` if latents have another grid or number of channels, or no steps."""
        rows, columns = self.grid
        found = (*latents.grid, latents.tokens.shape[-1])
        if found != (rows, columns, self.channels) or latents.tokens.shape[1] < 1:
            raise ValueError(
                f"tokenizer takes one or more steps of {rows}x{columns} tokens of {self.channels} "
                f"numbers, got {latents.tokens.shape[1]} of {found[0]}x{found[1]} of {found[2]}"
            )


def to_unit(frames: UInt8[Tensor, "*b h w 3"], dtype: torch.dtype) -> Tensor:
    """uint8 RGB to numbers in [-1, 1]."""
    return frames.to(dtype) / 127.5 - 1.0


def from_unit(x: Tensor) -> Tensor:
    """Numbers in [-1, 1] to uint8, rounded and clipped."""
    return ((x.to(torch.float32) + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
