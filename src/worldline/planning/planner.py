"""What every planner does: look for the actions of least cost, for many situations at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.data.actions import ActionSpec

__all__ = [
    "ActionSpace",
    "Cost",
    "Deadline",
    "Plan",
    "Planner",
    "check_numbers",
    "evaluate",
    "shift",
]

Cost = Callable[[Float[Tensor, "b s h a"]], Float[Tensor, "b s"]]
"""What S plans of H actions each cost, for each of B situations. NaN is taken for infinite."""

Clock = Callable[[], float]
"""Seconds that pass."""


@dataclass(frozen=True)
class ActionSpace:
    """What actions there are, as a world takes them.

    Attributes:
        width: numbers per action, each in [-1, 1].
        num_actions: where actions are choices, how many possibilities each of them has; an action
            is then their one-hot vectors side by side, `width` numbers together.
    """

    width: int
    num_actions: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        total = sum(self.num_actions)
        if self.width < 1 or (self.num_actions and total != self.width):
            raise InputError(
                f"actions of {self.width} numbers with choices {self.num_actions}: choices must "
                "add up to the width, and 1 is the least"
            )

    @classmethod
    def of(cls, spec: ActionSpec) -> ActionSpace:
        """Of an environment's actions."""
        return cls(spec.width, spec.num_actions)

    @property
    def is_discrete(self) -> bool:
        """Whether actions are choices."""
        return bool(self.num_actions)

    @property
    def num_columns(self) -> int:
        """Numbers that have to be drawn for an action: one per choice, or one per number."""
        return len(self.num_actions) or self.width

    def rest(self, num: int, horizon: int) -> Float[Tensor, "b h a"]:
        """Plans to begin with: no motion, or every choice as likely as the others."""
        if not self.num_actions:
            return torch.zeros(num, horizon, self.width)
        parts = [torch.full((n,), 1 / n) for n in self.num_actions]
        return torch.cat(parts).expand(num, horizon, -1).clone()


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


@runtime_checkable
class Planner(Protocol):
    """Looks for plans."""

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
            InputError: a number is not positive, or `warm` is of another shape.
        """
        ...


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
    return warm.float()
