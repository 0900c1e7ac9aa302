"""Claim: three families of dynamics, one backbone, compared on the same data and budget.

    python benchmarks/families.py [--pflop 0.03] [--clips 800] [--held-out 78] [--out runs/families]

Each family is trained by its recipe's stages on the same clips, with the same number of parameters
(within a tenth) and the same number of operations: the recipe's steps are scaled so that the
stages together cost `--pflop`. Reported are PSNR, SSIM, object recall and position error of the
decoded rollout at +1, +8 and +24; the position error of a linear probe on the imagined latents at
the same moments; linear probes of the physical state; and the processor time of a frame, all in one
run. copy-last and constant velocity stand beside them, and each family untrained.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from record import write_record

from worldline.audit import ConstantVelocityWarp, CopyLast, Metric
from worldline.audit.finish import WorldPredictor
from worldline.audit.prediction import evaluate_predictors
from worldline.audit.probe import LinearProbe, pair_features, state_of
from worldline.core.clip import Clip
from worldline.core.latents import Latents
from worldline.sim import Split, make_clips
from worldline.train import Data, Recipe, load_recipe, train_world
from worldline.world import World

RECIPES = {"flow": "genie_like", "autoregressive": "cosmos_like", "jepa": "vjepa_like"}
DOMAIN = ("disc_uniform", "disc_parabola", "disc_collision", "drop")
HORIZONS = (1, 8, 24)
METRICS = (Metric.PSNR, Metric.SSIM, Metric.RECALL, Metric.ERROR)


def scaled(recipe: Recipe, num_clips: int, steps: Callable[[str, int], int]) -> Recipe:
    """The recipe on the common data, with other numbers of steps."""
    stages = []
    for stage in recipe.stages:
        num = steps(stage.name, stage.trainer.steps)
        trainer = replace(stage.trainer, steps=num, warmup=min(stage.trainer.warmup, num // 4))
        stages.append(replace(stage, trainer=trainer, data="data"))
    return replace(recipe, data=(Data("data", DOMAIN, num_clips),), stages=tuple(stages))


def train(name: str, pflop: float, num_clips: int, out: Path) -> tuple[World, dict[str, Any]]:
    """Train a family within its budget; returns the world and what it cost."""
    recipe = load_recipe(RECIPES[name], "nano")
    trial = scaled(recipe, 16, lambda stage, steps: 1)
    _, one = train_world(trial, out / f"{name}-trial")
    whole = sum(one[stage.name].flop * stage.trainer.steps for stage in recipe.stages)
    factor = pflop * 1e15 / whole
    final = scaled(recipe, num_clips, lambda stage, steps: max(2, round(steps * factor)))
    world, ledgers = train_world(final, out / name)
    cost = {stage: ledger.to_json() for stage, ledger in ledgers.items()}
    return world, cost


def features(world: World) -> Callable[[Clip], Any]:
    return lambda clip: pair_features(world.encode_frames(clip.frames).tokens[0].numpy())


def pixels(clip: Clip) -> Any:
    """What a linear probe reads from a coarse picture: the row to beat."""
    small = clip.frames.reshape(clip.num_frames, 16, 4, 16, 4, 3).mean(axis=(2, 4)) / 255
    return pair_features(small.reshape(clip.num_frames, 256, 3))


def imagined_error(world: World, probe: LinearProbe, clips: list[Clip]) -> dict[int, float]:
    """Mean distance in pixels of where the probe reads the object in a rollout to the truth."""
    errors: dict[int, list[float]] = {h: [] for h in HORIZONS}
    for i, clip in enumerate(clips):
        seen = world.encode_frames(clip.frames[: world.context])
        future = world.continue_latents(seen, horizon=max(HORIZONS), samples=1, seed=i)
        whole = torch.cat([seen.tokens, future.tokens], dim=1)[0].numpy()
        read = probe.read(pair_features(whole))
        truth, known = state_of(clip)
        for h in HORIZONS:
            t = world.context + h - 1
            if known[t, 0]:
                errors[h].append(float(np.hypot(*(read[t, :2] - truth[t, :2]))))
    return {h: round(float(np.mean(e)), 3) for h, e in errors.items()}


def copied_error(probe: LinearProbe, look: Callable[[Clip], Any], clips: list[Clip]) -> Any:
    """The same if the last frame stays."""
    errors: dict[int, list[float]] = {h: [] for h in HORIZONS}
    for clip in clips:
        read = probe.read(look(clip))[7]
        truth, known = state_of(clip)
        for h in HORIZONS:
            if known[7 + h, 0]:
                errors[h].append(float(np.hypot(*(read[:2] - truth[7 + h, :2]))))
    return {h: round(float(np.mean(e)), 3) for h, e in errors.items()}


def seconds_per_frame(world: World, clip: Clip, repeats: int = 5) -> float:
    """Median processor seconds of one imagined frame, decoded."""
    seen = world.encode_frames(clip.frames[: world.context])
    times = []
    for seed in range(repeats):
        start = process_time()
        future = world.continue_latents(seen, horizon=16, samples=1, seed=seed)
        world.decode(Latents(future.tokens, future.grid))
        times.append((process_time() - start) / 16)
    return float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pflop", type=float, default=0.03)
    parser.add_argument("--clips", type=int, default=800)
    parser.add_argument("--held-out", type=int, default=78)
    parser.add_argument("--out", type=Path, default=Path("runs/families"))
    options = parser.parse_args()
    worlds, costs = {}, {}
    for name in RECIPES:
        worlds[name], costs[name] = train(name, options.pflop, options.clips, options.out)
        print(name, f"{worlds[name].num_parameters / 1e6:.3f} M parameters", flush=True)
    held_out = list(
        make_clips(DOMAIN, num_clips=options.held_out, seed=2, split=Split.HELD_OUT, size_px=64)
    )
    fitting = list(make_clips(DOMAIN, num_clips=160, seed=3, split=Split.HELD_OUT, size_px=64))
    predictors: dict[str, Any] = {name: WorldPredictor(world) for name, world in worlds.items()}
    predictors |= {"copy-last": CopyLast(), "flow-warp": ConstantVelocityWarp()}
    table = evaluate_predictors(predictors, held_out, context=8, horizons=HORIZONS, seed=0)
    rows: dict[str, dict[str, Any]] = {}
    for name in table.predictors:
        rows[name] = {
            str(m): [round(table.value(name, m, h), 3) for h in HORIZONS] for m in METRICS
        }
    looks: dict[str, Callable[[Clip], Any]] = {"pixels 16x16": pixels}
    for name, world in worlds.items():
        looks[name] = features(world)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            looks[f"{name} untrained"] = features(world.config.build())
    for name, look in looks.items():
        probe = LinearProbe.fit(fitting, look)
        scores = {target: asdict(score) for target, score in probe.score(held_out, look).items()}
        row = rows.setdefault(name, {})
        row["probe_r2"] = {target: round(score["r2"], 3) for target, score in scores.items()}
        row["copied_probe_error_px"] = copied_error(probe, look, held_out)
        if name in worlds:
            row["imagined_probe_error_px"] = imagined_error(worlds[name], probe, held_out)
            row["ms_per_frame"] = round(1e3 * seconds_per_frame(worlds[name], held_out[0]), 2)
            row["parameters"] = worlds[name].num_parameters
            row["cost"] = costs[name]
    for name, row in rows.items():
        print(name, {k: v for k, v in row.items() if k != "cost"})
    write_record(
        "families",
        {
            "pflop": options.pflop,
            "clips": options.clips,
            "held_out": options.held_out,
            "domain": list(DOMAIN),
            "horizons": list(HORIZONS),
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
