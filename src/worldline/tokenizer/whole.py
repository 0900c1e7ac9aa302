"""Whole-frame tokenizer: a frame as one vector, for worlds that are planned in."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.nn import ConvBlock, unpack
from worldline.scale import rowwise
from worldline.tokenizer.base import StreamCarry, Tokenizer, to_unit
from worldline.tokenizer.losses import PictureLoss

__all__ = ["WholeTokenizer"]

_LEAST = 4
"""Cells per side that convolutions halve a picture down to."""

_FAST = torch.channels_last


class WholeTokenizer(Tokenizer):
    """Convolutions that halve a picture down to 4x4 cells, and layers that sum these up.

    One vector per frame is what planners of the JEPA family imagine in (LeCun 2022; Maes et al.
    2026, LeWorldModel): a step of a rollout costs one vector and not a grid of them. It is trained
    by what predicts it, never by pixels; the decoder, trained afterwards, is for looking.

    Shape legend: B batch, T frames, C channels.
    """

    @register("tokenizer/whole")
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes.

        Attributes:
            size_px: side of the square input, a power of two and 8 at least.
            channels: numbers per frame.
            width: channels of the first convolution; 2 and 4 times as many further down.
            hidden: width of the layer between cells and vector.
            decoder_width: channels of the decoder at 4x4 cells; 0 for none.
        """

        size_px: int = 64
        channels: int = 64
        width: int = 16
        hidden: int = 256
        decoder_width: int = 64

        def build(self) -> WholeTokenizer:
            """Make the untrained tokenizer. Raises `ValueError` for a size that cannot be."""
            return WholeTokenizer(self)

    def __init__(self, config: WholeTokenizer.Config) -> None:
        super().__init__()
        halvings = (config.size_px // _LEAST).bit_length() - 1
        if config.size_px < 2 * _LEAST or config.size_px != _LEAST << halvings:
            raise ValueError(
                f"size_px {config.size_px} must be a power of two and {2 * _LEAST} at least"
            )
        self.config = config
        self.size_px = config.size_px
        self.grid = (1, 1)
        self.channels = config.channels
        self.time_stride = 1
        self.can_decode = config.decoder_width > 0
        widths = [config.width * min(4, 2**i) for i in range(halvings)]
        self.halve = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1)
            for before, after in zip([3, *widths], widths, strict=False)
        )
        self.sum_up = nn.Linear(widths[-1] * _LEAST**2, config.hidden)
        self.norm = nn.LayerNorm(config.hidden, bias=False)
        self.to_latent = nn.Linear(config.hidden, config.channels)
        self.decoder = _Decoder(config, halvings) if self.can_decode else None

    @rowwise
    def features(self, frames: UInt8[Tensor, "b t h w 3"]) -> Float[Tensor, "b t 1 c"]:
        """Vectors of all frames, with gradients."""
        self.require_frames(frames)
        x = to_unit(frames.flatten(0, 1), self.to_latent.weight.dtype)
        x = rearrange(x, "b h w c -> b c h w").contiguous(memory_format=_FAST)
        for layer in self.halve:
            x = nn.functional.silu(layer(x))
        x = nn.functional.silu(self.norm(self.sum_up(rearrange(x, "b c y x -> b (y x c)"))))
        return rearrange(self.to_latent(x), "(b t) c -> b t 1 c", b=len(frames))

    def encode_step(
        self, carry: StreamCarry | None, frames: UInt8[Tensor, "b t h w 3"]
    ) -> tuple[StreamCarry, Latents]:
        """Vectors of each frame; frames stand alone."""
        return StreamCarry(), Latents(self.features(frames), self.grid)

    def decode_step_unit(
        self, carry: StreamCarry | None, latents: Latents
    ) -> tuple[StreamCarry, Float[Tensor, "b t h w 3"]]:
        """What the decoder makes of vectors. Raises `ValueError` where there is none."""
        if self.decoder is None:
            raise ValueError("this tokenizer has no decoder; train one to look at its vectors")
        self.require_latents(latents)
        z = latents.tokens[:, :, 0].flatten(0, 1)
        image = self.decoder(z.to(self.to_latent.weight.dtype))
        return StreamCarry(), rearrange(image, "(b t) c h w -> b t h w c", b=len(latents.tokens))

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
            z = self.features(frames)[:, :, 0].flatten(0, 1)
        images = rearrange(to_unit(frames, z.dtype), "b t h w c -> (b t) c h w")
        return self.decoder.picture(self.decoder(z), images, weight.flatten(0, 1))

    @torch.no_grad()
    def settle(self, frames: UInt8[Tensor, "b t h w 3"]) -> None:
        """Scale untrained layers, one after the other, so that what each gives varies by 1 about 0
        over these frames (layer-sequential unit variance, Mishkin & Matas 2016, arXiv 1511.06422).

        In pictures of a plain ground with little on it, what differs is otherwise lost among what
        all have in common, and whole properties, such as how a thing is turned, are learned late.
        """
        self.require_frames(frames)
        x = to_unit(frames.flatten(0, 1), self.to_latent.weight.dtype)
        x = rearrange(x, "b h w c -> b c h w").contiguous(memory_format=_FAST)
        for layer in self.halve:
            assert isinstance(layer, nn.Conv2d)
            x = nn.functional.silu(_settled(layer, x))
        x = rearrange(x, "b c y x -> b (y x c)")
        x = nn.functional.silu(self.norm(_settled(self.sum_up, x)))
        _settled(self.to_latent, x)

    def measure_latents(self, frames: UInt8[Tensor, "b t h w 3"]) -> None:
        """Nothing to set: the scale of the vectors is part of what was learned."""
        self.require_frames(frames)


def _settled(layer: nn.Conv2d | nn.Linear, x: Tensor) -> Tensor:
    """What a layer gives once its weights and biases are scaled by what it is given."""
    assert layer.bias is not None
    out = layer(x)
    dims = (0, 2, 3) if out.dim() == 4 else (0,)
    # a channel varies about its mean at each place, since what stands still tells nothing
    spread = (out - out.mean(dim=0, keepdim=True)).square().mean(dim=dims).sqrt().clamp_min(1e-4)
    layer.weight /= spread.view(-1, *[1] * (layer.weight.dim() - 1))
    layer.bias.zero_()
    layer.bias -= layer(x).mean(dim=dims)
    return layer(x)


class _Decoder(nn.Module):
    """A vector to 4x4 cells, doubled until they are pixels."""

    def __init__(self, config: WholeTokenizer.Config, doublings: int) -> None:
        super().__init__()
        widths = [max(8, config.decoder_width >> i) for i in range(doublings)]
        self.enter = nn.Linear(config.channels, widths[0] * _LEAST**2)
        self.blocks = nn.ModuleList(ConvBlock(width) for width in widths)
        self.widen = nn.ModuleList(
            nn.Conv2d(before, 4 * after, 1)
            for before, after in zip(widths, [*widths[1:], 3], strict=True)
        )
        self.picture = PictureLoss(
            gradient_weight=0.5, perceptual_weight=0.0, adversarial_weight=0.0
        )

    @rowwise
    def forward(self, z: Float[Tensor, "b c"]) -> Float[Tensor, "b 3 h w"]:
        x = rearrange(self.enter(z), "b (c y x) -> b c y x", y=_LEAST, x=_LEAST)
        for block, widen in zip(self.blocks, self.widen, strict=True):
            x = unpack(widen(block(x.contiguous(memory_format=_FAST))), 2)
        return x
