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
from worldline.core.wording import counted
from worldline.dynamics import JepaDynamics
from worldline.planning.agents import TRUTH, WorldAgent
from worldline.planning.cem import CEM
from worldline.planning.gradient import GradientPlanner
from worldline.planning.icem import ICEM
from worldline.planning.imagination import Imagination
from worldline.planning.mppi import MPPI
from worldline.planning.objective import Over
from worldline.planning.paths import Landmarks
from worldline.planning.planner import Clock, Planner
from worldline.planning.reading import Reading
from worldline.planning.trials import Agent, Course, Measurable, Outcome, Trial, run_trials
from worldline.world import World

__all__ = [
    "PLANNERS",
    "UNGUIDED",
    "Guide",
    "Looking",
    "Measured",
    "enlarged",
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
class Looking:
    """How plans are looked for.

    Attributes:
        planner: by name.
        num_samples, num_rounds: of it.
        horizon: actions looked ahead; None for 6 along landmarks, and else for as many as the
            course's gap takes and two more.
        over: which moments of a rollout are compared with the goal.
        closely: the last stretch to what is read off a goal counts most; see `ReadGoal`.
        budget_s: wall time of a plan, of all episodes together; no limit if absent.
        std: how far from its middle a planner looks first; as it does by itself if absent.
    """

    planner: str = "icem"
    num_samples: int = 128
    num_rounds: int = 3
    horizon: int | None = None
    over: Over = Over.SUM
    closely: bool = False
    budget_s: float | None = None
    std: float | None = None

    def __post_init__(self) -> None:
        if self.planner not in PLANNERS:
            raise InputError(f"no planner {self.planner}; there are: {', '.join(PLANNERS)}")
        if self.horizon is not None and self.horizon < 1:
            raise InputError(f"the horizon is {self.horizon}; it must be at least 1")

    def build(self) -> Planner:
        """The planner. Raises `InputError` for numbers that it cannot look with."""
        few = {"num_elites": max(1, self.num_samples // 10)}
        options: dict[str, Any] = few if self.planner in ("cem", "icem") else {}
        if self.std is not None:
            options = {**options, "std": self.std}
        return PLANNERS[self.planner](
            num_samples=self.num_samples, num_rounds=self.num_rounds, **options
        )

    def without_slope(self) -> Looking:
        """The same in what has no slope, such as true dynamics: there iCEM stands for gradients."""
        return Looking(std=self.std) if self.planner == "gradient" else self

    def ahead(self, course: Course, every: int, *, along: bool = False) -> int:
        """Actions looked ahead in a course, along landmarks or straight to the goal."""
        return self.horizon or (_ALONG if along else -(-course.gap // every) + 2)


UNGUIDED: dict[type, str] = {Landmarks: "without landmarks", Reading: "by latents alone"}
"""Row of a world in which goals are as far as they are straight through latents, by the guide that
it does without."""

Guide = Landmarks | Reading | None

_ALONG, _MOST_LARGE = 6, 4


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
    task: Measurable,
    looking: Looking,
    *,
    clips: Sequence[Clip] = (),
    courses: tuple[Course, ...] = (),
    num_episodes: int = 200,
    seeds: tuple[int, ...] = (0,),
    num_timed: int = 40,
    on_progress: Callable[[float], None] = lambda share: None,
    on_outcome: Callable[[str, str, Outcome], None] = lambda row, course, outcome: None,
) -> Measured:
    """Plan in a world, and beside it do what is trivial, and what knows the truth.

    Args:
        world: to plan in.
        task: what is to be reached.
        looking: how plans are looked for, in the world and in the true dynamics.
        clips: recorded ones, whose frames are landmarks along which goals are measured. Without
            them what the task shows of its states is read off latents, and where it shows nothing
            distance is straight through latents. That has a row of its own beside the other two.
        courses: which episodes; the task's own if there are none.
        num_episodes: of each course and seed.
        seeds: of episodes and planners.
        num_timed: actions that are timed.
        on_progress: told the share of the time that is done.
        on_outcome: told each row, course and what came of it, once for each seed. What is played in
            the true dynamics comes last, because it can take the longest.

    Raises:
        InputError: the world does not take the task's actions.
    """
    subject = Imagination(world)
    if subject.space != task.space:
        raise InputError(
            f"the world {world.name} takes actions of {counted(subject.space.width, 'number')}, "
            f"but {task.name} has {task.space.width}"
        )
    fresh = Imagination(untrained(world))
    task = task.sized(world.size_px)
    guides = {each: _guide(each, task, clips) for each in (subject, fresh)}
    rows: dict[str, tuple[Imagination, Guide]] = {
        world.name: (subject, guides[subject]),
        "untrained": (fresh, guides[fresh]),
        **{
            name: (subject, None)
            for kind, name in UNGUIDED.items()
            if kind is type(guides[subject])
        },
    }
    games: list[tuple[str, Course, list[Trial], Agent]] = []
    for course in courses or task.courses:
        ahead = looking.ahead(course, task.every)
        for seed in seeds:
            trials = task.trials(num_episodes, gap=course.gap, only=course.only, seed=seed)
            agents: dict[str, Agent] = {
                name: _agent(imagination, looking, course, task, seed, guide)
                for name, (imagination, guide) in rows.items()
            }
            agents |= task.baselines(looking.without_slope().build(), ahead, seed)
            games += [(name, course, trials, agent) for name, agent in agents.items()]
    games.sort(key=lambda game: game[0] == TRUTH)
    lengths = [game[1].budget * (task.truth_cost if game[0] == TRUTH else 1.0) for game in games]
    parts: dict[str, dict[str, list[Outcome]]] = {}
    for i, (name, course, trials, agent) in enumerate(games):

        def tell(share: float, i: int = i) -> None:
            on_progress((sum(lengths[:i]) + share * lengths[i]) / sum(lengths))

        outcome = run_trials(task, trials, agent, budget=course.budget, on_progress=tell)
        parts.setdefault(name, {}).setdefault(course.name, []).append(outcome)
        on_outcome(name, course.name, outcome)
    outcomes = {
        name: {course: _joined(found) for course, found in by_course.items()}
        for name, by_course in parts.items()
    }
    return Measured(outcomes, time_actions(subject, task, looking, num_timed, guides[subject]))


def _guide(imagination: Imagination, task: Measurable, clips: Sequence[Clip]) -> Guide:
    """What tells how far a goal is: recorded frames as landmarks, or what is read off latents."""
    if clips:
        return Landmarks.of_clips(imagination, clips)
    shown = task.shown()
    if shown is None:
        return None
    frames, values = shown
    latents = imagination.encode(torch.from_numpy(frames)[:, None])
    return Reading.fit(latents[:, 0].flatten(1), values)


def untrained(world: World) -> World:
    """The same world before it learned anything, which still knows what its actions mean."""
    return _built(world.config, world)


def _built(config: World.Config, world: World) -> World:
    """An untrained world that takes the actions of another one."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fresh = config.build()
    kept = {key: world.calibration[key] for key in ("actions",) if key in world.calibration}
    return fresh.finished(kept, "")


def time_actions(
    imagination: Imagination,
    task: Measurable,
    looking: Looking,
    num: int,
    guide: Guide = None,
    *,
    clock: Clock = time.perf_counter,
) -> dict[str, Float[np.ndarray, " n"]]:
    """Seconds of single actions, from a picture to what is to be done, of one episode alone.

    With the planner as it was asked for, and as papers report it: 300 plans of 5 actions; these
    also by an untrained predictor of the size that papers have, a few times, where the world's can
    be had in that size. With `time.process_time` as the clock, what else runs there counts less.
    """
    task = task.sized(imagination.world.size_px)
    usual = replace(looking, num_samples=300, horizon=5)
    course = task.courses[0]
    (trial,) = task.trials(1, gap=course.gap, only=course.only, seed=1)
    ways = {"as asked": (imagination, looking, num), "300 plans of 5": (imagination, usual, num)}
    large = enlarged(imagination.world)
    if large is not None:
        size = sum(part.numel() for part in large.dynamics.parameters()) / 1e6
        name = f"300 plans of 5, predictor of {size:.0f} M, untrained"
        ways[name] = Imagination(large), usual, min(num, _MOST_LARGE)
    found = {}
    for name, (each, way, times) in ways.items():
        clocked = _Clocked(_agent(each, way, course, task, 0, guide), clock)
        run_trials(task, [trial], clocked, budget=max(1, times) * task.every)
        found[name] = np.array(clocked.took_s[1:] or clocked.took_s)  # the first one warms up
    return found


def enlarged(world: World) -> World | None:
    """An untrained twin whose predictor has as many parameters as LeWorldModel's and DINO-WM's, 15
    million or a few more; None where dynamics do not work on one vector per frame."""
    dynamics = world.config.dynamics
    if not isinstance(dynamics, JepaDynamics.Config) or dynamics.rows > 1:
        return None
    large = replace(dynamics, width=1024, depth=4)
    return _built(replace(world.config, dynamics=large), world)


class _Clocked:
    """An agent whose every call is timed."""

    def __init__(self, agent: Agent, clock: Clock) -> None:
        self.agent, self.clock = agent, clock
        self.begin = agent.begin
        self.took_s: list[float] = []

    def act(self, sight: Any) -> Float[np.ndarray, "e a"]:
        start = self.clock()
        action = self.agent.act(sight)
        self.took_s.append(self.clock() - start)
        return action


def _agent(
    imagination: Imagination,
    looking: Looking,
    course: Course,
    task: Measurable,
    seed: int,
    guide: Guide,
) -> WorldAgent:
    return WorldAgent(
        imagination,
        looking.build(),
        horizon=looking.ahead(course, task.every, along=isinstance(guide, Landmarks)),
        over=looking.over,
        closely=looking.closely,
        guide=guide,
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
