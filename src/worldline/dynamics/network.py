"""The network that the families share: fine convolutions around the block-causal transformer.

Shape legend: B batch, T frames, N latent cells a frame, C channels a cell, M coarse tokens a frame
(N / 4) plus extra tokens, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from worldline.core.config import Config
from worldline.core.latents import Controls
from worldline.dynamics.controls import ControlEncoder
from worldline.nn import Backbone, ConvBlock, KeyValue, embed_level, pack, unpack
from worldline.scale import rowwise

__all__ = ["LatentNetwork", "NetworkConfig"]


@dataclass(frozen=True)
class NetworkConfig(Config):
    """What the networks of all families have in common; their configs add what is their own.

    Attributes:
        rows: latent cells per side (square grids).
        stem_width: channels of the convolutions at full latent resolution.
        width, depth, heads: transformer; every third block looks over time.
        registers: learned extra tokens per frame.
        window: frames that attention and cache reach back.
        controls: what drives the world.
    """

    rows: int = 8
    stem_width: int = 128
    width: int = 256
    depth: int = 9
    heads: int = 4
    registers: int = 1
    window: int = 32
    controls: ControlEncoder.Config = ControlEncoder.Config()


class LatentNetwork(nn.Module):
    """Reads grids of cells and writes grids of cells, one per frame, seeing no later frame.

    Convolutions at full latent resolution read and write what moves locally (shift-equivariant,
    few samples needed); a transformer on 2x2-packed tokens, with extra tokens for scalars,
    controls and free registers, carries what is far away in space or time. An untrained network
    writes zeros.

    Args:
        shape: sizes, and which controls there are.
        in_channels, out_channels: numbers per cell that come in and go out.
        has_level: a noise level per frame is given.
        has_step: the size of a denoising step is given.
        coarse: latent cells along the side of a token of the transformer.
    """

    def __init__(
        self,
        shape: NetworkConfig,
        *,
        in_channels: int,
        out_channels: int,
        has_level: bool = False,
        has_step: bool = False,
        coarse: int = 2,
    ) -> None:
        super().__init__()
        rows, stem_width, width = shape.rows, shape.stem_width, shape.width
        self.rows, self.width = rows, width
        self.coarse = coarse
        num_coarse = (rows // coarse) ** 2
        self.enter = nn.Conv2d(in_channels, stem_width, 3, padding=1)
        self.read = ConvBlock(stem_width)
        self.inward = nn.Linear(coarse**2 * stem_width, width)
        self.place = nn.Parameter(0.02 * torch.randn(num_coarse, width))
        self.registers = nn.Parameter(0.02 * torch.randn(shape.registers, width))
        self.level = _scalar_embedding(width) if has_level else None
        self.step_size = _scalar_embedding(width) if has_step else None
        controls = shape.controls
        self.controls = ControlEncoder(controls, width, stem_width) if controls.any else None
        self.no_action = None if controls.any else nn.Parameter(torch.zeros(width))
        self.blocks = Backbone(
            width=width, depth=shape.depth, heads=shape.heads, window=shape.window
        )
        self.final_norm = nn.LayerNorm(width, bias=False)
        self.outward = nn.Linear(width, coarse**2 * stem_width)
        self.write = ConvBlock(stem_width)
        self.leave = nn.Conv2d(stem_width, out_channels, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)

    def forward(
        self,
        x_BTNC: Float[Tensor, "b t n c"],
        controls: Controls,
        *,
        level: Float[Tensor, "b t"] | None = None,
        step: Float[Tensor, "b t"] | None = None,
        start: int | Int[Tensor, ""] = 0,
        past: tuple[KeyValue, ...] | None = None,
        generator: torch.Generator | None = None,
        dropped: Bool[Tensor, " b"] | None = None,
    ) -> tuple[Float[Tensor, "b t n o"], tuple[KeyValue, ...]]:
        """Cells out, and keys and values of every block over time for these frames.

        Args:
            x_BTNC: cells in.
            controls: what drives these frames.
            level, step: noise level and step size of each frame, if the network takes them.
            start, past: see `Backbone`.
            generator, dropped: see `ControlEncoder`.
        """
        driven = None
        if self.controls is not None:
            shape = x_BTNC.shape[0], x_BTNC.shape[1]
            driven = self.controls(controls, shape, generator=generator, dropped=dropped)
        return self._pass(x_BTNC, driven, level, step, start, past)

    @rowwise(only=0)
    def _pass(
        self,
        x_BTNC: Float[Tensor, "b t n c"],
        driven: tuple[Tensor, Tensor | None, Tensor | None] | None,
        level: Float[Tensor, "b t"] | None,
        step: Float[Tensor, "b t"] | None,
        start: int | Int[Tensor, ""],
        past: tuple[KeyValue, ...] | None,
    ) -> tuple[Float[Tensor, "b t n o"], tuple[KeyValue, ...]]:
        """What follows once chance has dropped controls: `driven` is what the encoder made of them,
        per frame, per coarse cell and per cell."""
        batch, num_frames = x_BTNC.shape[:2]
        dtype = self.place.dtype
        cells = rearrange(x_BTNC.to(dtype), "b t (y x) c -> (b t) c y x", y=self.rows)
        cells = self.enter(cells.contiguous(memory_format=torch.channels_last))
        state, placed, near = self._undriven(batch, num_frames) if driven is None else driven
        if near is not None:
            cells = cells + rearrange(near, "b t (y x) c -> (b t) c y x", y=self.rows)
        cells = self.read(cells)
        coarse = rearrange(pack(cells, self.coarse), "(b t) c y x -> b t (y x) c", b=batch)
        tokens = self.inward(coarse) + self.place
        for value, embed in ((level, self.level), (step, self.step_size)):
            if embed is not None:
                assert value is not None
                state = state + embed(embed_level(value.to(dtype), 64))
        if placed is not None:
            tokens = tokens + placed
        registers = self.registers.expand(batch, num_frames, -1, -1)
        tokens = torch.cat([tokens, registers, state[:, :, None]], dim=2)
        tokens, fresh = self.blocks(tokens, start=start, past=past)
        tokens = tokens[:, :, : coarse.shape[2]]
        tokens = self.outward(self.final_norm(tokens))
        spread = rearrange(tokens, "b t (y x) c -> (b t) c y x", y=self.rows // self.coarse)
        cells = self.leave(self.write(cells + unpack(spread, self.coarse)))
        return rearrange(cells, "(b t) c y x -> b t (y x) c", b=batch, t=num_frames), fresh

    def _undriven(self, batch: int, num_frames: int) -> tuple[Tensor, None, None]:
        assert self.no_action is not None
        return self.no_action.expand(batch, num_frames, -1), None, None


def _scalar_embedding(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(64, width), nn.SiLU(), nn.Linear(width, width))
