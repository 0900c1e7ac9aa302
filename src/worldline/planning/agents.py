"""Who acts in trials: a planner in a world, and those that it is measured against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from worldline.planning.imagination import Imagination
from worldline.planning.objective import LatentGoal, Objective, Over, Weighted, cost_of
from worldline.planning.paths import Landmarks, PathGoal
from worldline.planning.planner import Cost, Planner, shift
from worldline.planning.reading import ReadGoal, Reading
from worldline.planning.space import ActionSpace
from worldline.planning.trials import Agent, Sight, Trial

__all__ = ["TRUTH", "Following", "RandomAgent", "Scripted", "WorldAgent", "known_rows", "toward"]

TRUTH = "true dynamics"
"""Row of those who plan in them."""


@dataclass(eq=False)
class RandomAgent:
    """Actions at random, or none at all: what success costs nothing.

    Args:
        space: of actions.
        seed: of chance.
        still: no motion; of choices the first.
    """

    space: ActionSpace
    seed: int = 0
    still: bool = False
    _rng: np.random.Generator = field(init=False, repr=False)

    def begin(self, trials: Sequence[Trial]) -> None:
        """New episodes."""
        self._rng = np.random.default_rng(self.seed)

    def act(self, sight: Sight) -> Float[np.ndarray, "e a"]:
        """See `Agent`."""
        num = len(sight.going)
        if not self.space.is_discrete:
            drawn = self._rng.uniform(-1, 1, (num, self.space.width))
            return 0 * drawn if self.still else drawn
        parts = []
        for choices in self.space.num_actions:
            chosen = self._rng.integers(choices, size=num)
            parts.append(np.eye(choices)[0 * chosen if self.still else chosen])
        return np.concatenate(parts, axis=-1)


@dataclass(eq=False)
class Scripted:
    """A rule from the true state and the goal to an action.

    Args:
        rule: called with observations and goals, `[E, O]` each.
    """

    rule: Callable[[np.ndarray, np.ndarray], np.ndarray]
    _goals: np.ndarray = field(init=False, repr=False)

    def begin(self, trials: Sequence[Trial]) -> None:
        """New episodes."""
        self._goals = np.stack([trial.goal for trial in trials])

    def act(self, sight: Sight) -> Float[np.ndarray, "e a"]:
        """See `Agent`."""
        return self.rule(sight.truth, self._goals)


class _Receding:
    """What is common to all who plan: begin again with each action where the last plan ended."""

    def __init__(
        self, space: ActionSpace, planner: Planner, horizon: int, seed: int, budget_s: float | None
    ) -> None:
        self.space, self.planner, self.horizon = space, planner, horizon
        self.seed, self.budget_s = seed, budget_s
        self.warm: Tensor | None = None
        self.generator = torch.Generator()

    def reset(self) -> None:
        """Forget the last plan."""
        self.warm = None
        self.generator = torch.Generator().manual_seed(self.seed)

    def plan(self, cost: Cost, num: int) -> Float[Tensor, "b a"]:
        """The first action of each new plan."""
        found = self.planner.plan(
            cost,
            self.space,
            num=num,
            horizon=self.horizon,
            generator=self.generator,
            warm=self.warm,
            budget_s=self.budget_s,
        )
        self.warm = shift(found.center)
        return found.actions[:, 0]


class Following:
    """A planner in something that is no learned world, such as the true dynamics.

    Args:
        cost_at: gives, for observations and goals `[E, O]`, what plans `[E, S, H, A]` cost.
        space, planner, horizon, seed, budget_s: as for `WorldAgent`.
    """

    def __init__(
        self,
        cost_at: Callable[[np.ndarray, np.ndarray], Cost],
        space: ActionSpace,
        planner: Planner,
        *,
        horizon: int,
        seed: int = 0,
        budget_s: float | None = None,
    ) -> None:
        self.cost_at = cost_at
        self._receding = _Receding(space, planner, horizon, seed, budget_s)
        self._goals = np.zeros((0, 0))

    def begin(self, trials: Sequence[Trial]) -> None:
        """New episodes."""
        self._goals = np.stack([trial.goal for trial in trials])
        self._receding.reset()

    def act(self, sight: Sight) -> Float[np.ndarray, "e a"]:
        """See `Agent`."""
        cost = self.cost_at(sight.truth, self._goals)
        return self._receding.plan(cost, len(self._goals)).double().numpy()


def known_rows(
    space: ActionSpace,
    greedy: Callable[[np.ndarray, np.ndarray], np.ndarray],
    cost_at: Callable[[np.ndarray, np.ndarray], Cost],
    planner: Planner,
    *,
    horizon: int,
    seed: int,
) -> dict[str, Agent]:
    """Who is measured beside every world, by name of the row: chance, rest, who knows the truth.

    Args:
        space: of actions.
        greedy: what is obvious from the true state; see `Scripted`.
        cost_at: of plans in the true dynamics; see `Following`.
        planner, horizon: how plans are looked for there.
        seed: of chance.
    """
    return {
        "random": RandomAgent(space, seed),
        "zero": RandomAgent(space, seed, still=True),
        "greedy on the true state": Scripted(greedy),
        TRUTH: Following(cost_at, space, planner, horizon=horizon, seed=seed),
    }


def toward(
    goal: Float[Tensor, "b n c"],
    guide: Landmarks | Reading | None,
    over: Over,
    closely: bool = False,
) -> Objective:
    """How far it is to goals in latents, by what tells that, or straight on; what is read off may
    count `closely` (`ReadGoal`)."""
    match guide:
        case Landmarks():
            return PathGoal(guide, goal, over)
        case Reading():
            return ReadGoal(guide, goal, over, closely)
        case None:
            return LatentGoal(goal, over)


class WorldAgent:
    """Plans in what a world imagines, from pictures alone, anew with every action.

    Args:
        imagination: the world.
        planner: who looks for plans.
        horizon: actions that are looked ahead.
        over: which moments of a rollout are compared with the goal.
        closely: where numbers are read off latents, the last stretch counts most (`ReadGoal`).
        guide: the goal is as far as the way along landmarks, or as what is read off latents;
            straight through latents if absent.
        also: further objectives, each with its weight, such as the trust penalty.
        seed: of chance.
        budget_s: wall time of a plan.
    """

    def __init__(
        self,
        imagination: Imagination,
        planner: Planner,
        *,
        horizon: int,
        over: Over = Over.SUM,
        closely: bool = False,
        guide: Landmarks | Reading | None = None,
        also: tuple[tuple[float, Objective], ...] = (),
        seed: int = 0,
        budget_s: float | None = None,
    ) -> None:
        self.imagination, self.over, self.also = imagination, over, also
        self.guide, self.closely = guide, closely
        self._receding = _Receding(imagination.space, planner, horizon, seed, budget_s)
        self._goal = torch.zeros(0)
        self._seen: list[Tensor] = []
        self._done: list[Tensor] = []

    def begin(self, trials: Sequence[Trial]) -> None:
        """New episodes. Raises `InputError` if a goal is of another size than the world sees."""
        frames = torch.from_numpy(np.stack([trial.goal_frame for trial in trials]))
        self._goal = self.imagination.encode(frames[:, None])[:, 0]
        self._receding.reset()
        self._seen, self._done = [], []

    def act(self, sight: Sight) -> Float[np.ndarray, "e a"]:
        """See `Agent`."""
        frames = torch.from_numpy(sight.frames)[:, None]
        self._seen = [*self._seen, self.imagination.encode(frames)][-self.context :]
        latents = torch.cat(self._seen, dim=1)
        led = None
        if len(self._seen) > 1:
            nothing = torch.zeros_like(self._done[0])
            led = torch.stack([nothing, *self._done[1 - len(self._seen) :]], dim=1)
        situation = self.imagination.begin_from(latents, led)
        goal = toward(self._goal, self.guide, self.over, self.closely)
        objective = Weighted(((1.0, goal), *self.also))
        action = self._receding.plan(cost_of(self.imagination, situation, objective), len(frames))
        self._done = [*self._done, action][-self.context :]
        return action.double().numpy()

    @property
    def context(self) -> int:
        """Frames that the world is given."""
        return self.imagination.world.context
