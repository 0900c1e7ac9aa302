"""Does the trust penalty help, at home and where the test shifts away from what was learned?

    OMP_NUM_THREADS=1 python benchmarks/plan_trust.py [--episodes 40]
    OMP_NUM_THREADS=1 python benchmarks/plan_trust.py --shifts NAME --world WORLD --task TASK \\
        [--strength 0.5] [--option mass_kg=2.0]

The bundled `tworoom` learned one wall and one strength of actions. It is played at home, between
walls that it never saw, and with every action done by half and by four fifths: a dynamics that
changed. Any other task and world may be named, such as `push-heavy`; options go to its `reset`.
Goals are as far as they are straight through latents, or in what is read off them where the task
shows its states.

Each is planned without the penalty and with it, and with `--setbacks WEIGHT` also with another one:
what did not come out as imagined is not done again at the same place. Beside success stands how
wrong what the world imagines is along what was really done: the squared error of latents four
actions ahead as a share of that of copying, so that 1 is no better than to imagine that nothing
moves.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from record import rows_of_today, write_record

from worldline.audit.suites.result import share_cell
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.planning import Familiarity, Imagination, Objective, Reading, Setbacks
from worldline.planning.agents import WorldAgent
from worldline.planning.measure import Looking
from worldline.planning.tasks import find_task
from worldline.planning.trials import Course, Measurable, Sight, Trial, run_trials
from worldline.world import World
from worldline.world.openings import load_openings

AHEAD = 4
SHIFTS: dict[str, tuple[str, float]] = {
    "at home": ("tworoom", 1.0),
    "another wall": ("walls", 1.0),
    "actions by four fifths": ("tworoom", 0.8),
    "actions by half": ("tworoom", 0.5),
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


def usual_step(imagination: Imagination, clips: Sequence[Clip]) -> float:
    """Mean squared change of a latent number from frame to frame of clips."""
    latents = (imagination.encode(clip.frames[None])[0] for clip in clips)
    return float(torch.cat([each.diff(dim=0).square().mean(dim=(1, 2)) for each in latents]).mean())


def play(
    imagination: Imagination,
    penalty: Objective,
    weight: float,
    task: Measurable,
    course: Course,
    num: int,
    strength: float,
    options: dict[str, Any],
    seed: int,
) -> dict[str, float]:
    """Success and error of one way to plan."""
    task = task.sized(imagination.world.size_px)
    looking = replace(Looking(), **task.looking)
    shown = task.shown()
    guide = None
    if shown is not None:
        frames = torch.from_numpy(shown[0])[:, None]
        guide = Reading.fit(imagination.encode(frames)[:, 0].flatten(1), shown[1])
    trials = [
        replace(trial, options={**trial.options, **options})
        for trial in task.trials(num, gap=course.gap, only=course.only, seed=seed)
    ]
    agent = Witness(
        WorldAgent(
            imagination,
            looking.build(),
            horizon=looking.ahead(course, task.every),
            over=looking.over,
            guide=guide,
            also=((weight, penalty),) if weight else (),
            seed=seed,
        )
    )
    outcome = run_trials(Weakened(task, strength), trials, agent, budget=course.budget)
    cell = share_cell(outcome.any_time.astype(float))
    return {
        "any_time": cell.value,
        "low": cell.low,
        "high": cell.high,
        "final": float(outcome.final.mean()),
        "error_over_copying": agent.error(),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--world", default="tworoom", help="bundled, or a folder with openings")
    parser.add_argument("--shifts", nargs="*", default=list(SHIFTS))
    parser.add_argument("--task", help="of a shift that is named anew")
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--option", nargs="*", default=[], help="NAME=VALUE, of the environment")
    parser.add_argument("--weights", type=float, nargs="*", default=[0.0, 1.0])
    parser.add_argument("--setbacks", type=float, nargs="*", default=[], help="their weights")
    parser.add_argument("--episodes", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    pairs = [each.partition("=") for each in given.option]
    options = {name: ast.literal_eval(value) for name, _, value in pairs}
    imagination = Imagination(World.from_pretrained(given.world))
    clips = load_openings(given.world)
    ways: list[tuple[str, Objective, float]] = [
        *(("penalty", familiarity(imagination, clips), weight) for weight in given.weights),
        *(("setbacks", Setbacks(usual_step(imagination, clips)), w) for w in given.setbacks),
    ]
    facts = {"world": given.world, "episodes": given.episodes, "seed": given.seed, "ahead": AHEAD}
    rows: dict[str, Any] = rows_of_today("plan_trust", facts)
    for shift in given.shifts:
        name, strength = SHIFTS.get(shift, (given.task or "tworoom", given.strength))
        task = find_task(name)
        hard = [course for course in task.courses if course.only]
        course = hard[-1] if hard else task.courses[-1]
        for kind, penalty, weight in ways:
            told = play(
                imagination,
                penalty,
                weight,
                task,
                course,
                given.episodes,
                strength,
                options,
                given.seed,
            )
            rows.setdefault(shift, {})[f"{kind} {weight:g}"] = {"course": course.name, **told}
            print(shift, course.name, f"{kind} {weight:g}", told, flush=True)
            write_record("plan_trust", {**facts, "rows": rows})


if __name__ == "__main__":
    main()
