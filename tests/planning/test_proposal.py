"""Distributions over plans: what is drawn from them, and how they are refitted."""

from __future__ import annotations

import pytest
import torch

from worldline.planning.cem import elite_weights
from worldline.planning.mppi import path_weights
from worldline.planning.proposal import Categorical, Gaussian, colored_noise, propose
from worldline.planning.space import ActionSpace


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_refitted_gaussian_has_the_weighted_moments():
    plans = torch.tensor([[[[0.0]], [[0.4]], [[1.0]]]])
    weight = torch.tensor([[0.5, 0.5, 0.0]])
    old = Gaussian(torch.ones(1, 1, 1), torch.ones(1, 1, 1), 0.01)
    new = old.refit(plans, weight, keep=0.0)
    assert new.mean.item() == pytest.approx(0.2)
    assert new.std.item() == pytest.approx(0.2)
    half = old.refit(plans, weight, keep=0.5, width=False)
    assert (half.mean.item(), half.std.item()) == pytest.approx((0.6, 1.0))


def test_choices_are_drawn_as_often_as_they_are_likely():
    chance = torch.tensor([[[0.7, 0.1, 0.2, 0.25, 0.75]]])
    drawn = Categorical(chance, (3, 2)).sample(torch.randn(1, 20_000, 1, 2, generator=seeded()))
    torch.testing.assert_close(drawn.mean(dim=1), chance, atol=0.015, rtol=0)
    assert (drawn.sum(dim=-1) == 2).all()
    assert Categorical(chance, (3, 2)).likely.tolist() == [[[1, 0, 0, 0, 1]]]


def test_no_choice_is_ever_ruled_out():
    proposal = propose(ActionSpace(2, (2,)), ActionSpace(2, (2,)).rest(1, 1), 0.7, 0.0)
    plans = torch.tensor([[[[1.0, 0.0]], [[1.0, 0.0]]]])
    for _ in range(10):
        proposal = proposal.refit(plans, torch.full((1, 2), 0.5), keep=0.0)
    assert proposal.center[0, 0, 1] >= 0.01
    assert proposal.center.sum().item() == pytest.approx(1.0)


@pytest.mark.parametrize("steps", [5, 6])
@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.5])
def test_noise_has_unit_variance_and_lasts_the_longer_the_redder_it_is(steps, exponent):
    noise = colored_noise((1, 20_000, steps, 2), exponent, seeded())
    assert noise.shape == (1, 20_000, steps, 2)
    assert noise.square().mean().item() == pytest.approx(1.0, abs=0.03)
    alike = (noise[:, :, 1:] * noise[:, :, :-1]).mean().item()
    assert abs(alike) < 0.02 if exponent == 0 else alike > 0.15 * exponent


def test_elites_count_alike_and_what_has_no_cost_does_not():
    cost = torch.tensor([[3.0, 1.0, 2.0, torch.inf], [torch.inf, 5.0, torch.inf, torch.inf]])
    assert elite_weights(cost, 2).tolist() == [[0, 0.5, 0.5, 0], [0, 1, 0, 0]]
    assert elite_weights(torch.full((1, 4), torch.inf), 2).tolist() == [[0.25] * 4]


def test_path_weights_are_those_of_the_paper_in_units_of_the_spread():
    cost = torch.tensor([[0.0, 2.0]])  # of spread 1
    expected = torch.tensor([[1.0, torch.tensor(-2.0 / 0.5).exp()]])
    torch.testing.assert_close(path_weights(cost, 0.5), expected / expected.sum())
    torch.testing.assert_close(path_weights(100 + 7 * cost, 0.5), path_weights(cost, 0.5))
    assert path_weights(torch.tensor([[1.0, torch.inf]]), 0.5).tolist() == [[1.0, 0.0]]
    assert path_weights(torch.full((1, 2), torch.inf), 0.5).tolist() == [[0.5, 0.5]]
