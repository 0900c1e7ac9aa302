"""Planning by gradients: several plans at once, each improved by the slope of its own cost."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.planning.cem import better_of
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

__all__ = ["GradientPlanner"]


@dataclass(frozen=True)
class GradientPlanner:
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
        """See `Planner.plan`. Raises `InputError` too if the cost has no slope."""
        begin = check_numbers(space, num, horizon, warm)
        deadline = Deadline(budget_s, clock)
        noise = torch.randn(num, self.num_samples, horizon, space.width, generator=generator)
        noise[:, 0] = 0
        middle = begin.clamp_min(1e-3).log() if space.is_discrete else begin
        free = (middle[:, None] + self.std * noise).requires_grad_()
        optimizer = torch.optim.Adam([free], lr=self.step)
        best = propose(space, begin, 0.0, 0.0).likely
        least = torch.full((num,), torch.inf)
        done = 0
        while done < self.num_rounds:
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
            best, least = better_of(best, least, plans.detach(), found.detach())
            free.grad = torch.nan_to_num(slope)
            optimizer.step()
            if not space.is_discrete:
                with torch.no_grad():
                    free.clamp_(-1, 1)
            done += 1
            if not deadline.has_time():
                break
        which = least[:, None] >= torch.inf
        center = torch.where(which[..., None], begin, best)
        return Plan(best, least, center, done, deadline.spent_s)


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
