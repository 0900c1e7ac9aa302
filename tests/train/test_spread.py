"""VICReg's terms and slowness, at values that can be worked out."""

from __future__ import annotations

import pytest
import torch
from tests.planning.worlds import tiny_world
from tests.train.test_objectives import clips, seeded

from worldline.core.latents import Latents
from worldline.train.objectives import Slowness, VarianceCovariance


def ask(objective, tokens: torch.Tensor) -> dict[str, float]:
    found = objective.loss({}, clips(), Latents(tokens, (1, 1)), seeded())
    return {name: float(value) for name, value in found.items()}


def test_spread_and_unrelated_numbers_cost_nothing():
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    told = ask(VarianceCovariance.Config().build(tiny_world("vector")), corners[:, None, None])
    assert told["total"] == pytest.approx(0.0, abs=1e-6)


def test_what_does_not_vary_costs_the_hinge_and_copies_cost_their_covariance():
    objective = VarianceCovariance.Config(variance=2.0, covariance=3.0).build(tiny_world("vector"))
    told = ask(objective, torch.zeros(2, 3, 1, 4))
    assert told["variance"] == pytest.approx(0.99)  # of sqrt(1e-4) to 1
    assert told["total"] == pytest.approx(1.98)
    line = torch.tensor([1.0, -1.0, 1.0, -1.0])[:, None, None, None].expand(-1, 1, 1, 2)
    told = ask(objective, line)
    assert told["covariance"] == pytest.approx((4 / 3) ** 2, rel=1e-5)
    assert told["total"] == pytest.approx(3 * (4 / 3) ** 2, rel=1e-5)


def test_terms_are_taken_for_each_patch_on_its_own():
    where = torch.tensor([0.0, 5.0])[None, None, :, None].expand(3, 2, -1, 1)
    objective = VarianceCovariance.Config().build(tiny_world("vector"))
    assert ask(objective, where)["variance"] == pytest.approx(0.99)


def test_a_collapsed_number_is_pushed_apart():
    tokens = (0.1 * torch.randn(8, 4, 1, 3, generator=seeded())).requires_grad_()
    objective = VarianceCovariance.Config(covariance=0.0).build(tiny_world("vector"))
    objective.loss({}, clips(), Latents(tokens, (1, 1)), seeded())["total"].backward()
    assert tokens.grad is not None
    assert (tokens - 10 * tokens.grad).std() > tokens.std()


def test_slowness_is_the_mean_squared_step():
    steps = torch.tensor([0.0, 2.0, 2.0])[None, :, None, None]
    assert ask(Slowness.Config().build(tiny_world("vector")), steps)["total"] == 2.0
    assert ask(Slowness.Config().build(tiny_world("vector")), steps[:, :1])["total"] == 0.0
