"""What it costs not to know what was done: latent actions beside labelled training.

    OMP_NUM_THREADS=1 python benchmarks/latent_actions.py --data out/sandbox --out runs/latent
        [--minutes 8] [--size 64] [--clips 24]

One world learns from the episodes without their actions: an inverse model first, then dynamics
under the codes that it reads off the frames. One percent of the episodes with their actions, five,
or all then say which action stands for which codes (`worldline adapt`). A labelled world of the
same network has the same processor time. Measured as in `play_quality`; "codes" is the world under
the codes that are read off the true frames beside those of another clip, which is what Genie's
authors measured. Runs go on where they stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from play_quality import CONTEXT, copy_last, measure, of_world
from play_training import ours, train_timed
from record import write_record

from worldline.audit.held_out import held_out_clips
from worldline.audit.thresholds import choose_thresholds
from worldline.core.clip import Clip
from worldline.data.recorded import Recorded, Recording, open_recording
from worldline.dynamics import LatentActions
from worldline.train import ObjectiveTask, Recipe, Stage, Trainer
from worldline.train.objectives import HiddenActions, NextFrame
from worldline.world import World
from worldline.world.controller import fit_controller, infer_actions

SHARES = (0.01, 0.05, 1.0)
"""Of the episodes that were learned from, those whose actions are known."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--inverse-share", type=float, default=0.4)
    parser.add_argument("--clips", type=int, default=24)
    args = parser.parse_args()
    torch.set_num_threads(1)
    recording = open_recording(Recorded(folder=args.data))
    clips = held_out_clips(recording, size_px=args.size, context=CONTEXT, seed=0)
    half = min(len(clips) // 2, 48)
    chosen, judged = clips[: min(half, 8)], clips[half : half + args.clips]
    shares = {"inverse": args.inverse_share, "dynamics": 1 - args.inverse_share}
    kinds = {
        "labelled": (partial(ours, args.data, size_px=args.size), {"dynamics": 1.0}),
        "hidden": (partial(unlabelled, args.data, size_px=args.size), shares),
    }
    spent = {
        name: train_timed(make, parts, args.out / name, args.minutes * 60)
        for name, (make, parts) in kinds.items()
    }
    print(spent, flush=True)
    labelled, hidden = (World.from_pretrained(args.out / name / "world") for name in kinds)
    rows = {"copy-last": measure(copy_last(judged[0]), judged, judged)}
    rows["labelled"] = _judge(labelled, chosen, judged)
    rows["codes"] = _judge(
        hidden,
        [infer_actions(hidden, clip) for clip in chosen],
        [infer_actions(hidden, clip) for clip in judged],
        truth=judged,
    )
    rows["codes"]["actions_told"] = _told(hidden, judged)
    print(rows, flush=True)
    learned = recording.num_episodes - recording.num_held_out
    for share in SHARES:
        num = max(1, round(share * learned))
        controller = fit_controller(hidden, _labelled(recording, num, args.size))
        assert recording.spec is not None
        driven = controller.install(hidden, recording.spec)
        rows[f"{share:.0%} of the labels"] = {
            **_judge(driven, chosen, judged),
            "episodes": num,
            "actions": controller.num_steps,
            "explained": round(controller.explained, 3),
        }
        print(share, rows[f"{share:.0%} of the labels"], flush=True)
    facts = {"clips": len(judged), "size_px": args.size, "minutes": args.minutes, "spent": spent}
    write_record("latent_actions", {**facts, "rows": rows})


def unlabelled(data: str, steps: Mapping[str, int], size_px: int) -> Recipe:
    """The recipe for bare video, whatever is known of the actions."""
    full = ours(data, steps, size_px)
    hidden = LatentActions.Config()
    known: Any = full.world.dynamics
    controls = replace(known.controls, action_size=hidden.action_size)
    dynamics = replace(known, controls=controls)
    tokenizer, follows = full.stages
    inverse = Stage(
        "inverse",
        ObjectiveTask.Config(
            ("inverse",), (HiddenActions.Config(blind_share=1.0),), augmented=False
        ),
        "data",
        Trainer.Config(
            steps=steps["inverse"], learning_rate=2e-3, warmup=min(100, steps["inverse"])
        ),
        batch=48,
        length=3,
    )
    task = ObjectiveTask.Config(("dynamics",), (NextFrame.Config(inferred=True),), augmented=False)
    return replace(
        full,
        world=replace(full.world, dynamics=dynamics, inverse=hidden),
        stages=(tokenizer, inverse, replace(follows, task=task)),
    )


def _judge(
    world: World, chosen: Sequence[Clip], judged: Sequence[Clip], truth: Sequence[Clip] = ()
) -> dict[str, Any]:
    world = choose_thresholds(world, chosen, seed=0)
    return measure(of_world(world, judged[0], {}), judged, truth or judged)


def _labelled(recording: Recording, num: int, size_px: int) -> list[Clip]:
    """The first episodes that were learned from, cut without overlap."""
    once = {"num_frames": recording.config.stride, "most_episodes": num}
    return list(recording.clips(size_px, held_out=False, **once))


def _told(hidden: World, clips: Sequence[Clip]) -> list[float]:
    """R2 of each action by a linear map of the codes, fitted to one half of the clips and asked of
    the other: what the codes know, whatever the controller makes of it."""
    actions = [clip.actions[:-1] for clip in clips if clip.actions is not None]
    assert hidden.inverse is not None
    codes = [hidden.inverse.read(clip.frames) for clip in clips]
    halves = slice(None, len(clips) // 2), slice(len(clips) // 2, None)
    told = [np.concatenate(codes[part]) for part in halves]
    given = [np.concatenate(actions[part]) for part in halves]
    ones = [np.column_stack([each, np.ones(len(each))]) for each in told]
    guess = ones[1] @ np.linalg.lstsq(ones[0], given[0], rcond=None)[0]
    left = np.square(given[1] - guess).sum(axis=0)
    whole = np.square(given[1] - given[1].mean(axis=0)).sum(axis=0)
    return [round(float(each), 2) for each in 1 - left / whole]


if __name__ == "__main__":
    main()
