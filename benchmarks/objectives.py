"""Claim: what each joint-embedding objective adds to prediction and to what latents tell.

    python benchmarks/objectives.py [--pflop 0.0002] [--clips 780] [--held-out 78] [--seeds 0]

Next-frame prediction, masked video and state alignment train one encoder alone, in pairs and all
together. Every row gets the same number of operations: `--pflop`, three fifths of them for the
encoder (with the dynamics along wherever the next frame is an objective), two fifths for the
dynamics on the finished encoder, by next-frame prediction in every row. Where the next frame is an
objective of the encoder, SIGReg (`SketchedGaussian`) keeps it from collapsing, without a moving
average and without stopping gradients; the others need nothing of the kind. Afterwards a decoder
and nothing else is trained on the frozen latents, with `--decoder-pflop` in every row.

Reported are a linear probe's position error in latent rollouts at +1, +8 and +24, PSNR and object
recall of the decoded rollouts, and linear probes of the state: of the latents, and of where the
main object is while it is hidden, read from the latents that the dynamics expect from the frames
before. An untrained row, copy-last, constant velocity (of the probe's reading, and of pixels by
flow warp) and a probe of coarse pixels stand beside them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from record import write_record

from worldline.audit import ConstantVelocityWarp, CopyLast, Metric, Predictor
from worldline.audit.finish import WorldPredictor
from worldline.audit.prediction import evaluate_predictors
from worldline.audit.probe import LinearProbe, pair_features, state_of
from worldline.core.clip import Clip
from worldline.core.config import Config
from worldline.core.latents import Controls
from worldline.dynamics import JepaDynamics
from worldline.readout.latent import LatentReadout
from worldline.sim import Split, make_clips
from worldline.tokenizer import RepresentationTokenizer
from worldline.train import (
    Data,
    ObjectiveTask,
    Recipe,
    Stage,
    TokenizerTask,
    Trainer,
    train_world,
)
from worldline.train.objectives import MaskedVideo, NextFrame, SketchedGaussian, StateAlignment
from worldline.world import World

DOMAIN = ("disc_uniform", "disc_parabola", "disc_collision", "drop", "collide", "occlude")
HORIZONS = (1, 8, 24)
CONTEXT = 8
SIZE_PX = 32
"""Small pictures, so that minutes of a processor are many steps."""
PARTS: dict[str, tuple[Config, ...]] = {
    "next frame": (NextFrame.Config(), SketchedGaussian.Config(weight=2.0, num_directions=32)),
    "masked video": (MaskedVideo.Config(width=48, depth=3, decay=0.99),),
    "alignment": (StateAlignment.Config(weight=0.5),),
}
ROWS = (
    ("next frame", "masked video", "alignment"),
    ("next frame",),
    ("masked video",),
    ("alignment",),
    ("next frame", "alignment"),
    ("masked video", "alignment"),
    ("next frame", "masked video"),
)
Look = Callable[[Clip], Any]


def recipe(parts: tuple[str, ...], num_clips: int, seed: int) -> Recipe:
    """Encoder, dynamics and decoder; the numbers of steps are set later."""
    tokenizer = RepresentationTokenizer.Config(
        size_px=SIZE_PX, width=48, depth=2, heads=2, decoder_width=64, decoder_depth=1
    )
    objectives = tuple(objective for part in parts for objective in PARTS[part])
    learning = ("tokenizer", "dynamics") if "next frame" in parts else ("tokenizer",)
    world = World.Config(
        name="+".join(parts) or "untrained",
        tokenizer=tokenizer,
        dynamics=JepaDynamics.Config(
            rows=SIZE_PX // 8, stem_width=24, width=48, depth=3, heads=2, window=16, relative=True
        ),
        readout=LatentReadout.Config(
            channels=tokenizer.channels, rows=SIZE_PX // 8, width=32, depth=1
        ),
        trajectory=None,
    )
    encoder = Stage(
        "encoder", ObjectiveTask.Config(learning, objectives), "data", batch=16, length=6
    )
    dynamics = Stage("dynamics", ObjectiveTask.Config(), "data", batch=8, length=16)
    decoder = Stage("decoder", TokenizerTask.Config(), "data", batch=32, length=1)
    stages = (encoder, dynamics, decoder) if parts else (decoder,)
    return Recipe(world=world, data=(Data("data", DOMAIN, num_clips),), stages=stages, seed=seed)


def with_steps(planned: Recipe, steps: dict[str, int]) -> Recipe:
    """The recipe with so many steps per stage."""
    rates = {"encoder": 2e-3, "dynamics": 3e-3, "decoder": 3e-3}
    stages = tuple(
        replace(
            stage,
            trainer=Trainer.Config(
                steps=steps[stage.name],
                learning_rate=rates[stage.name],
                warmup=max(1, steps[stage.name] // 10),
                average_decay=0.99,
            ),
        )
        for stage in planned.stages
    )
    return replace(planned, stages=stages)


def train(planned: Recipe, budget: dict[str, float], out: Path) -> tuple[World, dict[str, Any]]:
    """Train within the operations of each stage; returns the world and what it cost."""
    shards = out.parent / f"clips-{planned.seed}"
    shards.mkdir(parents=True, exist_ok=True)
    trial = out.with_name(out.name + "-trial")
    for folder in (trial, out):
        folder.mkdir(exist_ok=True)
        if not (folder / "data").is_symlink():
            (folder / "data").symlink_to(shards.resolve())
    _, one = train_world(with_steps(planned, dict.fromkeys(budget, 1)), trial)
    steps = {name: max(2, round(budget[name] / ledger.flop)) for name, ledger in one.items()}
    started = process_time()
    world, ledgers = train_world(with_steps(planned, steps), out)
    cost = {
        name: {"steps": item.steps, "pflop": item.flop / 1e15} for name, item in ledgers.items()
    }
    return world, {"stages": cost, "processor_min": round((process_time() - started) / 60, 2)}


def latents_of(world: World) -> Look:
    return lambda clip: pair_features(world.encode_frames(clip.frames).tokens[0].numpy())


def expected_by(world: World) -> Look:
    """Each frame's latents as the dynamics expect them from the frames before it alone."""

    def look(clip: Clip) -> Any:
        assert isinstance(world.dynamics, JepaDynamics)
        seen = world.encode_frames(clip.frames).tokens
        with torch.no_grad():
            expected, _ = world.dynamics.expect_each(seen, Controls())
        return pair_features(expected[0].numpy())

    return look


