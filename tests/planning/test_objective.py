"""What plans cost, beside numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch
from tests.planning.worlds import tiny_world

from worldline.core.errors import InputError
from worldline.planning import (
    Earnings,
    Familiarity,
    Imagination,
    Landmarks,
    LatentGoal,
    Objective,
    Over,
    PathGoal,
    ReadGoal,
    Reading,
    Rollout,
    Smoothness,
    Weighted,
)
from worldline.planning.objective import over_time


def rollout(latents: torch.Tensor, actions: torch.Tensor, before=None) -> Rollout:
    start = torch.zeros(len(latents), 2, *latents.shape[3:])
    return Rollout(actions, latents, start, before)


LINE = torch.tensor([3.0, 1.0, 2.0]).reshape(1, 1, 3, 1, 1)
STILL = torch.zeros(1, 1, 3, 1)


def test_a_latent_goal_counts_the_moments_that_it_is_told_to():
    goal = torch.ones(1, 1, 1)  # squared distances 4, 0, 1
    seen = {over: LatentGoal(goal, over).cost(rollout(LINE, STILL)).item() for over in Over}
    assert seen == pytest.approx({Over.LAST: 1.0, Over.SUM: 5 / 3, Over.LEAST: 0.0})
    assert over_time(torch.tensor([[[1.0, 2.0]]]), Over.LAST).tolist() == [[2.0]]


def test_each_situation_has_its_own_goal():
    latents = LINE.expand(2, 1, 3, 1, 1)
    goal = torch.tensor([2.0, 0.0]).reshape(2, 1, 1)
    cost = LatentGoal(goal, Over.LAST).cost(rollout(latents, STILL.expand(2, -1, -1, -1)))
    assert cost.tolist() == [[0.0], [4.0]]


@pytest.mark.parametrize("size", [(3, 1, 1), (1, 1, 2)])
def test_goals_of_other_situations_or_another_world_are_refused(size: tuple[int, int, int]):
    two = rollout(LINE.expand(2, 1, 3, 1, 1), STILL.expand(2, -1, -1, -1))
    goal = torch.zeros(size)
    marks = Landmarks(torch.zeros(1, 1), torch.zeros(1, 1), 0.0)
    reading = Reading(torch.zeros(2, 1), torch.zeros(1))
    for objective in (LatentGoal(goal), PathGoal(marks, goal), ReadGoal(reading, goal)):
        reason = f"{size[0]} goals? of {size[2]} numbers for 2 situations of 1"
        with pytest.raises(InputError, match=reason):
            objective.cost(two)


def test_smoothness_counts_the_action_before():
    actions = torch.tensor([0.0, 1.0, 1.0]).reshape(1, 1, 3, 1)
    assert Smoothness().cost(rollout(LINE, actions)).item() == pytest.approx(0.5)
    before = torch.tensor([[2.0]])
    assert Smoothness().cost(rollout(LINE, actions, before)).item() == pytest.approx(5 / 3)
    alone = rollout(LINE[:, :, :1], actions[:, :, :1])
    assert Smoothness().cost(alone).item() == 0


def test_familiar_plans_cost_nothing_and_strange_ones_by_how_strange_they_are():
    bank = torch.tensor([[0.0], [3.0]])
    usual = torch.tensor([[0.0], [0.5], [1.0]])  # squared distances 0, 0.25, 1
    trust = Familiarity.measured(bank, usual, quantile=1.0)
    assert trust.limit == pytest.approx(1.0)
    # 3 is known, 1 is as far as usual, 5 is twice as far: 4 times the limit, 3 in excess
    latents = torch.tensor([3.0, 1.0, 5.0]).reshape(1, 1, 3, 1, 1)
    assert trust.cost(rollout(latents, STILL)).item() == pytest.approx(1.0)


def test_objectives_add_up():
    goal = LatentGoal(torch.ones(1, 1, 1), Over.LAST)
    assert isinstance(goal, Objective)
    total = Weighted(((2.0, goal), (0.5, Smoothness()))).cost(
        rollout(LINE, torch.tensor([0.0, 1.0, 1.0]).reshape(1, 1, 3, 1))
    )
    assert total.item() == pytest.approx(2.0 + 0.25)


def test_earnings_are_those_of_the_readout_until_the_end():
    world = tiny_world("vector", reward=True)
    imagination = Imagination(world)
    generator = torch.Generator().manual_seed(0)
    seen = torch.randn(1, 1, 2, 1, 6, generator=generator)
    actions = torch.randn(1, 1, 2, 2, generator=generator)
    cost = Earnings.of(imagination, discount=0.5).cost(rollout(seen, actions)).item()
    nothing = torch.zeros(1, 1, 6)
    first, ends = world.reward.read(nothing, nothing, actions[0, :, 0])
    second, _ = world.reward.read(nothing, seen[0, :, 0], actions[0, :, 1])
    expected = first + 0.5 * (1 - ends) * second
    assert cost == pytest.approx(-expected.item(), rel=1e-4)
    assert cost != 0
    with pytest.raises(InputError, match="tells no rewards"):
        Earnings.of(Imagination(tiny_world("vector")))
