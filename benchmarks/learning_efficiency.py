"""Claim: from 256 short clips and 150 s of one processor, imagined positions beat copying twofold.

    OMP_NUM_THREADS=1 python benchmarks/learning_efficiency.py [--seconds 150 400] [--families ...]

256 clips of 16 frames at 64x64, of a disc that actions drive and of a ball that bounces. A
tokenizer and dynamics that predict the next latent are trained for so many processor seconds
together (data is made before). A linear probe, fitted on the encoded training clips, reads the
object's place in what is imagined after 4 frames of context; its distance to the truth is
compared with that of the true place in the last frame seen (copy-last) and with the same probe on
encoded true frames (the probe's own error).
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from record import write_record

from worldline.audit.probe import LinearProbe, pair_features, state_of
from worldline.core.clip import Clip
from worldline.core.latents import Controls, lead_to
from worldline.data.shards import Shards, write_shards
from worldline.dynamics import ControlEncoder, JepaDynamics
from worldline.readout.latent import LatentReadout
from worldline.sim import Split, make_clip
from worldline.tokenizer import ContinuousTokenizer
from worldline.train import ObjectiveTask, TokenizerTask, Trainer
from worldline.train.objectives import NextFrame
from worldline.world import World

NUM_CLIPS, NUM_FRAMES, CONTEXT = 256, 16, 4
HORIZONS = (1, 4, 8)
TOKENIZER_SHARE = 0.35


def short_clips(family: str, count: int, split: Split, seed: int) -> list[Clip]:
    """The last 16 frames of clips; the scene is cut apart, since a slice of a clip drops it."""
    found = []
    for index in range(count):
        clip = make_clip(family, index, seed=seed, split=split, events=False)
        assert clip.scene is not None
        first = clip.num_frames - NUM_FRAMES
        short = clip.slice(first, clip.num_frames)
        found.append(replace(short, scene=clip.scene.after(first)))
    return found


def untrained(has_actions: bool, seed: int) -> World:
    controls = ControlEncoder.Config(action_size=2 if has_actions else 0, dropout=0.0)
    config = World.Config(
        name="efficient",
        tokenizer=ContinuousTokenizer.Config(
            fine_width=32, coarse_width=64, fine_depth=1, coarse_depth=1
        ),
        dynamics=JepaDynamics.Config(
            channels=16, stem_width=48, width=96, depth=6, heads=2, window=16, controls=controls
        ),
        readout=LatentReadout.Config(width=8, depth=1),
        trajectory=None,
        context=CONTEXT,
    )
    torch.manual_seed(seed)
    return config.build()


def train(world: World, shards: Shards, seconds: float, seed: int, folder: Path) -> dict[str, Any]:
    """Tokenizer, then dynamics, each for its share of the time; a trial sets the steps."""
    used: dict[str, Any] = {}
    stages = (
        ("tokenizer", TokenizerTask.Config(), 32, 1, 3e-3, TOKENIZER_SHARE),
        (
            "dynamics",
            ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),), augmented=False),
            16,
            NUM_FRAMES,
            2e-3,
            1 - TOKENIZER_SHARE,
        ),
    )
    for name, config, batch, length, rate, share in stages:
        budget = share * seconds
        task = config.build(world, shards, seed=seed, batch=batch, length=length)
        start = process_time()
        trial = Trainer.Config(steps=12, learning_rate=1e-9, warmup=1, seed=seed)
        trial.build().run(task, folder / f"{name}-trial")
        cost = (process_time() - start) / 13  # one more pass counts the operations
        steps = max(20, round((budget - 13 * cost) / cost))
        settings = Trainer.Config(
            steps=steps, learning_rate=rate, warmup=min(100, steps // 5), seed=seed
        )
        settings.build().run(task, folder / name)
        used[name] = {"steps": steps, "seconds": round(process_time() - start, 1)}
        world.tokenizer.eval()
        world.dynamics.eval()
    return used


def encoded(world: World, clip: Clip) -> Any:
    return pair_features(world.encode_frames(clip.frames).tokens[0].numpy())


def measure(world: World, probe: LinearProbe, clips: list[Clip]) -> dict[str, Any]:
    """Mean distances in pixels at each horizon."""
    rows: dict[str, list[list[float]]] = {"imagined": [], "copy-last": [], "encoded truth": []}
    for i, clip in enumerate(clips):
        seen = world.encode_frames(clip.frames[:CONTEXT])
        controls = None
        if world.action_size and clip.actions is not None:
            controls = Controls(actions=torch.from_numpy(lead_to(clip.actions)).float()[None])
        future = world.continue_latents(
            seen, horizon=max(HORIZONS), samples=1, seed=i, controls=controls
        )
        imagined = torch.cat([seen.tokens, future.tokens], dim=1)[0].numpy()
        truth, known = state_of(clip)
        moments = [CONTEXT + h - 1 for h in HORIZONS]
        if not known[[CONTEXT - 1, *moments], 0].all():
            continue
        read = {
            "imagined": probe.read(pair_features(imagined))[:, :2],
            "copy-last": np.repeat(truth[CONTEXT - 1 : CONTEXT, :2], len(truth), axis=0),
            "encoded truth": probe.read(encoded(world, clip))[:, :2],
        }
        for name, place in read.items():
            rows[name].append([float(np.hypot(*(place[t] - truth[t, :2]))) for t in moments])
    return {
        name: [round(float(v), 2) for v in np.mean(values, axis=0)] for name, values in rows.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs="+", default=[150.0, 400.0])
    parser.add_argument("--families", nargs="+", default=["driven_disc", "disc_bounce"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    for family in options.families:
        training = short_clips(family, NUM_CLIPS, Split.TRAIN, options.seed)
        held_out = short_clips(family, 64, Split.HELD_OUT, options.seed + 1)
        for seconds in options.seconds:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                shards = write_shards(
                    folder / "data", iter(training), num_clips=NUM_CLIPS, recipe={"family": family}
                )
                world = untrained(shards.has_actions.any(), options.seed)
                used = train(world, shards, seconds, options.seed, folder)
            probe = LinearProbe.fit(training, lambda clip, w=world: encoded(w, clip))
            found = measure(world, probe, held_out)
            results[f"{family}, {seconds:.0f} s"] = {"error_px": found, "training": used}
            print(family, seconds, found, used, flush=True)
    facts = {"clips": NUM_CLIPS, "frames": NUM_FRAMES, "context": CONTEXT, "horizons": HORIZONS}
    write_record("learning_efficiency", {**facts, "results": results})


if __name__ == "__main__":
    main()
