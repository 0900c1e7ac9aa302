"""Pushing the T as a task: which episodes there are, and what the rows know."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pymunk", reason="needs the extra pusht (pymunk)")

from tests.planning.worlds import tiny_world

from worldline.core.errors import InputError
from worldline.planning import ICEM
from worldline.planning.measure import Looking, measure
from worldline.planning.tasks import find_task
from worldline.planning.tee import draw, is_reached
from worldline.planning.tee_task import TeeTask
from worldline.planning.trials import Course, Measurable, run_trials


def test_trials_are_not_solved_before_they_begin():
    task = TeeTask(size_px=32)
    trials = task.trials(12, gap=25, only="pushed", seed=0)
    here = np.stack([trial.options["state"] for trial in trials])
    there = np.stack([trial.goal for trial in trials])
    assert not is_reached(here, there).any()
    assert not is_reached(np.concatenate([there[:, :2], here[:, 2:]], axis=1), there).any()
    assert (trials[3].goal_frame == draw(there[3], 32)).all()
    again, other = (task.trials(2, gap=25, only="pushed", seed=s) for s in (0, 1))
    assert (again[1].goal == trials[1].goal).all()
    assert (other[0].goal != trials[0].goal).any()


def test_who_knows_the_truth_gets_there_more_often():
    task = TeeTask(size_px=16)
    trials = task.trials(4, gap=10, only="", seed=2)
    planner = ICEM(num_samples=24, num_rounds=2, num_elites=4, std=0.25)
    rows = task.baselines(planner, 3, 0)
    reached = {
        name: run_trials(task, trials, agent, budget=20).any_time.sum()
        for name, agent in rows.items()
    }
    assert reached["true dynamics"] >= 3
    assert reached["greedy on the true state"] > reached["zero"] == 0
    assert list(reached) == ["random", "zero", "greedy on the true state", "true dynamics"]


def test_it_is_measured_like_any_task():
    task = find_task("pusht")
    assert isinstance(task, Measurable)
    looking = Looking("cem", 4, 1, horizon=1, std=0.2)
    found = measure(
        tiny_world("vector"),
        task,
        looking,
        courses=(Course(5, 5, "pushed"),),
        num_episodes=2,
        num_timed=1,
    )
    assert {o["5/5 pushed"].failed for o in found.outcomes.values()} == {(None, None)}


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="gap"):
        TeeTask().trials(1, gap=200, only="", seed=0)
