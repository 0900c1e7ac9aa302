"""`SpotterNetwork`: windows of tracks to log odds of every event, step by step and track by track.

Shape legend: B windows, N tracks, S steps, K event types, D width, L = N + 1 tokens of a step, of
which the first is the whole picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float, Int8, UInt8
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.nn.attention import attend, rotate
from worldline.retrieval.spotting.course import NUM_BINS, NUM_COURSE
from worldline.retrieval.spotting.tokens import (
    CROP,
    FIELD,
    FIELD_PARTS,
    FLOW,
    NUM_MOTION,
    TINT,
)

__all__ = ["Batch", "Odds", "SpotterNetwork", "SpotterNetworkConfig"]

_PAIR = 11
_FLOOR, _USUAL = 1e-3, 0.95


@register("retrieval/spotting")
@dataclass(frozen=True)
class SpotterNetworkConfig(Config):
    """Sizes.

    Attributes:
        types: event types, in the order of the answer.
        colors: names of colours, likewise.
        width, depth, heads: of the transformer.
        dropout: of tokens' channels in training.
    """

    types: tuple[str, ...]
    colors: tuple[str, ...]
    width: int = 160
    depth: int = 4
    heads: int = 4
    dropout: float = 0.1

    def build(self) -> SpotterNetwork:
        """The network, untrained."""
        return SpotterNetwork(self)


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows side by side, see `Tokens`; `there` tells which steps are part of the window."""

    seen: Bool[Tensor, "b n s"]
    there: Bool[Tensor, "b s"]
    motion: Float[Tensor, "b n s m"]
    found: Bool[Tensor, "b n s k2"]
    crop: UInt8[Tensor, "b n s 2 c c 3"]
    flow: Int8[Tensor, "b n s f f 2"]
    field: Int8[Tensor, "b s p g g"]
    swatch: UInt8[Tensor, "b n w q q 3"]


@dataclass(frozen=True, eq=False)
class Odds:
    """Log odds.

    Attributes:
        track: `[B, N, S, 2K]` that a track takes part in an event of a type in a step, in its
            first role, and in another.
        step: `[B, S, K]` that an event of a type goes on in a step.
        window: `[B, K]` that there is one in the window.
        again: `[B, K]` that there are two or more.
        color: `[B, N, H]` of each colour that a track may have.
        strangeness: `[B]` how far from everything that was learned from; 1 is farther than 95 % of
            windows that look like it.
    """

    track: Float[Tensor, "b n s k2"]
    step: Float[Tensor, "b s k"]
    window: Float[Tensor, "b k"]
    again: Float[Tensor, "b k"]
    color: Float[Tensor, "b n h"]
    strangeness: Float[Tensor, " b"]


