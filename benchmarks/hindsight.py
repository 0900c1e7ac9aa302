"""Give a world a readout of rewards that looks at what an action led to, and nothing else new.

    OMP_NUM_THREADS=1 python benchmarks/hindsight.py --data out/sandbox --out runs/hindsight
        [--world sandbox] [--steps 900] [--imagined 0]

A minute and a half of one core. The dynamics stay as they are, and so do the openings.
`python benchmarks/agents.py --world runs/hindsight/world --starts resets` then asks whether it
ranks policies rightly; what is told of held-out episodes is printed here, for the readout as it was
and as it is, read off imagined and off true frames, beside telling nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from record import write_record

from worldline.audit.held_out import held_out_clips
from worldline.core.clip import Clip
from worldline.data.recorded import Recorded, open_recording
from worldline.train import RewardTask, Trainer
from worldline.world import World
from worldline.world.openings import load_openings, save_openings

HORIZON = 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--world", default="sandbox")
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--imagined", type=float, default=0.0)
    parser.add_argument("--clips", type=int, default=48)
    args = parser.parse_args()
    torch.set_num_threads(1)
    recording = open_recording(Recorded(folder=args.data))
    known = World.from_pretrained(args.world)
    shards = recording.write(args.out / "data", known.size_px)
    world = taught(known, shards, args.out / "reward", args.steps, args.imagined)
    world.save(args.out / "world")
    save_openings(args.out / "world", load_openings(args.world))
    clips = held_out_clips(recording, size_px=world.size_px, context=world.context, seed=0)
    half = min(len(clips) // 2, 48)
    judged = clips[half : half + args.clips]
    rows = {"as it was": told(known, judged), "with hindsight": told(world, judged)}
    for name, row in rows.items():
        print(name, row)
    facts = {"world": args.world, "steps": args.steps, "imagined": args.imagined}
    write_record("hindsight", {**facts, "clips": len(judged), "rows": rows})


def taught(known: World, shards: Any, folder: Path, steps: int, imagined: float) -> World:
    """The same world with another readout of rewards, trained by so many steps."""
    assert known.config.reward is not None
    config = replace(known.config.reward, hindsight=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        parts = replace(known.whole, reward=config.build())
    config = replace(known.config, reward=config)
    world = World(config, parts, known.calibration, known.card)
    length = min(24, shards.frames.shape[1] - world.context)
    task = RewardTask.Config(imagined=imagined)
    trainer = Trainer.Config(steps=steps, learning_rate=2e-3, warmup=min(50, steps))
    trainer.build().run(task.build(world, shards, seed=0, batch=128, length=length), folder)
    return world


@torch.no_grad()
def told(world: World, clips: Sequence[Clip]) -> dict[str, Any]:
    """Sums over 24 actions: what was earned, what is told, how far off that is, and whether it goes
    along, of the world's own frames and of true ones."""
    assert world.reward is not None
    first = world.context - 1
    sums = []
    for number, clip in enumerate(clips):
        assert clip.actions is not None
        assert clip.rewards is not None
        given = clip.actions[first : first + HORIZON].astype(np.float32)
        session, own = world.open(clip.slice(0, world.context), seed=number), 0.0
        for action in given:
            session.step(action)
            own += session.reward
        session.close()
        tokens = world.encode_frames(clip.frames[first - 1 : first + HORIZON + 1]).tokens[0]
        pair = world.reward.pair(tokens[:-2], tokens[1:-1], tokens[2:])
        seen = world.reward.read(*pair, torch.from_numpy(given))[0]
        earned = clip.rewards.at(slice(first, first + HORIZON)).earned
        sums.append((float(earned.sum()), own, float(seen.sum())))
    true, *said = np.array(sums).T
    row: dict[str, Any] = {
        "true": _round(true.mean()),
        "of nothing": _round(abs(true).mean()),
    }
    for name, each in zip(("own frames", "true frames"), said, strict=True):
        steady = min(each.std(), true.std()) == 0
        row[name] = {
            "told": _round(each.mean()),
            "error": _round(abs(each - true).mean()),
            "correlation": None if steady else _round(np.corrcoef(each, true)[0, 1]),
        }
    return row


def _round(value: Any) -> float:
    return round(float(value), 3)


if __name__ == "__main__":
    main()
