"""Representation tokenizer: frames to features that are good to predict, not to be decoded."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.nn import Backbone, ConvBlock, pack, unpack
from worldline.scale import rowwise
from worldline.tokenizer.base import StreamCarry, Tokenizer, to_unit
from worldline.tokenizer.losses import PictureLoss

__all__ = ["RepresentationTokenizer"]


class RepresentationTokenizer(Tokenizer):
    """Vision transformer over the 8x8-pixel patches of each frame (Dosovitskiy et al. 2021).

    It is trained by what predicts its features (see the JEPA dynamics), never by pixels. A small
    decoder can be trained afterwards for looking; no gradient of it reaches the features.

    Shape legend: B batch, T frames, N patches, C channels.
    """

    @register("tokenizer/representation")
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes.

        Attributes:
            size_px: side of the square input, a multiple of 8.
            channels: numbers per patch.
            width, depth, heads: transformer.
            decoder_width: channels of the decoder at 1/8 resolution, half of them at 1/4; 0 for a
                tokenizer that cannot decode.
            decoder_depth: residual blocks at each.
            gradient_weight, perceptual_weight: of the decoder's losses, see `PictureLoss`.
        """

        size_px: int = 64
        channels: int = 32
        width: int = 192
        depth: int = 4
        heads: int = 4
        decoder_width: int = 0
        decoder_depth: int = 2
        gradient_weight: float = 0.5
        perceptual_weight: float = 0.0

        def build(self) -> RepresentationTokenizer:
            """Make the untrained tokenizer."""
            return RepresentationTokenizer(self)

    def __init__(self, config: RepresentationTokenizer.Config) -> None:
        super().__init__()
        if config.size_px < 8 or config.size_px % 8:
            raise ValueError(f"size_px {config.size_px} must be a multiple of 8")
        self.config = config
        self.size_px = config.size_px
        rows = config.size_px // 8
        self.grid = (rows, rows)
        self.channels = config.channels
        self.time_stride = 1
        self.can_decode = config.decoder_width > 0
        width = config.width
        self.enter = nn.Linear(8 * 8 * 3, width)
        self.place = nn.Parameter(0.02 * torch.randn(rows * rows, width))
        self.blocks = Backbone(
            width=width,
            depth=config.depth,
            heads=config.heads,
            window=1,
            temporal_every=config.depth + 1,
        )
        self.final_norm = nn.LayerNorm(width, bias=False)
        self.to_latent = nn.Linear(width, config.channels)
        self.decoder = _Decoder(config) if self.can_decode else None

    @rowwise
    def features(
        self,
        frames: UInt8[Tensor, "b t h w 3"],
        visible: Bool[Tensor, "b t n"] | None = None,
    ) -> Float[Tensor, "b t n c"]:
        """Features of all patches, with gradients.

        Args:
            frames: clips.
            visible: patches that the others may look at; the features of a hidden one are computed
                but tell nobody anything (V-JEPA leaves them out, which gives the visible ones the
                same features).
        """
        self.require_frames(frames)
        dtype = self.place.dtype
        images = rearrange(to_unit(frames, dtype), "b t h w c -> (b t) c h w")
        patches = rearrange(pack(images, 8), "(b t) c y x -> b t (y x) c", b=frames.shape[0])
        tokens = self.enter(patches) + self.place
        tokens, _ = self.blocks(tokens, visible=visible)
        return self.to_latent(self.final_norm(tokens))

    def encode_step(
        self, carry: StreamCarry | None, frames: UInt8[Tensor, "b t h w 3"]
    ) -> tuple[StreamCarry, Latents]:
        """Features of each frame; frames stand alone."""
        return StreamCarry(), Latents(self.features(frames), self.grid)

    def decode_step_unit(
        self, carry: StreamCarry | None, latents: Latents
    ) -> tuple[StreamCarry, Float[Tensor, "b t h w 3"]]:
        """What the decoder makes of features. Raises `ValueError` where there is none."""
        if self.decoder is None:
            raise ValueError("this tokenizer has no decoder; train one to look at its features")
        self.require_latents(latents)
        rows, _ = self.grid
        z = rearrange(latents.tokens, "b t (y x) c -> (b t) c y x", y=rows)
        image = self.decoder(z.to(self.place.dtype))
        return StreamCarry(), rearrange(
            image, "(b t) c h w -> b t h w c", b=latents.tokens.shape[0]
        )

    def loss(
        self,
        frames: UInt8[Tensor, "b t h w 3"],
        weight: Float[Tensor, "b t h w"],
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Losses of the decoder alone. Raises `ValueError` where there is none."""
        if self.decoder is None:
            raise ValueError("this tokenizer has no decoder, so pixels cannot train it")
        with torch.no_grad():
            tokens = self.features(frames)
        z = rearrange(tokens, "b t (y x) c -> (b t) c y x", y=self.grid[0])
        images = rearrange(to_unit(frames, self.place.dtype), "b t h w c -> (b t) c h w")
        return self.decoder.picture(self.decoder(z), images, weight.flatten(0, 1))

    def measure_latents(self, frames: UInt8[Tensor, "b t h w 3"]) -> None:
        """Nothing to set: the scale of the features is part of what was learned."""
        self.require_frames(frames)


class _Decoder(nn.Module):
    """Cells of features to pixels, as the convolutional tokenizers do it."""

    def __init__(self, config: RepresentationTokenizer.Config) -> None:
        super().__init__()
        coarse, fine = config.decoder_width, config.decoder_width // 2
        depth = config.decoder_depth
        self.from_latent = nn.Conv2d(config.channels, coarse, 3, padding=1)
        self.decode_coarse = nn.Sequential(*(ConvBlock(coarse) for _ in range(depth)))
        self.widen = nn.Conv2d(coarse, 4 * fine, 1)
        self.decode_fine = nn.Sequential(*(ConvBlock(fine) for _ in range(depth)))
        self.leave = nn.Conv2d(fine, 48, 3, padding=1)
        self.picture = PictureLoss(
            gradient_weight=config.gradient_weight,
            perceptual_weight=config.perceptual_weight,
            adversarial_weight=0.0,
        )

    @rowwise
    def forward(self, z: Float[Tensor, "b c y x"]) -> Float[Tensor, "b 3 h w"]:
        coarse = self.decode_coarse(self.from_latent(z.contiguous(memory_format=_FAST)))
        fine = unpack(self.widen(coarse), 2).contiguous(memory_format=_FAST)
        return unpack(self.leave(self.decode_fine(fine)), 4)


_FAST = torch.channels_last