class SpotterNetwork(nn.Module):
    """Attention over time and over the tokens of a step in turns (Bertasius et al. 2021), over
    tracks and one token for the whole picture; what pairs of tracks are to each other is told as
    messages between them (Battaglia et al. 2018)."""

    Config = SpotterNetworkConfig

    def __init__(self, config: SpotterNetworkConfig) -> None:
        super().__init__()
        self.config = config
        d, k = config.width, len(config.types)
        self.of_crop = _mlp(2 * 3 * CROP * CROP, 192, d)
        self.of_flow = _mlp(2 * FLOW * FLOW, 96, d)
        self.of_motion = _mlp(NUM_MOTION + 2 * k, 192, d)
        self.of_pair = _mlp(_PAIR, 64, 64)
        self.from_pair = nn.Linear(128, d)
        self.of_field = _mlp(FIELD_PARTS * FIELD * FIELD, 192, d)
        self.start = nn.LayerNorm(d)
        self.blocks = nn.ModuleList(
            _Block(d, config.heads, config.dropout) for _ in range(config.depth)
        )
        self.end = nn.LayerNorm(d)
        self.track = nn.Linear(d, 2 * k)
        self.step = nn.Linear(d, k)
        self.window = _mlp(3 * d, d, k)
        self.again = _mlp(3 * d, d, k)
        self.of_swatch = _mlp(3 * TINT * TINT, 96, 96)
        self.color = _mlp(192, 96, len(config.colors))
        self.usual = nn.Buffer(torch.zeros(3 * d))
        self.axes = nn.Buffer(torch.zeros(3 * d, 3 * d))
        self.course_mean = nn.Buffer(torch.zeros(k * NUM_BINS))
        self.course_axes = nn.Buffer(torch.zeros(NUM_COURSE, k * NUM_BINS))
        for head in (self.track, self.step, self.window[-1], self.again[-1]):
            assert isinstance(head, nn.Linear)
            nn.init.constant_(head.bias, -3.0)

    def forward(self, batch: Batch) -> Odds:
        """Log odds; those of steps that are not there mean nothing."""
        x, pooled = self._read(batch)
        away = ((pooled.float() - self.usual) @ self.axes.T).norm(dim=-1)
        tint = F.gelu(self.of_swatch(batch.swatch.flatten(3).to(x.dtype) / 127.5 - 1))
        return Odds(
            track=self.track(x[:, 1:]),
            step=self.step(x[:, 0]),
            window=self.window(pooled),
            again=self.again(pooled),
            color=self.color(torch.cat([tint.mean(dim=2), tint.amax(dim=2)], dim=-1)),
            strangeness=away,
        )

    def pool(self, batch: Batch) -> Float[Tensor, "b d3"]:
        """What the network makes of each window as a whole."""
        return self._read(batch)[1]

    def _read(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Tokens `[B, L, S, D]` after all blocks, and pooled `[B, 3D]`."""
        seen = batch.seen & batch.there[:, None]
        dtype = self.start.weight.dtype
        crop = batch.crop.flatten(3).to(dtype) / 127.5 - 1
        flow = batch.flow.flatten(3).to(dtype) / 32
        facts = torch.cat([batch.motion.to(dtype), batch.found.to(dtype)], dim=-1)
        tracks = self.of_crop(crop) + self.of_flow(flow) + self.of_motion(facts)
        tracks = tracks + self._messages(batch.motion.to(dtype), seen)
        field = self.of_field(batch.field.flatten(2).to(dtype) / 32)
        x = self.start(torch.cat([field[:, None], tracks * seen[..., None]], dim=1))
        on = torch.cat([batch.there[:, None], seen], dim=1)
        for block in self.blocks:
            x = block(x, on)
        x = self.end(x)
        low = torch.finfo(x.dtype).min
        pooled = torch.cat(
            [
                (x[:, 0] * batch.there[..., None]).sum(1) / batch.there.sum(1)[:, None],
                x[:, 0].masked_fill(~batch.there[..., None], low).amax(1),
                x.masked_fill(~on[..., None], low).amax(dim=(1, 2)),
            ],
            dim=-1,
        )
        return x, pooled

    @torch.no_grad()
    def get_used_to(self, learned: Iterable[Batch], held_out: Iterable[Batch]) -> None:
        """Take what was learned from for the usual.

        Strangeness is Mahalanobis' distance from it (Lee et al. 2018, arXiv 1807.03888, eq. 2, one
        class), over that below which 95 % of windows are that were not learned from. What is
        foreign shows along axes that hardly vary, too.
        """
        given = torch.cat([self.pool(batch) for batch in learned]).double()
        mean = given.mean(dim=0)
        power, axes = torch.linalg.eigh((given - mean).T @ (given - mean) / len(given))
        axes = (
            axes.T / (power.clamp_min(0) + _FLOOR * power.mean()).clamp_min(1e-12)[:, None].sqrt()
        )
        other = torch.cat([self.pool(batch) for batch in held_out]).double()
        limit = ((other - mean) @ axes.T).norm(dim=-1).quantile(_USUAL)
        self.usual.copy_(mean)
        self.axes.copy_(axes / limit)

    def _messages(self, motion: Tensor, seen: Tensor) -> Tensor:
        """What each track is told of the others in a step `[B, N, S, D]`."""
        place, size = motion[..., :2] / 2, (motion[..., 2:4] - 2.0).exp()
        side = (motion[..., 20:21] - 2.0).exp()
        fast = motion[..., 6:8]
        unit = (side[:, :, None] + side[:, None]) / 2
        away = (place[:, None] - place[:, :, None]) / unit
        gap = away.abs() - (size[:, None] + size[:, :, None]) / 2 / unit
        other = (fast[:, None] - fast[:, :, None]) / unit
        closing = -(away * other).sum(-1, keepdim=True) / (away.norm(dim=-1, keepdim=True) + 0.1)
        told = torch.cat(
            [
                away.clamp(-5, 5),
                gap.clamp(-2, 5),
                gap.amax(-1, keepdim=True).clamp(-1, 3).mul(4).tanh(),
                gap.amax(-1, keepdim=True).clamp(-2, 5),
                other.clamp(-15, 15) / 3,
                closing.clamp(-15, 15) / 3,
                (side[:, None] / side[:, :, None]).log().clamp(-4, 4),
                (away.norm(dim=-1, keepdim=True) + 0.1).log(),
            ],
            dim=-1,
        )
        both = seen[:, None] & seen[:, :, None]
        both = both & ~torch.eye(seen.shape[1], dtype=torch.bool)[None, :, :, None]
        message = F.gelu(self.of_pair(told)) * both[..., None]
        total = torch.cat([message.sum(dim=2), message.amax(dim=2)], dim=-1)
        return self.from_pair(total)


def _mlp(given: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(given, hidden), nn.GELU(), nn.Linear(hidden, out))


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.qkv = nn.ModuleList(nn.Linear(width, 3 * width, bias=False) for _ in range(2))
        self.out = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(2))
        self.think = _mlp(width, 3 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, on: Tensor) -> Tensor:
        """`[B, L, S, D]` tokens and `[B, L, S]` those that may be looked at."""
        x = x + self.drop(self._attend(0, x, on, in_time=True))
        across = self._attend(1, x.transpose(1, 2), on.transpose(1, 2), in_time=False)
        x = x + self.drop(across.transpose(1, 2))
        return x + self.drop(self.think(self.before[2](x)))

    def _attend(self, which: int, x: Tensor, on: Tensor, *, in_time: bool) -> Tensor:
        b, outer, inner, d = x.shape
        parts = self.qkv[which](self.before[which](x)).view(b * outer, inner, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        if in_time:
            position = torch.arange(inner)
            query, key = rotate(query, position), rotate(key, position)
        allowed = on.reshape(b * outer, 1, 1, inner) | torch.eye(inner, dtype=torch.bool)
        mixed = attend(query, key, value, allowed)
        return self.out[which](mixed.transpose(1, 2).reshape(b, outer, inner, d))
