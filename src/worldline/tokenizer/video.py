"""Video tokenizer, causal in time: 4 or 8 frames and 8x8 or 16x16 pixels to one latent cell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.nn import FSQ, CausalMix, ConvBlock, pack, unpack
from worldline.scale import rowwise
from worldline.tokenizer.base import StreamCarry, Tokenizer, to_unit
from worldline.tokenizer.cosine import start_as_cosines
from worldline.tokenizer.losses import PictureLoss

__all__ = ["VideoTokenizer"]

_PATCH_PX = 4


class VideoTokenizer(Tokenizer):
    """Causal convolutional autoencoder of clips, 4x8x8 by default, real numbers or codes.

    The compression and causality of NVIDIA's Cosmos tokenizer (2025, arXiv 2501.03575, section 4)
    in another design, made for matrix products on a CPU. All frames of a step are packed into
    channels together with 4x4 pixels right at the entrance, so that no convolution runs on single
    frames or fine grids, and there is no normalisation layer. Motion inside a step is seen by the
    convolutions as difference between channels, motion across steps by `CausalMix` at the coarse
    grid: each cell there sees its own last three steps. Those two past steps of each mixing layer
    are the carry of a stream, so a later frame never changes an earlier latent or frame.

    The first frame is the first step. It is encoded as `time_stride` copies of itself (MAGVIT-v2,
    Yu et al. 2023, arXiv 2310.05737, pads with such copies too), and of the `time_stride` frames
    that the first step decodes to only the last is kept. Features before the first step are zero.

    With `levels` the latents are quantised values and have `codes`; without, they are real numbers,
    trained with noise and normalised, as in `ContinuousTokenizer`.

    Attributes:
        quantiser: gives values, level numbers and codes; None without `levels`.
    """

    @register("tokenizer/video", version=2, upgrades={1: {"patch_kernel": 3}})
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes and loss weights.

        Attributes:
            size_px: side of the square input, a multiple of `space_stride`.
            channels: numbers per latent cell; with `levels` there are as many as levels instead.
            time_stride: frames per latent step after the first, 4 or 8.
            space_stride: pixels per latent cell on each side, 8 or 16.
            levels: how many values each number of a latent cell can take; none for real numbers.
            patch_kernel: side of the convolutions that pack and unpack patches, 1 or 3. They take
                most of the time with 3, and the blocks beside them see around anyway.
            fine_width, coarse_width: channels at 1/4 resolution and at that of the latents.
            fine_depth, coarse_depth: residual blocks at each, in the encoder and in the decoder;
                each coarse one is followed by a mixing over time.
            latent_noise: standard deviation of the noise on real latents in training.
            latent_penalty: weight of their mean square.
            gradient_weight: weight of the loss on image gradients at three scales.
            perceptual_weight, adversarial_weight: of the optional terms of `PictureLoss`.
        """

        size_px: int = 64
        channels: int = 16
        time_stride: int = 4
        space_stride: int = 8
        levels: tuple[int, ...] = ()
        patch_kernel: int = 1
        fine_width: int = 48
        coarse_width: int = 96
        fine_depth: int = 1
        coarse_depth: int = 2
        latent_noise: float = 0.1
        latent_penalty: float = 1e-3
        gradient_weight: float = 0.5
        perceptual_weight: float = 0.0
        adversarial_weight: float = 0.0

        def build(self) -> VideoTokenizer:
            """Make the untrained tokenizer."""
            return VideoTokenizer(self)

    def __init__(self, config: VideoTokenizer.Config) -> None:
        super().__init__()
        if config.time_stride not in (4, 8):
            raise ValueError(f"time_stride {config.time_stride} must be 4 or 8")
        if config.patch_kernel not in (1, 3):
            raise ValueError(f"patch_kernel {config.patch_kernel} must be 1 or 3")
        if config.space_stride not in (8, 16):
            raise ValueError(f"space_stride {config.space_stride} must be 8 or 16")
        if config.size_px < config.space_stride or config.size_px % config.space_stride:
            raise ValueError(
                f"size_px {config.size_px} must be a multiple of space_stride {config.space_stride}"
            )
        self.config = config
        self.size_px = config.size_px
        side = config.size_px // config.space_stride
        self.grid = (side, side)
        self.channels = len(config.levels) or config.channels
        self.time_stride = config.time_stride
        self.can_decode = True
        self.block = config.space_stride // _PATCH_PX
        self.quantiser = FSQ(config.levels) if config.levels else None
        fine, coarse, packed = config.fine_width, config.coarse_width, self.block**2
        patch = 3 * _PATCH_PX**2 * config.time_stride
        kernel, around = config.patch_kernel, config.patch_kernel // 2
        self.enter = nn.Conv2d(patch, fine, kernel, padding=around)
        self.encode_fine = nn.Sequential(*(ConvBlock(fine) for _ in range(config.fine_depth)))
        self.narrow = nn.Conv2d(packed * fine, coarse, 1)
        self.encode_coarse = _Coarse(coarse, config.coarse_depth)
        self.to_latent = nn.Conv2d(coarse, self.channels, 1)
        self.from_latent = nn.Conv2d(self.channels, coarse, 3, padding=1)
        self.decode_coarse = _Coarse(coarse, config.coarse_depth)
        self.widen = nn.Conv2d(coarse, packed * fine, 1)
        self.decode_fine = nn.Sequential(*(ConvBlock(fine) for _ in range(config.fine_depth)))
        self.leave = nn.Conv2d(fine, patch, kernel, padding=around)
        start_as_cosines(
            (self.enter, self.narrow, self.to_latent),
            (self.from_latent, self.widen, self.leave),
            num_frames=config.time_stride,
            side=_PATCH_PX,
            block=self.block,
        )
        self.picture = PictureLoss(
            gradient_weight=config.gradient_weight,
            perceptual_weight=config.perceptual_weight,
            adversarial_weight=config.adversarial_weight,
        )
        self.register_buffer("latent_mean", torch.zeros(self.channels))
        self.register_buffer("latent_std", torch.ones(self.channels))
        self.latent_mean: Tensor
        self.latent_std: Tensor

    @rowwise(only=1)
    def to_cells(
        self, carry: StreamCarry | None, frames: UInt8[Tensor, "b t h w 3"]
    ) -> tuple[StreamCarry, Float[Tensor, "b s y x c"]]:
        """Raw (not yet quantised or normalised) latent cells of the next frames of a stream.

        Raises:
            ValueError: frames of another size, or a T that does not make whole steps.
        """
        self.require_frames(frames, opening=carry is None)
        unit = to_unit(frames, self.to_latent.weight.dtype)
        if carry is None:
            copies = unit[:, :1].expand(-1, self.time_stride - 1, -1, -1, -1)
            unit = torch.cat([copies, unit], dim=1)
        x = rearrange(
            unit,
            "b (t s) (y p) (x q) c -> (b t) (s p q c) y x",
            s=self.time_stride,
            p=_PATCH_PX,
            q=_PATCH_PX,
        )
        fine = self.encode_fine(self.enter(_fast(x)))
        coarse = self.narrow(_fast(pack(fine, self.block)))
        coarse, after = self.encode_coarse(coarse, len(frames), carry)
        z = self.to_latent(coarse)
        return after, rearrange(z, "(b t) c y x -> b t y x c", b=len(frames))

    @rowwise(only=1)
    def from_cells(
        self, carry: StreamCarry | None, cells: Float[Tensor, "b s y x c"]
    ) -> tuple[StreamCarry, Float[Tensor, "b t h w 3"]]:
        """Frames in about [-1, 1] of the next raw (or quantised) latent cells of a stream."""
        x = self.from_latent(_fast(rearrange(cells, "b t y x c -> (b t) c y x")))
        coarse, after = self.decode_coarse(x, len(cells), carry)
        fine = self.decode_fine(_fast(unpack(self.widen(coarse), self.block)))
        frames = rearrange(
            self.leave(fine),
            "(b t) (s p q c) y x -> b (t s) (y p) (x q) c",
            b=len(cells),
            s=self.time_stride,
            p=_PATCH_PX,
            q=_PATCH_PX,
        )
        return after, frames[:, self.time_stride - 1 :] if carry is None else frames

    def encode_step(
        self, carry: StreamCarry | None, frames: UInt8[Tensor, "b t h w 3"]
    ) -> tuple[StreamCarry, Latents]:
        """Tokens `[B, S, N, C]` of the S steps that the next frames of a stream make."""
        after, z = self.to_cells(carry, frames)
        if self.quantiser is None:
            z = (z - self.latent_mean) / self.latent_std
        else:
            z = self.quantiser(z)
        return after, Latents(rearrange(z, "b t y x c -> b t (y x) c"), self.grid)

    def decode_step_unit(
        self, carry: StreamCarry | None, latents: Latents
    ) -> tuple[StreamCarry, Float[Tensor, "b t h w 3"]]:
        """Frames in about [-1, 1], not rounded, of the next latent steps of a stream."""
        self.require_latents(latents)
        z = rearrange(latents.tokens, "b t (y x) c -> b t y x c", y=self.grid[0])
        z = z.to(self.to_latent.weight.dtype)
        if self.quantiser is None:
            z = z * self.latent_std + self.latent_mean
        return self.from_cells(carry, z)

    def codes(self, latents: Latents) -> Int[Tensor, "b t n"]:
        """One number per token, 0 .. `quantiser.num_codes` - 1.

        Raises:
            ValueError: the tokenizer has no levels, or latents of another grid or channels.
        """
        self.require_latents(latents)
        quantiser = self._require_levels()
        return quantiser.index(quantiser.digits(latents.tokens))

    def from_codes(self, codes: Int[Tensor, "b t n"]) -> Latents:
        """Latents (float32) of codes, the inverse of `codes`.

        Raises:
            ValueError: the tokenizer has no levels, or a code is not one of `quantiser`'s.
        """
        quantiser = self._require_levels()
        return Latents(quantiser.values(quantiser.from_index(codes)), self.grid)

    def loss(
        self,
        frames: UInt8[Tensor, "b t h w 3"],
        weight: Float[Tensor, "b t h w"],
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Losses of the frames; for real latents plus the penalty on their size."""
        _, z = self.to_cells(None, frames)
        if self.quantiser is None:
            noise = torch.randn(z.shape, generator=generator, device=z.device, dtype=torch.float32)
            cells = z + self.config.latent_noise * noise.to(z.dtype)
        else:
            cells = self.quantiser(z)
        _, image = self.from_cells(None, cells)
        truth = to_unit(frames, z.dtype)
        losses = self.picture(_images(image), _images(truth), weight.flatten(0, 1))
        if self.quantiser is not None:
            return losses
        size = z.float().square().mean()
        total = losses.pop("total") + self.config.latent_penalty * size
        return {"total": total, **losses, "latent_size": size}

    @torch.no_grad()
    def measure_latents(self, frames: UInt8[Tensor, "b t h w 3"]) -> None:
        """Set the normalisation of real latents from sample clips, once, after training."""
        _, z = self.to_cells(None, frames)
        if self.quantiser is None:
            self.latent_mean.copy_(z.float().mean(dim=(0, 1, 2, 3)))
            self.latent_std.copy_(z.float().std(dim=(0, 1, 2, 3)).clamp_min(1e-3))

    def _require_levels(self) -> FSQ:
        if self.quantiser is None:
            raise ValueError("this tokenizer has real latents; configure it with levels for codes")
        return self.quantiser


class _Coarse(nn.Module):
    """Convolutions over space and mixings over time in turn."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.space = nn.ModuleList(ConvBlock(channels) for _ in range(depth))
        self.time = nn.ModuleList(CausalMix(channels) for _ in range(depth))

    def forward(
        self, x: Float[Tensor, "bt c y x"], batch: int, carry: StreamCarry | None
    ) -> tuple[Float[Tensor, "bt c y x"], StreamCarry]:
        """All steps of `batch` clips, clip after clip."""
        pasts: Iterable[Tensor | None] = [None] * len(self.time) if carry is None else carry.past
        after = []
        for space, time, past in zip(self.space, self.time, pasts, strict=True):
            mixed, kept = time(space(_fast(x)).unflatten(0, (batch, -1)), past)
            x = mixed.flatten(0, 1)
            after.append(kept)
        return x, StreamCarry(tuple(after))


def _images(frames: Float[Tensor, "b t h w 3"]) -> Float[Tensor, "bt 3 h w"]:
    return rearrange(frames, "b t h w c -> (b t) c h w")


def _fast(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)
