"""The transformer that all families of dynamics share: within frames, and causally over time."""

from __future__ import annotations

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from worldline.nn.attention import KeyValue, SpatialAttention, TemporalAttention
from worldline.nn.layers import FeedForward

__all__ = ["Backbone"]


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
        self,
        x: Tensor,
        start: int | Tensor,
        past: KeyValue | None,
        visible: Tensor | None,
        in_order: bool,
    ) -> tuple[Tensor, KeyValue | None]:
        normed = self.before_mix(x)
        fresh = None
        if isinstance(self.mix, TemporalAttention):
            mixed, fresh = self.mix(normed, start=start, past=past, visible=visible)
        else:
            mixed = self.mix(normed, visible=visible, in_order=in_order)
        x = x + mixed
        return x + self.think(self.before_think(x)), fresh


class Backbone(nn.ModuleList):
    """Block-causal transformer over the tokens of a clip, every third block looking over time.

    Attention over a frame and attention over time take turns (Bertasius et al. 2021, "divided
    space-time"), so that cost grows with N^2 + T^2 and not with (N T)^2, and the cache holds only
    the blocks that look over time.

    Shape legend: B batch, T frames, N tokens a frame, D width.
    """

    def __init__(
        self, *, width: int, depth: int, heads: int, window: int, temporal_every: int = 3
    ) -> None:
        super().__init__(
            _Block(width, heads, window, over_time=(i + 1) % temporal_every == 0)
            for i in range(depth)
        )

    def forward(
        self,
        x_BTND: Float[Tensor, "b t n d"],
        *,
        start: int | Int[Tensor, ""] = 0,
        past: tuple[KeyValue, ...] | None = None,
        visible: Bool[Tensor, "b t n"] | None = None,
        in_order: bool = False,
    ) -> tuple[Float[Tensor, "b t n d"], tuple[KeyValue, ...]]:
        """Tokens after all blocks, and keys and values of the blocks over time for these frames.

        Args:
            x_BTND: tokens of T consecutive frames.
            start: number of the first of them, counted from the first frame of the cache's life.
            past: keys and values of the frames before, one entry per block over time.
            visible: tokens that others may look at; see `SpatialAttention`.
            in_order: within a frame, tokens see only those before them.
        """
        fresh: list[KeyValue] = []
        for block in self:
            assert isinstance(block, _Block)
            cached = past[len(fresh)] if past is not None and block.over_time else None
            x_BTND, own = block(x_BTND, start, cached, visible, in_order)
            if own is not None:
                fresh.append(own)
        return x_BTND, tuple(fresh)
