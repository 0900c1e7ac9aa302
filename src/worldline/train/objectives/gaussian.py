"""Keep a representation from collapsing: its features should be spread like a Gaussian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.train.draw import ClipBatch
from worldline.train.objectives.base import Objective, Parts
from worldline.world import World

__all__ = ["SketchedGaussian", "epps_pulley"]


class SketchedGaussian(Objective):
    """SIGReg (Balestriero and LeCun 2025, arXiv 2511.08544, section 4), without target or stop.

    Features are projected on random directions; in each, the distance of their characteristic
    function to that of the standard normal distribution is measured (Epps and Pulley 1983) and
    lowered. It is taken over the clips and moments of a batch, for each patch on its own: over all
    patches together, features that only say where a patch is would pass.
    """

    @register("objective/sketched-gaussian")
    @dataclass(frozen=True)
    class Config(Config):
        """Weight and sketch.

        Attributes:
            weight: of the loss.
            num_directions: random directions per step.
        """

        weight: float = 1.0
        num_directions: int = 64

        def build(self, world: World) -> SketchedGaussian:
            """Make the objective."""
            return SketchedGaussian(self)

    def __init__(self, config: SketchedGaussian.Config) -> None:
        super().__init__()
        self.config, self.weight = config, config.weight

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Mean statistic over patches and directions."""
        x = latents.tokens.float()
        shape = x.shape[-1], self.config.num_directions
        directions = torch.randn(shape, generator=generator, device=generator.device)
        directions = directions / directions.norm(dim=0)
        sketch = (x @ directions).flatten(0, 1)
        return {"total": epps_pulley(sketch).mean(), "spread": x.std(dim=(0, 1)).mean()}


def epps_pulley(
    x: Float[Tensor, "s ..."], *, num_points: int = 17, reach: float = 5.0
) -> Float[Tensor, "*d"]:
    """Weighted squared distance between the characteristic functions of samples and of N(0, 1).

    The integral over t of |mean(exp(i t x)) - exp(-t^2 / 2)|^2 exp(-t^2 / 2), by the trapezoidal
    rule between -reach and reach; 0 only for a standard normal distribution. The function is even
    in t, so only half of it is computed.
    """
    half = (num_points + 1) // 2
    t = torch.linspace(0.0, reach, half, device=x.device)
    weight = torch.full((half,), 2 * reach / (half - 1), device=x.device)
    weight[0], weight[-1] = weight[0] / 2, weight[-1] / 2
    normal = (-t.square() / 2).exp()
    angle = x[..., None] * t
    real, imaginary = angle.cos().mean(dim=0), angle.sin().mean(dim=0)
    gap = (real - normal).square() + imaginary.square()
    return (gap * normal * weight).sum(dim=-1)
