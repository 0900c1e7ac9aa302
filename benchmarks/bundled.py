"""Claim: what the bundled worlds' latents tell, and what surprises them.

    python benchmarks/bundled.py [--clips 39] [--fitting 78] [--events 26]
    python benchmarks/bundled.py --world small    # this one alone, kept in --out; then the other

Linear probes of the physical state from frozen latents (R2 on held-out clips of the thirteen
families that both worlds learned from, in each world's own size), beside the same worlds untrained
and a probe of coarse pixels. Violation of expectation: clips are changed at frame 16 by one of
three impossible events, and counted is how often a clip's largest surprise grows by it (half by
chance, ties count half), beside the surprise of two baselines: the squared error of copy-last and
of flow warp. Processor time of encoding and of one imagined frame, in the same run.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from objectives import latents_of, pixels, probe_row
from record import write_record

from worldline.audit import ConstantVelocityWarp
from worldline.audit.probe import main_object
from worldline.core.clip import Clip
from worldline.sim import FIRST_FAMILIES, Split, make_clips
from worldline.world import World

WORLDS = ("small", "small-jepa")
MOMENT = 16
Frames = UInt8[np.ndarray, "t h w 3"]


def vanish(clip: Clip) -> Frames:
    """From the moment on, the main object is not there any more."""
    assert clip.scene is not None
    assert clip.segmentation is not None
    assert clip.background is not None
    frames = clip.frames.copy()
    number = int(clip.scene.ids[main_object(clip.scene)])
    gone = clip.segmentation == number
    gone[:MOMENT] = False
    frames[gone] = np.broadcast_to(clip.background, frames.shape)[gone]
    return frames


def jump(clip: Clip) -> Frames:
    """Six frames are missing at the moment."""
    return np.concatenate([clip.frames[:MOMENT], clip.frames[MOMENT + 6 :]])


def freeze(clip: Clip) -> Frames:
    """Everything stands still for six frames at the moment, then goes on."""
    still = np.repeat(clip.frames[MOMENT - 1 : MOMENT], 6, axis=0)
    return np.concatenate([clip.frames[:MOMENT], still, clip.frames[MOMENT:]])


EVENTS: dict[str, Callable[[Clip], Frames]] = {"vanish": vanish, "jump": jump, "freeze": freeze}


def surprise_of(world: World) -> Callable[[Frames], float]:
    def largest(frames: Frames) -> float:
        with torch.no_grad():
            return float(world.raw_surprise(world.encode_frames(frames), seed=0)[2:].max())

    return largest


def surprise_of_copying(frames: Frames) -> float:
    x = frames.astype(np.float64)
    return float(np.square(x[2:] - x[1:-1]).mean(axis=(1, 2, 3)).max())


def surprise_of_warping(frames: Frames) -> float:
    warp = ConstantVelocityWarp()
    errors = [
        np.square(warp.predict(frames[t - 2 : t], 1, 0)[0, 0].astype(float) - frames[t]).mean()
        for t in range(2, len(frames))
    ]
    return float(max(errors))


def noticed(largest: Callable[[Frames], float], clips: list[Clip]) -> dict[str, float]:
    """Share of clips that surprise more with the event than without."""
    usual = [largest(clip.frames) for clip in clips]
    shares = {}
    for name, change in EVENTS.items():
        found = [largest(change(clip)) for clip in clips]
        wins = [(a > b) + 0.5 * (a == b) for a, b in zip(found, usual, strict=True)]
        shares[name] = round(float(np.mean(wins)), 3)
    return shares


def milliseconds(world: World, clip: Clip) -> dict[str, float]:
    """Processor time per frame: encoding, and one imagined latent frame."""
    start = process_time()
    seen = world.encode_frames(clip.frames)
    encoding = (process_time() - start) / clip.num_frames
    start = process_time()
    world.continue_latents(seen, horizon=16, samples=1, seed=0)
    return {
        "encode_ms": round(1e3 * encoding, 2),
        "imagine_ms": round(1e3 * (process_time() - start) / 16, 2),
    }


def draw(num: int, seed: int, size_px: int) -> list[Clip]:
    return list(
        make_clips(FIRST_FAMILIES, num_clips=num, seed=seed, split=Split.HELD_OUT, size_px=size_px)
    )


def usable(clips: list[Clip]) -> list[Clip]:
    """Those whose main object is seen around the moment: there is something to be missed."""
    kept = []
    for clip in clips:
        assert clip.scene is not None
        seen = clip.scene.visible[main_object(clip.scene)]
        if seen[MOMENT - 2 : MOMENT + 2].all():
            kept.append(clip)
    return kept


def rows_of(name: str, num_clips: int, num_fitting: int, num_events: int) -> dict[str, Any]:
    """A world, its untrained twin and the baselines, all on pictures of the world's size."""
    world = World.from_pretrained(name)
    size_px = world.size_px
    held_out = draw(num_clips, 12, size_px)
    fitting = draw(num_fitting, 13, size_px)
    changed = usable(held_out)[:num_events]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        untrained = world.config.build()
    return {
        name: {
            "size_px": size_px,
            "parameters": world.num_parameters,
            "probe_r2": probe_row(latents_of(world), fitting, held_out)[1],
            "noticed": noticed(surprise_of(world), changed),
            "clips_with_events": len(changed),
            **milliseconds(world, held_out[0]),
        },
        f"{name} untrained": {"probe_r2": probe_row(latents_of(untrained), fitting, held_out)[1]},
        f"pixels 16x16 of {size_px}": {"probe_r2": probe_row(pixels, fitting, held_out)[1]},
        f"copy-last, {size_px} px": {"noticed": noticed(surprise_of_copying, changed)},
        f"flow-warp, {size_px} px": {"noticed": noticed(surprise_of_warping, changed)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=39)
    parser.add_argument("--fitting", type=int, default=78)
    parser.add_argument("--events", type=int, default=26)
    parser.add_argument("--out", type=Path, default=Path("runs/bundled"))
    parser.add_argument("--world", choices=WORLDS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in WORLDS if options.world is None else (options.world,):
        found = rows_of(name, options.clips, options.fitting, options.events)
        (options.out / f"{name}.json").write_text(json.dumps(found))
        for row, values in found.items():
            print(row, values, flush=True)
    kept = [options.out / f"{name}.json" for name in WORLDS]
    if all(path.is_file() for path in kept):
        rows = {k: v for path in kept for k, v in json.loads(path.read_text()).items()}
        facts = {"clips": options.clips, "fitting": options.fitting, "rows": rows}
        write_record("bundled", facts)


if __name__ == "__main__":
    main()
