"""Claim: a world is good where it learned, and the matrix shows how far that carries.

    OMP_NUM_THREADS=1 python benchmarks/domain_matrix.py [--steps 400] [--clips 300] [--test 20]

A nano trajectory forecaster is trained on the clips of each domain alone, with the same steps,
clips and seed, and on all of them together; each continues held-out clips of every domain by 8
frames (suite `transfer`). Forecasts are its trajectories and nothing else: the other parts of the
world stay untrained and are not asked. Rows are what was learned from, columns what was tested;
copying, constant velocity and the untrained forecaster stand beside them.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import torch
from record import write_record

from worldline.audit.suites.domains import DOMAINS
from worldline.audit.suites.subject import of_world
from worldline.audit.suites.transfer import Settings, run
from worldline.dynamics import TrajectoryForecaster
from worldline.train import Data, Recipe, Stage, Trainer, TrajectoryTask, train_world
from worldline.world import World

TRAINED = ("falling", "colliding", "rolling and sliding", "stacking and toppling", "flat discs")
EVERYTHING = "all of these"
ALONE = {
    "trajectory_share": [1.0],
    "trajectory_gap_px": [1000.0],
    "correction_threshold": [4.0],
}
"""Calibration under which the forecaster is believed in full and nothing corrects it."""


def config_of(name: str) -> World.Config:
    forecaster = replace(
        TrajectoryForecaster.Config(), fine_width=32, width=64, depth=3, late_depth=1, heads=2
    )
    return World.Config(name=name, trajectory=forecaster)


def recipe_of(name: str, families: tuple[str, ...], chosen: argparse.Namespace) -> Recipe:
    return Recipe(
        world=config_of(name),
        held_out=0,
        seed=chosen.seed,
        data=(Data("motion", families, chosen.clips, tracked=True),),
        stages=(
            Stage(
                "trajectory",
                TrajectoryTask.Config(flow=False),
                "motion",
                Trainer.Config(
                    steps=chosen.steps,
                    learning_rate=2e-3,
                    warmup=min(50, chosen.steps // 4),
                    average_decay=0.98,
                    checkpoint_every=100,
                    seed=chosen.seed,
                ),
                batch=32,
            ),
        ),
    )


def errors_of(world: World, chosen: argparse.Namespace) -> dict[str, Any]:
    """The rows of the suite's table of position errors."""
    settings = Settings(seed=chosen.seed + 1, num_clips=chosen.test, domains=tuple(chosen.domains))
    result = run(of_world(world.finished(ALONE, "")), settings)
    table = result.table("position_error")
    return {
        row.name: {
            column: {key: cell.to_json()[key] for key in ("value", "low", "high", "n")}
            for column, cell in row.cells.items()
        }
        for row in table.rows
    }


def main() -> None:
    """Train, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--test", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--domains", nargs="+", choices=list(DOMAINS), default=list(TRAINED))
    parser.add_argument("--out", type=Path, default=Path("runs/domain_matrix"))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    rows: dict[str, Any] = {}
    cost: dict[str, float] = {}
    groups = {name: DOMAINS[name] for name in chosen.domains}
    groups[EVERYTHING] = tuple(family for names in groups.values() for family in names)
    for name, families in groups.items():
        start = process_time()
        folder = chosen.out / name.replace(" ", "_")
        world, _ = train_world(recipe_of(name, families, chosen), folder)
        cost[name] = round(process_time() - start, 1)
        found = errors_of(world, chosen)
        rows[f"learned from {name}"] = found.pop(name)
        for baseline, cells in found.items():
            rows.setdefault(baseline, cells)
        print(
            name, cost[name], "s", {d: c["value"] for d, c in rows[f"learned from {name}"].items()}
        )
    write_record(
        "domain_matrix",
        {
            "measure": "position error at +8, px; what is not found counts its search radius",
            "steps": chosen.steps,
            "clips_to_learn_from": chosen.clips,
            "clips_per_test_domain": chosen.test,
            "seed": chosen.seed,
            "training_cpu_s": cost,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
