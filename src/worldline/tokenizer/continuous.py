"""Continuous image tokenizer: each frame on its own to an 8x smaller grid of real numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.nn import ConvBlock, pack, unpack
from worldline.tokenizer.base import Tokenizer, from_unit, to_unit

__all__ = ["ContinuousTokenizer"]


class ContinuousTokenizer(Tokenizer):
    """Convolutional autoencoder, 64x64 pixels to 8x8 cells of 16 numbers by default.

    Pixels are packed 4x4 at once, so that all convolutions run on small grids with many channels:
    that is where a CPU or GPU does matrix products at full rate. Noise on the latents in training
    takes the place of the KL term of a variational autoencoder: nearby latents must decode alike,
    and a penalty on their size keeps the noise from being outgrown.
    """

    @register("tokenizer/continuous")
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes and loss weights.

        Attributes:
            size_px: side of the square input, a multiple of 8.
            channels: numbers per latent cell.
            fine_width, coarse_width: convolution channels at 1/4 and 1/8 resolution.
            fine_depth, coarse_depth: residual blocks at each, in the encoder and in the decoder.
            latent_noise: standard deviation of the noise on latents in training.
            latent_penalty: weight of their mean square.
            gradient_weight: weight of the loss on image gradients at three scales.
        """

        size_px: int = 64
        channels: int = 16
        fine_width: int = 64
        coarse_width: int = 128
        fine_depth: int = 2
        coarse_depth: int = 2
        latent_noise: float = 0.1
        latent_penalty: float = 1e-3
        gradient_weight: float = 0.5

        def build(self) -> ContinuousTokenizer:
            """Make the untrained tokenizer."""
            return ContinuousTokenizer(self)

    def __init__(self, config: ContinuousTokenizer.Config) -> None:
        super().__init__()
        if config.size_px % 8:
            raise ValueError(f"size_px {config.size_px} must be a multiple of 8")
        self.config = config
        self.size_px = config.size_px
        self.grid = (config.size_px // 8, config.size_px // 8)
        self.channels = config.channels
        self.can_decode = True
        fine, coarse = config.fine_width, config.coarse_width
        self.enter = nn.Conv2d(48, fine, 3, padding=1)
        self.encode_fine = nn.Sequential(*(ConvBlock(fine) for _ in range(config.fine_depth)))
        self.narrow = nn.Conv2d(4 * fine, coarse, 1)
        self.encode_coarse = nn.Sequential(*(ConvBlock(coarse) for _ in range(config.coarse_depth)))
        self.to_latent = nn.Conv2d(coarse, config.channels, 1)
        self.from_latent = nn.Conv2d(config.channels, coarse, 3, padding=1)
        self.decode_coarse = nn.Sequential(*(ConvBlock(coarse) for _ in range(config.coarse_depth)))
        self.widen = nn.Conv2d(coarse, 4 * fine, 1)
        self.decode_fine = nn.Sequential(*(ConvBlock(fine) for _ in range(config.fine_depth)))
        self.leave = nn.Conv2d(fine, 48, 3, padding=1)
        self.register_buffer("latent_mean", torch.zeros(config.channels))
        self.register_buffer("latent_std", torch.ones(config.channels))
        self.latent_mean: Tensor
        self.latent_std: Tensor

    def to_grid(self, x: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c y x"]:
        """Images in [-1, 1] to raw (not yet normalised) latent cells."""
        fine = self.encode_fine(self.enter(_fast(pack(x, 4))))
        return self.to_latent(self.encode_coarse(self.narrow(_fast(pack(fine, 2)))))

    def to_image(self, z: Float[Tensor, "b c y x"]) -> Float[Tensor, "b 3 h w"]:
        """Raw latent cells to images in about [-1, 1]."""
        coarse = self.widen(self.decode_coarse(self.from_latent(_fast(z))))
        return unpack(self.leave(self.decode_fine(_fast(unpack(coarse, 2)))), 4)

    def encode(self, frames: UInt8[Tensor, "b t h w 3"]) -> Latents:
        """Tokens `[B, T, 64, 16]`, normalised to zero mean and unit variance per channel."""
        if tuple(frames.shape[2:]) != (self.size_px, self.size_px, 3):
            raise ValueError(
                f"tokenizer takes {self.size_px}x{self.size_px} RGB, got {tuple(frames.shape[2:])}"
            )
        dtype = self.to_latent.weight.dtype
        images = rearrange(to_unit(frames, dtype), "b t h w c -> (b t) c h w")
        z = self.to_grid(images)
        z = (z - self.latent_mean[:, None, None]) / self.latent_std[:, None, None]
        return Latents(rearrange(z, "(b t) c y x -> b t (y x) c", b=len(frames)), self.grid)

    def decode_unit(self, latents: Latents) -> Float[Tensor, "b t h w 3"]:
        """Frames in about [-1, 1], not rounded."""
        rows, _ = latents.grid
        z = rearrange(latents.tokens, "b t (y x) c -> (b t) c y x", y=rows)
        z = z.to(self.to_latent.weight.dtype)
        z = z * self.latent_std[:, None, None] + self.latent_mean[:, None, None]
        return rearrange(self.to_image(z), "(b t) c h w -> b t h w c", b=len(latents.tokens))

    def decode(self, latents: Latents) -> UInt8[Tensor, "b t h w 3"]:
        """Frames of tokens."""
        return from_unit(self.decode_unit(latents))

    def loss(
        self,
        frames: UInt8[Tensor, "b h w 3"],
        weight: Float[Tensor, "b h w"],
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Weighted L1, plus L1 between image gradients at three scales, plus the size penalty.

        Gradients stand in for a perceptual network, whose weights would have to be downloaded:
        they keep edges sharp and in place, which is what motion is read from.
        """
        dtype = self.to_latent.weight.dtype
        images = rearrange(to_unit(frames, dtype), "b h w c -> b c h w")
        z = self.to_grid(images)
        noise = torch.randn(z.shape, generator=generator, device=z.device, dtype=torch.float32)
        image = self.to_image(z + self.config.latent_noise * noise.to(dtype))
        error, heavy = (image - images).float(), weight.float()[:, None]
        pixel = (error.abs() * heavy).mean()
        edges = torch.zeros((), device=z.device)
        for scale in (1, 2, 4):
            small = F.avg_pool2d(error, scale) if scale > 1 else error
            mass = F.avg_pool2d(heavy, scale) if scale > 1 else heavy
            edges = edges + (small.diff(dim=-1).abs() * mass[..., 1:]).mean()
            edges = edges + (small.diff(dim=-2).abs() * mass[..., 1:, :]).mean()
        size = z.float().square().mean()
        total = pixel + self.config.gradient_weight * edges / 3 + self.config.latent_penalty * size
        return {"total": total, "pixel": pixel, "edges": edges, "latent_size": size}

    @torch.no_grad()
    def measure_latents(self, frames: UInt8[Tensor, "b h w 3"]) -> None:
        """Set the normalisation of the latents from sample frames, once, after training."""
        images = rearrange(to_unit(frames, self.to_latent.weight.dtype), "b h w c -> b c h w")
        z = self.to_grid(images).float()
        self.latent_mean.copy_(z.mean(dim=(0, 2, 3)))
        self.latent_std.copy_(z.std(dim=(0, 2, 3)).clamp_min(1e-3))


def _fast(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)