def pixels(clip: Clip) -> Any:
    """What a linear probe reads from a coarse picture: the row to beat."""
    side = clip.frames.shape[1] // 16
    small = clip.frames.reshape(clip.num_frames, 16, side, 16, side, 3).mean(axis=(2, 4)) / 255
    return pair_features(small.reshape(clip.num_frames, 256, 3))


def errors_ahead(clips: list[Clip], guess: Callable[[int, Clip], Any]) -> list[float]:
    """Mean distance in pixels of the places `[T, 2]` that are guessed to the true ones."""
    far: dict[int, list[float]] = {h: [] for h in HORIZONS}
    for i, clip in enumerate(clips):
        truth, known = state_of(clip)
        places = guess(i, clip)
        for h in HORIZONS:
            t = CONTEXT + h - 1
            if known[t, 0]:
                far[h].append(float(np.hypot(*(places[t] - truth[t, :2]))))
    return [round(float(np.mean(far[h])), 3) for h in HORIZONS]


def imagined_places(world: World, probe: LinearProbe) -> Callable[[int, Clip], Any]:
    def guess(i: int, clip: Clip) -> Any:
        seen = world.encode_frames(clip.frames[:CONTEXT])
        future = world.continue_latents(seen, horizon=max(HORIZONS), samples=1, seed=i)
        whole = torch.cat([seen.tokens, future.tokens], dim=1)[0].numpy()
        return probe.read(pair_features(whole))[:, :2]

    return guess


def moved_on(look: Look, probe: LinearProbe, *, speed: bool) -> Callable[[int, Clip], Any]:
    """Where the probe reads the object in the last context frame, still or moving on evenly."""

    def guess(i: int, clip: Clip) -> Any:
        read = probe.read(look(clip))[:CONTEXT, :2]
        way = np.polyfit(np.arange(4), read[-4:], 1)[0] if speed else np.zeros(2)
        return read[-1] + (np.arange(clip.num_frames) - CONTEXT + 1)[:, None] * way

    return guess


