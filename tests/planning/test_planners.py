"""Every planner finds what can be worked out by hand, continuous and discrete, and keeps time."""

from __future__ import annotations

import itertools

import pytest
import torch

from worldline.core.errors import InputError
from worldline.data.actions import ActionSpec
from worldline.planning import CEM, ICEM, MPPI, ActionSpace, GradientPlanner, Plan, Planner, shift

PLANNERS: dict[str, Planner] = {
    "cem": CEM(num_samples=200, num_rounds=12, num_elites=20, least_std=1e-4),
    "icem": ICEM(num_samples=200, num_rounds=14, num_elites=20, color=0.5, least_std=1e-4),
    "mppi": MPPI(num_samples=200, num_rounds=14, std=0.8),
    "gradient": GradientPlanner(num_samples=2, num_rounds=150, step=0.05),
}
EVERY = pytest.mark.parametrize("planner", PLANNERS.values(), ids=PLANNERS)
NUMBERS = ActionSpace(2)
CHOICES = ActionSpace(5, (3, 2))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Quadratic:
    """A point that actions push about, x_t = x_0 + sum a: cost |x_H - goal|^2 + r sum |a|^2.

    By symmetry all actions are equal at the optimum, and its derivative is zero where
    a = (goal - x_0) / (H + r).
    """

    def __init__(self, horizon: int, effort: float = 0.5) -> None:
        self.away = torch.tensor([[0.9, -0.6], [-0.3, 1.2], [0.0, 0.3]])
        self.horizon, self.effort = horizon, effort

    def __call__(self, plans: torch.Tensor) -> torch.Tensor:
        missed = plans.sum(dim=2) - self.away[:, None]
        return missed.square().sum(-1) + self.effort * plans.square().sum(dim=(2, 3))

    @property
    def best(self) -> torch.Tensor:
        action = self.away / (self.horizon + self.effort)
        return action[:, None].expand(-1, self.horizon, -1)


@EVERY
def test_a_quadratic_optimum_is_found(planner):
    cost = Quadratic(horizon=3)
    found = planner.plan(cost, NUMBERS, num=3, horizon=3, generator=seeded())
    assert isinstance(planner, Planner)
    torch.testing.assert_close(found.actions, cost.best, atol=0.03, rtol=0)
    torch.testing.assert_close(found.cost, cost(cost.best[:, None])[:, 0], atol=2e-3, rtol=0)
    torch.testing.assert_close(cost(found.actions[:, None])[:, 0], found.cost)


@EVERY
def test_bounds_hold_where_the_optimum_lies_beyond_them(planner):
    def cost(plans: torch.Tensor) -> torch.Tensor:
        return (plans - 3.0).square().sum(dim=(2, 3))

    found = planner.plan(cost, NUMBERS, num=1, horizon=2, generator=seeded())
    assert found.actions.abs().max() <= 1
    torch.testing.assert_close(found.actions, torch.ones(1, 2, 2), atol=0.05, rtol=0)


@EVERY
def test_the_best_of_all_choices_is_found(planner):
    """6^3 plans, each tried by hand; what a choice is worth depends on the one before it."""
    table = torch.randn(2, 3, 5, generator=seeded(1))
    pairs = 0.3 * torch.randn(2, 5, 5, generator=seeded(2))

    def cost(plans: torch.Tensor) -> torch.Tensor:
        alone = torch.einsum("bsha,bha->bs", plans, table)
        return alone + torch.einsum("bsha,bac,bshc->bs", plans[:, :, 1:], pairs, plans[:, :, :-1])

    eye = [torch.eye(n) for n in CHOICES.num_actions]
    actions = [torch.cat(parts) for parts in itertools.product(*eye)]
    every = torch.stack([torch.stack(p) for p in itertools.product(actions, repeat=3)])
    least = cost(every.expand(2, -1, -1, -1)).amin(dim=1)
    found = planner.plan(cost, CHOICES, num=2, horizon=3, generator=seeded())
    torch.testing.assert_close(found.cost, least)
    assert set(found.actions.unique().tolist()) == {0.0, 1.0}
    assert (found.actions.sum(dim=-1) == 2).all()


@EVERY
def test_situations_do_not_touch_each_other_and_seeds_repeat(planner):
    cost = Quadratic(horizon=2)

    def plan(cost, num=3, seed=4) -> Plan:
        return planner.plan(cost, NUMBERS, num=num, horizon=2, generator=seeded(seed))

    assert torch.equal(plan(cost).actions, plan(cost).actions)

    def other(plans: torch.Tensor) -> torch.Tensor:
        return torch.cat([cost(plans)[:2], -plans[2:].sum(dim=(2, 3))])

    assert torch.equal(plan(other).actions[:2], plan(cost).actions[:2])
    assert not torch.equal(plan(other).actions[2], plan(cost).actions[2])


