"""Claim: from 256 short clips and 150 s of one processor, imagined positions beat copying twofold.

    OMP_NUM_THREADS=1 python benchmarks/learning_efficiency.py [--seconds 150 400] [--seeds 0 1]
        [--scenes ...] [--add]

256 clips of 16 frames at 64x64, to learn from; 128 others of the same kind, to be judged by.
Radius, colour and ground differ from clip to clip (half of them a red, green or blue disc on white,
half any of fourteen colours on any plain ground that it stands out from):

- driven_disc, every second frame: a disc of 4.5 to 9 px radius, whose acceleration is the action.
  The drive is random but smooth, of 2.5 to 6 m/s^2 (1 m is 6.4 px, a frame of the family is .1 s),
  with a spring and a brake that keep it in view. Each frame comes with the actions of both steps to
  the next.
- driven_disc: the last 16 frames of the same clips, which move half as far from frame to frame.
- disc_bounce: a disc of 3.8 to 7.7 px that falls from 3 to 6 m under 6 m/s^2 and bounces on the
  lower edge with a restitution of .6 to .9; the last 16 of 32 frames, no actions.

A keypoint tokenizer learns from sketches, then JEPA dynamics that start from constant velocity
learn to predict its tokens: pixels and actions only, nothing of the simulator's state or masks.
Both together take so many processor seconds (clips are made before). A linear probe, fitted on the
encoded training clips, reads the place in what is imagined after 4 frames. Its distance to the
truth stands beside that of the true place in the last frame seen (copy-last), of the probe's
reading moved on as between the last two frames (constant velocity), of the probe on encoded true
frames (its own error), and of a world that has not learned anything, with a probe of its own
(untrained).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from record import FOLDER, write_record

from worldline.audit.probe import LinearProbe, pair_features, state_of
from worldline.core.clip import Clip
from worldline.core.latents import Controls, lead_to
from worldline.core.scene import Scene
from worldline.data.shards import Shards, write_shards
from worldline.dynamics import ControlEncoder, JepaDynamics
from worldline.readout.latent import LatentReadout
from worldline.sim import Split, make_clip
from worldline.tokenizer import KeypointTokenizer
from worldline.train import ObjectiveTask, TokenizerTask, Trainer, step_generator
from worldline.train.objectives import NextFrame
from worldline.world import World

NUM_CLIPS, NUM_HELD_OUT, NUM_FRAMES, CONTEXT = 256, 128, 16, 4
HORIZONS = (1, 4, 8)
TOKENIZER_SHARE = 0.2
NAME = "learning_efficiency"


@dataclass(frozen=True)
class Film:
    """Which 16 frames of a family's clips are taken: from `first` on, every `stride`th."""

    family: str
    first: int
    stride: int


SCENES = {
    "driven_disc, every second frame": Film("driven_disc", 0, 2),
    "driven_disc": Film("driven_disc", 16, 1),
    "disc_bounce": Film("disc_bounce", 16, 1),
}


def shoot(film: Film, count: int, split: Split, seed: int) -> list[Clip]:
    """Short clips with their scenes; a frame's action is that of all steps to the next one."""
    found = []
    for index in range(count):
        clip = make_clip(film.family, index, seed=seed, split=split, events=False)
        pick = film.first + film.stride * np.arange(NUM_FRAMES)
        actions = clip.actions
        if actions is not None:
            actions = np.concatenate([actions[pick + k] for k in range(film.stride)], axis=1)
        assert clip.scene is not None
        assert clip.segmentation is not None
        found.append(
            replace(
                clip,
                frames=clip.frames[pick],
                time_s=clip.time_s[pick],
                segmentation=clip.segmentation[pick],
                actions=actions,
                scene=thin(clip.scene, pick),
            )
        )
    return found


def thin(scene: Scene, pick: np.ndarray) -> Scene:
    """The scene at some of its frames."""
    changed: dict[str, Any] = {"time_s": scene.time_s[pick]}
    for item in fields(scene):
        value = getattr(scene, item.name)
        if isinstance(value, np.ndarray) and value.shape[1:2] == (scene.num_frames,):
            changed[item.name] = value[:, pick]
    return replace(scene, **changed)


def untrained(action_size: int, seed: int) -> World:
    """Some 100,000 parameters, nearly all of them the dynamics'."""
    tokenizer = KeypointTokenizer.Config()
    channels, rows = 9, tokenizer.rows
    controls = ControlEncoder.Config(
        action_size=action_size, dropout=0.0, everywhere=action_size > 0
    )
    config = World.Config(
        name="efficient",
        tokenizer=tokenizer,
        dynamics=JepaDynamics.Config(
            channels=channels,
            rows=rows,
            stem_width=16,
            width=48,
            depth=3,
            heads=2,
            window=NUM_FRAMES,
            controls=controls,
            rollout_steps=2,
            second_order=True,
        ),
        readout=LatentReadout.Config(channels=channels, rows=rows, width=8, depth=1),
        trajectory=None,
        context=CONTEXT,
    )
    torch.manual_seed(seed)
    return config.build()


