"""MPPI: all plans count, the better ones exponentially more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.planning.planner import Cost, Planner, Round, evaluate
from worldline.planning.proposal import colored_noise, propose
from worldline.planning.space import ActionSpace

__all__ = ["MPPI", "path_weights"]


@dataclass(frozen=True)
class MPPI(Planner):
    """Model predictive path integral control (Williams et al. 2017, arXiv 1509.01149, eq. 34).

    Costs are measured in their own spread, so that one temperature serves all objectives; the
    width of the noise shrinks by a fixed factor per round and is not fitted.

    Attributes:
        num_samples: plans per round; one is the middle of the distribution.
        num_rounds: of drawing and averaging.
        temperature: of the weights, in standard deviations of the costs.
        std: width of the noise; of choices, how far their probabilities are evened out.
        shrink: factor of the width from round to round.
        color: exponent of the noise; 0 is white.
    """

    num_samples: int = 300
    num_rounds: int = 5
    temperature: float = 0.1
    std: float = 0.7
    shrink: float = 0.6
    color: float = 0.0

    def __post_init__(self) -> None:
        if self.num_samples < 2 or self.num_rounds < 1 or not self.temperature > 0:
            raise InputError(
                f"num_samples is {self.num_samples}, num_rounds {self.num_rounds} and temperature "
                f"{self.temperature}; at least 2, at least 1 and above 0 are needed"
            )

    def rounds(
        self,
        cost: Cost,
        space: ActionSpace,
        begin: Float[Tensor, "b h a"],
        generator: torch.Generator,
    ) -> Iterator[Round]:
        """See `Planner`."""
        num, horizon, _ = begin.shape
        shape = num, self.num_samples, horizon, space.num_columns
        center = begin
        for done in range(self.num_rounds):
            proposal = propose(space, center, self.std * self.shrink**done, 0.0)
            plans = proposal.sample(colored_noise(shape, self.color, generator))
            plans[:, 0] = proposal.likely
            found = evaluate(cost, plans)
            weight = path_weights(found, self.temperature)
            center = proposal.refit(plans, weight, keep=0.0, width=False).center
            yield Round(plans, found, center)


def path_weights(cost: Float[Tensor, "b s"], temperature: float) -> Float[Tensor, "b s"]:
    """exp(-(cost - least) / temperature), in units of the costs' spread, adding up to 1.

    Where no plan has a cost all count alike.
    """
    known = cost.isfinite()
    count = known.sum(dim=1, keepdim=True).clamp_min(1)
    filled = torch.where(known, cost, 0.0)
    mean = filled.sum(dim=1, keepdim=True) / count
    spread = (torch.where(known, cost - mean, 0.0).square().sum(1, keepdim=True) / count).sqrt()
    least = torch.where(known, cost, torch.inf).amin(dim=1, keepdim=True)
    excess = torch.where(known, cost - least, 0.0)
    score = torch.where(known, -excess / (temperature * spread).clamp_min(1e-12), -torch.inf)
    score = torch.where(known.any(dim=1, keepdim=True), score, torch.zeros_like(score))
    return score.softmax(dim=1)
