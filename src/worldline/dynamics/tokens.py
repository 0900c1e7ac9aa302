"""The network of the autoregressive dynamics: the digits of each cell from what is known so far.

Shape legend: B batch, T frames, N cells a frame, d digits a cell, V sum of their levels, D width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from worldline.core.latents import Controls
from worldline.dynamics.controls import ControlEncoder
from worldline.dynamics.network import NetworkConfig
from worldline.nn import FSQ, Backbone, ConvBlock, KeyValue
from worldline.scale import rowwise

__all__ = ["TokenNetwork"]

_COPYING = 2.0
"""Logit that an untrained network takes off for each level away from the frame before."""


class TokenNetwork(nn.Module):
    """Logits of every digit of every cell, in either of two orders.

    All at once: each cell looks at all cells of its frame that are known. In order: each cell looks
    at the cells before it only, so that their likelihoods multiply. The frames before are read by
    convolutions at full latent resolution; the digits of a cell are independent given what is
    known. Logits fall off with the distance to the digit of the frame before, so that an untrained
    network copies.

    Args:
        shape: sizes, and which controls there are.
        levels: of the digits, as in `FSQ`.
    """

    def __init__(self, shape: NetworkConfig, *, levels: tuple[int, ...]) -> None:
        super().__init__()
        size = len(levels)
        rows, stem_width, width = shape.rows, shape.stem_width, shape.width
        self.rows, self.levels = rows, levels
        self.quantiser = FSQ(levels)
        self.enter = nn.Conv2d(2 * size, stem_width, 3, padding=1)
        self.read = ConvBlock(stem_width)
        self.inward = nn.Linear(stem_width, width)
        self.own = nn.Linear(size, width)
        self.unknown = nn.Parameter(0.02 * torch.randn(width))
        self.order = nn.Parameter(0.02 * torch.randn(2, width))
        self.place = nn.Parameter(0.02 * torch.randn(rows * rows, width))
        self.registers = nn.Parameter(0.02 * torch.randn(shape.registers, width))
        controls = shape.controls
        self.controls = ControlEncoder(controls, width, stem_width) if controls.any else None
        self.blocks = Backbone(
            width=width, depth=shape.depth, heads=shape.heads, window=shape.window
        )
        self.final_norm = nn.LayerNorm(width, bias=False)
        self.head = nn.Linear(width, sum(levels))
        self.copying = nn.Parameter(torch.full((size,), _COPYING))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(
        self,
        own: Float[Tensor, "b t n d"],
        known: Bool[Tensor, "b t n"],
        before: Float[Tensor, "b t n d"],
        change: Float[Tensor, "b t n d"],
        controls: Controls,
        *,
        in_order: bool,
        start: int = 0,
        past: tuple[KeyValue, ...] | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "b t n v"], tuple[KeyValue, ...]]:
        """Logits, and keys and values of every block over time for these frames.

        Args:
            own: values of the cells themselves, read only where known.
            known: which cells are known.
            before, change: the frame before each and how that one had changed.
            controls: what drives these frames.
            in_order: each cell sees only the known cells before it.
            start, past: see `Backbone`.
            generator: see `ControlEncoder`.
        """
        driven = None
        if self.controls is not None:
            driven = self.controls(controls, (own.shape[0], own.shape[1]), generator=generator)
        return self._pass(own, known, before, change, driven, in_order, start, past)

    @rowwise(only=0)
    def _pass(
        self,
        own: Float[Tensor, "b t n d"],
        known: Bool[Tensor, "b t n"],
        before: Float[Tensor, "b t n d"],
        change: Float[Tensor, "b t n d"],
        driven: tuple[Tensor, Tensor | None, Tensor | None] | None,
        in_order: bool,
        start: int,
        past: tuple[KeyValue, ...] | None,
    ) -> tuple[Float[Tensor, "b t n v"], tuple[KeyValue, ...]]:
        """What follows once chance has dropped controls; see `LatentNetwork`."""
        batch, num_frames = own.shape[:2]
        dtype = self.place.dtype
        stacked = torch.cat([before, change], dim=-1).to(dtype)
        cells = rearrange(stacked, "b t (y x) c -> (b t) c y x", y=self.rows)
        cells = self.enter(cells.contiguous(memory_format=torch.channels_last))
        state, placed, near = (None, None, None) if driven is None else driven
        if near is not None:
            cells = cells + rearrange(near, "b t (y x) c -> (b t) c y x", y=self.rows)
        cells = self.read(cells)
        seen = self.inward(rearrange(cells, "(b t) c y x -> b t (y x) c", b=batch))
        mine = torch.where(known[..., None], self.own(own.to(dtype)), self.unknown)
        if in_order:
            first = self.unknown.expand(batch, num_frames, 1, -1)
            mine = torch.cat([first, mine[:, :, :-1]], dim=2)
        tokens = seen + mine + self.place + self.order[int(in_order)]
        extra = self.registers.expand(batch, num_frames, -1, -1)
        if state is not None:
            extra = torch.cat([extra, state[:, :, None]], dim=2)
            if placed is not None:
                tokens = tokens + _spread(placed, self.rows)
        num_extra = extra.shape[2]
        tokens = torch.cat([extra, tokens], dim=2)
        tokens, fresh = self.blocks(tokens, start=start, past=past, in_order=in_order)
        logits = self.head(self.final_norm(tokens[:, :, num_extra:])).float()
        return logits + self._prior(before), fresh

    def split(self, logits: Float[Tensor, "*b v"]) -> tuple[Tensor, ...]:
        """Logits of each digit, `[..., L_i]`."""
        return logits.split(self.levels, dim=-1)

    def likelihood(
        self, logits: Float[Tensor, "*b v"], digits: Int[Tensor, "*b d"]
    ) -> Float[Tensor, "*b"]:
        """Log-probability (natural) of each cell's digits together."""
        parts = [
            F.log_softmax(part, dim=-1).gather(-1, digits[..., i : i + 1])[..., 0]
            for i, part in enumerate(self.split(logits))
        ]
        return torch.stack(parts).sum(dim=0)

    def _prior(self, before: Tensor) -> Tensor:
        digits = self.quantiser.digits(before)
        parts = [
            -F.softplus(self.copying[i].float())
            * (torch.arange(level, device=before.device) - digits[..., i : i + 1]).abs()
            for i, level in enumerate(self.levels)
        ]
        return torch.cat(parts, dim=-1)


def _spread(coarse: Float[Tensor, "b t m d"], rows: int) -> Float[Tensor, "b t n d"]:
    """Each coarse cell's vector to the 2x2 cells in it; a single one stands for all cells."""
    if coarse.shape[2] == 1:
        return coarse.expand(-1, -1, rows**2, -1)
    grid = rearrange(coarse, "b t (y x) d -> b t y x d", y=rows // 2)
    fine = grid.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    return rearrange(fine, "b t y x d -> b t (y x) d")
