"""The cross-entropy method: draw plans, keep the best, draw again about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.planning.planner import Cost, Planner, Round, evaluate
from worldline.planning.proposal import propose
from worldline.planning.space import ActionSpace

__all__ = ["CEM", "check_elites", "elite_weights"]


@dataclass(frozen=True)
class CEM(Planner):
    """Rubinstein's method (1999), as world models plan with it (Hafner et al. 2019, PlaNet).

    Choices have probabilities instead of a mean and a width; else nothing is different.

    Attributes:
        num_samples: plans per round and situation; one is the middle of the distribution.
        num_rounds: of drawing and refitting.
        num_elites: plans that a distribution is refitted to.
        std: width to begin with; of choices, how far their probabilities are evened out.
        least_std: width below which none is narrowed.
        keep: share of the old distribution kept in a refit.
    """

    num_samples: int = 300
    num_rounds: int = 5
    num_elites: int = 30
    std: float = 0.7
    least_std: float = 0.02
    keep: float = 0.1

    def __post_init__(self) -> None:
        check_elites(self.num_elites, self.num_samples, self.num_rounds)

    def rounds(
        self,
        cost: Cost,
        space: ActionSpace,
        begin: Float[Tensor, "b h a"],
        generator: torch.Generator,
    ) -> Iterator[Round]:
        """See `Planner`."""
        num, horizon, _ = begin.shape
        proposal = propose(space, begin, self.std, self.least_std)
        shape = num, self.num_samples, horizon, space.num_columns
        for _ in range(self.num_rounds):
            plans = proposal.sample(torch.randn(shape, generator=generator))
            plans[:, 0] = proposal.likely
            found = evaluate(cost, plans)
            weight = elite_weights(found, self.num_elites)
            proposal = proposal.refit(plans, weight, keep=self.keep)
            yield Round(plans, found, proposal.center)


def elite_weights(cost: Float[Tensor, "b s"], num: int) -> Float[Tensor, "b s"]:
    """Equal weights of the plans of least cost, none of the others.

    Where fewer have a cost at all these alone count, and where none has one all count alike.
    """
    threshold = cost.kthvalue(num, dim=1, keepdim=True).values
    weight = ((cost <= threshold) & cost.isfinite()).float()
    weight = torch.where(weight.any(dim=1, keepdim=True), weight, torch.ones_like(weight))
    return weight / weight.sum(dim=1, keepdim=True)


def check_elites(num_elites: int, num_samples: int, num_rounds: int) -> None:
    """Raises `InputError` for numbers that no distribution can be refitted with."""
    if not (1 <= num_elites < num_samples) or num_rounds < 1:
        raise InputError(
            f"num_samples is {num_samples}, num_elites {num_elites} and num_rounds {num_rounds}; "
            "at least one elite, more samples than elites, and at least one round are needed, such "
            "as a tenth as many elites as samples"
        )
