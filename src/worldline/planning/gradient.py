"""Planning by gradients: several plans at once, each improved by the slope of its own cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.planning.planner import Cost, Planner, Round, evaluate
from worldline.planning.space import ActionSpace

__all__ = ["GradientPlanner"]


@dataclass(frozen=True)
class GradientPlanner(Planner):
    """Adam (Kingma and Ba 2015) through the imagined rollout, from several random beginnings.

    Choices are tried as choices and improved by the slope of their softmax (the straight-through
    estimator, Bengio et al. 2013, arXiv 1308.3432).

    Attributes:
        num_samples: plans improved at once; the first begins in the middle.
        num_rounds: steps of the optimiser.
        step: learning rate.
        std: how far beginnings are scattered.
    """

    num_samples: int = 16
    num_rounds: int = 30
    step: float = 0.1
    std: float = 0.5

    def __post_init__(self) -> None:
        if self.num_samples < 1 or self.num_rounds < 1 or not self.step > 0:
            raise InputError(
                f"num_samples is {self.num_samples}, num_rounds {self.num_rounds} and step "
                f"{self.step}; at least 1, at least 1 and above 0 are needed"
            )

    def rounds(
        self,
        cost: Cost,
        space: ActionSpace,
        begin: Float[Tensor, "b h a"],
        generator: torch.Generator,
    ) -> Iterator[Round]:
        """See `Planner`. Raises `InputError` if the cost has no slope."""
        num, horizon, _ = begin.shape
        noise = torch.randn(num, self.num_samples, horizon, space.width, generator=generator)
        noise[:, 0] = 0
        middle = begin.clamp_min(1e-3).log() if space.is_discrete else begin
        free = (middle[:, None] + self.std * noise).requires_grad_()
        optimizer = torch.optim.Adam([free], lr=self.step)
        for _ in range(self.num_rounds):
            with torch.enable_grad():
                plans = _as_actions(free, space)
                found = evaluate(cost, plans)
                total = torch.where(found.isfinite(), found, torch.zeros_like(found)).sum()
                if not total.requires_grad:
                    raise InputError(
                        "the cost has no slope; plan by gradients in a world whose rollouts can "
                        "be differentiated and for an objective that can be"
                    )
                (slope,) = torch.autograd.grad(total, free)
            free.grad = torch.nan_to_num(slope)
            optimizer.step()
            if not space.is_discrete:
                with torch.no_grad():
                    free.clamp_(-1, 1)
            yield Round(plans.detach(), found.detach())


def _as_actions(free: Float[Tensor, "b s h a"], space: ActionSpace) -> Float[Tensor, "b s h a"]:
    """What is tried: the numbers themselves, or the likeliest choices with the softmax's slope."""
    if not space.is_discrete:
        return free.clamp(-1, 1)
    parts = []
    for logits in free.split(space.num_actions, dim=-1):
        soft = logits.softmax(dim=-1)
        hard = torch.nn.functional.one_hot(soft.argmax(-1), soft.shape[-1]).float()
        parts.append(hard + soft - soft.detach())
    return torch.cat(parts, dim=-1)
