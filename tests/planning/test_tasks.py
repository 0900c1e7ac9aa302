"""The two rooms as a task: which episodes there are, and what the rows know."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from tests.planning.worlds import tiny_world

from worldline.core.errors import InputError
from worldline.planning import ICEM, Imagination
from worldline.planning.agents import WorldAgent
from worldline.planning.measure import Looking, enlarged, measure, untrained
from worldline.planning.rooms import REACH_M, STEP_M, Rooms
from worldline.planning.tasks import TASKS, RoomsTask, find_task
from worldline.planning.trials import Agent, Course, Measurable, run_trials


def test_trials_are_not_solved_before_they_begin_and_can_be_solved():
    trials = RoomsTask(random_wall=True).trials(30, gap=25, only="across", seed=0)
    assert len(trials) == 30
    start = np.stack([trial.options["position_m"] for trial in trials])
    goal = np.stack([trial.goal for trial in trials])
    apart = np.linalg.norm(start - goal[:, :2], axis=-1)
    assert (apart >= REACH_M).all()
    assert (np.abs(start - goal[:, :2]).max(axis=-1) <= 25 * STEP_M + 1e-9).all()
    rooms = Rooms(goal[:, 2], goal[:, 3])
    assert not rooms.same_room(start, goal[:, :2]).any()
    assert rooms.free(start).all()
    assert (rooms.draw(goal[:, :2], 32) == np.stack([t.goal_frame for t in trials])).all()


def test_other_seeds_are_other_trials():
    task = RoomsTask()
    one, same, other = (task.trials(3, gap=10, only="", seed=s) for s in (1, 1, 2))
    assert [t.options for t in one] == [t.options for t in same]
    assert [t.options for t in one] != [t.options for t in other]


def test_who_knows_the_truth_gets_there_and_who_stands_still_does_not():
    task = RoomsTask(size_px=16)
    trials = task.trials(12, gap=25, only="", seed=0)
    rows = task.baselines(ICEM(num_samples=48, num_rounds=3, num_elites=6), 7, 0)
    found = {name: run_trials(task, trials, agent, budget=50) for name, agent in rows.items()}
    assert all(isinstance(agent, Agent) for agent in rows.values())
    assert found["true dynamics"].any_time.mean() > 0.8
    assert found["greedy on the true state"].any_time.mean() > 0.8
    assert not found["zero"].any_time.any()
    assert found["random"].any_time.mean() < 0.6


def test_a_world_that_sees_truly_is_planned_in_with_success():
    """Latents are the true place and dynamics the true ones: whatever fails here is the agent."""
    task = RoomsTask(size_px=16)
    trials = task.trials(6, gap=15, only="", seed=3)
    imagination = _Truth(tiny_world("vector"))
    agent = WorldAgent(imagination, ICEM(num_samples=64, num_elites=8), horizon=5)
    assert isinstance(agent, Agent)
    assert run_trials(task, trials, agent, budget=40).any_time.all()


class _Truth(Imagination):
    """Reads the red dot's place off the picture, and moves it as actions say, without walls."""

    def encode(self, frames):
        red = (frames[..., 0].float() - frames[..., 2].float()).clamp_min(0)
        mass = red.sum(dim=(-2, -1)).clamp_min(1e-6)
        middle = torch.arange(red.shape[-1]) + 0.5
        x = (red.sum(dim=-2) * middle).sum(-1) / mass
        y = (red.sum(dim=-1) * middle).sum(-1) / mass
        return torch.stack([x, y], dim=-1)[:, :, None] * (2.24 / red.shape[-1])

    def begin_from(self, latents, led=None):
        return (
            super()
            .begin_from(torch.zeros(*latents.shape[:2], 1, 6), led)
            .__class__(latents, None, None)
        )

    def imagine(self, situation, plans):
        from worldline.planning import Rollout

        place = situation.latents[:, -1, 0][:, None, None] + 5 * STEP_M * plans.cumsum(dim=2)
        return Rollout(plans, place[:, :, :, None], situation.newest)


