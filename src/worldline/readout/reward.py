"""Reward readout: what an action earns and whether it ends the episode.

It is told from the frames that the action was taken in, because episodes keep no picture of what
their last action led to. Told with hindsight, it is read off what the action led to: then nothing
is paid for what might have happened and is not to be seen, but ends are not learned.

Rewards are told as a distribution over bins of symlog(r), twohot-encoded, so that rare and large
ones are learned as well as small ones (Hafner et al. 2023, arXiv 2301.04104, eqs. 9 and 10).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.nn import ConvBlock
from worldline.scale import rowwise

__all__ = ["RewardMoments", "RewardReadout"]

_NOTHING = 6.0
"""Logit of an untrained readout that an action earns nothing, and that it does not end anything."""


@dataclass(frozen=True, eq=False)
class RewardMoments:
    """M moments, as the readout looks at them.

    Attributes:
        before, now: `[M, N, C]` latents; see `RewardReadout.pair`.
        acted: `[M, A]` action that was taken then.
        earned: `[M]` what it earned.
        ended: `[M]` it ended the episode.
        weight: `[M]` of each in the loss, which is the weighted mean.
    """

    before: Float[Tensor, "m n c"]
    now: Float[Tensor, "m n c"]
    acted: Float[Tensor, "m a"]
    earned: Float[Tensor, " m"]
    ended: Bool[Tensor, " m"]
    weight: Float[Tensor, " m"]


class RewardReadout(nn.Module):
    """Convolutions over the latents of a frame and of the one before it, and the action."""

    @register("readout/reward", version=3, upgrades={1: {"placed": False}, 2: {"hindsight": False}})
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes and losses.

        Attributes:
            channels, rows: of the latents.
            action_size: numbers per action; 0 for a world without.
            width: convolution channels.
            depth: residual blocks.
            num_bins: of symlog(reward), an odd number.
            most: largest reward that can be told.
            placed: every cell has a learned offset, so that what it means to be somewhere can be
                told.
            hindsight: an action's reward is read off its frame and the one that it led to, not off
                its frame and the one before. Ends are not learned then.
        """

        channels: int = 16
        rows: int = 8
        action_size: int = 0
        width: int = 32
        depth: int = 2
        num_bins: int = 41
        most: float = 20.0
        placed: bool = True
        hindsight: bool = False

        def __post_init__(self) -> None:
            if self.num_bins < 3 or self.num_bins % 2 == 0 or not self.most > 0:
                raise ValueError(
                    f"num_bins is {self.num_bins} and most {self.most}; rewards need an odd number "
                    "of bins, 3 at least, and a largest one above 0"
                )

        def build(self) -> RewardReadout:
            """Make the untrained readout."""
            return RewardReadout(self)

    def __init__(self, config: RewardReadout.Config) -> None:
        super().__init__()
        self.config = config
        self.enter = nn.Conv2d(2 * config.channels, config.width, 3, padding=1)
        self.act = nn.Linear(config.action_size, config.width) if config.action_size else None
        shape = (1, config.width, config.rows, config.rows)
        self.place = nn.Parameter(torch.zeros(shape)) if config.placed else None
        self.blocks = nn.Sequential(*(ConvBlock(config.width) for _ in range(config.depth)))
        self.think = nn.Linear(2 * config.width, 4 * config.width)
        self.heads = nn.Linear(4 * config.width, config.num_bins + 1)
        nn.init.zeros_(self.heads.weight)
        # most actions earn and end nothing; steps of an optimiser are too small to find that soon
        nn.init.zeros_(self.heads.bias)
        with torch.no_grad():
            self.heads.bias[config.num_bins // 2] = _NOTHING
            self.heads.bias[-1] = -_NOTHING

    @property
    def bins(self) -> Float[Tensor, " k"]:
        """Places of the bins; always in single precision, which working copies do not have."""
        half = self.config.num_bins // 2
        most = math.log1p(self.config.most)
        device = self.heads.weight.device
        return torch.arange(-half, half + 1, device=device, dtype=torch.float32) * (most / half)

    @rowwise
    def forward(
        self,
        before: Float[Tensor, "b n c"],
        now: Float[Tensor, "b n c"],
        action: Float[Tensor, "b a"],
    ) -> Float[Tensor, "b k"]:
        """Logits of the bins, and last that of the end."""
        dtype = self.heads.weight.dtype
        pair = torch.cat([now, now - before], dim=-1).to(dtype)
        cells = rearrange(pair, "b (y x) c -> b c y x", y=self.config.rows)
        cells = self.enter(cells.contiguous(memory_format=torch.channels_last))
        if self.act is not None:
            cells = cells + self.act(action.to(dtype))[:, :, None, None]
        if self.place is not None:
            cells = cells + self.place
        cells = self.blocks(cells)
        seen = torch.cat([cells.mean(dim=(2, 3)), cells.amax(dim=(2, 3))], dim=-1)
        return self.heads(F.silu(self.think(seen)))

    def pair(self, before: Tensor, now: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """Which two of the latents it looks at: of the frame before that in which an action is
        taken, of that frame, and of the one that it leads to."""
        return (now, after) if self.config.hindsight else (before, now)

    @torch.no_grad()
    def read(
        self,
        before: Float[Tensor, "b n c"],
        now: Float[Tensor, "b n c"],
        action: Float[Tensor, "b a"] | None,
    ) -> tuple[Float[Tensor, " b"], Float[Tensor, " b"]]:
        """Expected reward of each action, and the probability that it ends the episode."""
        if action is None:
            action = torch.zeros(len(now), self.config.action_size)
        told = self(before, now, action).float()
        chance = told[:, :-1].softmax(dim=-1)
        # symmetric sums, so that equal chances left and right of 0 give exactly 0
        value = _symexp(self.bins)
        signed = chance * value
        return 0.5 * (signed.sum(-1) + signed.flip(-1).sum(-1)), told[:, -1].sigmoid()

    def loss(self, moments: RewardMoments) -> Mapping[str, Tensor]:
        """Weighted cross-entropies of rewards and ends."""
        told = self(moments.before, moments.now, moments.acted).float()
        reward = -(self._two_hot(moments.earned) * told[:, :-1].log_softmax(dim=-1)).sum(-1)
        ended = moments.ended.float()
        end = F.binary_cross_entropy_with_logits(told[:, -1], ended, reduction="none")
        parts = {
            "reward": (moments.weight * reward).mean(),
            "end": (moments.weight * end).mean(),
        }
        return {"total": parts["reward"] + parts["end"], **parts}

    def nearest_bin(self, reward: Float[Tensor, " n"]) -> Int[Tensor, " n"]:
        """Number of the bin whose reward, on the scale of symlog, is closest."""
        bins = self.bins
        place = _symlog(reward.float()).clamp(bins[0], bins[-1])
        return ((place - bins[0]) / (bins[1] - bins[0])).round().long()

    def _two_hot(self, reward: Float[Tensor, " n"]) -> Float[Tensor, "n k"]:
        bins = self.bins
        place = _symlog(reward.float()).clamp(bins[0], bins[-1])
        place = (place - bins[0]) / (bins[1] - bins[0])
        low = place.floor().clamp(max=len(bins) - 2)
        high = (place - low)[:, None]
        hot = F.one_hot(low.long(), len(bins)) * (1 - high)
        return hot + F.one_hot(low.long() + 1, len(bins)) * high


def _symlog(x: Tensor) -> Tensor:
    return x.sign() * x.abs().log1p()


def _symexp(x: Tensor) -> Tensor:
    return x.sign() * x.abs().expm1()
