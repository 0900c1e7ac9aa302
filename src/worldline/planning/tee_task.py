"""Pushing the T to where it was pushed to before, as a task: its episodes, and its rows.

Shape legend: E episodes, S plans of each, H actions of a plan, O numbers of an observation.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from worldline.planning.agents import known_rows
from worldline.planning.planner import Cost, Planner
from worldline.planning.push_tee import ENV_ID, HELD_PX, Pusher, PushTeeEnv, start_states
from worldline.planning.space import ActionSpace
from worldline.planning.tee import NUM_STATE, REACH_PX, REACH_RAD, Tee, draw, is_reached
from worldline.planning.trials import Agent, Course, Trial, require_room

__all__ = ["TeeTask"]

_HELD_OUT = 7919
"""Keeps the seeds of trials apart from those that recordings are made with."""

_SHOWN = 104729
"""Keeps the seeds of what is shown apart from both."""

_EPISODE_STEPS, _NUM_SHOWN = 200, 800


class TeeTask:
    """Pusher and block to where they were so many steps later, in an episode of our own pusher.

    Episodes have seeds of their own, so that none was trained on, and a start that is a goal
    already is left out. What counts as reached is what stable-worldmodel's evaluator counts: pusher
    and block together within 20 pixels of 512, the block within 20 degrees.

    Args:
        size_px: side of pictures.
    """

    name, world, every = "pusht", "pusht-plan", 5  # "pusht" is the bundled world to play in
    environment = ENV_ID
    harder, has_ways = "pushed", False
    courses = (Course(25, 50), Course(25, 50, harder))
    # an action of 1 takes the pusher half across the plane; who is near has still to arrive
    looking: Mapping[str, Any] = MappingProxyType({"std": 0.25, "closely": True})
    truth_cost = 25.0

    def __init__(self, *, size_px: int = 64) -> None:
        self.size_px = size_px
        self.space = ActionSpace(2)

    def sized(self, size_px: int) -> TeeTask:
        """The same task in pictures of another size."""
        return TeeTask(size_px=size_px)

    def make(self) -> Any:
        """The environment."""
        return PushTeeEnv(size_px=self.size_px, render_mode="rgb_array")

    def own_action(self, action: Float[np.ndarray, " a"]) -> np.ndarray:
        """As the environment takes it."""
        return action.astype(np.float32)

    def is_there(self, observation: Float[np.ndarray, " o"], trial: Trial) -> bool:
        """See `worldline.planning.tee.is_reached`."""
        return bool(is_reached(observation[:NUM_STATE], trial.goal))

    def trials(self, num: int, *, gap: int, only: str, seed: int) -> list[Trial]:
        """Held-out episodes.

        Args:
            num: of them.
            gap: steps of the environment between start and goal in the episode of the pusher.
            only: "pushed" for those in which it is not enough to go where the pusher went, because
                the block has to be elsewhere in the end, or turned.
            seed: of the episodes.

        Raises:
            InputError: the gap is longer than an episode.
        """
        require_room(num, gap, _EPISODE_STEPS)
        found: list[Trial] = []
        rng = np.random.default_rng((_HELD_OUT, seed))
        while len(found) < num:
            here, there = self._episode(gap, rng)
            unmoved = np.concatenate([there[:2], here[2:]])
            if is_reached(here, there) or (only and is_reached(unmoved, there)):
                continue
            found.append(Trial({"state": here}, there, draw(there, self.size_px)))
        return found

    def shown(self) -> tuple[UInt8[np.ndarray, "n s s 3"], Float[np.ndarray, "n 6"]]:
        """Where pusher and block are and how the block is turned, in what counts as reached."""
        rng = np.random.default_rng((_SHOWN, 0))
        states = np.stack(
            [self._episode(int(gap), rng)[1] for gap in rng.integers(1, _EPISODE_STEPS, _NUM_SHOWN)]
        )
        frames = np.stack([draw(state, self.size_px) for state in states])
        turn = np.stack([np.cos(states[:, 4]), np.sin(states[:, 4])], axis=-1)
        return frames, np.concatenate([states[:, :4] / REACH_PX, turn / REACH_RAD], axis=-1)

    def baselines(self, planner: Planner, horizon: int, seed: int) -> dict[str, Agent]:
        """By name of the row; the planner plans in the true dynamics."""
        return known_rows(
            self.space, _straight, self._true_cost, planner, horizon=horizon, seed=seed
        )

    def _episode(self, gap: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A state in an episode as those that are recorded, and the one so many steps later."""
        (state,) = start_states(1, rng)
        tee, pusher = Tee(state), Pusher(rng)
        first = self.every * int(rng.integers(0, (_EPISODE_STEPS - gap) // self.every + 1))
        here, action = state, np.zeros(2)
        for t in range(first + gap):
            if t == first:
                here = tee.state
            if t % self.every == 0:
                action = pusher.act(tee.state)
            tee.step(action)
        return here, tee.state

    def _true_cost(self, truth: np.ndarray, goals: np.ndarray) -> Cost:
        """Squared distance of pusher, block and angle, in what counts as reached, of true ways."""
        truth = truth[:, :NUM_STATE]
        tee = Tee(truth[0])

        def cost(plans: Float[Tensor, "e s h a"]) -> Float[Tensor, "e s"]:
            num, samples, horizon, _ = plans.shape
            actions = plans.detach().double().numpy()
            total = np.zeros((num, samples))
            for i, k in np.ndindex(num, samples):
                tee.put(truth[i])
                for t in range(horizon):
                    for _ in range(self.every):
                        tee.step(actions[i, k, t])
                    total[i, k] += _apart(tee.state, goals[i]) / horizon
            return torch.from_numpy(total).float()

        return cost


def _apart(state: Float[np.ndarray, " 7"], goal: Float[np.ndarray, " 7"]) -> float:
    away = np.square(state[:4] - goal[:4]).sum() / REACH_PX**2
    turn = 2 - 2 * np.cos(state[4] - goal[4])
    return float(away + turn / REACH_RAD**2)


def _straight(truth: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Straight to where the pusher has to be, through whatever is in the way."""
    return ((goals[:, :2] - truth[:, :2]) / HELD_PX).clip(-1, 1)