def train(world: World, shards: Shards, seconds: float, seed: int, folder: Path) -> dict[str, Any]:
    """Tokenizer, then dynamics, each for its share of the time; a trial sets the steps."""
    used: dict[str, Any] = {}
    started = process_time()
    stages = (
        ("tokenizer", TokenizerTask.Config(object_weight=0.0), 32, 1, 3e-3),
        (
            "dynamics",
            ObjectiveTask.Config(
                ("dynamics",), (NextFrame.Config(),), augmented=False, cached=True
            ),
            8,
            NUM_FRAMES,
            6e-3,
        ),
    )
    for name, config, batch, length, rate in stages:
        start = process_time()
        share = TOKENIZER_SHARE if name == "tokenizer" else 1.0
        task = config.build(world, shards, seed=seed, batch=batch, length=length)
        if name == "dynamics":  # encodes all clips, which would spoil the pace of the trial
            for step in range(NUM_CLIPS // batch):
                task.batch(step, step_generator(seed, step))
        plain: dict[str, Any] = {"seed": seed, "half": False, "checkpoint_every": 10**9}
        for kind, steps in (("warm", 3), ("trial", 12)):
            began = process_time()
            trial = Trainer.Config(steps=steps, learning_rate=1e-9, warmup=1, **plain)
            trial.build().run(task, folder / f"{name}-{kind}")
            cost = (process_time() - began) / (steps + 1)  # one more pass counts the operations
        steps = max(20, round(share * (seconds - (process_time() - started)) / cost))
        settings = Trainer.Config(
            steps=steps, learning_rate=rate, warmup=min(50, steps // 5), **plain
        )
        settings.build().run(task, folder / name)
        used[name] = {"steps": steps, "seconds": round(process_time() - start, 1)}
        world.tokenizer.eval()
        world.dynamics.eval()
    return used


def encoded(world: World, clip: Clip) -> Any:
    return pair_features(world.encode_frames(clip.frames).tokens[0].numpy())


def measure(world: World, training: list[Clip], clips: list[Clip]) -> dict[str, Any]:
    """Mean distances in pixels at each horizon, by a probe that is fitted here."""
    probe = LinearProbe.fit(training, lambda clip: encoded(world, clip))
    rows: dict[str, list[list[float]]] = {}
    last, moments = CONTEXT - 1, [CONTEXT + h - 1 for h in HORIZONS]
    for i, clip in enumerate(clips):
        truth, known = state_of(clip)
        if not known[[last, *moments], 0].all():
            continue
        seen = world.encode_frames(clip.frames[:CONTEXT])
        controls = None
        if world.action_size and clip.actions is not None:
            controls = Controls(actions=torch.from_numpy(lead_to(clip.actions)).float()[None])
        future = world.continue_latents(
            seen, horizon=max(HORIZONS), samples=1, seed=i, controls=controls
        )
        imagined = torch.cat([seen.tokens, future.tokens], dim=1)[0].numpy()
        place = probe.read(pair_features(imagined))[:, :2]
        steps = np.arange(len(truth))[:, None] - last
        read = {
            "imagined": place,
            "copy-last": np.repeat(truth[last : last + 1, :2], len(truth), axis=0),
            "constant velocity": place[last] + (place[last] - place[last - 1]) * steps,
            "encoded truth": probe.read(encoded(world, clip))[:, :2],
        }
        for name, at in read.items():
            errors = [float(np.hypot(*(at[t] - truth[t, :2]))) for t in moments]
            rows.setdefault(name, []).append(errors)
    return {
        name: [round(float(v), 2) for v in np.mean(values, axis=0)] for name, values in rows.items()
    }


def keep(results: Mapping[str, Any]) -> None:
    facts = {"clips": NUM_CLIPS, "held_out": NUM_HELD_OUT, "frames": NUM_FRAMES}
    write_record(NAME, {**facts, "context": CONTEXT, "horizons": HORIZONS, "results": results})


def stored() -> dict[str, Any]:
    path = FOLDER / f"{NAME}.json"
    return json.loads(path.read_text())["results"] if path.is_file() else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs="+", default=[150.0, 400.0])
    parser.add_argument("--scenes", nargs="+", default=list(SCENES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--add", action="store_true", help="keep what other runs have measured")
    options = parser.parse_args()
    if not options.add:
        keep({})
    for scene in options.scenes:
        for seed in options.seeds:
            training = shoot(SCENES[scene], NUM_CLIPS, Split.TRAIN, 2 * seed)
            held_out = shoot(SCENES[scene], NUM_HELD_OUT, Split.HELD_OUT, 2 * seed + 1)
            actions = training[0].actions
            action_size = 0 if actions is None else actions.shape[1]
            blank = untrained(action_size, seed)
            before = measure(blank, training, held_out)
            parts = {"untrained": before["imagined"], "untrained, truth": before["encoded truth"]}
            for seconds in options.seconds:
                with tempfile.TemporaryDirectory() as name:
                    folder = Path(name)
                    shards = write_shards(
                        folder / "data", iter(training), num_clips=NUM_CLIPS, recipe={"film": scene}
                    )
                    world = untrained(action_size, seed)
                    used = train(world, shards, seconds, seed, folder)
                found = {**measure(world, training, held_out), **parts}
                run = {"error_px": found, "training": used}
                key = f"{scene}, {seconds:.0f} s, seed {seed}"
                print(key, run, flush=True)
                keep({**stored(), key: run})  # another process may have added to it


if __name__ == "__main__":
    main()