def probe_row(look: Look, fitting: list[Clip], held_out: list[Clip]) -> tuple[LinearProbe, Any]:
    probe = LinearProbe.fit(fitting, look)
    return probe, {name: round(s.r2, 3) for name, s in probe.score(held_out, look).items()}


def describe(world: World, fitting: list[Clip], held_out: list[Clip]) -> dict[str, Any]:
    """Probes and latent rollouts of one world."""
    look = latents_of(world)
    probe, told = probe_row(look, fitting, held_out)
    behind = [[c for c in some if c.provenance.source == "occlude"] for some in (fitting, held_out)]
    _, expected = probe_row(expected_by(world), *behind)
    hidden = {name: value for name, value in expected.items() if name.startswith("hidden")}
    spread = np.concatenate([world.encode_frames(c.frames[:1]).tokens[0] for c in held_out[:32]])
    return {
        "probe_r2": told | hidden,
        "rollout_error_px": errors_ahead(held_out, imagined_places(world, probe)),
        "copied_error_px": errors_ahead(held_out, moved_on(look, probe, speed=False)),
        "latent_spread": round(float(spread.std(axis=0).mean()), 3),
    }


def pictured(predictor: Predictor, held_out: list[Clip]) -> dict[str, Any]:
    """PSNR, object recall and position error of decoded futures."""
    table = evaluate_predictors(
        {"row": predictor}, held_out, context=CONTEXT, horizons=HORIZONS, seed=0, baselines=()
    )
    return {
        str(metric): [round(table.value("row", metric, h), 3) for h in HORIZONS]
        for metric in (Metric.PSNR, Metric.RECALL, Metric.ERROR)
    }


def baselines(fitting: list[Clip], held_out: list[Clip]) -> dict[str, dict[str, Any]]:
    """Rows of what learns nothing, and of a probe of coarse pixels."""
    probe, told = probe_row(pixels, fitting, held_out)
    still, even = (moved_on(pixels, probe, speed=speed) for speed in (False, True))
    return {
        "pixels 16x16": {"probe_r2": told},
        "copy-last": {
            "rollout_error_px": errors_ahead(held_out, still),
            **pictured(CopyLast(), held_out),
        },
        "constant velocity": {
            "rollout_error_px": errors_ahead(held_out, even),
            **pictured(ConstantVelocityWarp(), held_out),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pflop", type=float, default=0.0002)
    parser.add_argument("--decoder-pflop", type=float, default=0.00006)
    parser.add_argument("--clips", type=int, default=780)
    parser.add_argument("--held-out", type=int, default=78)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("runs/objectives"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    budget = {
        "encoder": 0.6e15 * options.pflop,
        "dynamics": 0.4e15 * options.pflop,
        "decoder": 1e15 * options.decoder_pflop,
    }

    def draw(num: int, seed: int) -> list[Clip]:
        return list(
            make_clips(DOMAIN, num_clips=num, seed=seed, split=Split.HELD_OUT, size_px=SIZE_PX)
        )

    held_out, fitting = draw(options.held_out, 2), draw(96, 3)
    rows = baselines(fitting, held_out)
    facts = {name: value for name, value in vars(options).items() if name != "out"}
    facts |= {"domain": list(DOMAIN), "horizons": list(HORIZONS), "size_px": SIZE_PX}
    for seed in options.seeds:
        for parts in ((), *ROWS):
            planned = recipe(parts, options.clips, seed)
            name = f"{planned.world.name}, seed {seed}"
            folder = options.out / name.replace(" ", "_").replace(",", "")
            world, cost = train(planned, budget, folder)
            kept = folder / "row.json"
            if not kept.is_file():
                row = describe(world, fitting, held_out)
                row |= pictured(WorldPredictor(world), held_out)
                kept.write_text(json.dumps({"cost": cost} | row))
            rows[name] = json.loads(kept.read_text())
            print(name, {k: v for k, v in rows[name].items() if k != "cost"}, flush=True)
            write_record("objectives", facts | {"rows": rows})


if __name__ == "__main__":
    main()
