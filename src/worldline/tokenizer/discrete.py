"""Discrete image tokenizer: each frame on its own to an 8x smaller grid of codes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.nn import FSQ
from worldline.tokenizer.autoencoder import ImageTokenizer
from worldline.tokenizer.losses import PictureLoss

__all__ = ["DiscreteTokenizer"]


class DiscreteTokenizer(ImageTokenizer):
    """Convolutional autoencoder with finite scalar quantisation, 64x64 pixels to 8x8 codes.

    Tokens are the quantised values in [-1, 1], one per entry of `levels`; `codes` numbers them.
    The default levels make 64,000 codes, 16 bits per cell (Mentzer et al. 2023, table 1).

    Attributes:
        quantiser: gives the values, their level numbers and their codes.
    """

    @register("tokenizer/discrete")
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes and loss weights.

        Attributes:
            size_px: side of the square input, a multiple of 8.
            levels: how many values each number of a latent cell can take.
            fine_width, coarse_width: convolution channels at 1/4 and 1/8 resolution.
            fine_depth, coarse_depth: residual blocks at each, in the encoder and in the decoder.
            gradient_weight: weight of the loss on image gradients at three scales.
            perceptual_weight, adversarial_weight: of the optional terms of `PictureLoss`.
        """

        size_px: int = 64
        levels: tuple[int, ...] = (8, 8, 8, 5, 5, 5)
        fine_width: int = 64
        coarse_width: int = 128
        fine_depth: int = 2
        coarse_depth: int = 2
        gradient_weight: float = 0.5
        perceptual_weight: float = 0.0
        adversarial_weight: float = 0.0

        def build(self) -> DiscreteTokenizer:
            """Make the untrained tokenizer."""
            return DiscreteTokenizer(self)

    def __init__(self, config: DiscreteTokenizer.Config) -> None:
        super().__init__(
            size_px=config.size_px,
            channels=len(config.levels),
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
        self.quantiser = FSQ(config.levels)

    def to_tokens(self, z: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c y x"]:
        """Quantise raw cells; the gradient passes through."""
        return self.quantiser(z.movedim(1, -1)).movedim(-1, 1)

    def from_tokens(self, tokens: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c y x"]:
        """Quantised values are what the decoder takes."""
        return tokens

    def codes(self, latents: Latents) -> Int[Tensor, "b t n"]:
        """One number per token, 0 .. `quantiser.num_codes` - 1.

        Raises:
            ValueError: latents of another grid or number of channels.
        """
        self.require_latents(latents)
        return self.quantiser.index(self.quantiser.digits(latents.tokens))

    def from_codes(self, codes: Int[Tensor, "b t n"]) -> Latents:
        """Latents (float32) of codes, the inverse of `codes`.

        Raises:
            ValueError: a code lies outside 0 .. `quantiser.num_codes` - 1.
        """
        return Latents(self.quantiser.values(self.quantiser.from_index(codes)), self.grid)

    def loss(
        self,
        frames: UInt8[Tensor, "b t h w 3"],
        weight: Float[Tensor, "b t h w"],
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Losses of the pictures; there is no noise, so the generator is not used."""
        images = self.to_images(frames)
        image = self.to_image(self.to_tokens(self.to_grid(images)))
        return self.picture(image, images, weight.flatten(0, 1))

    def measure_latents(self, frames: UInt8[Tensor, "b t h w 3"]) -> None:
        """Nothing to set: the values that a token can take are fixed."""
        self.require_frames(frames)
