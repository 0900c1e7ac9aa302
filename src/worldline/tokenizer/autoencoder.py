"""The convolutions that the image tokenizers share: each frame on its own to an 8x smaller grid."""

from __future__ import annotations

from abc import abstractmethod

import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from worldline.core.latents import Latents
from worldline.nn import ConvBlock, pack, unpack
from worldline.scale import rowwise
from worldline.tokenizer.base import StreamCarry, Tokenizer, to_unit
from worldline.tokenizer.losses import PictureLoss

__all__ = ["ImageTokenizer"]


class ImageTokenizer(Tokenizer):
    """Convolutional autoencoder; what happens to its latent cells is left to the tokenizer.

    Pixels are packed 4x4 at once, so that all convolutions run on small grids with many channels:
    that is where a CPU or GPU does matrix products at full rate.
    """

    def __init__(
        self,
        *,
        size_px: int,
        channels: int,
        fine_width: int,
        coarse_width: int,
        fine_depth: int,
        coarse_depth: int,
        picture: PictureLoss,
    ) -> None:
        super().__init__()
        if size_px < 8 or size_px % 8:
            raise ValueError(f"size_px {size_px} must be a multiple of 8")
        self.size_px = size_px
        self.grid = (size_px // 8, size_px // 8)
        self.channels = channels
        self.time_stride = 1
        self.can_decode = True
        fine, coarse = fine_width, coarse_width
        self.enter = nn.Conv2d(48, fine, 3, padding=1)
        self.encode_fine = nn.Sequential(*(ConvBlock(fine) for _ in range(fine_depth)))
        self.narrow = nn.Conv2d(4 * fine, coarse, 1)
        self.encode_coarse = nn.Sequential(*(ConvBlock(coarse) for _ in range(coarse_depth)))
        self.to_latent = nn.Conv2d(coarse, channels, 1)
        self.from_latent = nn.Conv2d(channels, coarse, 3, padding=1)
        self.decode_coarse = nn.Sequential(*(ConvBlock(coarse) for _ in range(coarse_depth)))
        self.widen = nn.Conv2d(coarse, 4 * fine, 1)
        self.decode_fine = nn.Sequential(*(ConvBlock(fine) for _ in range(fine_depth)))
        self.leave = nn.Conv2d(fine, 48, 3, padding=1)
        self.picture = picture

    @abstractmethod
    def to_tokens(self, z: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c y x"]:
        """Raw latent cells to what `Latents` hold."""

    @abstractmethod
    def from_tokens(self, tokens: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c y x"]:
        """What `Latents` hold to cells that `to_image` takes."""

    def to_images(self, frames: UInt8[Tensor, "b t h w 3"]) -> Float[Tensor, "bt 3 h w"]:
        """All frames of clips, one after the other, in [-1, 1] and the weights' number type.

        Raises:
            ValueError: frames of another size, or none.
        """
        self.require_frames(frames)
        images = to_unit(frames, self.to_latent.weight.dtype)
        return rearrange(images, "b t h w c -> (b t) c h w")

    @rowwise
    def to_grid(self, x: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c y x"]:
        """Images in [-1, 1] to raw latent cells."""
        fine = self.encode_fine(self.enter(_fast(pack(x, 4))))
        return self.to_latent(self.encode_coarse(self.narrow(_fast(pack(fine, 2)))))

    @rowwise
    def to_image(self, z: Float[Tensor, "b c y x"]) -> Float[Tensor, "b 3 h w"]:
        """Raw latent cells to images in about [-1, 1]."""
        coarse = self.widen(self.decode_coarse(self.from_latent(_fast(z))))
        return unpack(self.leave(self.decode_fine(_fast(unpack(coarse, 2)))), 4)

    def encode_step(
        self, carry: StreamCarry | None, frames: UInt8[Tensor, "b t h w 3"]
    ) -> tuple[StreamCarry, Latents]:
        """Tokens `[B, T, N, C]` of frames, whatever came before them."""
        z = self.to_tokens(self.to_grid(self.to_images(frames)))
        tokens = rearrange(z, "(b t) c y x -> b t (y x) c", b=frames.shape[0])
        return StreamCarry(), Latents(tokens, self.grid)

    def decode_step_unit(
        self, carry: StreamCarry | None, latents: Latents
    ) -> tuple[StreamCarry, Float[Tensor, "b t h w 3"]]:
        """Frames in about [-1, 1], not rounded, whatever came before them."""
        self.require_latents(latents)
        z = rearrange(latents.tokens, "b t (y x) c -> (b t) c y x", y=self.grid[0])
        image = self.to_image(self.from_tokens(z.to(self.to_latent.weight.dtype)))
        batch = latents.tokens.shape[0]
        return StreamCarry(), rearrange(image, "(b t) c h w -> b t h w c", b=batch)


def _fast(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)
