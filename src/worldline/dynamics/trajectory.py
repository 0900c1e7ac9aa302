"""Forecast where everything that moves will go, as displacements of the last frame's cells.

Appearance and motion are kept apart: the network only says where things go and whether they will
be seen; `worldline.dynamics.lift` carries their pixels there. Dense trajectories as the output of a
video forecast: Walker et al. 2016, arXiv 1606.07873, section 3.

Several futures come from one network with a noise vector as input, trained with the energy score
(Gneiting and Raftery 2007, eq. 22), which is least when the futures are drawn from the true
distribution: for two draws X, X' and the truth y,

    score = mean |X - y| - |X - X'| / 2.

Without noise the network gives the spatial median, trained with |x - y| alone.

Shape legend: B batch, K context frames, H forecast frames, R rows (and columns) of cells, C
channels, N tokens, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.dynamics.base import Losses
from worldline.dynamics.optical import measure_flows
from worldline.nn import ConvBlock, FeedForward, SpatialAttention, pack, unpack
from worldline.scale import rowwise

__all__ = ["CellMotion", "TrajectoryForecaster"]

_FLOW_PX = 2.0
"""Speed, in pixels per frame, that counts as one."""


@dataclass(frozen=True, eq=False)
class CellMotion:
    """Where the contents of each cell of a frame go, and whether they stay in sight.

    Attributes:
        shift_px: `[B, H, R, R, 2]` displacement (x, y) since the frame.
        visible: `[B, H, R, R]` logit of being seen.
    """

    shift_px: Float[Tensor, "b h r r 2"]
    visible: Float[Tensor, "b h r r"]


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.mix = SpatialAttention(width, heads)
        self.think = FeedForward(width)
        self.before_mix = nn.LayerNorm(width, bias=False)
        self.before_think = nn.LayerNorm(width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mix(self.before_mix(x)[:, None])[:, 0]
        return x + self.think(self.before_think(x))


class TrajectoryForecaster(nn.Module):
    """Frames in, displacements for all forecast frames out, in one pass.

    Context frames are stacked as channels, so that convolutions on 4x4-pixel cells see motion as a
    pattern, and dense optical flow between the last of them says it to a fraction of a pixel; a
    transformer on pairs of cells relates bodies to each other and to what they will hit.
    """

    @register("dynamics/trajectory", version=2, upgrades={1: {"num_flows": 0}})
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes and training weights.

        Attributes:
            size_px: side of the square frames.
            cell_px: side of a cell.
            context: most frames that are looked at; fewer will do.
            horizon: frames that are forecast.
            num_flows: last pairs of frames whose optical flow is an input.
            fine_width: channels on the cells.
            width, depth, late_depth, heads: transformer on 2x2 cells; noise enters before the last
                `late_depth` of its blocks.
            noise_size: numbers that tell one future from another.
            median_share: share of a training batch that is trained without noise.
            short_share: share of training batches with a shorter context.
            still_weight: loss weight of cells that move by less than a pixel, against 1.
            scale_px, growth_px: errors at +h count in units of `scale_px + h * growth_px`.
        """

        size_px: int = 64
        cell_px: int = 4
        context: int = 8
        horizon: int = 16
        num_flows: int = 3
        fine_width: int = 128
        width: int = 256
        depth: int = 8
        late_depth: int = 2
        heads: int = 4
        noise_size: int = 16
        median_share: float = 0.5
        short_share: float = 0.25
        still_weight: float = 0.3
        scale_px: float = 0.5
        growth_px: float = 0.25

        def __post_init__(self) -> None:
            if not 0 <= self.num_flows < self.context:
                raise ValueError(
                    f"num_flows is {self.num_flows}; {self.context} frames of context have 0 to "
                    f"{self.context - 1} pairs"
                )

        def build(self) -> TrajectoryForecaster:
            """Make the untrained model."""
            return TrajectoryForecaster(self)

    def __init__(self, config: TrajectoryForecaster.Config) -> None:
        super().__init__()
        self.config = config
        fine, width = config.fine_width, config.width
        rows = config.size_px // config.cell_px
        self.enter = nn.Conv2d(3 * config.context * config.cell_px**2, fine, 3, padding=1)
        self.read = nn.Sequential(ConvBlock(fine), ConvBlock(fine))
        self.inward = nn.Linear(4 * fine, width)
        self.place = nn.Parameter(0.02 * torch.randn((rows // 2) ** 2, width))
        self.num_seen = nn.Embedding(config.context, width)
        early = config.depth - config.late_depth
        self.early = nn.ModuleList(_Block(width, config.heads) for _ in range(early))
        self.chance = nn.Linear(config.noise_size, width, bias=False)
        self.late = nn.ModuleList(_Block(width, config.heads) for _ in range(config.late_depth))
        self.normalise = nn.LayerNorm(width, bias=False)
        self.outward = nn.Linear(width, 4 * fine)
        self.write = ConvBlock(fine)
        self.leave = nn.Conv2d(fine, 3 * config.horizon, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        # Without bias and zero at first: where there is no flow, nothing is as it would be with it.
        flow_size = 2 * config.num_flows * config.cell_px**2
        self.flow_in = nn.Conv2d(flow_size, fine, 3, padding=1, bias=False) if flow_size else None
        self.flow_out = (
            nn.Conv2d(flow_size, 2 * config.horizon, 1, bias=False) if flow_size else None
        )
        for layer in (self.flow_in, self.flow_out):
            if layer is not None:
                nn.init.zeros_(layer.weight)
        with torch.no_grad():
            self.chance.weight.mul_(0.1)
            assert self.leave.bias is not None
            self.leave.bias.zero_()

    def forward(
        self,
        frames: UInt8[Tensor, "b k s s 3"],
        noise: Float[Tensor, "b z"],
        flows: Float[Tensor, "b f 2 s s"] | None = None,
    ) -> CellMotion:
        """Forecast from the last `context` frames.

        Args:
            frames: at least one.
            noise: which future: standard normal, or zeros for the middle one.
            flows: velocities in pixels per frame between the last pairs of frames, oldest first;
                measured if absent.
        """
        if flows is None:
            flows = self.measure(frames)
        return self._imagine(*self._look(frames, flows), noise)

    def measure(self, frames: UInt8[Tensor, "b k s s 3"]) -> Float[Tensor, "b f 2 s s"]:
        """Optical flow between the last pairs of frames, zero where there are too few of them."""
        num = self.config.num_flows
        found = measure_flows(frames[:, -num - 1 :].cpu().numpy()) if num else None
        flows = torch.zeros((len(frames), num, 2, *frames.shape[2:4]), device=frames.device)
        if found is not None and found.shape[1]:
            flows[:, -found.shape[1] :] = torch.from_numpy(found).to(frames.device)
        return flows

    @rowwise
    def _look(self, frames: Tensor, flows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What can be said before chance comes in: cells `[B, C, R, R]`, tokens `[B, N, D]`, and
        flow on the cells `[B, F, R, R]`.
        """
        config = self.config
        frames = frames[:, -config.context :]
        num_seen = frames.shape[1]
        dtype = self.place.dtype
        unit = frames.to(torch.float32) / 127.5 - 1
        missing = config.context - num_seen
        unit = torch.cat([unit[:, :1].expand(-1, missing, -1, -1, -1), unit], dim=1)
        last = unit[:, -1:]
        stacked = torch.cat([2 * (unit[:, :-1] - last), last], dim=1)
        planes = rearrange(stacked, "b k y x c -> b (k c) y x").to(dtype)
        planes = planes.contiguous(memory_format=torch.channels_last)
        entered = self.enter(pack(planes, config.cell_px))
        motion = pack(flows.flatten(1, 2).to(dtype) / _FLOW_PX, config.cell_px)
        if self.flow_in is not None:
            entered = entered + self.flow_in(motion)
        fine = self.read(entered)
        tokens = rearrange(pack(fine, 2), "b c y x -> b (y x) c")
        seen = torch.tensor(num_seen - 1, device=frames.device)
        tokens = self.inward(tokens) + self.place + self.num_seen(seen)
        for block in self.early:
            tokens = block(tokens)
        return fine, tokens, motion

    @rowwise
    def _imagine(self, fine: Tensor, tokens: Tensor, motion: Tensor, noise: Tensor) -> CellMotion:
        config = self.config
        tokens = tokens + self.chance(noise.to(tokens.dtype))[:, None]
        for block in self.late:
            tokens = block(tokens)
        rows = fine.shape[-1] // 2
        coarse = rearrange(
            self.outward(self.normalise(tokens)), "b (y x) c -> b c y x", y=rows, x=rows
        )
        raw = self.leave(F.silu(self.write(fine + unpack(coarse, 2)))).float()
        raw = rearrange(raw, "b (h three) y x -> b h y x three", three=3)
        speed = raw[..., :2]
        if self.flow_out is not None:
            straight = self.flow_out(motion).float()
            speed = speed + rearrange(straight, "b (h two) y x -> b h y x two", two=2)
        step = torch.arange(1, config.horizon + 1, device=raw.device)[:, None, None, None]
        return CellMotion(speed * step, raw[..., 2])

    def loss(
        self,
        frames: UInt8[Tensor, "b k s s 3"],
        truth: CellMotion,
        cover: Float[Tensor, "b r r"],
        generator: torch.Generator,
        flows: Float[Tensor, "b f 2 s s"] | None = None,
    ) -> Losses:
        """Energy score of displacements, cross-entropy of visibility.

        Args:
            frames: contexts.
            truth: displacements, and visibility as a share in [0, 1].
            cover: how much of each cell something that can move fills.
            generator: of contexts' lengths and noise.
            flows: as in `forward`.
        """
        config = self.config
        device = frames.device
        if flows is None:
            flows = self.measure(frames)
        if float(torch.rand((), generator=generator, device=device)) < config.short_share:
            kept = int(torch.randint(1, config.context, (), generator=generator, device=device))
            frames = frames[:, -kept:]
            age = torch.arange(config.num_flows, 0, -1, device=device)
            flows = flows * (age < kept)[:, None, None, None]
        looked = self._look(frames, flows)
        num = round(len(frames) * config.median_share)
        drawn = torch.randn(
            (2 * (len(frames) - num), config.noise_size), generator=generator, device=device
        )
        noise = torch.cat([torch.zeros_like(drawn[:1]).expand(num, -1), drawn])
        looked = [torch.cat([x[:num], x[num:], x[num:]]) for x in looked]
        motion = self._imagine(*looked, noise)
        step = torch.arange(1, config.horizon + 1, device=device)[:, None, None]
        unit = config.scale_px + step * config.growth_px
        moved = truth.shift_px.norm(dim=-1).amax(dim=1) >= 1
        weight = cover * torch.where(moved, 1.0, config.still_weight)
        weight = weight / weight.sum().clamp_min(1e-6)

        def between(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
            distance = ((a - b).square().sum(-1) + 1e-4).sqrt() / unit
            return (weight * distance.mean(1)).sum()

        shift = motion.shift_px
        x, y = shift[num:].chunk(2)
        goal, rest = truth.shift_px[:num], truth.shift_px[num:]
        median = between(shift[:num], goal, weight[:num])
        spread = between(x, y, weight[num:])
        score = (between(x, rest, weight[num:]) + between(y, rest, weight[num:]) - spread) / 2
        seen = torch.cat([truth.visible[:num], truth.visible[num:], truth.visible[num:]])
        weights = torch.cat([weight[:num], weight[num:] / 2, weight[num:] / 2])
        entropy = F.binary_cross_entropy_with_logits(motion.visible, seen, reduction="none")
        visible = (weights * entropy.mean(1)).sum()
        error_px = (weight[:num] * (shift[:num] - goal)[:, -1].norm(dim=-1)).sum() / weight[
            :num
        ].sum()
        return {
            "total": median + score + 0.2 * visible,
            "median": median / weight[:num].sum(),
            "score": score / weight[num:].sum(),
            "spread": spread / weight[num:].sum(),
            "visible": visible,
            "last_error_px": error_px,
        }
