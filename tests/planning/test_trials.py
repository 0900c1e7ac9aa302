"""Episodes side by side: what is counted, and that a broken one breaks no other."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pytest

from worldline.core.errors import InputError
from worldline.planning.trials import Agent, Outcome, Sight, Trial, run_trials


class Line:
    """A number that actions are added to; it goes wrong in the way and at the step it is told."""

    def __init__(self) -> None:
        self.place, self.steps, self.fault, self.closed = 0.0, 0, "", False

    def reset(self, *, seed, options):
        self.place, self.fault = options["start"], options.get("fault", "")
        if self.fault == "reset":
            raise RuntimeError("it does\nnot begin")
        if self.fault == "odd":
            return np.zeros(3), {}
        if self.fault == "alone":
            return np.array([self.place])
        return np.array([self.place]), {}

    def step(self, action):
        self.steps += 1
        self.place += float(action[0])
        if self.steps == 3 and self.fault == "raise":
            raise RuntimeError("gone")
        told = np.nan if self.steps == 3 and self.fault == "nan" else self.place
        if self.fault == "short":
            return np.array([told]), 0.0, False, {}
        return np.full(2 if self.fault == "long" else 1, told), 0.0, False, False, {}

    def render(self):
        size = 5 if self.steps and self.fault == "size" else 4
        return np.full((size, size, 3), int(10 * self.place) % 256, np.uint8)

    def close(self):
        self.closed = True
        if self.fault == "close":
            raise RuntimeError("no end")


@dataclass
class LineTask:
    name: str = "line"
    every: int = 2
    made: list[Line] = field(default_factory=list)

    def make(self) -> Line:
        self.made.append(Line())
        return self.made[-1]

    def own_action(self, action):
        return action

    def is_there(self, observation, trial):
        return abs(observation[0] - trial.goal[0]) < 0.5


@dataclass
class Steady:
    """Always the same action."""

    action: float = 1.0
    sights: list[Sight] = field(default_factory=list)

    def begin(self, trials):
        self.sights = []

    def act(self, sight):
        self.sights.append(sight)
        return np.full((len(sight.going), 1), self.action)


def trial(start: float = 0.0, goal: float = 4.0, fault: str = "") -> Trial:
    options = {"start": start, "fault": fault}
    return Trial(options, np.array([float(goal)]), np.zeros((4, 4, 3), np.uint8))


def play(*trials: Trial, budget: int = 4, agent: Agent | None = None) -> Outcome:
    return run_trials(LineTask(), trials, agent or Steady(), budget=budget)


def test_reached_at_any_time_and_at_the_end_are_told_apart():
    found = play(trial(goal=4.0), trial(goal=2.0), trial(goal=9.0))
    assert found.any_time.tolist() == [True, True, False]
    assert found.final.tolist() == [True, False, False]
    assert found.failed == (None, None, None)


def test_actions_are_asked_for_as_often_as_they_are_held():
    agent = Steady()
    found = play(trial(), trial(1.0), agent=agent, budget=5)
    assert [s.truth[:, 0].tolist() for s in agent.sights] == [[0, 1], [2, 3], [4, 5]]
    assert [s.frames[0, 0, 0, 0] for s in agent.sights] == [0, 20, 40]
    assert len(found.act_s) == 3


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("reset", "RuntimeError: it does not begin"),
        ("raise", "RuntimeError: gone"),
        ("nan", "not a number"),
        ("alone", "^the environment's reset gives ndarray, not observation, info$"),
        ("short", "^the environment's step gives 4 values, not observation, reward, terminated"),
        ("long", "^the environment tells 2 numbers, not 1 as before$"),
        ("size", r"draws uint8 \(5, 5, 3\), but the goal is \(4, 4, 3\)"),
    ],
)
def test_a_broken_episode_fails_alone(fault, reason):
    task = LineTask()
    found = run_trials(task, [trial(goal=2.0, fault=fault), trial()], Steady(), budget=4)
    assert found.failed[1] is None
    assert found.final.tolist() == [False, True]
    assert not found.any_time[0], "it was there before it broke, and counts as failed all the same"
    assert re.search(reason, found.failed[0] or "")
    assert all(env.closed for env in task.made)


def test_what_cannot_even_be_closed_or_begins_at_its_goal():
    found = play(trial(fault="close"), trial(start=4.2))
    assert found.final.tolist() == [True, False]
    assert found.failed == (None, "the goal is where the episode begins")


def test_actions_that_are_no_numbers_fail_their_episode():
    found = play(trial(), agent=Steady(float("nan")))
    assert found.failed == ("the action is not a number",)


def test_when_all_are_broken_it_ends():
    agent = Steady()
    found = play(trial(fault="raise"), trial(fault="nan"), agent=agent, budget=50)
    assert not found.any_time.any()
    assert len(agent.sights) == 2


def test_an_error_of_the_agent_is_its_own():
    class Broken(Steady):
        def act(self, sight):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        play(trial(), agent=Broken())
    with pytest.raises(InputError, match="at least one each"):
        run_trials(LineTask(), [], Steady(), budget=3)


def test_of_episodes_that_tell_unlike_amounts_the_odd_one_fails():
    found = play(trial(fault="odd"), trial(), trial())
    assert found.failed == ("the environment tells 3 numbers, the others tell 1", None, None)
    assert found.final.tolist() == [False, True, True]


def test_an_agent_that_forgets_episodes_is_told_so():
    class Forgetful(Steady):
        def act(self, sight):
            return np.ones((1, 1))

    with pytest.raises(
        InputError, match=r"gives actions \(1, 1\) for 3 episodes; one row for each"
    ):
        play(trial(), trial(), trial(), agent=Forgetful())
