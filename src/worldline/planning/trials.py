"""Episodes in which a goal has to be reached, many at once, and what became of each.

Shape legend: E episodes, A numbers of an action.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, UInt8

from worldline.core.errors import InputError
from worldline.core.wording import counted
from worldline.planning.planner import Planner
from worldline.planning.space import ActionSpace

__all__ = [
    "Agent",
    "Course",
    "Measurable",
    "Outcome",
    "Sight",
    "Task",
    "Trial",
    "require_room",
    "run_trials",
]


@dataclass(frozen=True)
class Course:
    """Which episodes are played.

    Attributes:
        gap, budget: steps of the environment from start to goal where the goal was reached before,
            and to get there.
        only: the kind of episodes by the task's word, such as "across"; all if empty.
    """

    gap: int
    budget: int
    only: str = ""

    @property
    def name(self) -> str:
        """Such as "25/50 across"."""
        return f"{self.gap}/{self.budget} {self.only}".strip()


@dataclass(frozen=True, eq=False)
class Trial:
    """One episode to be.

    Attributes:
        options: of the environment's `reset`.
        goal: the observation that is wanted, as those know it who know the truth.
        goal_frame: what that looks like.
        seed: of the environment.
    """

    options: Mapping[str, Any]
    goal: Float[np.ndarray, " o"]
    goal_frame: UInt8[np.ndarray, "h w 3"]
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Sight:
    """What E episodes look like now.

    Attributes:
        frames: their pictures.
        truth: their observations, for those who know the truth.
        going: which are under way; of the others nothing is meant.
    """

    frames: UInt8[np.ndarray, "e h w 3"]
    truth: Float[np.ndarray, "e o"]
    going: Bool[np.ndarray, " e"]


@runtime_checkable
class Agent(Protocol):
    """Acts in many episodes at once."""

    def begin(self, trials: Sequence[Trial]) -> None:
        """New episodes, all of them."""
        ...

    def act(self, sight: Sight) -> Float[np.ndarray, "e a"]:
        """An action for each, in [-1, 1] or one-hot, as a world takes them."""
        ...


@runtime_checkable
class Task(Protocol):
    """What is to be reached, and where.

    Attributes:
        name: of the task.
        every: steps of the environment that an action is held for.
    """

    name: str
    every: int

    def make(self) -> Any:
        """A Gymnasium environment that renders."""
        ...

    def own_action(self, action: Float[np.ndarray, " a"]) -> Any:
        """An action as the environment takes it."""
        ...

    def is_there(self, observation: Float[np.ndarray, " o"], trial: Trial) -> bool:
        """Whether the goal is reached."""
        ...


@runtime_checkable
class Measurable(Task, Protocol):
    """A task that knows which episodes there are, and who else acts in them.

    Attributes:
        space: of the actions.
        size_px: side of pictures.
        courses: what is measured; the first has the easiest episodes.
        harder: word for those episodes that are not to be solved by what is trivial.
        has_ways: recorded frames are landmarks on the way to a goal; see `Landmarks`.
        looking: what of the usual way to look for plans is otherwise here, by name.
        truth_cost: about how many times as long as another row the one in true dynamics takes.
        world: name of the bundled world that is planned in unless another is named; empty if
            there is none.
        environment: id of the environment that such worlds are recorded in.
    """

    space: ActionSpace
    size_px: int
    courses: tuple[Course, ...]
    harder: str
    has_ways: bool
    looking: Mapping[str, Any]
    truth_cost: float
    world: str
    environment: str

    def sized(self, size_px: int) -> Measurable:
        """The same task in pictures of another size."""
        ...

    def trials(self, num: int, *, gap: int, only: str, seed: int) -> list[Trial]:
        """Held-out episodes; see `Course`. Raises `InputError` for a gap that cannot be."""
        ...

    def shown(self) -> tuple[UInt8[np.ndarray, "n s s 3"], Float[np.ndarray, "n r"]] | None:
        """Frames and what is known of them, in units that count alike; None where all that counts
        is what frames look like. From episodes of its own, as those that are recorded."""
        ...

    def baselines(self, planner: Planner, horizon: int, seed: int) -> dict[str, Agent]:
        """Who is trivial, and who knows the truth, by name of the row; the planner plans in the
        true dynamics."""
        ...


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of E episodes.

    Attributes:
        any_time: the goal was reached at some time.
        final: it was reached when the budget was used up.
        failed: why an episode broke down; None for those that did not. These count as not reached.
        act_s: wall time of each call for actions, over the number of episodes under way.
    """

    any_time: Bool[np.ndarray, " e"]
    final: Bool[np.ndarray, " e"]
    failed: tuple[str | None, ...]
    act_s: Float[np.ndarray, " c"]


class _Breakdown(Exception):  # noqa: N818
    """An environment did what it must not."""


_STEP = ("observation", "reward", "terminated", "truncated", "info")


def _first(given: Any, of: str, wanted: tuple[str, ...]) -> Any:
    """The observation out of what `reset` or `step` gave."""
    if not isinstance(given, tuple) or len(given) != len(wanted):
        found = f"{len(given)} values" if isinstance(given, tuple) else type(given).__name__
        raise _Breakdown(f"the environment's {of} gives {found}, not {', '.join(wanted)}")
    return given[0]


