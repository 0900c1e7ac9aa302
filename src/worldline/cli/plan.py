"""`worldline plan`: reach goals by planning in what a world imagines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import tyro

from worldline.cli.output import Answer, JsonFlag, Seed, progress
from worldline.core.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from worldline.core.clip import Clip
    from worldline.planning.tasks import RoomsTask
    from worldline.world import World

__all__ = ["Plan", "find_landmarks", "open_task", "open_world"]


@dataclass(frozen=True)
class Plan:
    """Plan in a world, episode by episode, beside who knows nothing and who knows the truth.

    Tasks: tworoom, a dot to be brought to a place that is shown as a picture, through a door where
    it lies in the other room; walls, the same with wall and door elsewhere in each episode.

    Goals are pictures, plans are looked for in latents, and one action is done of each plan.
    """

    task: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="TASK", help="Which.")]
    world: Annotated[
        str | None,
        tyro.conf.arg(metavar="WORLD", help="Bundled, or a folder; the task's own if absent."),
    ] = None
    planner: str = "icem"
    """cem, icem, mppi or gradient."""
    samples: int = 128
    """Plans tried in a round."""
    rounds: int = 3
    """Rounds of looking."""
    horizon: int | None = None
    """Actions looked ahead; as far as the goal if absent."""
    over: str = "sum"
    """Which moments of a plan are compared with the goal: last, sum or least."""
    budget_s: float | None = None
    """Wall time of a plan, of all episodes together."""
    gaps: tuple[int, ...] = ()
    """Steps to the goal on the walk it is taken from, each with twice as many allowed, into the
    other room; those of the suite if absent."""
    episodes: int = 50
    """Of each kind."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Plan and measure. Raises `InputError` for an unknown task or numbers that cannot be."""
        from worldline.audit.suites.runs import Attempt, Run, RunSettings
        from worldline.cli.planning_tables import planning_result
        from worldline.planning.measure import COURSES, Course, Looking, measure
        from worldline.planning.objective import Over

        task = open_task(self.task)
        if self.over not in list(Over):
            raise InputError(f"--over is {self.over}; it can be {', '.join(Over)}")
        if self.episodes < 1 or any(gap < 1 for gap in self.gaps):
            raise InputError(
                f"--episodes is {self.episodes} and --gaps {self.gaps}; at least 1 is needed"
            )
        looking = Looking(
            self.planner, self.samples, self.rounds, self.horizon, Over(self.over), self.budget_s
        )
        looking.build()
        world = open_world(self.task, self.world)
        begun = Run.begin(world.name, RunSettings(self.seed))
        with progress(f"planning in {world.name}", 1.0) as set_done:
            measured = measure(
                world,
                task,
                looking,
                # what was seen between other walls says nothing of the way between these
                clips=[] if task.random_wall else find_landmarks(world, self.world),
                courses=tuple(Course(gap, 2 * gap) for gap in self.gaps) or COURSES,
                num_episodes=self.episodes,
                num_timed=min(self.episodes, _MOST_TIMED),
                seeds=(self.seed,),
                on_progress=set_done,
            )
        facts = {"num_episodes": self.episodes, "seeds": [self.seed]}
        result = planning_result(world.name, self.task, measured, looking, self.seed, facts)
        return replace(begun, attempts=(Attempt("planning", result=result),)).to_json()

    def show(self, answer: Answer, console: Console) -> None:
        """Print the tables."""
        from worldline.cli.eval_suites import show

        show(answer, console)


def open_task(name: str) -> RoomsTask:
    """A task. Raises `InputError` if there is none, or Gymnasium is missing."""
    try:
        import gymnasium  # noqa: F401
    except ModuleNotFoundError:
        raise InputError(
            "Gymnasium is missing: pip install -e '.[record]' in Worldline's folder"
        ) from None
    from worldline.planning.tasks import find_task

    return find_task(name)


def open_world(task: str, name: str | None) -> World:
    """The world to plan in; the one that is bundled for the task if none is named."""
    from worldline.world import World

    return World.from_pretrained(name or task)


def find_landmarks(world: World, name: str | None) -> list[Clip]:
    """Recorded clips beside a world's weights; none where there are none."""
    from worldline.world.openings import FILE, load_openings
    from worldline.world.storage import find_folder

    chosen = name or world.name
    return load_openings(chosen) if (find_folder(chosen) / FILE).is_file() else []


_MOST_TIMED = 40
