"""What did not come out as imagined costs where it was done, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.planning.worlds import tiny_world

from worldline.core.errors import InputError
from worldline.planning import ICEM, Imagination, Rollout, Setbacks
from worldline.planning.agents import WorldAgent
from worldline.planning.tasks import RoomsTask
from worldline.planning.trials import run_trials

RIGHT, LEFT = torch.tensor([[1.0, 0.0]]), torch.tensor([[-1.0, 0.0]])
HERE, THERE = torch.zeros(1, 1, 2), torch.full((1, 1, 2), 5.0)
AHEAD = torch.tensor([[[1.0, 1.0]]])


def noted(seen: torch.Tensor) -> Setbacks:
    """Right was to lead ahead, and led to what was seen."""
    setbacks = Setbacks(1.0)
    setbacks.note(HERE, RIGHT, AHEAD, seen)
    return setbacks


def cost(setbacks: Setbacks, where: torch.Tensor, action: torch.Tensor) -> float:
    """Of a plan of two actions; the second one begins far from everything."""
    latents = torch.full((1, 1, 2, 1, 2), 50.0)
    plan = torch.stack([action, action], dim=1)[:, None]
    start = torch.stack([where, where], dim=1)
    found = setbacks.cost(Rollout(plan, latents, start))
    assert found.shape == (1, 1)
    return float(found)


def test_what_ran_into_something_costs_there():
    stuck = noted(HERE)
    assert cost(stuck, HERE, RIGHT) == pytest.approx(1.0)
    assert cost(stuck, HERE, LEFT) < 0.01
    assert cost(stuck, THERE, RIGHT) < 0.01


def test_what_came_out_as_imagined_costs_nothing():
    assert cost(noted(AHEAD), HERE, RIGHT) == 0
    assert cost(Setbacks(1.0), HERE, RIGHT) == 0


def test_the_worse_it_was_the_more_it_costs():
    halfway, aside = noted(0.5 * AHEAD), noted(-AHEAD)
    assert 0 < cost(halfway, HERE, RIGHT) < cost(noted(HERE), HERE, RIGHT)
    assert cost(aside, HERE, RIGHT) == pytest.approx(1.0)  # no more than all of it


def test_what_hardly_moves_tells_nothing():
    setbacks = Setbacks(1.0)
    setbacks.note(HERE, RIGHT, 0.1 * AHEAD, HERE)
    assert cost(setbacks, HERE, RIGHT) == 0


def test_later_steps_of_a_plan_cost_where_they_are_imagined_to_begin():
    stuck = noted(HERE)
    latents = torch.stack([HERE, THERE], dim=1)[:, None]
    plan = torch.stack([LEFT, RIGHT], dim=1)[:, None]
    start = torch.stack([THERE, THERE], dim=1)
    assert float(stuck.cost(Rollout(plan, latents, start))) == pytest.approx(1.0, abs=0.01)


def test_new_episodes_know_nothing_of_old_ones():
    stuck = noted(HERE)
    stuck.forget()
    assert cost(stuck, HERE, RIGHT) == 0


def test_a_step_that_is_none_is_refused():
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="usual step"):
            Setbacks(wrong)


def test_an_agent_tells_what_came_of_its_actions(monkeypatch: pytest.MonkeyPatch):
    told: list[tuple[torch.Tensor, ...]] = []
    monkeypatch.setattr(Setbacks, "note", lambda self, *given: told.append(given))
    imagination, task = Imagination(tiny_world("vector")), RoomsTask()
    task = task.sized(imagination.world.size_px)
    agent = WorldAgent(
        imagination,
        ICEM(num_samples=4, num_elites=1, num_rounds=1),
        horizon=2,
        also=((1.0, Setbacks(1.0)),),
    )
    trials = task.trials(2, gap=10, only="", seed=0)
    run_trials(task, trials, agent, budget=3 * task.every)
    assert len(told) == 2
    before, action, imagined, seen = told[1]
    assert (
        before.shape
        == imagined.shape
        == seen.shape
        == (2, 1, imagination.world.config.dynamics.channels)
    )
    assert action.shape == (2, 2)
    np.testing.assert_array_equal(told[0][3], before)  # what was seen is where the next one begins
    assert not torch.equal(imagined, before)
