"""Attention over the tokens of one frame, and causal attention over time with a sliding cache.

Shape legend: B batch, T frames, N tokens a frame, D width, H heads, E = D / H, S cached frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

__all__ = ["KeyValue", "SpatialAttention", "TemporalAttention", "attend", "rotate"]


def attend(
    query: Float[Tensor, "b h l e"],
    key: Float[Tensor, "b h s e"],
    value: Float[Tensor, "b h s e"],
    allowed: Bool[Tensor, "*_ l s"] | None = None,
) -> Float[Tensor, "b h l e"]:
    """Scaled dot-product attention (Vaswani et al. 2017, eq. 1) for short sequences.

    Written out on a CPU, because the fused kernel's backward pass takes several times as long in
    bfloat16 at the few dozen tokens used here. In float32 it is the faster one (by 20 to 47 % of
    the forward and backward passes), so that trainings take it; so do other devices.
    """
    trained = query.requires_grad and query.dtype == torch.float32
    if trained or query.device.type != "cpu":
        return F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
    score = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if allowed is not None:
        score = score.masked_fill(~allowed, float("-inf"))
    return score.softmax(dim=-1) @ value


def rotate(x: Float[Tensor, "*b t e"], position: Int[Tensor, " t"]) -> Float[Tensor, "*b t e"]:
    """Rotary position embedding (Su et al. 2021, RoFormer, eq. 34) along the axis before the last.

    Args:
        x: `[..., T, E]`, E even.
        position: `[T]` absolute frame numbers; only their differences matter to attention.
    """
    half = x.shape[-1] // 2
    frequency = 100.0 ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angle = position.to(torch.float32)[:, None] * frequency
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


@dataclass(frozen=True, eq=False)
class KeyValue:
    """Cached keys (already rotated) and values of past frames, each `[B * N, H, S, E]`."""

    key: Float[Tensor, "bn h s e"]
    value: Float[Tensor, "bn h s e"]

    def append(self, other: KeyValue, window: int, sink: int = 0) -> KeyValue:
        """Add newer frames and keep the last `window` of them.

        The first `sink` frames stay instead of as many others. Their keys are turned on by as many
        places as frames are dropped, so that they stay just before the others: attention never
        meets a distance that it did not learn (Xiao et al. 2024, arXiv 2309.17453, section 3.2).
        """
        key = torch.cat([self.key, other.key], dim=2)
        value = torch.cat([self.value, other.value], dim=2)
        dropped = key.shape[2] - window
        if dropped <= 0 or sink == 0:
            return KeyValue(key[:, :, -window:], value[:, :, -window:])
        assert sink < window
        places = torch.full((sink,), dropped, device=key.device)
        first = rotate(key[:, :, :sink], places)
        recent = slice(sink + dropped, None)
        return KeyValue(
            torch.cat([first, key[:, :, recent]], dim=2),
            torch.cat([value[:, :, :sink], value[:, :, recent]], dim=2),
        )


class _Projections(nn.Module):
    """Query, key, value and output projections."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if heads < 1 or width % heads or (width // heads) % 2:
            raise ValueError(f"width {width} must split into {heads} heads of even size")
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        nn.init.zeros_(self.out.weight)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values `[..., H, L, E]` of tokens `[..., L, D]`."""
        query, key, value = rearrange(
            self.qkv(x), "... l (three h e) -> three ... h l e", three=3, h=self.heads
        )
        return query, key, value

    def merge(self, x: Tensor) -> Tensor:
        """Heads `[..., H, L, E]` back to tokens `[..., L, D]`."""
        return self.out(rearrange(x, "... h l e -> ... l (h e)"))


class SpatialAttention(nn.Module):
    """Every token of a frame looks at all tokens of that frame."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.project = _Projections(width, heads)

    def forward(
        self,
        x_BTND: Float[Tensor, "b t n d"],
        *,
        visible: Bool[Tensor, "b t n"] | None = None,
        in_order: bool = False,
    ) -> Float[Tensor, "b t n d"]:
        """Attend within frames.

        Args:
            x_BTND: tokens.
            visible: tokens that others may look at (each always sees itself), so that the visible
                ones come out as if the others were not there.
            in_order: a token sees only those before it in its frame, and itself.
        """
        batch, num_frames, num_tokens, _ = x_BTND.shape
        query, key, value = self.project.split(rearrange(x_BTND, "b t n d -> (b t) n d"))
        allowed = None
        if visible is not None or in_order:
            allowed = torch.ones(num_tokens, num_tokens, dtype=torch.bool, device=x_BTND.device)
            allowed = allowed.tril()[None, None] if in_order else allowed[None, None]
            if visible is not None:
                itself = torch.eye(num_tokens, dtype=torch.bool, device=x_BTND.device)
                seen = visible.reshape(batch * num_frames, 1, 1, num_tokens)
                allowed = allowed & (seen | itself)
        mixed = self.project.merge(attend(query, key, value, allowed))
        return rearrange(mixed, "(b t) n d -> b t n d", b=batch)


class TemporalAttention(nn.Module):
    """Every token looks at the tokens of its own place in this and earlier frames."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.project = _Projections(width, heads)
        self.window = window

    def forward(
        self,
        x_BTND: Float[Tensor, "b t n d"],
        *,
        start: int | Int[Tensor, ""] = 0,
        past: KeyValue | None = None,
        visible: Bool[Tensor, "b t n"] | None = None,
    ) -> tuple[Float[Tensor, "b t n d"], KeyValue]:
        """Attend causally over time.

        Args:
            x_BTND: tokens of T consecutive frames.
            start: number of the first of them, counted from the first frame of the cache's life.
            past: keys and values of the frames before, or None.
            visible: tokens that others may look at, as in `SpatialAttention`; not with a past.

        Returns:
            mixed tokens, and the keys and values of these T frames (without the past).
        """
        batch, num_frames, num_tokens, _ = x_BTND.shape
        query, key, value = self.project.split(rearrange(x_BTND, "b t n d -> (b n) t d"))
        position = start + torch.arange(num_frames, device=x_BTND.device)
        query, key = rotate(query, position), rotate(key, position)
        fresh = KeyValue(key, value)
        num_past = 0
        if past is not None:
            num_past = past.key.shape[2]
            key = torch.cat([past.key, key], dim=2)
            value = torch.cat([past.value, value], dim=2)
        allowed = None
        if num_frames > 1 or num_past >= self.window:
            row = torch.arange(num_frames, device=key.device)[:, None] + num_past
            column = torch.arange(num_frames + num_past, device=key.device)[None, :]
            allowed = ((column <= row) & (column > row - self.window))[None, None]
        if visible is not None:
            assert past is None
            seen = rearrange(visible, "b t n -> (b n) 1 1 t")
            itself = torch.eye(num_frames, dtype=torch.bool, device=key.device)
            allowed = (seen | itself) if allowed is None else allowed & (seen | itself)
        mixed = attend(query, key, value, allowed)
        tokens = rearrange(self.project.merge(mixed), "(b n) t d -> b t n d", b=batch, n=num_tokens)
        return tokens, fresh