def test_measuring_has_every_row_in_every_course():
    world = tiny_world("vector")
    course = Course(10, 10, "across")
    looking = Looking("cem", 12, 2, horizon=2)
    shares: list[float] = []
    told: list[tuple[str, str, int]] = []
    found = measure(
        world,
        RoomsTask(),
        looking,
        courses=(course,),
        num_episodes=3,
        seeds=(0, 1),
        num_timed=2,
        on_progress=shares.append,
        on_outcome=lambda row, course, done: told.append((row, course, len(done.final))),
    )
    rows = ["tiny-vector", "untrained", "random", "zero", "greedy on the true state"]
    played = [*rows, *rows, "true dynamics", "true dynamics"]  # two seeds, the slowest last
    assert told == [(row, "10/10 across", 3) for row in played]
    assert list(found.outcomes) == [*rows, "true dynamics"]
    assert {len(by["10/10 across"].final) for by in found.outcomes.values()} == {6}
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    *own, large = found.act_s
    assert own == ["as asked", "300 plans of 5"]
    assert re.fullmatch("300 plans of 5, predictor of 1[0-9] M, untrained", large)
    assert all((took > 0).all() for took in found.act_s.values())


def test_gradients_are_measured_beside_a_planner_that_needs_none():
    looking = Looking("gradient", 2, 2, horizon=2)
    assert looking.without_slope().planner == "icem"
    assert Looking("mppi").without_slope() == Looking("mppi")
    found = measure(
        tiny_world("vector"),
        RoomsTask(),
        looking,
        courses=(Course(4, 4, "across"),),
        num_episodes=1,
        num_timed=1,
    )
    assert found.outcomes["true dynamics"]["4/4 across"].failed == (None,)


def test_untrained_worlds_keep_the_meaning_of_actions():
    told = {"names": ["a", "b"], "num_actions": [], "low": [-1, -1], "high": [1, 1]}
    world = tiny_world("vector").finished({"actions": told, "trust": {}}, "")
    fresh = untrained(world)
    assert fresh.calibration == {"actions": told}
    assert fresh.config == world.config
    mine, theirs = world.dynamics.state_dict(), fresh.dynamics.state_dict()
    assert not all(torch.equal(mine[key], theirs[key]) for key in mine)


def test_only_predictors_of_one_vector_are_enlarged():
    large = enlarged(tiny_world("vector"))
    assert large is not None
    assert 15e6 < sum(p.numel() for p in large.dynamics.parameters()) < 20e6
    assert enlarged(tiny_world("flow")) is None


def test_what_cannot_be_is_refused():
    assert isinstance(find_task("walls"), RoomsTask)
    assert isinstance(find_task("tworoom"), Measurable)
    assert {"tworoom", "walls", "pusht", "push", "catch", "throw"} <= set(TASKS)
    with pytest.raises(InputError, match="no task maze"):
        find_task("maze")
    with pytest.raises(InputError, match="gap"):
        RoomsTask().trials(1, gap=500, only="", seed=0)
    with pytest.raises(InputError, match="no planner guess"):
        Looking("guess")
    with pytest.raises(InputError, match="horizon"):
        Looking(horizon=0)
    with pytest.raises(InputError, match="takes actions of 3"):
        measure(tiny_world("vector", action_size=3), RoomsTask(), Looking())


def test_shares_of_progress_follow_what_a_row_in_the_true_dynamics_takes(monkeypatch):
    monkeypatch.setattr(RoomsTask, "truth_cost", 5.0)
    shares: list[float] = []
    ends: list[float] = []
    measure(
        tiny_world("vector"),
        RoomsTask(),
        Looking("cem", 4, 1, horizon=1),
        courses=(Course(4, 4, "across"), Course(4, 8, "across")),
        num_episodes=1,
        num_timed=1,
        on_progress=shares.append,
        on_outcome=lambda row, course, done: ends.append(shares[-1]),
    )
    lengths = [4] * 5 + [8] * 5 + [20, 40]
    assert ends == pytest.approx((np.cumsum(lengths) / sum(lengths)).tolist())
