"""Keep a representation from collapsing, and its steps short: VICReg's terms, and slowness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.train.draw import ClipBatch
from worldline.train.objectives.base import Objective, Parts
from worldline.world import World

__all__ = ["Slowness", "VarianceCovariance"]


class VarianceCovariance(Objective):
    """Each number of a latent varies, and none tells what another tells.

    VICReg (Bardes et al. 2022, arXiv 2105.04906, eq. 1 to 4) without its invariance, which the
    dynamics see to.

    Both are taken over the clips and moments of a batch, for each patch on its own, as
    `SketchedGaussian` does. A collapsed number is pushed by the hinge alone, not towards any shape.
    """

    @register("objective/variance-covariance")
    @dataclass(frozen=True)
    class Config(Config):
        """Weights; 0 leaves a term out.

        Attributes:
            variance: weight of the hinge on standard deviations.
            covariance: weight of the squared covariances, of each number with all others.
            least_std: standard deviation from which on the hinge asks for no more.
            weight: of both together.
        """

        variance: float = 1.0
        covariance: float = 1.0
        least_std: float = 1.0
        weight: float = 1.0

        def build(self, world: World) -> VarianceCovariance:
            """Make the objective."""
            return VarianceCovariance(self)

    def __init__(self, config: VarianceCovariance.Config) -> None:
        super().__init__()
        self.config, self.weight = config, config.weight

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Hinge and squared covariances, means over patches."""
        x = latents.tokens.float().flatten(0, 1).transpose(0, 1)  # patches, samples, numbers
        x = x - x.mean(dim=1, keepdim=True)
        covariance = x.transpose(1, 2) @ x / (x.shape[1] - 1)
        own = covariance.diagonal(dim1=-2, dim2=-1)
        std = (own + 1e-4).sqrt()
        hinge = (self.config.least_std - std).relu().mean()
        others = (covariance.square().sum() - own.square().sum()) / own.numel()
        total = self.config.variance * hinge + self.config.covariance * others
        return {"total": total, "variance": hinge, "covariance": others, "spread": std.mean()}


class Slowness(Objective):
    """Latents of successive moments are near one another (Wiskott and Sejnowski 2002, eq. 2, with
    the spread left to others; PLDM's smoothness, Sobal et al. 2025, arXiv 2502.14819)."""

    @register("objective/slowness")
    @dataclass(frozen=True)
    class Config(Config):
        """Weight.

        Attributes:
            weight: of the loss.
        """

        weight: float = 1.0

        def build(self, world: World) -> Slowness:
            """Make the objective."""
            return Slowness(self)

    def __init__(self, config: Slowness.Config) -> None:
        super().__init__()
        self.weight = config.weight

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Mean squared change from one latent to the next; 0 for clips of a single one."""
        x = latents.tokens.float()
        if x.shape[1] < 2:
            return {"total": 0.0 * x.sum()}
        return {"total": (x[:, 1:] - x[:, :-1]).square().mean()}
