"""How well a world can be planned in: success on held-out episodes, and the time of an action."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.planning.agents import WorldAgent
from worldline.planning.cem import CEM
from worldline.planning.gradient import GradientPlanner
from worldline.planning.icem import ICEM
from worldline.planning.imagination import Imagination
from worldline.planning.mppi import MPPI
from worldline.planning.objective import Over
from worldline.planning.paths import Landmarks
from worldline.planning.planner import Planner
from worldline.planning.tasks import RoomsTask
from worldline.planning.trials import Agent, Outcome, run_trials
from worldline.world import World

__all__ = [
    "COURSES",
    "PLANNERS",
    "Course",
    "Looking",
    "Measured",
    "measure",
    "time_actions",
    "untrained",
]

PLANNERS: dict[str, Callable[..., Planner]] = {
    "cem": CEM,
    "icem": ICEM,
    "mppi": MPPI,
    "gradient": GradientPlanner,
}
"""Planners by name; each takes `num_samples` and `num_rounds`."""


@dataclass(frozen=True)
class Course:
    """Which episodes are played.

    Attributes:
        gap, budget: steps of the environment from start to goal on the walk, and to get there.
        crossing: the goal is in the other room.
    """

    gap: int
    budget: int
    crossing: bool = True

    @property
    def name(self) -> str:
        """Such as "25/50 across"."""
        return f"{self.gap}/{self.budget}{' across' if self.crossing else ''}"


COURSES = (Course(25, 50, crossing=False), Course(25, 50), Course(40, 80), Course(50, 100))
"""Those of the suite. A greedy walk does nearly all of the first."""


@dataclass(frozen=True)
class Looking:
    """How plans are looked for.

    Attributes:
        planner: by name.
        num_samples, num_rounds: of it.
        horizon: actions looked ahead; None for 6 along landmarks, and else for as many as the
            course's gap takes and two more.
        over: which moments of a rollout are compared with the goal.
        budget_s: wall time of a plan, of all episodes together; no limit if absent.
    """

    planner: str = "icem"
    num_samples: int = 128
    num_rounds: int = 3
    horizon: int | None = None
    over: Over = Over.SUM
    budget_s: float | None = None

    def __post_init__(self) -> None:
        if self.planner not in PLANNERS:
            raise InputError(f"no planner {self.planner}; there are: {', '.join(PLANNERS)}")
        if self.horizon is not None and self.horizon < 1:
            raise InputError(f"the horizon is {self.horizon}; it must be at least 1")

    def build(self) -> Planner:
        """The planner. Raises `InputError` for numbers that it cannot look with."""
        few = {"num_elites": max(1, self.num_samples // 10)}
        options: dict[str, Any] = few if self.planner in ("cem", "icem") else {}
        return PLANNERS[self.planner](
            num_samples=self.num_samples, num_rounds=self.num_rounds, **options
        )

    def without_slope(self) -> Looking:
        """The same in what has no slope, such as true dynamics: there iCEM stands for gradients."""
        return Looking() if self.planner == "gradient" else self

    def ahead(self, course: Course, every: int, *, along: bool = False) -> int:
        """Actions looked ahead in a course, along landmarks or straight to the goal."""
        return self.horizon or (_ALONG if along else -(-course.gap // every) + 2)


_ALONG = 6
_NUM_BASELINES = 4


@dataclass(frozen=True, eq=False)
class Measured:
    """What came of all rows in all courses.

    Attributes:
        outcomes: by row and course.
        act_s: seconds of a single action, one episode alone, by row; with what is said there.
    """

    outcomes: Mapping[str, Mapping[str, Outcome]]
    act_s: Mapping[str, Float[np.ndarray, " n"]]


def measure(
    world: World,
    task: RoomsTask,
    looking: Looking,
    *,
    clips: Sequence[Clip] = (),
    courses: tuple[Course, ...] = COURSES,
    num_episodes: int = 200,
    seeds: tuple[int, ...] = (0,),
    num_timed: int = 40,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Measured:
    """Plan in a world, and beside it do what is trivial, and what knows the truth.

    Args:
        world: to plan in.
        task: what is to be reached.
        looking: how plans are looked for, in the world and in the true dynamics.
        clips: recorded ones, whose frames are landmarks along which goals are measured; without
            them distance is straight through latents, and has no row of its own.
        courses: which episodes.
        num_episodes: of each course and seed.
        seeds: of episodes and planners.
        num_timed: actions that are timed.
        on_progress: told the share that is done.

    Raises:
        InputError: the world does not take the task's actions.
    """
    subject = Imagination(world)
    if subject.space != task.space:
        raise InputError(
            f"the world {world.name} takes actions of {subject.space.width} numbers, but "
            f"{task.name} has {task.space.width}"
        )
    fresh = Imagination(untrained(world))
    task = task.sized(world.size_px)
    ways = {each: Landmarks.of_clips(each, clips) if clips else None for each in (subject, fresh)}
    rows: dict[str, tuple[Imagination, Landmarks | None]] = {
        world.name: (subject, ways[subject]),
        "untrained": (fresh, ways[fresh]),
        **({"without landmarks": (subject, None)} if clips else {}),
    }
    done, total = 0, len(courses) * len(seeds) * (len(rows) + _NUM_BASELINES)
    parts: dict[str, dict[str, list[Outcome]]] = {}
    for course in courses:
        ahead = looking.ahead(course, task.every)
        for seed in seeds:
            trials = task.trials(num_episodes, gap=course.gap, crossing=course.crossing, seed=seed)
            agents: dict[str, Agent] = {
                name: _agent(imagination, looking, course, task, seed, landmarks)
                for name, (imagination, landmarks) in rows.items()
            }
            agents |= task.baselines(looking.without_slope().build(), ahead, seed)
            for name, agent in agents.items():
                begun = done

                def tell(share: float, begun: int = begun) -> None:
                    on_progress((begun + share) / total)

                outcome = run_trials(task, trials, agent, budget=course.budget, on_progress=tell)
                parts.setdefault(name, {}).setdefault(course.name, []).append(outcome)
                done += 1
    outcomes = {
        name: {course: _joined(found) for course, found in by_course.items()}
        for name, by_course in parts.items()
    }
    return Measured(outcomes, time_actions(subject, task, looking, num_timed, ways[subject]))


def untrained(world: World) -> World:
    """The same world before it learned anything, which still knows what its actions mean."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fresh = world.config.build()
    kept = {key: world.calibration[key] for key in ("actions",) if key in world.calibration}
    return fresh.finished(kept, "")


