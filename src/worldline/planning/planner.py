"""What every planner does: look for the actions of least cost, for many situations at once."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.planning.proposal import propose
from worldline.planning.space import ActionSpace

__all__ = [
    "Clock",
    "Cost",
    "Deadline",
    "Plan",
    "Planner",
    "Round",
    "check_numbers",
    "evaluate",
    "shift",
]

Cost = Callable[[Float[Tensor, "b s h a"]], Float[Tensor, "b s"]]
"""What S plans of H actions each cost, for each of B situations. NaN is taken for infinite."""

Clock = Callable[[], float]
"""Seconds that pass."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What a planner found for B situations.

    Attributes:
        actions: `[B, H, A]` the best plan that was tried, as a world takes actions.
        cost: `[B]` of it; infinite where nothing that was tried had a cost.
        center: `[B, H, A]` middle of what was looked through last, to go on from next time;
            probabilities where actions are choices.
        num_rounds: rounds of looking.
        spent_s: wall time.
    """

    actions: Float[Tensor, "b h a"]
    cost: Float[Tensor, " b"]
    center: Float[Tensor, "b h a"]
    num_rounds: int
    spent_s: float


@dataclass(frozen=True, eq=False)
class Round:
    """What one round of looking tried.

    Attributes:
        plans: `[B, S, H, A]` as a world takes actions.
        cost: `[B, S]` of them.
        center: `[B, H, A]` where the next round will look; None: about the best plan so far.
    """

    plans: Float[Tensor, "b s h a"]
    cost: Float[Tensor, "b s"]
    center: Float[Tensor, "b h a"] | None = None


class Planner(ABC):
    """Looks for plans, round after round."""

    @abstractmethod
    def rounds(
        self,
        cost: Cost,
        space: ActionSpace,
        begin: Float[Tensor, "b h a"],
        generator: torch.Generator,
    ) -> Iterator[Round]:
        """All rounds in which plans are looked for, each when it is asked for.

        Args:
            cost: of plans; see `evaluate`.
            space: of their actions.
            begin: where to begin.
            generator: of all chance.
        """

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
        """The best plans found.

        Args:
            cost: of plans.
            space: of their actions.
            num: B, situations that are planned for together.
            horizon: H, actions of a plan.
            generator: of all chance.
            warm: where to begin, such as what is left of the last plan's `center` (see `shift`).
            budget_s: no round is begun that would end after this time, by how long the last one
                took; the first is always made.
            clock: by which the budget is kept.

        Raises:
            InputError: a number is not positive, `warm` is of another shape or holds what is not a
                number, or the cost is not what this planner can look by.
        """
        begin = check_numbers(space, num, horizon, warm)
        deadline = Deadline(budget_s, clock)
        best = propose(space, begin, 0.0, 0.0).likely
        least = torch.full((num,), torch.inf)
        center, done = begin, 0
        for tried in self.rounds(cost, space, begin, generator):
            best, least = _better_of(best, least, tried)
            unknown = least[:, None, None] >= torch.inf
            center = torch.where(unknown, begin, best) if tried.center is None else tried.center
            done += 1
            if not deadline.has_time():
                break
        return Plan(best, least, center, done, deadline.spent_s)


class Deadline:
    """A budget of wall time for rounds that take about as long as each other."""

    def __init__(self, budget_s: float | None, clock: Clock) -> None:
        if budget_s is not None and not budget_s > 0:
            raise InputError(f"budget_s is {budget_s}; it must be above 0")
        self.budget_s, self.clock = budget_s, clock
        self.begun_s = self.last_s = clock()

    @property
    def spent_s(self) -> float:
        """Since the beginning."""
        return self.clock() - self.begun_s

    def has_time(self) -> bool:
        """Whether another round like the one that ends now would be done in time."""
        now_s = self.clock()
        took_s, self.last_s = now_s - self.last_s, now_s
        return self.budget_s is None or now_s + took_s - self.begun_s <= self.budget_s


def evaluate(cost: Cost, plans: Float[Tensor, "b s h a"]) -> Float[Tensor, "b s"]:
    """Costs, infinite where they are not a number. Raises `InputError` for another shape."""
    found = cost(plans)
    if found.shape != plans.shape[:2]:
        raise InputError(
            f"the cost gives {tuple(found.shape)} for plans of {tuple(plans.shape)}; one number "
            "for each plan of each situation is needed"
        )
    return torch.where(found.isnan(), torch.inf, found.float())


def shift(plan: Float[Tensor, "b h a"], steps: int = 1) -> Float[Tensor, "b h a"]:
    """What is left of plans after so many steps, the last action held to the old length."""
    held = plan[:, -1:].expand(-1, min(steps, plan.shape[1]), -1)
    return torch.cat([plan[:, steps:], held], dim=1)


def check_numbers(
    space: ActionSpace, num: int, horizon: int, warm: Float[Tensor, "b h a"] | None
) -> Float[Tensor, "b h a"]:
    """Where to begin. Raises `InputError` for numbers that nothing can be planned with."""
    if num < 1 or horizon < 1:
        raise InputError(f"num is {num} and horizon {horizon}; both must be at least 1")
    if warm is None:
        return space.rest(num, horizon)
    if tuple(warm.shape) != (num, horizon, space.width):
        raise InputError(
            f"warm is {tuple(warm.shape)}, expected {(num, horizon, space.width)}: a plan per "
            "situation"
        )
    if not warm.isfinite().all():
        raise InputError("warm has what is not a number; leave it out to begin anew")
    return warm.float()


def _better_of(
    best: Float[Tensor, "b h a"], least: Float[Tensor, " b"], tried: Round
) -> tuple[Float[Tensor, "b h a"], Float[Tensor, " b"]]:
    """The best plan so far, per situation, and what it costs."""
    now, which = tried.cost.min(dim=1)
    found = tried.plans[torch.arange(len(tried.plans)), which]
    better = now < least
    return torch.where(better[:, None, None], found, best), torch.where(better, now, least)