@EVERY
def test_a_warm_start_begins_where_it_is_told_to(planner):
    cost = Quadratic(horizon=3)
    short = {"num_rounds": 1}
    brief = type(planner)(**{**planner.__dict__, **short, "std": 1e-3})
    options = {"num": 3, "horizon": 3}
    cold = brief.plan(cost, NUMBERS, generator=seeded(), **options)
    warm = brief.plan(cost, NUMBERS, generator=seeded(), warm=cost.best, **options)
    assert (cold.cost > warm.cost + 0.05).all()
    torch.testing.assert_close(warm.actions, cost.best, atol=0.02, rtol=0)


@EVERY
def test_no_round_is_begun_that_would_end_too_late(planner):
    now = [0.0]

    def cost(plans: torch.Tensor) -> torch.Tensor:
        now[0] += 1.0  # a round takes a second
        return plans.square().sum(dim=(2, 3))

    def rounds(budget_s: float | None) -> Plan:
        now[0] = 0.0
        return planner.plan(
            cost,
            NUMBERS,
            num=1,
            horizon=1,
            generator=seeded(),
            budget_s=budget_s,
            clock=lambda: now[0],
        )

    assert rounds(0.5).num_rounds == 1
    assert rounds(3.0).num_rounds == 3
    assert rounds(3.0).spent_s == 3.0
    assert rounds(None).num_rounds == planner.num_rounds


@EVERY
def test_plans_without_a_cost_are_passed_over(planner):
    """A model that breaks down for half of all plans, and in one situation for all."""

    def cost(plans: torch.Tensor) -> torch.Tensor:
        good = (plans - 0.4).square().sum(dim=(2, 3))
        found = torch.where(plans[:, :, 0, 0] < 0, torch.nan, good)
        return torch.cat([found[:1], torch.full_like(found[1:], torch.nan)])

    found = planner.plan(cost, NUMBERS, num=2, horizon=2, generator=seeded())
    assert found.cost[0] < 0.02
    assert torch.isinf(found.cost[1])
    assert torch.isfinite(found.actions).all()
    assert torch.isfinite(found.center).all()


@EVERY
def test_numbers_that_nothing_can_be_planned_with_are_refused(planner):
    cost = Quadratic(horizon=2)
    with pytest.raises(InputError, match="horizon 0"):
        planner.plan(cost, NUMBERS, num=1, horizon=0, generator=seeded())
    with pytest.raises(InputError, match="a plan per situation"):
        planner.plan(cost, NUMBERS, num=3, horizon=2, generator=seeded(), warm=torch.zeros(1, 2, 2))
    gone = torch.full((1, 2, 2), torch.nan)
    with pytest.raises(InputError, match="warm has what is not a number"):
        planner.plan(cost, NUMBERS, num=1, horizon=2, generator=seeded(), warm=gone)
    with pytest.raises(InputError, match="above 0"):
        planner.plan(cost, NUMBERS, num=3, horizon=2, generator=seeded(), budget_s=0.0)
    with pytest.raises(InputError, match="one number for each plan"):
        planner.plan(lambda p: p.sum(), NUMBERS, num=3, horizon=2, generator=seeded())
    with pytest.raises(InputError, match="rounds"):
        type(planner)(num_rounds=0)


def test_gradients_need_a_slope():
    def blind(plans: torch.Tensor) -> torch.Tensor:
        return plans.detach().square().sum(dim=(2, 3))

    with pytest.raises(InputError, match="no slope"):
        GradientPlanner().plan(blind, NUMBERS, num=1, horizon=1, generator=seeded())


def test_what_is_left_of_a_plan():
    plan = torch.arange(6.0).reshape(1, 3, 2)
    assert shift(plan).tolist() == [[[2, 3], [4, 5], [4, 5]]]
    assert shift(plan, 5).tolist() == [[[4, 5]] * 3]


def test_the_space_is_that_of_an_environment():
    spec = ActionSpec(("a", "b", "c"), num_actions=(3,))
    assert ActionSpace.of(spec) == ActionSpace(3, (3,))
    assert ActionSpace.of(ActionSpec(("x", "y"))) == ActionSpace(2)
    with pytest.raises(InputError, match="add up"):
        ActionSpace(4, (3,))
