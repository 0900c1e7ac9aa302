"""Does the trust penalty help, at home and where the test shifts away from what was learned?

    OMP_NUM_THREADS=1 python benchmarks/plan_trust.py [--episodes 40]
    OMP_NUM_THREADS=1 python benchmarks/plan_trust.py --world runs/push/world \\
        --shifts push push-heavy push-slippery push-moved

The bundled `tworoom` learned one wall and one strength of actions. It is played at home, between
walls that it never saw, and with every action done by half and by four fifths: a dynamics that
changed. The bundled `catch` is played with a table that is higher than any that it saw. Any other
task may be named as a shift, with the world to be played there. Goals are as far as they are
straight through latents, or in what is read off them where the task shows its states.

Each is planned without the penalty and with it. Beside success stands how wrong what the world
imagines is along what was really done: the squared error of latents four actions ahead as a share
of that of copying, so that 1 is no better than to imagine that nothing moves.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from record import rows_of_today, write_record

from worldline.audit.suites.result import share_cell
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.planning import Familiarity, Imagination, Reading
from worldline.planning.agents import WorldAgent
from worldline.planning.measure import Looking
from worldline.planning.tasks import find_task
from worldline.planning.trials import Measurable, Sight, Trial, run_trials
from worldline.world import World
from worldline.world.openings import load_openings

AHEAD = 4


@dataclass(frozen=True)
class Shift:
    """What is played.

    Attributes:
        task: by name.
        world: to plan in; the task's own if empty.
        strength: share of each action that is done.
    """

    task: str
    world: str = ""
    strength: float = 1.0


SHIFTS = {
    "at home": Shift("tworoom"),
    "another wall": Shift("walls", "tworoom"),
    "actions by four fifths": Shift("tworoom", strength=0.8),
    "actions by half": Shift("tworoom", strength=0.5),
    "catch": Shift("catch"),
    "catch-high": Shift("catch-high"),
}


class Witness:
    """An agent, and what it saw and did, as latents and actions.

    Args:
        agent: who acts.
    """

    def __init__(self, agent: WorldAgent) -> None:
        self.agent = agent
        self.seen: list[torch.Tensor] = []
        self.done: list[torch.Tensor] = []

    def begin(self, trials: Sequence[Trial]) -> None:
        """New episodes."""
        self.agent.begin(trials)
        self.seen, self.done = [], []

    def act(self, sight: Sight) -> np.ndarray:
        """What the agent does."""
        frames = torch.from_numpy(sight.frames)[:, None]
        self.seen.append(self.agent.imagination.encode(frames)[:, 0])
        action = self.agent.act(sight)
        self.done.append(torch.from_numpy(action).float())
        return action

    def error(self) -> float:
        """Of what is imagined `AHEAD` actions on, over that of copying; not a number if shorter."""
        imagination, off, copied = self.agent.imagination, [], []
        for t in range(len(self.seen) - AHEAD):
            plan = torch.stack(self.done[t : t + AHEAD], dim=1)[:, None]
            start = imagination.begin_from(self.seen[t][:, None])
            far = imagination.imagine(start, plan).latents[:, 0, -1]
            off.append((far - self.seen[t + AHEAD]).square().mean())
            copied.append((self.seen[t] - self.seen[t + AHEAD]).square().mean())
        return float(torch.stack(off).sum() / torch.stack(copied).sum()) if off else float("nan")


class Weakened:
    """A task whose environment does each action by a share only.

    Args:
        task: the task.
        strength: the share.
    """

    def __init__(self, task: Measurable, strength: float) -> None:
        self.task, self.strength = task, strength
        self.name, self.every = task.name, task.every

    def make(self) -> Any:
        """The environment."""
        return self.task.make()

    def own_action(self, action: np.ndarray) -> Any:
        """As the environment takes it, weakened."""
        return self.task.own_action(self.strength * action)

    def is_there(self, observation: np.ndarray, trial: Trial) -> bool:
        """Whether the goal is reached."""
        return self.task.is_there(observation, trial)


def familiarity(imagination: Imagination, clips: Sequence[Clip]) -> Familiarity:
    """The trust penalty: a bank of half the clips' latents, usual errors from the other half."""
    seen, usual = [], []
    for clip in clips:
        if clip.actions is None:
            raise InputError("these clips have no actions, so nothing is known of usual errors")
        latents = imagination.encode(clip.frames[None])
        moved = torch.from_numpy(clip.actions)[None, :-1].float()
        each = imagination.begin_from(latents[0, :-1, None])
        ahead = imagination.imagine(each, moved[0, :, None, None])
        seen.append(latents[0].flatten(1))
        usual.append(ahead.latents[:, 0, 0].flatten(1))
    half = len(seen) // 2
    return Familiarity.measured(torch.cat(seen[:half]), torch.cat(usual[half:]))


def reading_of(imagination: Imagination, task: Measurable) -> Reading | None:
    """What the task shows of its states, read off latents; None where it shows none."""
    shown = task.shown()
    if shown is None:
        return None
    frames = torch.from_numpy(shown[0])[:, None]
    return Reading.fit(imagination.encode(frames)[:, 0].flatten(1), shown[1])


def play(
    shift: Shift, world: World, penalty: Familiarity, weights: Sequence[float], num: int, seed: int
) -> dict[str, Any]:
    """Success and error, without the penalty and with it, in the task's last harder course."""
    imagination = Imagination(world)
    task = find_task(shift.task).sized(world.size_px)
    hard = [course for course in task.courses if course.only]
    course = hard[-1] if hard else task.courses[-1]
    looking = replace(Looking(), **task.looking)
    guide = reading_of(imagination, task)
    trials = task.trials(num, gap=course.gap, only=course.only, seed=seed)
    told: dict[str, Any] = {"world": world.name, "task": shift.task, "course": course.name}
    for weight in weights:
        agent = Witness(
            WorldAgent(
                imagination,
                looking.build(),
                horizon=looking.ahead(course, task.every),
                over=looking.over,
                closely=looking.closely,
                guide=guide,
                also=((weight, penalty),) if weight else (),
                seed=seed,
            )
        )
        outcome = run_trials(Weakened(task, shift.strength), trials, agent, budget=course.budget)
        cell = share_cell(outcome.any_time.astype(float))
        told[f"penalty {weight:g}"] = {
            "any_time": cell.value,
            "low": cell.low,
            "high": cell.high,
            "final": float(outcome.final.mean()),
            "error_over_copying": agent.error(),
        }
    return told


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--world", help="bundled, or a folder with openings; each shift's if absent"
    )
    parser.add_argument("--shifts", nargs="*", default=list(SHIFTS), help="these, or tasks")
    parser.add_argument("--weights", type=float, nargs="*", default=[0.0, 1.0])
    parser.add_argument("--episodes", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    facts = {"episodes": given.episodes, "seed": given.seed, "ahead": AHEAD}
    rows: dict[str, Any] = rows_of_today("plan_trust", facts)
    for name in given.shifts:
        shift = SHIFTS.get(name, Shift(name))
        place = given.world or shift.world or find_task(shift.task).world
        if not place:
            raise InputError(f"no world is bundled for {name}: name one with --world")
        world = World.from_pretrained(place)
        penalty = familiarity(Imagination(world), load_openings(place))
        rows[name] = play(shift, world, penalty, given.weights, given.episodes, given.seed)
        print(name, rows[name], flush=True)
        write_record("plan_trust", {**facts, "rows": rows})


if __name__ == "__main__":
    main()
