"""Rollouts of many plans: the same as one after the other, and with a slope where there is one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.planning.worlds import tiny_world

from worldline.core.errors import InputError
from worldline.core.latents import Controls, Latents
from worldline.planning import CEM, ActionSpace, GradientPlanner, Imagination, LatentGoal, cost_of
from worldline.planning.objective import Over


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def frames(num: int, count: int = 2, size: int = 16) -> torch.Tensor:
    drawn = torch.randint(0, 256, (num, count, size, size, 3), generator=seeded(7))
    return drawn.to(torch.uint8)


@pytest.mark.parametrize("kind", ["vector", "jepa", "flow"])
def test_plans_are_imagined_as_if_each_stood_alone(kind):
    world = tiny_world(kind)
    imagination = Imagination(world)
    led = torch.rand(3, 2, 2, generator=seeded(1))
    situation = imagination.begin(frames(3), led)
    plans = 2 * torch.rand(3, 4, 3, 2, generator=seeded(2)) - 1
    found = imagination.imagine(situation, plans)
    assert found.latents.shape[:3] == (3, 4, 3)
    assert torch.equal(situation.newest, found.start)
    assert torch.equal(found.before, led[:, 1])
    context = Latents(imagination.encode(frames(3)), world.tokenizer.grid)
    for s in (0, 3):
        actions = torch.cat([led, plans[:, s]], dim=1)
        alone = world.dynamics.rollout(context, Controls(actions=actions), seeded(), horizon=3)
        if kind != "flow":  # whose noise is drawn for all situations together
            torch.testing.assert_close(found.latents[:, s], alone.tokens, atol=1e-5, rtol=1e-4)
    again = imagination.imagine(situation, plans)
    assert torch.equal(again.latents, found.latents)


@pytest.mark.parametrize(("num", "samples"), [(1, 3), (2, 2), (4, 5)])
def test_plans_of_a_flow_world_are_compared_in_the_same_noise(num: int, samples: int):
    imagination = Imagination(tiny_world("flow"))
    situation = imagination.begin(frames(num))
    same = torch.rand(num, 1, 3, 2, generator=seeded(2)).expand(-1, samples, -1, -1)
    found = imagination.imagine(situation, same).latents
    torch.testing.assert_close(found, found[:, :1].expand_as(found), atol=1e-5, rtol=1e-4)
    alone = imagination.imagine(situation, same[:, :1]).latents
    torch.testing.assert_close(found[:, :1], alone, atol=1e-5, rtol=1e-4)
    if num > 1:
        assert not torch.allclose(found[0], found[1])
    again = imagination.begin(frames(num))
    options = {"num": num, "horizon": 2, "generator": seeded()}
    goal = LatentGoal.of_frames(imagination, frames(num)[:, 0])
    planner = CEM(num_samples=8, num_elites=2, num_rounds=2)
    plan = planner.plan(cost_of(imagination, again, goal), imagination.space, **options)
    assert plan.actions.shape == (num, 2, 2)


def test_gradients_reach_the_plans_and_no_weight():
    imagination = Imagination(tiny_world("vector"))
    situation = imagination.begin(frames(2))
    goal = LatentGoal.of_frames(imagination, frames(2)[:, 1], Over.LAST)
    plans = torch.zeros(2, 1, 2, 2, requires_grad=True)
    cost_of(imagination, situation, goal)(plans).sum().backward()
    assert (plans.grad.abs() > 0).all()
    options = {"num": 2, "horizon": 2}
    cost = cost_of(imagination, situation, goal)
    still = cost(torch.zeros(2, 1, 2, 2))[:, 0]
    for planner in (GradientPlanner(num_rounds=20), CEM(num_samples=50, num_elites=5)):
        plan = planner.plan(cost, imagination.space, generator=seeded(), **options)
        assert (plan.cost < still).all()


def test_what_cannot_be_planned_in_is_refused():
    world = tiny_world("vector")
    imagination = Imagination(world)
    with pytest.raises(InputError, match="sees 16x16"):
        imagination.encode(frames(1, size=32))
    with pytest.raises(InputError, match="sees 16x16"):
        LatentGoal.of_frames(imagination, frames(1, size=8)[:, 0])
    with pytest.raises(InputError, match="one of 2 numbers"):
        imagination.begin(frames(1), torch.zeros(1, 2, 3))
    begun = imagination.begin(frames(2))
    with pytest.raises(InputError, match="for 1 situation, their actions of 2 numbers; 2 and 2"):
        imagination.imagine(begun, torch.zeros(1, 3, 2, 2))
    with pytest.raises(InputError, match="for 2 situations, their actions of 1 number; 2 and 2"):
        imagination.imagine(begun, torch.zeros(2, 3, 2, 1))
    with pytest.raises(InputError, match="takes no actions"):
        Imagination(tiny_world("vector", action_size=0))


def test_choices_come_from_what_the_world_was_told():
    world = tiny_world("vector")
    told = {"names": ["a", "b"], "num_actions": [2], "low": [], "high": []}
    assert Imagination(world.finished({"actions": told}, "")).space == ActionSpace(2, (2,))
    assert Imagination(world).space == ActionSpace(2)
    assert replace(ActionSpace(2), num_actions=(2,)).is_discrete


def test_arrays_are_taken_as_tensors_are():
    imagination = Imagination(tiny_world("vector"))
    seen = frames(3)
    array = seen.numpy().copy()
    array.flags.writeable = False  # as renderers give them
    goals = [LatentGoal.of_frames(imagination, each[:, 1]).goal for each in (seen, array)]
    assert torch.equal(*goals)
    begun = [imagination.begin(each).latents for each in (seen, array)]
    assert torch.equal(*begun)


@pytest.mark.parametrize(
    "pictures", [frames(3)[0, 0], frames(3).float(), frames(3).numpy() / 255.0, frames(3)[:, 0]]
)
def test_what_are_no_frames_is_said_in_a_sentence(pictures):
    imagination = Imagination(tiny_world("vector"))
    with pytest.raises(InputError, match=r"expected uint8 \[B, K, h, w, 3\].*goal images"):
        imagination.begin(pictures)


def test_no_agents_or_no_frames_are_refused_by_name():
    imagination = Imagination(tiny_world("vector"))
    with pytest.raises(InputError, match=r"\[B, K, h, w, 3\]: at least one of B agents"):
        imagination.begin(frames(3)[:, :0])
    with pytest.raises(InputError, match=r"\[0, 1, 16, 16, 3\].*at least one of B agents or goals"):
        LatentGoal.of_frames(imagination, frames(3)[:0, 0])
