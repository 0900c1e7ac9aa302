"""Claim: three families of dynamics, one backbone, compared on the same data and budget.

    OMP_NUM_THREADS=1 python benchmarks/families.py [--pflop 0.0025] [--train NAME] [--out FOLDER]

Each family has a tokenizer of its kind, all parts of the size `nano`, the same number of parameters
(within a tenth, which is checked), and learns from the same clips with the same number of
operations: the steps of a stage follow from its share of the budget. Runs are resumable; `--train`
only trains one family and `--measure` does a part of the rest, so that the work can be shared out.

Reported are PSNR, SSIM, object recall and position error of the decoded rollout at +1, +8 and +24,
the processor time of a frame, and linear probes of the physical state: from the latents of a frame
and the one before, and from what the dynamics keep of it in their cache ("memory"), which alone can
know where a hidden object is. The place that a probe reads in imagined latents is compared with
the truth at +1, +8 and +24. Beside every number: copying, constant velocity, pixels, and each
family untrained.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from record import rows_of_today, write_record

from worldline.audit import ConstantVelocityWarp, CopyLast, Metric
from worldline.audit.finish import WorldPredictor
from worldline.audit.prediction import evaluate_predictors
from worldline.audit.probe import TARGETS, LinearProbe, pair_features, state_of
from worldline.core.clip import Clip
from worldline.core.latents import Controls, Latents
from worldline.dynamics import AutoregressiveDynamics, FlowDynamics, JepaDynamics, MaskedParallel
from worldline.readout.latent import LatentReadout
from worldline.sim import Split, make_clips
from worldline.tokenizer import ContinuousTokenizer, DiscreteTokenizer, RepresentationTokenizer
from worldline.train import (
    Data,
    ObjectiveTask,
    Recipe,
    Stage,
    TokenizerTask,
    Trainer,
    size_named,
    train_world,
)
from worldline.train.objectives import MaskedVideo, NextFrame, StateAlignment
from worldline.world import World

FAMILIES = ("flow", "autoregressive", "jepa")
DOMAIN = ("disc_uniform", "disc_parabola", "disc_collision", "drop", "occlude")
TOUCHING = ("collide", "stack")
"""Where bodies touch for longer than a frame, as they never do in the domain; only probed."""
CONTEXT = 8
HORIZONS = (1, 8, 24)
PARTS = ("forecasts", "probes")
METRICS = (Metric.PSNR, Metric.SSIM, Metric.RECALL, Metric.ERROR)
LENGTH, CLIPS_A_STEP = 12, 4
Look = Callable[[Clip], Any]


def world_config(family: str, *, doublings: int = 3) -> World.Config:
    """A world of a family; flow dynamics learn steps down to 2 to the minus `doublings`."""
    shape = size_named("nano")
    tokenizer: Any = ContinuousTokenizer.Config(**shape.of_tokenizer())
    if family == "autoregressive":
        tokenizer = DiscreteTokenizer.Config(**shape.of_tokenizer())
        dynamics: Any = AutoregressiveDynamics.Config(
            **{**shape.of_dynamics(), "stem_width": 40},  # as many parameters as the others
            levels=tokenizer.levels,
            decoder=MaskedParallel.Config(num_steps=4, temperature=0.5),
        )
    elif family == "jepa":
        tokenizer = RepresentationTokenizer.Config(**{**shape.of_view(), "width": 72})
        dynamics = JepaDynamics.Config(
            **shape.of_dynamics(), channels=tokenizer.channels, shrinkage=0.15
        )
    else:
        dynamics = FlowDynamics.Config(
            **shape.of_dynamics(), shortcut_doublings=doublings, num_steps=2 if doublings else 1
        )
    channels = tokenizer.channels if family != "autoregressive" else len(tokenizer.levels)
    return World.Config(
        name=family,
        tokenizer=tokenizer,
        dynamics=dynamics,
        readout=LatentReadout.Config(**shape.of_readout(), channels=channels),
        trajectory=None,
        ensemble_noise=0.0,
    )


def stages(family: str) -> tuple[tuple[Stage, float], ...]:
    """Stages, each with its share of the budget. The readout is not needed here."""

    def stage(name: str, task: Any, rate: float, *, batch: int, length: int) -> Stage:
        return Stage(name, task, "data", Trainer.Config(learning_rate=rate), batch, length)

    clips = {"batch": CLIPS_A_STEP, "length": LENGTH}
    images = {"batch": 16, "length": 1}
    next_frame = ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),))
    dynamics = stage("dynamics", next_frame, 2e-3, **clips)
    pictures = TokenizerTask.Config()
    if family != "jepa":
        return (stage("tokenizer", pictures, 3e-3, **images), 0.3), (dynamics, 0.7)
    masked = MaskedVideo.Config(width=48, depth=2)
    features = ObjectiveTask.Config(("tokenizer",), (masked, StateAlignment.Config(weight=2.0)))
    return (
        (stage("encoder", features, 1e-3, **clips), 0.4),
        (dynamics, 0.45),
        (stage("decoder", pictures, 2e-3, **images), 0.15),
    )


def recipe_of(
    config: World.Config, plan: Sequence[Stage], steps: Sequence[int], num_clips: int
) -> Recipe:
    timed = []
    for stage, num in zip(plan, steps, strict=True):
        trainer = replace(stage.trainer, steps=num, warmup=num // 10, checkpoint_every=50)
        timed.append(replace(stage, trainer=trainer))
    return Recipe(config, (Data("data", DOMAIN, num_clips),), tuple(timed))


def train(
    config: World.Config,
    plan: Sequence[tuple[Stage, float]],
    pflop: float,
    num_clips: int,
    out: Path,
    reuse: World | None = None,
) -> tuple[World, dict[str, Any]]:
    """Train a world within its budget, or what is still to do; gives it with what it cost."""
    kinds = [kind for kind, _ in plan]
    trial = recipe_of(config, kinds, [1] * len(kinds), 16)
    _, one = train_world(trial, out / f"{config.name}-trial", reuse=reuse)
    steps = [
        max(2, round(share * pflop * 1e15 * one[kind.name].steps / one[kind.name].flop))
        for kind, share in plan
    ]
    final = recipe_of(config, kinds, steps, num_clips)
    start = process_time()
    world, ledgers = train_world(final, out / config.name, reuse=reuse)
    cost = {stage: ledger.to_json() for stage, ledger in ledgers.items()}
    print(config.name, f"{process_time() - start:.0f} s in this run", steps, flush=True)
    return world.finished({"ledgers": cost}, ""), cost


def count_trained(world: World) -> int:
    """Parameters of tokenizer and dynamics; a decoder that is for looking only left out."""
    parts = [world.dynamics, world.tokenizer]
    total = sum(p.numel() for part in parts for p in part.parameters())
    looking = getattr(world.tokenizer, "decoder", None)
    return total - (sum(p.numel() for p in looking.parameters()) if looking is not None else 0)


def pixels(clip: Clip) -> Any:
    """What a linear probe reads from a coarse picture: the row to beat."""
    small = clip.frames.reshape(clip.num_frames, 16, 4, 16, 4, 3).mean(axis=(2, 4)) / 255
    return pair_features(small.reshape(clip.num_frames, 256, 3))


def latents(world: World, clip: Clip) -> Any:
    return pair_features(world.encode_frames(clip.frames).tokens[0].numpy())


def memory(world: World, clip: Clip) -> Any:
    """Values that attention over time keeps of each frame, which depend on all frames before."""
    assert world.dynamics.config.window >= clip.num_frames
    seen = world.encode_frames(clip.frames)
    generator = torch.Generator().manual_seed(0)
    carry: Any = world.dynamics.init(seen, Controls(), generator)
    kept = [kv.value.permute(2, 0, 1, 3).flatten(1) for kv in carry.cache]
    features = torch.cat(kept, dim=1).numpy()
    missing = clip.num_frames - len(features)  # the cache drops what the next frame cannot see
    return np.concatenate([np.zeros((missing, features.shape[1]), features.dtype), features])


def place_error(
    read: Callable[[Clip, int], Any], clips: Sequence[Clip], targets: tuple[int, int] = (0, 1)
) -> dict[str, float]:
    """Mean distance in pixels from the true place to the one that is read or told at +h."""
    errors: dict[int, list[float]] = {h: [] for h in HORIZONS}
    for i, clip in enumerate(clips):
        places = read(clip, i)
        truth, known = state_of(clip)
        for h in HORIZONS:
            t = CONTEXT + h - 1
            if known[t, targets[0]]:
                errors[h].append(float(np.hypot(*(places[h] - truth[t, list(targets)]))))
    return {str(h): round(float(np.mean(e)), 2) for h, e in errors.items()}


def imagined(world: World, probe: LinearProbe, clip: Clip, seed: int) -> dict[int, Any]:
    """Where the probe reads the object in a rollout."""
    seen = world.encode_frames(clip.frames[:CONTEXT])
    future = world.continue_latents(seen, horizon=max(HORIZONS), samples=1, seed=seed)
    whole = torch.cat([seen.tokens, future.tokens], dim=1)[0].numpy()
    read = probe.read(pair_features(whole))
    return {h: read[CONTEXT + h - 1, :2] for h in HORIZONS}


def copied(probe: LinearProbe, look: Look, clip: Clip, seed: int, *, moving: bool) -> Any:
    """The place read in the last frame seen, resting or going on with the velocity read there."""
    read = probe.read(look(clip))[CONTEXT - 1]
    return {h: read[:2] + (h * read[2:4] if moving else 0.0) for h in HORIZONS}


def hidden_error(probe: LinearProbe | None, look: Look | None, clips: Sequence[Clip]) -> Any:
    """Mean distance in pixels to hidden objects: of a probe, or of the last true place and way."""
    column = TARGETS.index("hidden_x_px")
    found: dict[str, list[float]] = {"probe": [], "last seen": [], "constant velocity": []}
    for clip in clips:
        truth, known = state_of(clip)
        if not known[:, column].any():
            continue
        read = probe.read(look(clip)) if probe is not None and look is not None else None
        for t in np.flatnonzero(known[:, column]):
            place = truth[t, column : column + 2]
            if read is not None:
                found["probe"].append(float(np.hypot(*(read[t, column : column + 2] - place))))
                continue
            last = int(np.flatnonzero(known[:t, 0])[-1])
            speed = np.nan_to_num(truth[last, 2:4])
            found["last seen"].append(float(np.hypot(*(truth[last, :2] - place))))
            ahead = truth[last, :2] + (t - last) * speed
            found["constant velocity"].append(float(np.hypot(*(ahead - place))))
    return {name: round(float(np.mean(values)), 2) for name, values in found.items() if values}


def ms_per_frame(world: World, clip: Clip, repeats: int = 5) -> float:
    """Median processor milliseconds of one imagined frame, decoded."""
    seen = world.encode_frames(clip.frames[:CONTEXT])
    times = []
    for seed in range(repeats):
        start = process_time()
        future = world.continue_latents(seen, horizon=16, samples=1, seed=seed)
        world.decode(Latents(future.tokens, future.grid))
        times.append((process_time() - start) / 16)
    return round(1e3 * float(np.median(times)), 2)


def forecast_rows(worlds: dict[str, World], held_out: Sequence[Clip]) -> dict[str, dict[str, Any]]:
    """Pictures of everybody's rollouts, beside copying and constant velocity."""
    predictors: dict[str, Any] = {name: WorldPredictor(world) for name, world in worlds.items()}
    predictors |= {"copy-last": CopyLast(), "flow-warp": ConstantVelocityWarp()}
    table = evaluate_predictors(predictors, held_out, context=CONTEXT, horizons=HORIZONS, seed=0)
    return {
        name: {str(m): [round(table.value(name, m, h), 3) for h in HORIZONS] for m in METRICS}
        for name in table.predictors
    }


