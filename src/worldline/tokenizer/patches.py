"""Patches: pixels as they are, packed into cells. Only their scale is learned, nothing is lost.

For worlds of few pixels, where the appearance of what moves has to stay as it is over hundreds of
frames: an autoencoder's small errors would add up in a long rollout.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.tokenizer.base import StreamCarry, Tokenizer, to_unit

__all__ = ["PatchTokenizer"]


class PatchTokenizer(Tokenizer):
    """Squares of pixels as cells: 64x64 pixels to 16x16 cells of 48 numbers by default."""

    @register("tokenizer/patches")
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes.

        Attributes:
            size_px: side of the square input.
            patch_px: side of a cell, which divides it.
        """

        size_px: int = 64
        patch_px: int = 4

        def build(self) -> PatchTokenizer:
            """Make the tokenizer. Raises `ValueError` if cells do not fill the picture."""
            return PatchTokenizer(self)

    def __init__(self, config: PatchTokenizer.Config) -> None:
        super().__init__()
        if config.patch_px < 1 or config.size_px < 1 or config.size_px % config.patch_px:
            raise ValueError(
                f"patches of {config.patch_px} pixels do not fill a picture of {config.size_px}"
            )
        self.config = config
        self.size_px = config.size_px
        rows = config.size_px // config.patch_px
        self.grid = (rows, rows)
        self.channels = 3 * config.patch_px**2
        self.time_stride = 1
        self.can_decode = True
        # pixels vary by about 1/2 in [-1, 1], latents should by about 1
        self.gain = nn.Parameter(torch.full((1,), 2.0))

    def encode_step(
        self, carry: StreamCarry | None, frames: UInt8[Tensor, "b t h w 3"]
    ) -> tuple[StreamCarry, Latents]:
        """Tokens `[B, T, N, C]` of frames, whatever came before them."""
        self.require_frames(frames)
        p = self.config.patch_px
        pixels = to_unit(frames, self.gain.dtype) * self.gain
        tokens = rearrange(pixels, "b t (y p) (x q) c -> b t (y x) (p q c)", p=p, q=p)
        return StreamCarry(), Latents(tokens, self.grid)

    def decode_step_unit(
        self, carry: StreamCarry | None, latents: Latents
    ) -> tuple[StreamCarry, Float[Tensor, "b t h w 3"]]:
        """The pixels in the cells, in about [-1, 1], not rounded."""
        self.require_latents(latents)
        p, rows = self.config.patch_px, self.grid[0]
        tokens = latents.tokens / self.gain
        image = rearrange(tokens, "b t (y x) (p q c) -> b t (y p) (x q) c", y=rows, p=p, q=p)
        return StreamCarry(), image

    def loss(
        self,
        frames: UInt8[Tensor, "b t h w 3"],
        weight: Float[Tensor, "b t h w"],
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """How far latents are from unit variance: all that there is to learn."""
        tokens = self.encode(frames).tokens.float()
        return {"total": tokens.var(correction=0).clamp_min(1e-6).log().square()}

    @torch.no_grad()
    def measure_latents(self, frames: UInt8[Tensor, "b t h w 3"]) -> None:
        """Set the scale from sample frames: unit variance."""
        self.require_frames(frames)
        spread = to_unit(frames, torch.float32).std(correction=0).clamp_min(1e-2)
        self.gain.copy_(1 / spread)