def run_trials(
    task: Task,
    trials: Sequence[Trial],
    agent: Agent,
    *,
    budget: int,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Outcome:
    """Play all episodes to the end of their budget, side by side.

    An episode whose environment raises, or tells what is not a number or not as many numbers as the
    others, or draws frames of another size than before, or whose `reset` and `step` give something
    else than Gymnasium's, has failed; the others go on. So it is with an action that is not a
    number. An error of the agent itself is raised.

    Only `Task.is_there` says what is reached: `terminated` and `truncated` of `step` are not read,
    and an episode goes on behind them to the end of its budget.

    Args:
        task: what is to be reached.
        trials: the episodes.
        agent: who acts.
        budget: steps of the environment per episode.
        on_progress: told the share that is done.

    Raises:
        InputError: there are no episodes, the budget is not positive, or the agent does not give an
            action for each episode.
    """
    if not trials or budget < 1:
        raise InputError(f"{len(trials)} episodes of {budget} steps: at least one each is needed")
    num = len(trials)
    failed: list[str | None] = [None] * num
    envs: list[Any] = [None] * num
    frames: list[np.ndarray | None] = [None] * num
    truth: list[np.ndarray | None] = [None] * num
    any_time, now = np.zeros(num, bool), np.zeros(num, bool)
    took: list[float] = []

    def attempt(i: int, work: Callable[[], None]) -> None:
        if failed[i] is None:
            try:
                work()
            except Exception as error:  # whatever a foreign environment raises
                reason = " ".join(str(error).split()) or "no reason given"
                told = isinstance(error, _Breakdown)
                failed[i] = reason if told else f"{type(error).__name__}: {reason}"
                now[i] = any_time[i] = False

    def look(i: int, observation: Any) -> None:
        seen = np.asarray(observation, dtype=np.float64).ravel()
        if not np.isfinite(seen).all():
            raise _Breakdown("the environment tells what is not a number")
        before = truth[i]
        if before is not None and seen.shape != before.shape:
            raise _Breakdown(
                f"the environment tells {counted(seen.size, 'number')}, not {before.size} as before"
            )
        truth[i] = seen
        now[i] = task.is_there(seen, trials[i])
        any_time[i] |= now[i]

    def draw(i: int) -> None:
        frame = np.asarray(envs[i].render())
        wanted = trials[i].goal_frame.shape
        if frame.dtype != np.uint8 or frame.shape != wanted:
            raise _Breakdown(
                f"the environment draws {frame.dtype} {frame.shape}, but the goal is {wanted}"
            )
        frames[i] = frame

    def open_one(i: int) -> None:
        envs[i] = task.make()
        begun = envs[i].reset(seed=trials[i].seed, options=dict(trials[i].options))
        look(i, _first(begun, "reset", ("observation", "info")))
        if now[i]:
            raise _Breakdown("the goal is where the episode begins")

    def step_one(i: int, action: np.ndarray) -> None:
        if not np.isfinite(action).all():
            raise _Breakdown("the action is not a number")
        look(i, _first(envs[i].step(task.own_action(action)), "step", _STEP))

    def agree(i: int, usual: int) -> None:
        seen = truth[i]
        if seen is not None and seen.size != usual:
            truth[i] = None
            raise _Breakdown(
                f"the environment tells {counted(seen.size, 'number')}, the others tell {usual}"
            )

    try:
        for i in range(num):
            attempt(i, lambda i=i: open_one(i))
        sizes = Counter(seen.size for seen in truth if seen is not None)
        for i in range(num):
            attempt(i, lambda i=i: agree(i, sizes.most_common(1)[0][0]))
        agent.begin(trials)
        actions: np.ndarray | None = None
        for t in range(budget):
            if t % task.every == 0:
                for i in range(num):
                    attempt(i, lambda i=i: draw(i))
                going = np.array([reason is None for reason in failed])
                if not going.any():
                    break
                sight = Sight(_stack(frames), _stack(truth), going)
                start = time.perf_counter()
                actions = agent.act(sight)
                took.append((time.perf_counter() - start) / going.sum())
                if len(np.atleast_1d(actions)) != num:
                    raise InputError(
                        f"the agent gives actions {np.shape(actions)} for {counted(num, 'episode')}"
                        "; one row for each is needed"
                    )
            assert actions is not None
            for i in range(num):
                attempt(i, lambda i=i, action=actions[i]: step_one(i, action))
            on_progress((t + 1) / budget)
    finally:
        for env in envs:
            _close(env)
    return Outcome(any_time, now, tuple(failed), np.array(took))


def _stack(parts: Sequence[np.ndarray | None]) -> np.ndarray:
    """All of them; what is missing is zeros."""
    known = next(part for part in parts if part is not None)
    return np.stack([np.zeros_like(known) if part is None else part for part in parts])


def _close(env: Any) -> None:
    if env is not None:
        with contextlib.suppress(Exception):  # one that is broken may fail even at that
            env.close()


def require_room(num: int, gap: int, episode_steps: int) -> None:
    """Raise `InputError` where so many trials with such a gap cannot be cut out of episodes."""
    if not 1 <= gap < episode_steps or num < 1:
        raise InputError(
            f"{counted(num, 'trial')} with a gap of {counted(gap, 'step')}: at least one trial is "
            f"needed, and a gap from 1 to {episode_steps - 1} steps"
        )
