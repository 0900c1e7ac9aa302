"""Success of the bundled planning worlds over three seeds of episodes, beside the greedy row.

    OMP_NUM_THREADS=1 python benchmarks/plan_seeds.py [--tasks walls pusht catch] [--episodes 70]

`worldline plan` plays every row on the episodes of one seed, and most of its time goes into true
dynamics. Here the world and who goes straight by the true state play those of several seeds, none
of which anything was chosen on but 0. One training of each world.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from plan_trust import reading_of
from record import rows_of_today, write_record

from worldline.audit.suites.result import share_cell
from worldline.planning import Imagination
from worldline.planning.agents import WorldAgent
from worldline.planning.measure import Looking
from worldline.planning.tasks import find_task
from worldline.planning.trials import Outcome, run_trials
from worldline.world import World

GREEDY = "greedy on the true state"


def told(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Shares at any time and at the end, of all seeds together and of each."""
    row: dict[str, Any] = {}
    for name in ("any_time", "final"):
        each = [getattr(outcome, name).astype(float) for outcome in outcomes]
        cell = share_cell(np.concatenate(each))
        row[name] = {"share": cell.value, "low": cell.low, "high": cell.high}
        row[name]["of_seeds"] = [round(float(one.mean()), 4) for one in each]
    return row


def play(task_name: str, world: World, num: int, seeds: Sequence[int]) -> dict[str, Any]:
    """Rows by course: the world's, and the greedy one's."""
    imagination = Imagination(world)
    task = find_task(task_name).sized(world.size_px)
    looking = replace(Looking(), **task.looking)
    guide = reading_of(imagination, task)
    rows: dict[str, Any] = {}
    for course in task.courses:
        found: dict[str, list[Outcome]] = {world.name: [], GREEDY: []}
        ahead = looking.ahead(course, task.every)
        for seed in seeds:
            trials = task.trials(num, gap=course.gap, only=course.only, seed=seed)
            agents = {
                world.name: WorldAgent(
                    imagination,
                    looking.build(),
                    horizon=ahead,
                    over=looking.over,
                    closely=looking.closely,
                    guide=guide,
                    seed=seed,
                ),
                GREEDY: task.baselines(looking.without_slope().build(), ahead, seed)[GREEDY],
            }
            for name, agent in agents.items():
                found[name].append(run_trials(task, trials, agent, budget=course.budget))
        rows[course.name] = {name: told(outcomes) for name, outcomes in found.items()}
        print(task_name, course.name, rows[course.name], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", nargs="*", default=["walls", "pusht", "catch"])
    parser.add_argument("--episodes", type=int, default=70, help="of each course and seed")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    given = parser.parse_args()
    torch.set_num_threads(1)
    facts = {"episodes": given.episodes, "seeds": given.seeds}
    rows: dict[str, Any] = rows_of_today("plan_seeds", facts)
    for name in given.tasks:
        world = World.from_pretrained(find_task(name).world)
        rows[name] = play(name, world, given.episodes, given.seeds)
        write_record("plan_seeds", {**facts, "rows": rows})


if __name__ == "__main__":
    main()
