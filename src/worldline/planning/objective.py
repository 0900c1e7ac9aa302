"""What a plan is judged by: costs of what a world imagines of it.

Every objective turns one rollout into a cost per plan, and `Weighted` adds several up. Shape
legend: B situations, S plans, H steps, N latent cells, C channels, A numbers of an action.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.core.wording import counted
from worldline.planning.imagination import Imagination, Rollout, Situation
from worldline.planning.planner import Cost
from worldline.readout.reward import RewardReadout

__all__ = [
    "Earnings",
    "Familiarity",
    "LatentGoal",
    "Objective",
    "Over",
    "Smoothness",
    "Weighted",
    "cost_of",
    "one_each",
    "over_time",
]


@runtime_checkable
class Objective(Protocol):
    """What plans cost."""

    def cost(self, rollout: Rollout) -> Float[Tensor, "b s"]:
        """The lower the better."""
        ...


class Over(StrEnum):
    """Which moments of a rollout count."""

    LAST = "last"
    """Where it ends."""

    SUM = "sum"
    """All of them alike, so that it is better to be there soon."""

    LEAST = "least"
    """The best one, for what has to be reached once and at any time."""


def over_time(per_step: Float[Tensor, "b s h"], over: Over) -> Float[Tensor, "b s"]:
    """Costs of single moments as one; sums are means, so that horizons can be compared."""
    match over:
        case Over.LAST:
            return per_step[..., -1]
        case Over.SUM:
            return per_step.mean(dim=-1)
        case Over.LEAST:
            return per_step.amin(dim=-1)


def one_each(goal: Float[Tensor, "g n c"], rollout: Rollout) -> Float[Tensor, "b n c"]:
    """Goals of all situations of a rollout, where one may be there for all.

    Raises:
        InputError: there are neither as many nor one, or they are of another size than what is
            imagined.
    """
    num, size = len(rollout.latents), rollout.latents.shape[-2:].numel()
    if len(goal) not in (1, num) or goal.shape[1:].numel() != size:
        raise InputError(
            f"{counted(len(goal), 'goal')} of {goal.shape[1:].numel()} numbers for "
            f"{counted(num, 'situation')} of {size}: one for each or one for all is needed, out of "
            "the same world"
        )
    return goal.expand(num, -1, -1)


@dataclass(frozen=True, eq=False)
class LatentGoal:
    """Mean squared distance of latents to those of a goal image (V-JEPA 2-AC, eq. 5, has their
    absolute one; DINO-WM, arXiv 2411.04983, eq. 5, this).

    Attributes:
        goal: `[B, N, C]`, one per situation, or `[1, N, C]` for all.
        over: which moments count.
    """

    goal: Float[Tensor, "b n c"]
    over: Over = Over.SUM

    @classmethod
    def of_frames(
        cls, imagination: Imagination, frames: Tensor | np.ndarray, over: Over = Over.SUM
    ) -> LatentGoal:
        """Of goal images, uint8 `[B, h, w, 3]`, a tensor or an array. Raises `InputError` if they
        are no such, or of another size than the world's."""
        return cls(imagination.encode(frames[:, None])[:, 0], over)

    def cost(self, rollout: Rollout) -> Float[Tensor, "b s"]:
        """See `Objective`. Raises `InputError` for goals of other situations; see `one_each`."""
        away = rollout.latents - one_each(self.goal, rollout)[:, None, None]
        return over_time(away.square().mean(dim=(-2, -1)), self.over)


