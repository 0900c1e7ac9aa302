"""Drills as tasks: held-out episodes of each, and the rows that know no world.

Shape legend: E episodes, S plans of each, H actions of a plan, O numbers of an observation, Q of a
state, R of what counts of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from worldline.planning.agents import known_rows
from worldline.planning.drill import Bench, Drill, DrillEnv, Shift
from worldline.planning.planner import Cost, Planner
from worldline.planning.space import ActionSpace
from worldline.planning.trials import Agent, Course, Trial, require_room

__all__ = ["DrillTask", "Plannable"]

_HELD_OUT = 7919
"""Keeps the seeds of trials apart from those that recordings are made with."""

_SHOWN = 104729
"""Keeps the seeds of what is shown apart from both."""

_EVERY, _EPISODE_STEPS, _NUM_SHOWN = 5, 200, 1000


@runtime_checkable
class Plannable(Drill, Protocol):
    """A drill that knows what its episodes are about.

    Attributes:
        harder: word for the episodes that are not to be solved by what is trivial.
        courses: what is measured.
        environment: id of the environment that it is recorded in.
    """

    environment: str
    harder: str
    courses: tuple[Course, ...]

    def cut(
        self, path: Float[np.ndarray, "t q"], gap: int, shift: Shift, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, bool] | None:
        """Start and goal out of an episode's states, action by action, and whether it is one of the
        harder ones; None where it holds nothing to be asked for.

        Args:
            path: of a player.
            gap: actions from start to goal.
            shift: of the scene.
            rng: of chance.
        """
        ...

    def counts(self, states: Float[np.ndarray, "*n q"]) -> Float[np.ndarray, "*n r"]:
        """What counts of states, in units that count alike; 1 is what is near enough."""
        ...

    def greedy(
        self, state: Float[np.ndarray, " q"], goal: Float[np.ndarray, " q"]
    ) -> Float[np.ndarray, " a"]:
        """What is obvious to do for who knows the true state."""
        ...


class DrillTask:
    """What a picture shows, to be brought about in a drill.

    Starts and goals come from episodes like those that are recorded, with seeds of their own, so
    that none was trained on; a start that is a goal already is left out.

    Args:
        drill: which.
        shift: how the scene differs from the recorded one; the world is not told.
        name: of the task, if it is not the drill's.
        world: bundled world of the drill; none if empty.
        size_px: side of pictures.
    """

    every, has_ways = _EVERY, False
    looking: Mapping[str, Any] = MappingProxyType({"num_samples": 64})
    truth_cost = 25.0

    def __init__(
        self,
        drill: Plannable,
        *,
        shift: Shift | None = None,
        name: str = "",
        world: str = "",
        size_px: int = 32,
    ) -> None:
        self.drill, self.shift, self.size_px = drill, shift or Shift(), size_px
        self.name, self.world = name or drill.name, world
        self.environment = drill.environment
        self.harder, self.courses = drill.harder, drill.courses
        self.space = ActionSpace(len(drill.action_names))
        self._skip = len(drill.seen_names)
        self._bench = Bench(drill, self.shift, size_px)

    def sized(self, size_px: int) -> DrillTask:
        """The same task in pictures of another size."""
        return DrillTask(
            self.drill, shift=self.shift, name=self.name, world=self.world, size_px=size_px
        )

    def make(self) -> Any:
        """The environment."""
        shift = self.shift
        return DrillEnv(
            self.drill,
            size_px=self.size_px,
            mass=shift.mass,
            friction=shift.friction,
            moved_m=shift.moved_m,
            render_mode="rgb_array",
        )

    def own_action(self, action: Float[np.ndarray, " a"]) -> np.ndarray:
        """As the environment takes it."""
        return action.astype(np.float32)

    def is_there(self, observation: Float[np.ndarray, " o"], trial: Trial) -> bool:
        """As the drill says."""
        return bool(self.drill.is_there(observation[self._skip :], trial.goal[self._skip :]))

    def trials(self, num: int, *, gap: int, only: str, seed: int) -> list[Trial]:
        """Held-out episodes.

        Args:
            num: of them.
            gap: steps of the environment from start to goal.
            only: the drill's word for the harder ones, or empty.
            seed: of the episodes.

        Raises:
            InputError: the gap is longer than an episode.
        """
        require_room(num, gap, _EPISODE_STEPS)
        found: list[Trial] = []
        rng = np.random.default_rng((_HELD_OUT, seed))
        while len(found) < num:
            cut = self.drill.cut(self._episode(rng), -(-gap // _EVERY), self.shift, rng)
            if cut is None or (only and not cut[2]) or self.drill.is_there(cut[0], cut[1]):
                continue
            here, there, _ = cut
            self._bench.put(there)
            goal = np.concatenate([self.drill.seen(there), there])
            found.append(Trial({"state": here}, goal, self._bench.draw()))
        return found

    def shown(self) -> tuple[UInt8[np.ndarray, "n s s 3"], Float[np.ndarray, "n r"]]:
        """What counts, of moments of episodes that are played in the usual scene."""
        rng = np.random.default_rng((_SHOWN, 0))
        usual = DrillTask(self.drill, size_px=self.size_px)
        frames, states = [], []
        while len(frames) < _NUM_SHOWN:
            path = usual._episode(rng)
            for state in path[rng.permutation(len(path))[:8]]:
                usual._bench.put(state)
                frames.append(usual._bench.draw())
                states.append(state)
        return np.stack(frames), self.drill.counts(np.stack(states))

    def baselines(self, planner: Planner, horizon: int, seed: int) -> dict[str, Agent]:
        """By name of the row; the planner plans in the true dynamics."""
        skip = self._skip

        def obvious(truth: np.ndarray, goals: np.ndarray) -> np.ndarray:
            pairs = zip(truth[:, skip:], goals[:, skip:], strict=True)
            return np.stack([self.drill.greedy(state, goal) for state, goal in pairs])

        return known_rows(self.space, obvious, self._true_cost, planner, horizon=horizon, seed=seed)

    def shifted(self, name: str, **changes: float) -> DrillTask:
        """The same task in a scene that differs; see `Shift`."""
        shift = replace(self.shift, **changes)
        return DrillTask(self.drill, shift=shift, name=name, world=self.world, size_px=self.size_px)

    def _episode(self, rng: np.random.Generator) -> Float[np.ndarray, "t q"]:
        """States of an episode as those that are recorded, action by action."""
        bench, player = self._bench, self.drill.player(rng, self.shift)
        bench.put(self.drill.begin(rng, self.shift))
        path = [bench.state]
        for _ in range(_EPISODE_STEPS // _EVERY):
            bench.step(player(bench.state), _EVERY)
            path.append(bench.state)
        return np.stack(path)

    def _true_cost(self, truth: np.ndarray, goals: np.ndarray) -> Cost:
        """Mean square of what counts, between goals and true ways."""
        bench, skip = self._bench, self._skip
        wanted = self.drill.counts(goals[:, skip:])

        def cost(plans: Float[Tensor, "e s h a"]) -> Float[Tensor, "e s"]:
            actions = plans.detach().double().numpy()
            num, samples, horizon, _ = actions.shape
            paths = np.zeros((num, samples, horizon, truth.shape[1] - skip))
            for i, k in np.ndindex(num, samples):
                bench.put(truth[i, skip:])
                for t in range(horizon):
                    bench.step(actions[i, k, t], _EVERY)
                    paths[i, k, t] = bench.state
            away = np.square(self.drill.counts(paths) - wanted[:, None, None]).mean(axis=-1)
            return torch.from_numpy(away.mean(axis=-1)).float()

        return cost