def probe_rows(
    worlds: dict[str, World],
    fitting: Sequence[Clip],
    held_out: Sequence[Clip],
    touching: Sequence[Clip],
) -> dict[str, dict[str, Any]]:
    """Linear probes of everybody, trained or not.

    Whether the main object touches another is read on clips of its own, `touching`: fitted on two
    thirds of them, scored on the rest.
    """
    looks: dict[str, Look] = {"pixels 16x16": pixels}
    for name, world in worlds.items():
        with torch.random.fork_rng():
            torch.manual_seed(0)
            blank = world.config.build()
        for label, what in ((name, world), (f"{name} untrained", blank)):
            looks[label] = partial(latents, what)
            looks[f"{label}, memory"] = partial(memory, what)
    rows: dict[str, dict[str, Any]] = {}
    for label, look in looks.items():
        probe = LinearProbe.fit(fitting, look)
        scores = {target: asdict(score) for target, score in probe.score(held_out, look).items()}
        row = rows.setdefault(label, {})
        row["probe_r2"] = {target: round(score["r2"], 3) for target, score in scores.items()}
        cut = 2 * len(touching) // 3
        touch = LinearProbe.fit(touching[:cut], look).score(touching[cut:], look)["contact"]
        row["probe_r2"]["contact"] = round(touch.r2, 3)
        row["hidden_error_px"] = hidden_error(probe, look, held_out)
        if label.endswith("memory"):
            continue
        for way, moving in (("resting", False), ("constant velocity", True)):
            told = partial(copied, probe, look, moving=moving)
            row[f"place_error_px, {way}"] = place_error(told, held_out)
        if label in worlds:
            row["place_error_px"] = place_error(partial(imagined, worlds[label], probe), held_out)
    rows["truth"] = {"hidden_error_px": hidden_error(None, None, held_out)}
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pflop", type=float, default=0.0025, help="operations of each, in 1e15")
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--held-out", type=int, default=40)
    parser.add_argument("--fitting", type=int, default=100, help="clips that probes are fitted on")
    parser.add_argument("--out", type=Path, default=Path("runs/families"))
    parser.add_argument("--train", choices=FAMILIES, help="train this one and stop")
    parser.add_argument("--measure", nargs="+", default=list(PARTS), choices=PARTS)
    options = parser.parse_args()
    worlds: dict[str, World] = {}
    costs: dict[str, Any] = {}
    for name in FAMILIES if options.train is None else (options.train,):
        config, plan = world_config(name), stages(name)
        worlds[name], costs[name] = train(config, plan, options.pflop, options.clips, options.out)
    if options.train is not None:
        return
    sizes = {name: count_trained(world) for name, world in worlds.items()}
    print(sizes, flush=True)
    if max(sizes.values()) > 1.1 * min(sizes.values()):
        raise SystemExit(f"parameters differ by more than a tenth: {sizes}")
    facts: dict[str, Any] = {
        **{k: getattr(options, k) for k in ("pflop", "clips", "held_out", "fitting")},
        "domain": list(DOMAIN),
        "horizons": list(HORIZONS),
    }
    rows: dict[str, dict[str, Any]] = rows_of_today("families", facts)
    made = partial(make_clips, DOMAIN, split=Split.HELD_OUT, size_px=64)
    held_out = list(made(num_clips=options.held_out, seed=2))
    found: dict[str, dict[str, Any]] = {}
    if "forecasts" in options.measure:
        found = forecast_rows(worlds, held_out)
        for name, world in worlds.items():
            found[name] |= {
                "ms_per_frame": ms_per_frame(world, held_out[0]),
                "parameters": sizes[name],
                "cost": costs[name],
            }
    if "probes" in options.measure:
        fitting = list(made(num_clips=options.fitting, seed=3))
        touching = list(
            make_clips(TOUCHING, split=Split.HELD_OUT, size_px=64, num_clips=90, seed=4)
        )
        for name, row in probe_rows(worlds, fitting, held_out, touching).items():
            found.setdefault(name, {}).update(row)
    for name, row in found.items():
        rows.setdefault(name, {}).update(row)
        print(name, {k: v for k, v in row.items() if k != "cost"}, flush=True)
    write_record("families", {**facts, "rows": rows})


if __name__ == "__main__":
    main()
