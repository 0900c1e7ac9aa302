"""The network of the flow dynamics: fine convolutions around a coarse block-causal transformer.

Shape legend: B batch, T frames, N latent cells a frame, C channels a cell, M coarse tokens a frame
(N / 4) plus extra tokens, D width.
"""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from worldline.nn import (
    ConvBlock,
    FeedForward,
    KeyValue,
    SpatialAttention,
    TemporalAttention,
    embed_level,
    pack,
    unpack,
)

__all__ = ["FlowNetwork"]


class _Block(nn.Module):
    """Attention and feed-forward, each after layer normalisation (the fused kernel is fast)."""

    def __init__(self, width: int, heads: int, window: int, *, over_time: bool) -> None:
        super().__init__()
        self.over_time = over_time
        self.mix = (
            TemporalAttention(width, heads, window) if over_time else SpatialAttention(width, heads)
        )
        self.think = FeedForward(width)
        self.before_mix = nn.LayerNorm(width, bias=False)
        self.before_think = nn.LayerNorm(width, bias=False)

    def forward(
        self, x: Tensor, start: int, past: KeyValue | None
    ) -> tuple[Tensor, KeyValue | None]:
        normed = self.before_mix(x)
        fresh = None
        if isinstance(self.mix, TemporalAttention):
            mixed, fresh = self.mix(normed, start=start, past=past)
        else:
            mixed = self.mix(normed)
        x = x + mixed
        return x + self.think(self.before_think(x)), fresh


class FlowNetwork(nn.Module):
    """Predicts the clean frame from the noised one, the frame before and its change.

    Convolutions at full latent resolution read and write what moves locally (shift-equivariant,
    few samples needed); a transformer on 2x2-packed tokens, with extra tokens for noise level,
    action and free registers, carries what is far away in space or time.
    """

    def __init__(
        self,
        *,
        channels: int,
        rows: int,
        stem_width: int,
        width: int,
        depth: int,
        heads: int,
        registers: int,
        window: int,
        action_size: int,
    ) -> None:
        super().__init__()
        self.rows, self.width = rows, width
        num_coarse = (rows // 2) ** 2
        self.enter = nn.Conv2d(3 * channels, stem_width, 3, padding=1)
        self.read = ConvBlock(stem_width)
        self.inward = nn.Linear(4 * stem_width, width)
        self.place = nn.Parameter(0.02 * torch.randn(num_coarse, width))
        self.registers = nn.Parameter(0.02 * torch.randn(registers, width))
        self.level = nn.Sequential(nn.Linear(64, width), nn.SiLU(), nn.Linear(width, width))
        self.action = nn.Linear(action_size, width) if action_size else None
        self.no_action = nn.Parameter(torch.zeros(width))
        self.blocks = nn.ModuleList(
            _Block(width, heads, window, over_time=i % 3 == 2) for i in range(depth)
        )
        self.final_norm = nn.LayerNorm(width, bias=False)
        self.outward = nn.Linear(width, 4 * stem_width)
        self.write = ConvBlock(stem_width)
        self.leave = nn.Conv2d(stem_width, channels, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)

    def forward(
        self,
        noised: Float[Tensor, "b t n c"],
        before: Float[Tensor, "b t n c"],
        change: Float[Tensor, "b t n c"],
        level: Float[Tensor, "b t"],
        actions: Float[Tensor, "b t a"] | None,
        *,
        start: int = 0,
        past: tuple[KeyValue, ...] | None = None,
    ) -> tuple[Float[Tensor, "b t n c"], tuple[KeyValue, ...]]:
        """Clean frames, and keys and values of every temporal layer for these frames."""
        batch, num_frames = noised.shape[:2]
        dtype = self.place.dtype
        stacked = torch.cat([noised, before, change], dim=-1).to(dtype)
        cells = rearrange(stacked, "b t (y x) c -> (b t) c y x", y=self.rows)
        cells = self.read(self.enter(cells.contiguous(memory_format=torch.channels_last)))
        coarse = rearrange(pack(cells, 2), "(b t) c y x -> b t (y x) c", b=batch)
        tokens = self.inward(coarse) + self.place
        tokens = torch.cat([tokens, self._extra(level.to(dtype), actions)], dim=2)
        fresh: list[KeyValue] = []
        for block in self.blocks:
            assert isinstance(block, _Block)
            cached = past[len(fresh)] if past is not None and block.over_time else None
            tokens, own = block(tokens, start, cached)
            if own is not None:
                fresh.append(own)
        tokens = tokens[:, :, : coarse.shape[2]]
        tokens = self.outward(self.final_norm(tokens))
        spread = rearrange(tokens, "b t (y x) c -> (b t) c y x", y=self.rows // 2)
        cells = self.leave(self.write(cells + unpack(spread, 2)))
        residual = rearrange(cells, "(b t) c y x -> b t (y x) c", b=batch, t=num_frames)
        return before + residual.to(before.dtype), tuple(fresh)

    def _extra(self, level: Tensor, actions: Tensor | None) -> Tensor:
        """Register tokens and one token for noise level and action: `[B, T, R + 1, D]`."""
        batch, num_frames = level.shape
        state = self.level(embed_level(level, 64))
        if self.action is not None and actions is not None:
            state = state + self.action(actions.to(state.dtype))
        else:
            state = state + self.no_action
        registers = self.registers.expand(batch, num_frames, -1, -1)
        return torch.cat([registers, state[:, :, None]], dim=2)