@dataclass(frozen=True, eq=False)
class Earnings:
    """What a world's reward readout expects, negative, until the episode's likely end.

    It is read without slope, so gradients do not plan by it.

    Attributes:
        readout: of the world.
        discount: factor per step.
    """

    readout: RewardReadout
    discount: float = 1.0

    @classmethod
    def of(cls, imagination: Imagination, discount: float = 1.0) -> Earnings:
        """Of a world's own. Raises `InputError` if it tells no rewards."""
        if imagination.world.reward is None:
            raise InputError(f"the world {imagination.world.name} tells no rewards to plan for")
        return cls(imagination.world.reward, discount)

    def cost(self, rollout: Rollout) -> Float[Tensor, "b s"]:
        """See `Objective`. An action is told from the two frames that the readout looks at."""
        num, samples, horizon, _ = rollout.actions.shape
        start = rollout.start[:, None].expand(-1, samples, -1, -1, -1)
        seen = torch.cat([start, rollout.latents], dim=2).flatten(0, 1)
        actions = rollout.actions.flatten(0, 1)
        total = torch.zeros(num * samples)
        alive = torch.ones(num * samples)
        for t in range(horizon):
            pair = self.readout.pair(seen[:, t], seen[:, t + 1], seen[:, t + 2])
            earned, ends = self.readout.read(*pair, actions[:, t])
            total = total + self.discount**t * alive * earned
            alive = alive * (1 - ends)
        return -total.unflatten(0, (num, samples))


@dataclass(frozen=True)
class Smoothness:
    """Mean squared change from action to action, the one that was taken last included."""

    def cost(self, rollout: Rollout) -> Float[Tensor, "b s"]:
        """See `Objective`."""
        actions = rollout.actions
        if rollout.before is not None:
            first = rollout.before[:, None, None].expand(-1, actions.shape[1], -1, -1)
            actions = torch.cat([first, actions], dim=2)
        if actions.shape[2] < 2:
            return torch.zeros(actions.shape[:2])
        return (actions[:, :, 1:] - actions[:, :, :-1]).square().mean(dim=(-2, -1))


@dataclass(frozen=True, eq=False)
class Familiarity:
    """The trust penalty: how far a plan leaves what the world has seen.

    The monitor judges a forecast that was drawn and decoded, which thousands of plans cannot be.
    Of its signals this keeps the one that can be had for each of them, the distance to what is
    known: the squared distance of an imagined latent to the nearest of a bank of true ones, in
    excess of what the world's own one-step forecasts of held-out frames come to.

    Attributes:
        bank: `[M, N * C]` latents of true frames.
        limit: squared distance, per number, that is usual.
    """

    bank: Float[Tensor, "m d"]
    limit: float

    @classmethod
    def measured(
        cls, bank: Float[Tensor, "m d"], usual: Float[Tensor, "k d"], quantile: float = 0.95
    ) -> Familiarity:
        """Of a bank, and of forecasts that are taken for usual."""
        return cls(bank, float(_nearest(usual, bank).quantile(quantile)))

    def cost(self, rollout: Rollout) -> Float[Tensor, "b s"]:
        """Mean excess over all steps; 0 for plans that stay where the world knows its way."""
        far = _nearest(rollout.latents.flatten(-2).flatten(0, 2), self.bank)
        excess = (far / max(self.limit, 1e-9) - 1).clamp_min(0)
        return excess.unflatten(0, rollout.latents.shape[:3]).mean(dim=-1)


@dataclass(frozen=True, eq=False)
class Weighted:
    """Several objectives, each with its weight, added up."""

    terms: tuple[tuple[float, Objective], ...]

    def cost(self, rollout: Rollout) -> Float[Tensor, "b s"]:
        """See `Objective`."""
        total = torch.zeros(rollout.actions.shape[:2])
        for weight, objective in self.terms:
            total = total + weight * objective.cost(rollout)
        return total


def cost_of(imagination: Imagination, situation: Situation, objective: Objective) -> Cost:
    """What plans cost by what is imagined of them; for a planner."""

    def cost(plans: Float[Tensor, "b s h a"]) -> Float[Tensor, "b s"]:
        return objective.cost(imagination.imagine(situation, plans))

    return cost


def _nearest(x: Float[Tensor, "k d"], bank: Float[Tensor, "m d"]) -> Float[Tensor, " k"]:
    """Squared distance per number to the nearest of a bank."""
    apart = x.square().sum(-1, keepdim=True) - 2 * x @ bank.T + bank.square().sum(-1)
    return apart.amin(dim=-1).clamp_min(0) / x.shape[-1]
