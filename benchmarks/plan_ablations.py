"""What each term is worth of those that keep latents useful: the ablation of Terver et al.

    worldline record --env worldline.planning.two_rooms:worldline/TwoRooms-v0 --every 5 --size 32 \\
        --policy worldline.planning.two_rooms:wander --option random_wall=True \\
        --episodes 800 --max-frames 40 --out out/walls
    OMP_NUM_THREADS=1 python benchmarks/plan_ablations.py --data out/walls --runs runs/ablations

Two rooms whose wall and door lie elsewhere in each episode (EB-JEPA, arXiv 2602.03604, section on
action-conditioned video). Every row is `recipes/plan.py` with VICReg's variance and covariance,
slowness and an inverse model instead of SIGReg, and with one of the four left out. Plans are looked
for by MPPI, as there. Weights are the published ones in our units: covariances are summed over all
other numbers there are averaged, so 8 becomes 8 / 31; and slowness counts squared steps, which are
five times as long where an action is held for five steps, so 12 becomes 12 / 25. The inverse model
weighs 20 and not 1: at 1 or 2 it is not heard in so few steps of so few clips, and latents hold the
wall alone (`LOG.md`).

Beside success in held-out episodes stands what a linear reader fitted to other layouts tells of
latents: where they do not hold the agent, nobody can plan.
"""

from __future__ import annotations

import argparse
import runpy
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from record import rows_of_today, write_record

from worldline.audit.suites.result import share_cell
from worldline.planning import Imagination, Reading
from worldline.planning.agents import WorldAgent
from worldline.planning.measure import Looking, untrained
from worldline.planning.rooms import Rooms
from worldline.planning.tasks import RoomsTask
from worldline.planning.trials import Course, run_trials
from worldline.train import train_world
from worldline.world import World

FULL = {"spread": 0.0, "variance": 16.0, "covariance": 0.26, "slowness": 0.48, "inverse": 20.0}
ROWS: dict[str, dict[str, float]] = {
    "all four terms": FULL,
    "no variance": {**FULL, "variance": 0.0},
    "no covariance": {**FULL, "covariance": 0.0},
    "no slowness": {**FULL, "slowness": 0.0},
    "no inverse model": {**FULL, "inverse": 0.0},
}
LOOKING = Looking(planner="mppi")
_TOLD = ("agent_x_cm", "agent_y_cm", "wall_cm", "door_cm")


def train(
    data: str, steps: tuple[int, int], weights: dict[str, float], seed: int, folder: Path
) -> World:
    """A row's world: steps of encoder and predictor together, then of the predictor alone.

    Recordings are made ready once, beside the folder, and one that is finished is only read.
    """
    made: Any = runpy.run_path(str(Path(__file__).parents[1] / "recipes" / "plan.py"))["recipe"]
    recipe = made(data, steps=steps[0], **weights)
    together, alone = recipe.stages[:2]  # nothing is looked at, so no decoder is trained
    alone = replace(alone, trainer=replace(alone.trainer, steps=steps[1]))
    recipe = replace(recipe, stages=(together, alone), seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    shards = folder.parent / "data"
    shards.mkdir(exist_ok=True)
    if not (folder / "data").exists():
        (folder / "data").symlink_to(shards.resolve(), target_is_directory=True)
    return train_world(recipe, folder)[0]


def read_off(imagination: Imagination, seed: int) -> dict[str, float]:
    """Root mean square errors, in centimetres, of a linear reader in layouts that it was not
    fitted to, and beside the door's that of its mean."""
    rng = np.random.default_rng(seed)

    def look(num: int) -> tuple[torch.Tensor, np.ndarray]:
        rooms = Rooms.drawn(num, rng)
        place = rooms.place(rng)
        frames = torch.from_numpy(rooms.draw(place, imagination.world.size_px))
        state = np.column_stack([place, rooms.wall_m, rooms.door_m])
        return imagination.encode(frames[:, None])[:, 0].flatten(1), state

    reading = Reading.fit(*look(2000))
    latents, state = look(1000)
    error = 100 * np.sqrt(np.square(reading.read(latents).numpy() - state).mean(axis=0))
    told = {name: round(float(value), 1) for name, value in zip(_TOLD, error, strict=True)}
    return {**told, "door_by_mean_cm": round(float(100 * state[:, 3].std()), 1)}


def succeed(
    task: RoomsTask, agent: WorldAgent, course: Course, num: int, seed: int
) -> dict[str, float]:
    """Share of held-out episodes that reach their goal."""
    trials = task.trials(num, gap=course.gap, only=course.only, seed=seed)
    outcome = run_trials(task, trials, agent, budget=course.budget)
    cell = share_cell(outcome.any_time.astype(float))
    return {
        "any_time": cell.value,
        "low": cell.low,
        "high": cell.high,
        "final": float(outcome.final.mean()),
    }


def judge(world: World, courses: Sequence[Course], num: int, seed: int) -> dict[str, Any]:
    """What latents tell, and success, in each course."""
    imagination, task = Imagination(world), RoomsTask(random_wall=True, size_px=world.size_px)
    told: dict[str, Any] = read_off(imagination, seed)
    for course in courses:
        ahead = LOOKING.ahead(course, task.every)
        agent = WorldAgent(
            imagination, LOOKING.build(), horizon=ahead, over=LOOKING.over, seed=seed
        )
        told[course.name] = succeed(task, agent, course, num, seed)
    return told


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="out/walls")
    parser.add_argument("--runs", type=Path, default=Path("runs/ablations"))
    parser.add_argument("--steps", type=int, nargs=2, default=(450, 300))
    parser.add_argument("--episodes", type=int, default=60)
    parser.add_argument("--gaps", type=int, nargs="*", default=[25, 50], help="steps to the goal")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0], help="of training")
    parser.add_argument("--rows", nargs="*", choices=list(ROWS), default=list(ROWS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    facts = {"steps": list(given.steps), "episodes": given.episodes, "full": FULL}
    rows: dict[str, Any] = rows_of_today("plan_ablations", facts)
    courses = [Course(gap, 2 * gap, "across") for gap in given.gaps]

    def note(name: str, seed: int, world: World, spent_s: float = 0.0) -> None:
        told = rows.setdefault(name, {}).setdefault(f"seed {seed}", {"train_cpu_s": round(spent_s)})
        told |= judge(world, courses, given.episodes, 0)  # all in the same episodes
        print(name, seed, told, flush=True)
        write_record("plan_ablations", {**facts, "rows": rows})

    world: World | None = None
    for seed in given.seeds:
        for name in given.rows:
            begun = time.process_time()
            folder = given.runs / f"{name.replace(' ', '-')}-{seed}"
            world = train(given.data, tuple(given.steps), ROWS[name], seed, folder)
            note(name, seed, world, time.process_time() - begun)
    if world is not None:
        note("untrained", 0, untrained(world))


if __name__ == "__main__":
    main()
