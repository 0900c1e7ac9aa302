"""The cross-entropy method: draw plans, keep the best, draw again about them."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.planning.planner import (
    ActionSpace,
    Clock,
    Cost,
    Deadline,
    Plan,
    check_numbers,
    evaluate,
)
from worldline.planning.proposal import propose

__all__ = ["CEM", "better_of", "elite_weights"]


@dataclass(frozen=True)
class CEM:
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
        if not (1 <= self.num_elites < self.num_samples) or self.num_rounds < 1:
            raise InputError(
                f"num_elites is {self.num_elites} of {self.num_samples} samples in "
                f"{self.num_rounds} rounds; some but not all, and one round at least"
            )

    def plan(
        self,
        cost: Cost,
        space: ActionSpace,
        *,
        num: int,
        horizon: int,
        generator: torch.Generator,
        warm: Float[Tensor, "b h a"] | None = None,
        budget_s: float | None = None,
        clock: Clock = time.perf_counter,
    ) -> Plan:
        """See `Planner.plan`."""
        begin = check_numbers(space, num, horizon, warm)
        deadline = Deadline(budget_s, clock)
        proposal = propose(space, begin, self.std, self.least_std)
        shape = num, self.num_samples, horizon, space.num_columns
        best, least = proposal.likely, torch.full((num,), torch.inf)
        done = 0
        while done < self.num_rounds:
            plans = proposal.sample(torch.randn(shape, generator=generator))
            plans[:, 0] = proposal.likely
            found = evaluate(cost, plans)
            best, least = better_of(best, least, plans, found)
            weight = elite_weights(found, self.num_elites)
            proposal = proposal.refit(plans, weight, keep=self.keep)
            done += 1
            if not deadline.has_time():
                break
        return Plan(best, least, proposal.center, done, deadline.spent_s)


def elite_weights(cost: Float[Tensor, "b s"], num: int) -> Float[Tensor, "b s"]:
    """Equal weights of the plans of least cost, none of the others.

    Where fewer have a cost at all these alone count, and where none has one all count alike.
    """
    threshold = cost.kthvalue(num, dim=1, keepdim=True).values
    weight = ((cost <= threshold) & cost.isfinite()).float()
    weight = torch.where(weight.any(dim=1, keepdim=True), weight, torch.ones_like(weight))
    return weight / weight.sum(dim=1, keepdim=True)


def better_of(
    best: Float[Tensor, "b h a"],
    least: Float[Tensor, " b"],
    plans: Float[Tensor, "b s h a"],
    cost: Float[Tensor, "b s"],
) -> tuple[Float[Tensor, "b h a"], Float[Tensor, " b"]]:
    """The best plan so far, per situation, and what it costs."""
    now, which = cost.min(dim=1)
    found = plans[torch.arange(len(plans)), which]
    better = now < least
    return torch.where(better[:, None, None], found, best), torch.where(better, now, least)