def time_actions(
    imagination: Imagination,
    task: RoomsTask,
    looking: Looking,
    num: int,
    landmarks: Landmarks | None = None,
) -> dict[str, Float[np.ndarray, " n"]]:
    """Seconds of single actions, from a picture to what is to be done, of one episode alone.

    With the planner as it was asked for, and as papers report it: 300 plans of 5 actions.
    """
    task = task.sized(imagination.world.size_px)
    usual = replace(looking, num_samples=300, horizon=5)
    found = {}
    for name, way in {"as asked": looking, "300 plans of 5": usual}.items():
        course = COURSES[0]
        agent = _agent(imagination, way, course, task, 0, landmarks)
        (trial,) = task.trials(1, gap=course.gap, crossing=False, seed=1)
        clocked = _Clocked(agent)
        budget = max(1, num) * task.every
        run_trials(task, [trial], clocked, budget=budget)
        found[name] = np.array(clocked.took_s[1:] or clocked.took_s)  # the first one warms up
    return found


class _Clocked:
    """An agent whose every call is timed."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.begin = agent.begin
        self.took_s: list[float] = []

    def act(self, sight: Any) -> Float[np.ndarray, "e a"]:
        start = time.perf_counter()
        action = self.agent.act(sight)
        self.took_s.append(time.perf_counter() - start)
        return action


def _agent(
    imagination: Imagination,
    looking: Looking,
    course: Course,
    task: RoomsTask,
    seed: int,
    landmarks: Landmarks | None,
) -> WorldAgent:
    return WorldAgent(
        imagination,
        looking.build(),
        horizon=looking.ahead(course, task.every, along=landmarks is not None),
        over=looking.over,
        landmarks=landmarks,
        seed=seed,
        budget_s=looking.budget_s,
    )


def _joined(found: list[Outcome]) -> Outcome:
    """Of several seeds, one after the other."""
    return Outcome(
        np.concatenate([o.any_time for o in found]),
        np.concatenate([o.final for o in found]),
        tuple(reason for o in found for reason in o.failed),
        np.concatenate([o.act_s for o in found]),
    )
