"""`MotionNetwork`: segments to several unit vectors, compared by late interaction.

Flattened channels over time go through a linear map that begins as their principal components,
because these alone already find most motions again; a small perceptron adds to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.retrieval.motions.features import (
    BODY_CHANNELS,
    FIELD_CHANNELS,
    PAIR_CHANNELS,
    Features,
)

__all__ = ["MISSING", "MotionNetwork", "MotionNetworkConfig", "Vectors", "late_interaction"]

MISSING = 0.0
"""Similarity to what is not there: trackers lose things, so that is no contradiction."""


@register("retrieval/motions")
@dataclass(frozen=True)
class MotionNetworkConfig(Config):
    """Sizes.

    Attributes:
        num_steps: of the time grid.
        hidden: width of the perceptron.
        dim: of a vector.
    """

    num_steps: int = 96
    hidden: int = 128
    dim: int = 64

    def build(self) -> MotionNetwork:
        """The network, untrained."""
        return MotionNetwork(self)


@dataclass(frozen=True, eq=False)
class Vectors:
    """Vectors of B segments: of the field, then of the bodies, then of the pairs.

    Attributes:
        vector: `[B, V, F]` unit length.
        present: `[B, V]`.
        weight: `[B, V]` how much each counts when it is asked for, >= 0; 0 where absent.
    """

    vector: Float[Tensor, "b v f"]
    present: Bool[Tensor, "b v"]
    weight: Float[Tensor, "b v"]


class MotionNetwork(nn.Module):
    """One encoder each for fields, bodies and pairs."""

    Config = MotionNetworkConfig

    def __init__(self, config: MotionNetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.field = _Encoder(FIELD_CHANNELS, config)
        self.body = _Encoder(BODY_CHANNELS, config)
        self.pair = _Encoder(2 * PAIR_CHANNELS, config)

    def forward(self, features: Features) -> Vectors:
        """Vectors of segments."""
        groups = [
            encoder(given, has)
            for encoder, given, has in zip(
                (self.field, self.body, self.pair), *_inputs(features), strict=True
            )
        ]
        vector, weight = (torch.cat(part, dim=1) for part in zip(*groups, strict=True))
        present = torch.cat(_inputs(features)[1], dim=1)
        return Vectors(F.normalize(vector, dim=-1), present, weight * present)

    @torch.no_grad()
    def start_from(self, features: Features) -> None:
        """Make the linear maps principal components of what there is, the strong ones damped."""
        encoders = (self.field, self.body, self.pair)
        for encoder, given, has in zip(encoders, *_inputs(features), strict=True):
            encoder.start_from(given[has].flatten(1))

    @torch.no_grad()
    def set_weights(self, field: float, body: float, pair: float) -> None:
        """Let each kind of vector count the same wherever it is asked for; all > 0."""
        encoders = (self.field, self.body, self.pair)
        for encoder, weight in zip(encoders, (field, body, pair), strict=True):
            encoder.weight.weight.zero_()
            encoder.weight.bias.fill_(math.log(math.expm1(weight)))


def _inputs(features: Features) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    # a pair is what is even in the exchange of the two, and the size of what is odd
    one, other = features.pair.unbind(dim=2)
    pair = torch.cat([(one + other) / 2, (one - other).abs() / 2], dim=2)
    given = features.field[:, None], features.body, pair
    return given, (features.has_field[:, None], features.has_body, features.has_pair)


class _Encoder(nn.Module):
    def __init__(self, channels: int, config: MotionNetworkConfig) -> None:
        super().__init__()
        self.dim = config.dim
        self.linear = nn.Linear(channels * config.num_steps, config.dim)
        self.more = nn.Sequential(
            nn.Linear(config.dim, config.hidden), nn.GELU(), nn.Linear(config.hidden, config.dim)
        )
        self.weight = nn.Linear(config.dim, 1)
        for last in (self.more[-1], self.weight):
            assert isinstance(last, nn.Linear)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def start_from(self, given: Tensor) -> None:
        mean = given.mean(dim=0)
        # much cheaper than the decomposition of all rows
        power, axes = torch.linalg.eigh((given - mean).T @ (given - mean))
        axes = axes[:, -self.dim :].T / power[-self.dim :, None].clamp_min(1e-12) ** 0.25
        scale = ((given - mean) @ axes.T).square().sum(dim=1).mean().sqrt()
        self.linear.weight.copy_(axes / scale * self.dim**0.5)
        self.linear.bias.copy_(-self.linear.weight @ mean)

    def forward(self, given: Tensor, has: Tensor) -> tuple[Tensor, Tensor]:
        """`[..., C, S]` to vectors and weights, 0 where there is nothing."""
        vector, weight = torch.zeros(*has.shape, self.dim), torch.zeros(has.shape)
        flat = self.linear(given[has].flatten(1))
        vector[has] = flat + self.more(flat)
        weight[has] = F.softplus(self.weight(flat)[:, 0])
        return vector, weight


def late_interaction(asked: Vectors, stored: Vectors, num_bodies: int) -> Float[Tensor, "q b"]:
    """Similarity of each asked segment to each stored one.

    Weighted mean over the asked vectors of the best match among the stored ones of the same kind
    (field, body, pair); `MISSING` where the stored segment has none of the kind. Sum of maximal
    similarities, Khattab and Zaharia, "ColBERT", SIGIR 2020, eq. 3, with weights.
    """
    kinds = (slice(0, 1), slice(1, 1 + num_bodies), slice(1 + num_bodies, None))
    total = asked.weight.sum(dim=1).clamp_min(1e-6)
    score = torch.zeros(len(asked.vector), len(stored.vector))
    for kind in kinds:
        ours, theirs = asked.vector[:, kind], stored.vector[:, kind]
        table = (ours.flatten(0, 1) @ theirs.flatten(0, 1).T).unflatten(0, ours.shape[:2])
        table = table.unflatten(2, theirs.shape[:2])
        table = table.masked_fill(~stored.present[None, None, :, kind], MISSING)
        score = score + torch.einsum("qvb,qv->qb", table.amax(dim=-1), asked.weight[:, kind])
    return score / total[:, None]
