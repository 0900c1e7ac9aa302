"""Claim: training steps run near the rate of the machine's matrix products.

    OMP_NUM_THREADS=1 python benchmarks/training_efficiency.py [--sizes nano small base] [--profile]

For every part of a world and every size: operations of a training step (PyTorch's count of matrix
products and convolutions, as in the cost ledger) over the processor time of a step of the real
loop, the drawing of its batch, the optimiser and the moving average included. Beside it the
machine's peak: the best of several products of large square matrices in the same run, in float32
and in bfloat16. The goal is half of the peak of the number type that is faster, which should be
the one that the loop takes.

The step is the median of `--steps` after the first. A run may do some sizes and stages; rows of the
same day stay, each with the peaks of its own run. Threads are as many as PyTorch uses, and
processor time is over all of them. `--profile` prints what takes the time.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any

import torch
from record import rows_of_today, write_record
from torch.profiler import ProfilerActivity, profile

from worldline.data.shards import Shards, Tracking, write_shards
from worldline.dynamics import (
    AutoregressiveDynamics,
    FlowDynamics,
    JepaDynamics,
    TrajectoryForecaster,
)
from worldline.readout.latent import LatentReadout
from worldline.sim import make_clips
from worldline.tokenizer import ContinuousTokenizer, DiscreteTokenizer, RepresentationTokenizer
from worldline.train import ObjectiveTask, TokenizerTask, Trainer, TrajectoryTask, size_named
from worldline.train.objectives import MaskedVideo, NextFrame
from worldline.world import World

STAGES = ("tokenizer", "flow", "autoregressive", "encoder", "jepa", "trajectory", "optical")
"""Parts; "optical" is the forecaster of trajectories where it is given optical flow, which is
measured as the batch is drawn."""
BATCH = {"nano": (32, 16, 16), "small": (16, 2, 16), "base": (8, 1, 8)}
"""Images of a tokenizer's and contexts of a forecaster's batch; clips and frames of dynamics'."""
FAMILIES = ("drop", "collide", "roll")


def world(kind: str, size: str) -> World:
    """Untrained world that has the part, all of the same size."""
    shape = size_named(size)
    tokenizer: Any = ContinuousTokenizer.Config(**shape.of_tokenizer())
    if kind == "autoregressive":
        tokenizer = DiscreteTokenizer.Config(**shape.of_tokenizer())
    elif kind in ("encoder", "jepa"):
        tokenizer = RepresentationTokenizer.Config(**shape.of_view(), heads=shape.heads)
    if kind == "autoregressive":
        channels = len(tokenizer.levels)
        dynamics: Any = AutoregressiveDynamics.Config(
            **shape.of_dynamics(), levels=tokenizer.levels
        )
    else:
        channels = tokenizer.channels
        made = JepaDynamics if kind in ("encoder", "jepa") else FlowDynamics
        dynamics = made.Config(**shape.of_dynamics(), channels=channels)
    trajectory = TrajectoryForecaster.Config(
        fine_width=shape.stem_width, width=shape.width, depth=shape.depth, heads=shape.heads
    )
    return World.Config(
        name=f"{kind}-{size}",
        tokenizer=tokenizer,
        dynamics=dynamics,
        readout=LatentReadout.Config(**shape.of_readout(), channels=channels),
        trajectory=trajectory if kind in ("trajectory", "optical") else None,
    ).build()


def task(kind: str, size: str, shards: Shards) -> Any:
    images, clips, frames = BATCH[size]
    config: Any = ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),))
    batch = clips
    if kind == "tokenizer":
        config, batch = TokenizerTask.Config(), images
    elif kind in ("trajectory", "optical"):
        config, batch = TrajectoryTask.Config(flow=kind == "optical"), images
    elif kind == "encoder":
        config = ObjectiveTask.Config(("tokenizer",), (MaskedVideo.Config(),))
    length = 1 if kind == "tokenizer" else frames
    torch.manual_seed(0)
    return config.build(world(kind, size), shards, seed=0, batch=batch, length=length)


def time_steps(made: Any, num_steps: int, *, profiled: bool) -> dict[str, Any]:
    """Run the loop and look at the clock between steps; the first and last do more than a step."""
    marks: list[float] = []
    losses: list[float] = []
    watch = profile(activities=[ProfilerActivity.CPU]) if profiled else None

    def note(step: int, values: Any) -> None:
        marks.append(process_time())
        losses.append(values["total"])
        if watch is not None and step == 0:
            watch.start()
        if watch is not None and step == num_steps:
            watch.stop()

    steps = num_steps + 2
    config = Trainer.Config(steps=steps, checkpoint_every=10**9, log_every=10**9, warmup=1)
    with tempfile.TemporaryDirectory() as folder:
        ledger = config.build().run(made, Path(folder), on_step=note)
    if watch is not None:
        print(watch.key_averages().table(sort_by="self_cpu_time_total", row_limit=25))
    taken = [b - a for a, b in pairwise(marks[:-1])]
    step_s, flop = statistics.median(taken), ledger.flop / ledger.steps
    return {
        "parameters_m": round(sum(p.numel() for p in made.model.parameters()) / 1e6, 3),
        "gflop_a_step": round(flop / 1e9, 2),
        "ms_a_step": round(1e3 * step_s, 1),
        "gflop_per_s": round(flop / step_s / 1e9, 2),
        "first_losses": [round(value, 5) for value in losses[:3]],
    }


def best_s(work: Callable[[], Any], budget_s: float) -> float:
    """Least processor time of some work, repeated at least three times and for the budget."""
    work()
    taken: list[float] = []
    while len(taken) < 3 or sum(taken) < budget_s:
        start = process_time()
        work()
        taken.append(process_time() - start)
    return min(taken)


def peak_gflop_per_s(dtype: torch.dtype, sides: tuple[int, ...] = (512, 1024)) -> float:
    """Best rate of products of square matrices."""
    rates = []
    for side in sides:
        a, b = (torch.randn(side, side).to(dtype) for _ in range(2))
        rates.append(2 * side**3 / best_s(lambda a=a, b=b: a @ b, 1.0) / 1e9)
    return round(max(rates), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=list(BATCH), choices=list(BATCH))
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=STAGES)
    parser.add_argument("--steps", type=int, nargs="+", default=[12, 4, 2], help="for each size")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    peaks = {
        name: peak_gflop_per_s(dtype)
        for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16))
    }
    print(f"peak, GFLOP/s: {peaks}", flush=True)
    facts = {"threads": torch.get_num_threads(), "batch": {k: list(v) for k, v in BATCH.items()}}
    rows: dict[str, dict[str, Any]] = rows_of_today("training_efficiency", facts)
    with tempfile.TemporaryDirectory() as folder:
        clips = make_clips(FAMILIES, num_clips=24, seed=0, size_px=64, events=False)
        tracking = Tracking(8, 16, 4)
        shards = write_shards(Path(folder), clips, num_clips=24, recipe={}, tracking=tracking)
        for size, steps in zip(options.sizes, options.steps, strict=False):
            for kind in options.stages:
                found = time_steps(task(kind, size, shards), steps, profiled=options.profile)
                found["share_of_peak"] = round(found["gflop_per_s"] / max(peaks.values()), 3)
                found["peak_gflop_per_s"] = peaks
                rows[f"{kind}, {size}"] = found
                print(f"{kind}, {size}:", found, flush=True)
                if not options.profile:
                    write_record("training_efficiency", {**facts, "rows": rows})


if __name__ == "__main__":
    main()
