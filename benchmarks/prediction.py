"""Claim: `small` continues held-out clips better than copying and optical flow.

    OMP_NUM_THREADS=1 python benchmarks/prediction.py [--world small] [--clips 390] [--seed 2]

Every predictor sees the same 8 frames of the same clips and only its first future counts. PSNR is
about pictures; recall and position error say whether the moving objects are still there, and where.
Recall counts what is within about its own width of the truth, recall_iou50 what overlaps the true
silhouette with an intersection over union of at least one half.
With `--split out-of-distribution` (or another part of the parameter space) it shows what is left
outside the training ranges. Clips are shared out to `--workers` processes, one per core, in parts
of 13 that are kept below `--out`, so that an interrupted run goes on. "cost" is the processor time
of one 16-frame forecast as a multiple of flow warp's; `--cost` measures nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import pickle
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
import torch
from record import write_record

from worldline.audit import ConstantVelocityWarp, Metric
from worldline.audit.finish import WorldPredictor, evaluate_world
from worldline.audit.prediction import ALL_FAMILIES, PredictionTable
from worldline.core.processes import spread_in_order
from worldline.sim import FIRST_FAMILIES, Split, make_clip
from worldline.world import World

HORIZON = 16
SHOWN = (
    Metric.PSNR,
    Metric.RECALL,
    Metric.RECALL_HOTA,
    Metric.RECALL_IOU50,
    Metric.ERROR,
    Metric.RECALL_ALL,
)
PART = 13


def cost_over_flow_warp(world: World, num_clips: int) -> float:
    """Median over clips."""
    rates = []
    for index in range(num_clips):
        frames = make_clip("throw", index, seed=0, events=False).frames[: world.context]
        times = []
        for predictor in (ConstantVelocityWarp(), WorldPredictor(world)):
            start = process_time()
            predictor.predict(frames, HORIZON, 0)
            times.append(process_time() - start)
        rates.append(times[1] / times[0])
    return float(np.median(rates))


def evaluate_part(first: int, options: argparse.Namespace) -> PredictionTable:
    """Clips `first` to `first + PART`, from the file of an earlier run if there is one."""
    name = f"{options.world}-{options.digest}-{options.split}-{options.seed}-{first}.pickle"
    path = options.out / name.replace("/", "_")
    if not path.is_file():
        torch.set_num_threads(1)
        table = evaluate_world(
            World.from_pretrained(options.world),
            families=FIRST_FAMILIES,
            num_clips=min(PART, options.clips - first),
            seed=options.seed,
            split=options.split,
            first=first,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".partial").write_bytes(pickle.dumps(table))
        path.with_suffix(".partial").replace(path)
    return pickle.loads(path.read_bytes())  # our own, written by the lines above


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="small")
    parser.add_argument("--clips", type=int, default=390)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--split", type=Split, choices=list(Split), default=Split.HELD_OUT)
    parser.add_argument("--out", type=Path, default=Path("runs/prediction"))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--cost", action="store_true", help="measure the cost alone")
    options = parser.parse_args()
    world = World.from_pretrained(options.world)
    if options.cost:
        cost = cost_over_flow_warp(world, 10)
        facts = {"world": world.name, "num_clips": 10, "cost_over_flow_warp": round(cost, 2)}
        write_record("prediction_cost", facts)
        print(f"cost of a forecast: {cost:.1f} times flow warp's")
        return
    # Another training or calibration of the same name makes parts of its own.
    known = json.dumps([world.config.to_json(), world.calibration], sort_keys=True)
    options.digest = hashlib.sha256(known.encode()).hexdigest()[:12]
    starts = range(0, options.clips, PART)
    jobs = partial(evaluate_part, options=options)
    parts = spread_in_order(jobs, starts, num_workers=options.workers)
    table = PredictionTable.join(list(parts))
    for metric in SHOWN:
        print(f"{metric:24}", *(f"+{h:<7}" for h in table.horizons))
        for name in table.predictors:
            values = (table.value(name, metric, h) for h in table.horizons)
            print(f"  {name:22}", *(f"{value:<8.2f}" for value in values))
    cost = cost_over_flow_warp(world, 10)
    print(f"cost of a forecast: {cost:.1f} times flow warp's")
    facts = {
        "world": world.name,
        "split": str(options.split),
        "cost_over_flow_warp": round(cost, 2),
    }
    suffix = "" if options.split is Split.HELD_OUT else f"_{options.split}".replace("-", "_")
    record = table.to_json()
    record["rows"] = [row for row in record["rows"] if row["family"] == ALL_FAMILIES]
    write_record(f"prediction{suffix}", {**facts, **record})


if __name__ == "__main__":
    main()
