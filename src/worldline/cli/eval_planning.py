"""`worldline eval planning`: how often a world that is planned in brings one to the goal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from worldline.cli.eval_suites import answer_alone, show
from worldline.cli.output import Answer
from worldline.cli.process import complain
from worldline.core.errors import InputError

if TYPE_CHECKING:
    from worldline.cli.eval import Eval

__all__ = ["evaluate", "show"]

_TASK = "tworoom"
_EPISODES, _QUICK_EPISODES = 200, 8
_TIMED, _QUICK_TIMED = 60, 3


def evaluate(command: Eval, set_done: Callable[[float], None]) -> Answer:
    """Measure on 200 held-out episodes of each kind.

    Raises:
        InputError: an option of another suite is given, or the world does not take the task's
            actions.
    """
    from worldline.audit.suites.runs import Run, RunSettings
    from worldline.cli.plan import doubts, find_landmarks, open_task, open_world
    from worldline.cli.planning_tables import planning_result, tell_rows
    from worldline.planning.measure import Looking, measure

    for name in ("model", "contexts", "videos", "data"):
        if getattr(command, name) is not None:
            raise InputError(f"--{name}: planning takes --world alone")
    task = open_task(_TASK)
    world = open_world(task, command.world)
    for doubt in doubts(task, world, command.world):
        complain(doubt)
    begun = Run.begin(world.name, RunSettings(command.seed, command.quick))
    looking = Looking()
    episodes = _QUICK_EPISODES if command.quick else _EPISODES
    measured = measure(
        world,
        task,
        looking,
        clips=find_landmarks(world, command.world),
        num_episodes=episodes,
        seeds=(command.seed,),
        num_timed=_QUICK_TIMED if command.quick else _TIMED,
        on_progress=set_done,
        on_outcome=tell_rows(),
    )
    facts = {"num_episodes": episodes, "seeds": [command.seed]}
    result = planning_result(world.name, _TASK, measured, looking, command.seed, facts)
    return answer_alone(command, begun, result)
