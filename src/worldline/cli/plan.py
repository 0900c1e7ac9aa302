"""`worldline plan`: reach goals by planning in what a world imagines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import tyro

from worldline.cli.output import Answer, JsonFlag, Seed, progress
from worldline.cli.process import complain
from worldline.core.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from worldline.core.clip import Clip
    from worldline.planning.trials import Measurable
    from worldline.world import World

__all__ = ["Plan", "doubts", "find_landmarks", "open_task", "open_world"]


@dataclass(frozen=True)
class Plan:
    """Plan in a world, episode by episode, beside who knows nothing and who knows the truth.

    Tasks: tworoom, a dot to be brought to a place that is shown as a picture, through a door where
    it lies in the other room; walls, the same with wall and door elsewhere in each episode; pusht,
    a T-shaped block to be pushed to where it lies in a picture (needs the extra pusht); push, a
    block to be pushed past an obstacle, catch, a ball that rolls off a table, and throw, a ball
    into a bin, in MuJoCo. push-heavy, push-slippery, push-moved and catch-high are these in scenes
    that differ from the recorded ones.

    Goals are pictures, plans are looked for in latents, and one action is done of each plan.
    """

    task: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="TASK", help="Which.")]
    world: Annotated[
        str | None,
        tyro.conf.arg(metavar="WORLD", help="Bundled, or a folder; the task's own if absent."),
    ] = None
    planner: str | None = None
    """cem, icem, mppi or gradient; this and what follows is the task's own if absent."""
    samples: int | None = None
    """Plans tried in a round."""
    rounds: int | None = None
    """Rounds of looking."""
    horizon: int | None = None
    """Actions looked ahead."""
    over: str | None = None
    """Which moments of a plan are compared with the goal: last, sum or least."""
    distance: str | None = None
    """How distances count that are read off latents: squares, or logarithms, in which the last
    stretch to the goal is worth as much as a long way."""
    budget_s: float | None = None
    """Wall time of a plan, of all episodes together."""
    gaps: tuple[int, ...] = ()
    """Steps to the goal where it was reached before, each with twice as many allowed, in the harder
    episodes; the task's own if absent."""
    episodes: int = 50
    """Of each kind."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Plan and measure. Raises `InputError` for an unknown task or numbers that cannot be."""
        from worldline.audit.suites.runs import Attempt, Run, RunSettings
        from worldline.cli.planning_tables import planning_result, tell_rows
        from worldline.planning.measure import Looking, measure
        from worldline.planning.objective import Over
        from worldline.planning.trials import Course

        task = open_task(self.task)
        if self.over is not None and self.over not in list(Over):
            raise InputError(f"--over is {self.over}; it can be {', '.join(Over)}")
        if self.distance is not None and self.distance not in _DISTANCES:
            raise InputError(f"--distance is {self.distance}; it can be {', '.join(_DISTANCES)}")
        for name in ("episodes", "samples", "rounds", "horizon"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise InputError(f"--{name} is {number}; it must be at least 1")
        if self.budget_s is not None and not self.budget_s > 0:
            raise InputError(f"--budget-s is {self.budget_s}; it must be above 0")
        if any(gap < 1 for gap in self.gaps):
            raise InputError(f"--gaps has {min(self.gaps)}; each must be at least 1")
        if max(self.gaps, default=0) > _LONGEST_GAP:
            raise InputError(
                f"--gaps has {max(self.gaps)}; episodes have 200 steps, so each can be at most "
                f"{_LONGEST_GAP}"
            )
        if self.samples == 1:
            raise InputError("--samples is 1; it must be at least 2, the best of which is followed")
        if self.horizon is not None and self.horizon > _FARTHEST:
            raise InputError(
                f"--horizon is {self.horizon}; it can be at most {_FARTHEST} actions, which is "
                "farther than any episode goes"
            )
        asked = {
            "planner": self.planner,
            "num_samples": self.samples,
            "num_rounds": self.rounds,
            "horizon": self.horizon,
            "over": None if self.over is None else Over(self.over),
            "closely": None if self.distance is None else _DISTANCES[self.distance],
            "budget_s": self.budget_s,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        looking = Looking(**{**task.looking, **given})
        looking.build()
        world = open_world(task, self.world)
        for doubt in doubts(task, world, self.world):
            complain(doubt)
        begun = Run.begin(world.name, RunSettings(self.seed))
        with progress(f"planning in {world.name}", 1.0, lines=True) as set_done:
            measured = measure(
                world,
                task,
                looking,
                clips=find_landmarks(world, self.world) if task.has_ways else [],
                courses=tuple(Course(gap, 2 * gap, task.harder) for gap in self.gaps),
                num_episodes=self.episodes,
                num_timed=min(self.episodes, _MOST_TIMED),
                seeds=(self.seed,),
                on_progress=set_done,
                on_outcome=tell_rows(),
            )
        facts = {"num_episodes": self.episodes, "seeds": [self.seed]}
        result = planning_result(world.name, self.task, measured, looking, self.seed, facts)
        return replace(begun, attempts=(Attempt("planning", result=result),)).to_json()

    def show(self, answer: Answer, console: Console) -> None:
        """Print the tables."""
        from worldline.cli.eval_suites import show

        show(answer, console)


def open_task(name: str) -> Measurable:
    """A task. Raises `InputError` if there is none, or what it runs in is missing."""
    try:
        import gymnasium  # noqa: F401
    except ModuleNotFoundError:
        raise InputError(
            "Gymnasium is missing: pip install -e '.[record]' in Worldline's folder"
        ) from None
    from worldline.planning.tasks import find_task

    return find_task(name)


def open_world(task: Measurable, name: str | None) -> World:
    """The world to plan in; the one that is bundled for the task if none is named.

    Raises `InputError` if none is.
    """
    from worldline.world import World

    if not (name or task.world):
        raise InputError(
            f"no world is bundled for {task.name}: train one as docs/planning.md says, and name it "
            "with --world"
        )
    return World.from_pretrained(name or task.world)


def find_landmarks(world: World, name: str | None) -> list[Clip]:
    """Recorded clips beside a world's weights; none where there are none."""
    from worldline.world.folders import OPENINGS, find_folder
    from worldline.world.openings import load_openings

    chosen = name or world.name
    return load_openings(chosen) if (find_folder(chosen) / OPENINGS).is_file() else []


def doubts(task: Measurable, world: World, name: str | None) -> list[str]:
    """Why what is planned may not mean what it seems to, a sentence each; mostly none.

    A world whose calibration does not say where it was recorded gives no reason for doubt.
    """
    from worldline.world.folders import OPENINGS, find_folder

    found = []
    if "actions" not in world.calibration:
        found.append(
            f"the world {world.name} has no calibration.json that says what its actions mean; they "
            "are taken for numbers from -1 to 1"
        )
    origin = (world.calibration.get("play") or {}).get("environment")
    if origin and origin != task.environment:
        found.append(
            f"the world {world.name} was recorded in {origin}, but {task.name} is played in "
            f"{task.environment}; what it imagines there means nothing unless they are alike"
        )
    if task.has_ways and not (find_folder(name or world.name) / OPENINGS).is_file():
        found.append(
            f"no {OPENINGS} lies beside the weights of {world.name}, so goals are as far as they "
            "are straight, not along landmarks"
        )
    return found


_MOST_TIMED = 40

_LONGEST_GAP = 199
"""One less than the steps of an episode, in every task."""

_FARTHEST = 200
"""Actions, as many as an episode has steps."""

_DISTANCES = {"squares": False, "logarithms": True}
"""What `Looking.closely` is."""
