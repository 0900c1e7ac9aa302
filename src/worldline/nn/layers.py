"""Small layers: convolution block, gated feed-forward, step embedding, space-to-depth."""

from __future__ import annotations

import math
from typing import Any, cast

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["ConvBlock", "FeedForward", "embed_level", "pack", "shrink", "unpack"]


class ConvBlock(nn.Module):
    """Residual pair of 3x3 convolutions without normalisation.

    The second convolution starts at zero, so that a deep stack starts as the identity and needs
    no statistics (Zhang et al. 2019, Fixup; normalisation layers are the slow part on a CPU).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(_bias(self.second))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Add a non-linear correction to x."""
        return x + self.second(F.silu(self.first(F.silu(x))))


class FeedForward(nn.Module):
    """Two linear maps with a squared ReLU between (So et al. 2021, Primer); the second starts at 0.

    Squared ReLU does as well as GELU and costs a fraction of it on a CPU.
    """

    def __init__(self, width: int, factor: int = 4) -> None:
        super().__init__()
        self.up = nn.Linear(width, factor * width)
        self.down = nn.Linear(factor * width, width)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(_bias(self.down))

    def forward(self, x: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """Map each token on its own."""
        hidden = self.up(x)
        if torch.is_grad_enabled() and hidden.requires_grad:
            return self.down(cast("Tensor", _SquaredReLU.apply(hidden)))
        hidden = F.relu(hidden)
        return self.down(hidden * hidden)


class _SquaredReLU(torch.autograd.Function):
    """relu(x)^2 with the derivative 2 relu(x): the same numbers as by PyTorch's own backward pass,
    which goes over the widest tensor of a network five times instead of twice."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        hidden = F.relu(x)
        ctx.save_for_backward(hidden)
        return hidden * hidden

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (hidden,) = ctx.saved_tensors
        return (grads[0] * hidden).mul_(2)


def embed_level(level: Float[Tensor, "*b"], size: int) -> Float[Tensor, "*b size"]:
    """Sinusoidal features of a number in [0, 1] (Vaswani et al. 2017, section 3.5, scaled)."""
    half = size // 2
    frequency = torch.exp(
        torch.linspace(0.0, math.log(1000.0), half, device=level.device, dtype=torch.float32)
    )
    angle = level.to(torch.float32)[..., None] * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=-1).to(level.dtype)


def pack(x: Float[Tensor, "b c h w"], block: int) -> Float[Tensor, "b c2 h2 w2"]:
    """Space to depth: each `block` by `block` square becomes one cell with all its channels."""
    return rearrange(x, "b c (h p) (w q) -> b (p q c) h w", p=block, q=block)


def unpack(x: Float[Tensor, "b c h w"], block: int) -> Float[Tensor, "b c2 h2 w2"]:
    """Depth to space, the inverse of `pack`."""
    return rearrange(x, "b (p q c) h w -> b c (h p) (w q)", p=block, q=block)


def shrink(
    change: Float[Tensor, "*b n c"], threshold: float, onset: float = 0.0
) -> Float[Tensor, "*b n c"]:
    """Non-negative garrote (Breiman 1995, eq. 2.4) on the change of each cell.

    A cell of root mean square change r keeps the share max(0, 1 - (threshold / r)^2) of it. Without
    it, the small errors of thousands of cells in which nothing happens add up over a rollout, and
    the background drifts away.

    With an onset, the N cells of a square grid keep anything only where one of the 3x3 around them
    changes by more than that (as the two thresholds of Canny 1986, section VI): what moves has
    weak changes beside strong ones, and errors in still ground have not. So the threshold can be
    low, which what is pushed slowly needs to go on.
    """
    size = change.square().mean(-1, keepdim=True).clamp_min(1e-12)
    kept = change * (1 - threshold**2 / size).clamp_min(0.0)
    if onset == 0:
        return kept
    side = math.isqrt(change.shape[-2])
    around = F.max_pool2d(size.reshape(-1, 1, side, side), 3, stride=1, padding=1)
    return torch.where(around.reshape(size.shape) > onset**2, kept, 0.0)


def _bias(layer: nn.Conv2d | nn.Linear) -> Tensor:
    assert layer.bias is not None
    return layer.bias
