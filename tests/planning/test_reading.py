"""Distance in what is read off latents."""

from __future__ import annotations

import math

import pytest
import torch

from worldline.core.errors import InputError
from worldline.planning.imagination import Rollout
from worldline.planning.objective import Over
from worldline.planning.reading import ReadGoal, Reading


def test_what_is_linear_in_latents_is_read_back():
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(50, 4, generator=generator)
    values = latents[:, :2] @ torch.tensor([[2.0, 0.0], [1.0, 3.0]]) + torch.tensor([5.0, -1.0])
    reading = Reading.fit(latents, values.double().numpy())
    assert reading.read(latents) == pytest.approx(values, abs=1e-3)
    assert reading.error.max() < 1e-3


def test_only_differences_that_are_read_count():
    reading = Reading(torch.tensor([[1.0], [0.0], [7.0]]), torch.zeros(1))
    goal = torch.tensor([[[3.0, 0.0]]])
    ends = torch.tensor([[3.0, 50.0], [5.0, 0.0]])
    latents = torch.stack([torch.zeros(2, 2), ends], dim=1)[None, :, :, None]
    rollout = Rollout(torch.zeros(1, 2, 2, 1), latents, torch.zeros(1, 2, 1, 2))
    costs = {over: ReadGoal(reading, goal, over).cost(rollout)[0].tolist() for over in Over}
    assert costs[Over.LAST] == [0.0, 4.0]
    assert costs[Over.SUM] == [4.5, 6.5]
    assert costs[Over.LEAST] == [0.0, 4.0]


def test_closely_the_last_stretch_is_worth_as_much_as_a_long_way():
    """Of two ways of two moments one comes near and leaves again, the other stays half-way: the
    mean square has it that the second is better, and who counts closely takes the first."""
    reading = Reading(torch.tensor([[1.0], [0.0]]), torch.zeros(1))
    ways = torch.tensor([[[0.0], [9.0]], [[5.0], [5.0]]])[None, :, :, None]
    rollout = Rollout(torch.zeros(1, 2, 2, 1), ways, torch.zeros(1, 2, 1, 1))
    goal = torch.zeros(1, 1, 1)
    plain = ReadGoal(reading, goal).cost(rollout)[0]
    close = ReadGoal(reading, goal, closely=True).cost(rollout)[0]
    assert plain.tolist() == [40.5, 25.0]
    assert close.tolist() == pytest.approx([math.log(1 + 4 * 81) / 2, math.log(1 + 4 * 25)])
    assert close[0] < close[1]


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(InputError, match="more latents"):
        Reading.fit(torch.zeros(2, 2), torch.zeros(2, 1).double().numpy())
    with pytest.raises(InputError, match="3 latents, but values of 4"):
        Reading.fit(torch.zeros(3, 2), torch.zeros(4, 1).double().numpy())
    with pytest.raises(InputError, match="not finite"):
        Reading.fit(torch.zeros(3, 2), torch.full((3, 1), torch.nan).double().numpy())
