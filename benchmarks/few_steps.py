"""Claim: one network that has learned shortcuts samples in 1, 2, 4 or 8 steps.

    OMP_NUM_THREADS=1 python benchmarks/few_steps.py [--pflop 0.0025] [--train] [--out FOLDER]

The flow world of `families.py` takes the size of its denoising step and has learned steps of all
sizes from an eighth up (shortcut models). Beside it stands a plain flow network of the same size
on the same latents, which knows no step size, after the same number of operations on its dynamics:
that is more steps of training, because shortcuts cost two further passes. Both forecast the same
held-out clips in 1, 2, 4 and 8 denoising steps a frame: PSNR, object recall and position error at
+1, +8 and +24, and the processor time of a frame. copy-last and constant velocity stand beside
them. Runs go on where they stopped; `--train` only trains.
"""

from __future__ import annotations

import argparse
import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from families import (
    CONTEXT,
    DOMAIN,
    HORIZONS,
    ms_per_frame,
    stages,
    train,
    world_config,
)
from record import write_record

from worldline.audit import ConstantVelocityWarp, CopyLast, Metric
from worldline.audit.finish import WorldPredictor
from worldline.audit.prediction import evaluate_predictors
from worldline.dynamics import FlowDynamics
from worldline.sim import Split, make_clips
from worldline.world import World

STEPS = (1, 2, 4, 8)
METRICS = (Metric.PSNR, Metric.RECALL, Metric.ERROR)


def in_steps(world: World, num_steps: int) -> World:
    """The same world, sampling each frame in so many steps."""
    dynamics = world.dynamics
    assert isinstance(dynamics, FlowDynamics)
    twin = copy.copy(world)
    twin.dynamics = dynamics.sampled(num_steps=num_steps)
    return twin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pflop", type=float, default=0.0025, help="as of families.py, in 1e15")
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--held-out", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path("runs/families"))
    parser.add_argument("--train", action="store_true", help="train and stop")
    options = parser.parse_args()
    settings = options.pflop, options.clips, options.out
    shortcut, cost = train(world_config("flow"), stages("flow"), *settings)
    config = replace(world_config("flow", doublings=0), name="plain")
    tokenizer = {"tokenizer": cost["tokenizer"]}
    given = shortcut.finished({"ledgers": tokenizer}, "")
    plain, plain_cost = train(config, stages("flow"), *settings, reuse=given)
    if options.train:
        return
    made = partial(make_clips, DOMAIN, split=Split.HELD_OUT, size_px=64)
    held_out = list(made(num_clips=options.held_out, seed=2))
    worlds = {
        f"{name}, {num} steps": in_steps(world, num)
        for name, world in (("shortcut", shortcut), ("plain", plain))
        for num in STEPS
    }
    predictors: dict[str, Any] = {name: WorldPredictor(world) for name, world in worlds.items()}
    predictors |= {"copy-last": CopyLast(), "flow-warp": ConstantVelocityWarp()}
    table = evaluate_predictors(predictors, held_out, context=CONTEXT, horizons=HORIZONS, seed=0)
    rows: dict[str, dict[str, Any]] = {}
    for name in table.predictors:
        rows[name] = {
            str(m): [round(table.value(name, m, h), 3) for h in HORIZONS] for m in METRICS
        }
        if name in worlds:
            rows[name]["ms_per_frame"] = ms_per_frame(worlds[name], held_out[0])
        print(name, rows[name], flush=True)
    facts = {k: getattr(options, k) for k in ("pflop", "clips", "held_out")}
    write_record(
        "few_steps",
        {
            **facts,
            "domain": list(DOMAIN),
            "horizons": list(HORIZONS),
            "training": {"shortcut": cost["dynamics"], "plain": plain_cost["dynamics"]},
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
