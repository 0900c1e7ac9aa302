"""iCEM: the cross-entropy method with noise that lasts, and with a memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.planning.cem import check_elites, elite_weights
from worldline.planning.planner import Cost, Planner, Round, evaluate
from worldline.planning.proposal import colored_noise, propose
from worldline.planning.space import ActionSpace

__all__ = ["ICEM"]


@dataclass(frozen=True)
class ICEM(Planner):
    """Pinneri et al. 2020 (arXiv 2008.06389): fewer plans for the same result.

    Noise is coloured along a plan, each round draws fewer plans than the one before, some of the
    best plans stay in the running, and the mean is among the last round's plans. Coloured noise
    draws choices as well: it picks their place in the cumulative distribution.

    Attributes:
        num_samples: plans of the first round.
        num_rounds: of drawing and refitting.
        num_elites: plans that a distribution is refitted to.
        kept: share of them that goes on to the next round.
        decay: a round draws so many times fewer plans than the one before, twice the elites at
            least.
        color: exponent of the noise; 0 is white.
        std: width to begin with; of choices, how far their probabilities are evened out.
        least_std: width below which none is narrowed.
        keep: share of the old distribution kept in a refit.
    """

    num_samples: int = 300
    num_rounds: int = 4
    num_elites: int = 20
    kept: float = 0.3
    decay: float = 1.25
    color: float = 2.0
    std: float = 0.7
    least_std: float = 0.02
    keep: float = 0.1

    def __post_init__(self) -> None:
        check_elites(self.num_elites, self.num_samples, self.num_rounds)
        if not self.decay >= 1 or not 0 <= self.kept <= 1 or not self.color >= 0:
            raise InputError(
                f"decay is {self.decay}, kept {self.kept} and color {self.color}; at least 1, a "
                "share, and at least 0 are needed"
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
        proposal = propose(space, begin, self.std, self.least_std)
        veterans = proposal.likely[:, None]
        num_kept = round(self.kept * self.num_elites)
        for done in range(self.num_rounds):
            most = max(2 * self.num_elites, round(self.num_samples * self.decay**-done))
            shape = num, most, horizon, space.num_columns
            plans = proposal.sample(colored_noise(shape, self.color, generator))
            plans = torch.cat([plans, veterans], dim=1)
            if done == self.num_rounds - 1:
                plans = torch.cat([plans, proposal.likely[:, None]], dim=1)
            found = evaluate(cost, plans)
            proposal = proposal.refit(plans, elite_weights(found, self.num_elites), keep=self.keep)
            order = found.argsort(dim=1)[:, :num_kept]
            veterans = plans.gather(1, order[..., None, None].expand(-1, -1, *plans.shape[2:]))
            yield Round(plans, found, proposal.center)
