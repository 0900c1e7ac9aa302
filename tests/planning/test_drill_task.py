"""Drills as tasks: which episodes there are, and what the rows know."""

from __future__ import annotations

import numpy as np
import pytest
from tests.planning.worlds import tiny_world

from worldline.core.errors import InputError
from worldline.planning import ICEM
from worldline.planning.catch_ball import CatchBall
from worldline.planning.drill import Shift
from worldline.planning.drill_task import DrillTask
from worldline.planning.measure import Looking, measure
from worldline.planning.push_block import PushBlock, is_past
from worldline.planning.tasks import find_task
from worldline.planning.trials import Course, Measurable, run_trials


def test_trials_are_held_out_and_not_solved_before_they_begin():
    task = DrillTask(PushBlock(), size_px=16)
    trials = task.trials(4, gap=40, only="past", seed=0)
    for trial in trials:
        here, there = trial.options["state"], trial.goal[6:]
        assert not task.drill.is_there(here, there)
        assert is_past(here[2:4], there[2:4], Shift())
    again, other = (task.trials(1, gap=40, only="past", seed=s) for s in (0, 1))
    assert (again[0].goal_frame == trials[0].goal_frame).all()
    assert (other[0].goal != trials[0].goal).any()


def test_who_knows_the_true_dynamics_catches_what_others_do_not():
    task = DrillTask(CatchBall(), size_px=16)
    trials = task.trials(6, gap=50, only="fast", seed=0)
    rows = task.baselines(ICEM(num_samples=16, num_rounds=2, num_elites=4), 10, 0)
    caught = {
        name: run_trials(task, trials, agent, budget=60).any_time.sum()
        for name, agent in rows.items()
    }
    assert list(caught) == ["random", "zero", "greedy on the true state", "true dynamics"]
    assert caught["true dynamics"] >= 5 > caught["greedy on the true state"]
    assert caught["zero"] == 0


@pytest.mark.parametrize("name", ["push", "push-heavy", "catch", "catch-high", "throw"])
def test_it_is_measured_like_any_task(name: str, monkeypatch):
    monkeypatch.setattr("worldline.planning.drill_task._NUM_SHOWN", 16)
    task = find_task(name)
    assert isinstance(task, Measurable)
    assert task.name == name
    width = task.space.width
    found = measure(
        tiny_world("vector", action_size=width),
        task,
        Looking("cem", 4, 1, horizon=1, std=0.2),
        courses=(Course(50, 5),),
        num_episodes=1,
        num_timed=1,
    )
    assert {o["50/5"].failed for o in found.outcomes.values()} == {(None,)}
    assert "by latents alone" in found.outcomes


def test_shifted_scenes_are_those_of_their_names():
    usual, heavy = find_task("push"), find_task("push-heavy")
    assert isinstance(usual, DrillTask)
    assert isinstance(heavy, DrillTask)
    assert (usual.shift, heavy.shift) == (Shift(), Shift(mass=4.0))
    frames, counts = (part[:3] for part in usual.sized(16).shown())
    assert frames.shape == (3, 16, 16, 3)
    assert np.isfinite(counts).all()


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="gap"):
        DrillTask(PushBlock()).trials(1, gap=200, only="", seed=0)
