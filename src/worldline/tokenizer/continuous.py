"""Continuous image tokenizer: each frame on its own to an 8x smaller grid of real numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from worldline.core.config import Config, register
from worldline.tokenizer.autoencoder import ImageTokenizer
from worldline.tokenizer.losses import PictureLoss

__all__ = ["ContinuousTokenizer"]


class ContinuousTokenizer(ImageTokenizer):
    """Convolutional autoencoder, 64x64 pixels to 8x8 cells of 16 numbers by default.

    Noise on the latents in training takes the place of the KL term of a variational autoencoder:
    nearby latents must decode alike, and a penalty on their size keeps the noise from being
    outgrown. Tokens are normalised to zero mean and unit variance per channel.
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
            perceptual_weight, adversarial_weight: of the optional terms of `PictureLoss`.
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
        perceptual_weight: float = 0.0
        adversarial_weight: float = 0.0

        def build(self) -> ContinuousTokenizer:
            """Make the untrained tokenizer."""
            return ContinuousTokenizer(self)

    def __init__(self, config: ContinuousTokenizer.Config) -> None:
        super().__init__(
            size_px=config.size_px,
            channels=config.channels,
            fine_width=config.fine_width,
            coarse_width=config.coarse_width,
            fine_depth=config.fine_depth,
            coarse_depth=config.coarse_depth,
            picture=PictureLoss(
                gradient_weight=config.gradient_weight,
                perceptual_weight=config.perceptual_weight,
                adversarial_weight=config.adversarial_weight,
            ),
        )
        self.config = config
        self.register_buffer("latent_mean", torch.zeros(config.channels))
        self.register_buffer("latent_std", torch.ones(config.channels))
        self.latent_mean: Tensor
        self.latent_std: Tensor

    def to_tokens(self, z: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c y x"]:
        """Normalise raw cells."""
        return (z - self.latent_mean[:, None, None]) / self.latent_std[:, None, None]

    def from_tokens(self, tokens: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c y x"]:
        """Raw cells again."""
        return tokens * self.latent_std[:, None, None] + self.latent_mean[:, None, None]

    def loss(
        self,
        frames: UInt8[Tensor, "b t h w 3"],
        weight: Float[Tensor, "b t h w"],
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Losses of the pictures, plus the penalty on the latents' size."""
        images = self.to_images(frames)
        z = self.to_grid(images)
        noise = torch.randn(z.shape, generator=generator, device=z.device, dtype=torch.float32)
        image = self.to_image(z + self.config.latent_noise * noise.to(z.dtype))
        losses = self.picture(image, images, weight.flatten(0, 1))
        size = z.float().square().mean()
        total = losses.pop("total") + self.config.latent_penalty * size
        return {"total": total, **losses, "latent_size": size}

    @torch.no_grad()
    def measure_latents(self, frames: UInt8[Tensor, "b t h w 3"]) -> None:
        """Set the normalisation of the latents from sample frames, once, after training."""
        z = self.to_grid(self.to_images(frames)).float()
        self.latent_mean.copy_(z.mean(dim=(0, 2, 3)))
        self.latent_std.copy_(z.std(dim=(0, 2, 3)).clamp_min(1e-3))
