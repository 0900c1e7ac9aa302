"""The costs that stable-worldmodel's solvers ask for, in the shapes that they ask in."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.planning.worlds import tiny_world

from worldline.core.errors import InputError
from worldline.planning import Imagination, Landmarks, LatentGoal, OutsideCost, PathGoal
from worldline.planning.objective import Over


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(num: int, samples: int, size: int, seed: int) -> torch.Tensor:
    drawn = torch.randint(0, 256, (num, 1, 1, size, size, 3), generator=seeded(seed))
    return drawn.to(torch.uint8).expand(-1, samples, -1, -1, -1, -1)


def test_costs_are_those_of_the_same_plans_in_the_world():
    world = tiny_world("vector")
    info = {"pixels": pictures(2, 5, 16, 1), "goal": pictures(2, 5, 16, 2), "id": np.zeros(2)}
    candidates = torch.randn(2, 5, 3, 4, generator=seeded(3))
    found = OutsideCost(world, block=2, over=Over.LAST).get_cost(info, candidates)
    assert found.shape == (2, 5)
    imagination = Imagination(world)
    goal = LatentGoal.of_frames(imagination, info["goal"][:, 0, 0], Over.LAST)
    cut = candidates.clamp(-1, 1)
    held = (cut[..., :2] + cut[..., 2:]) / 2
    seen = imagination.begin(info["pixels"][:, 0])
    torch.testing.assert_close(found, goal.cost(imagination.imagine(seen, held)))


def test_landmarks_lead_here_too():
    world = tiny_world("vector")
    imagination = Imagination(world)
    marks = Landmarks.of_latents(torch.randn(20, 6, generator=seeded()))
    info = {"pixels": pictures(2, 3, 16, 1), "goal": pictures(2, 3, 16, 2)}
    plans = 0.5 * torch.ones(2, 3, 2, 2)
    found = OutsideCost(world, guide=marks).get_cost(info, plans)
    goal = PathGoal(marks, imagination.encode(info["goal"][:, 0])[:, 0])
    rollout = imagination.imagine(imagination.begin(info["pixels"][:, 0]), plans)
    torch.testing.assert_close(found, goal.cost(rollout))


def test_large_pictures_of_real_numbers_are_shrunk():
    outside = OutsideCost(tiny_world("vector"))
    info = {name: 100 * torch.ones(1, 2, 1, 64, 48, 3) for name in ("pixels", "goal")}
    found = outside.criterion(info, torch.zeros(1, 2, 1, 2))
    torch.testing.assert_close(found[:, 0], found[:, 1])


def test_what_is_asked_wrongly_is_told():
    outside = OutsideCost(tiny_world("vector"), block=2)
    info = {"pixels": pictures(1, 1, 16, 0)}
    with pytest.raises(InputError, match="2 actions of 2"):
        outside.get_cost(info, torch.zeros(1, 1, 1, 2))
    with pytest.raises(InputError, match="info has no goal"):
        outside.get_cost(info, torch.zeros(1, 1, 1, 4))
    with pytest.raises(InputError, match="expected"):
        outside.get_cost({**info, "goal": np.zeros((1, 16, 16, 3))}, torch.zeros(1, 1, 1, 4))
    with pytest.raises(InputError, match="block"):
        OutsideCost(tiny_world("vector"), block=0)
