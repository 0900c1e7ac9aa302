"""How fast does a world answer? Whole step of a session, action to picture.

    python benchmarks/play_speed.py [--worlds sandbox pusht doom] [--sizes 64 96] [--threads 1 2]
        [--seconds 4] [--record play_speed]

In one run, taking turns: a session of each world with 1, 2 and 4 denoising steps per frame, and
untrained networks of the shape of DIAMOND's U-Net (three steps) and IRIS' transformer (sixteen
tokens) at 64x64 pixels, see `play_peers`. Of each of the sizes there are besides an untrained world
of the first world's shape whose patches are so large that it has as many cells, and the U-Net at
that size. Every frame takes the same operations whatever the weights are, so training cannot make
a world faster or slower; the untrained one of 64 pixels beside the trained ones checks that. Its
last layer is drawn at random, since that of an untrained world is zero and moves nothing.

Printed are frames per second by the clock (median step), the 50th, 95th and 99th percentile of a
step, and the processor time of a step, which other work on the machine hardly touches; the U-Net
that a row is compared with is that of its size. Quality is compared by `play_quality`. Goals: 60
frames/s with 2 steps at 64x64 and 30 at 96x96, ten times the U-Net.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from time import perf_counter, process_time

import cv2
import numpy as np
import torch
from play_peers import DIAMOND_PAST, DiamondUNet, IrisSession, IrisTokenizer, IrisTransformer
from record import write_record

from worldline.core.clip import Clip
from worldline.dynamics import FlowDynamics
from worldline.tokenizer import PatchTokenizer
from worldline.world import World
from worldline.world.openings import load_openings
from worldline.world.steps import at_steps

_TURN = 8
"""Frames that one takes before the next has its turn."""
_LEARNED_PX = 64
"""Side of the bundled worlds' pictures."""


def _unet_of(size_px: int) -> str:
    size = "" if size_px == _LEARNED_PX else f", {size_px}x{size_px}"
    return f"DIAMOND's U-Net, 3 steps{size}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", nargs="+", default=["sandbox", "pusht", "doom"])
    parser.add_argument("--sizes", type=int, nargs="*", default=[64, 96])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--record", default="play_speed", help="name of the result")
    args = parser.parse_args()
    rows = {}
    for threads in args.threads:
        torch.set_num_threads(threads)
        steps = _players(args.worlds, args.sizes)
        spent: dict[str, list[float]] = {name: [] for name in steps}
        worked: dict[str, list[float]] = {name: [] for name in steps}
        for step in steps.values():
            step()
        until = perf_counter() + args.seconds * len(steps)
        while perf_counter() < until:
            for name, step in steps.items():
                slow = name.startswith("DIAMOND") and len(spent[name]) >= 2
                for _ in range(2 if slow else _TURN):
                    start, worked_before = perf_counter(), process_time()
                    step()
                    spent[name].append(perf_counter() - start)
                    worked[name].append(process_time() - worked_before)
        for name, times in spent.items():
            size = next((px for px in args.sizes if f"{px}x{px}" in name), _LEARNED_PX)
            peer, peer_worked = (median(each[_unet_of(size)]) for each in (spent, worked))
            p50, p95, p99 = (1e3 * float(np.quantile(times, q)) for q in (0.5, 0.95, 0.99))
            own = median(worked[name])
            rows[f"{name}, {threads} threads"] = {
                "frames_per_s": round(1e3 / p50, 1),
                "p50_ms": round(p50, 2),
                "p95_ms": round(p95, 2),
                "p99_ms": round(p99, 2),
                "times_faster_than_u_net": round(peer / median(times), 1),
                "processor_ms": round(1e3 * own, 2),
                "times_less_than_u_net": round(peer_worked / own, 1),
                "n": len(times),
            }
    for name, row in rows.items():
        print(name, row)
    write_record(args.record, {"worlds": args.worlds, "sizes": args.sizes, "rows": rows})


def untrained(world: World, size_px: int) -> World:
    """A world of the same shape for pictures of another size, with as many cells, untrained.

    Raises:
        ValueError: cells do not fill such pictures.
    """
    rows = world.tokenizer.grid[0]
    if size_px < rows or size_px % rows:
        raise ValueError(f"{rows} cells a side do not fill {size_px} pixels")
    tokenizer = PatchTokenizer.Config(size_px=size_px, patch_px=size_px // rows)
    channels = tokenizer.build().channels
    known = world.config
    parts = {
        name: replace(part, channels=channels)
        for name in ("dynamics", "readout", "reward")
        if (part := getattr(known, name)) is not None
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = replace(known, name="untrained", tokenizer=tokenizer, **parts).build()
        dynamics = made.dynamics
        assert isinstance(dynamics, FlowDynamics)
        torch.nn.init.normal_(dynamics.network.leave.weight, std=0.1)
    return World(made.config, made.whole, world.calibration, "")


def resized(clip: Clip, size_px: int) -> Clip:
    """The clip in pictures of another size."""
    if clip.frames.shape[1] == size_px:
        return clip
    frames = [cv2.resize(frame, (size_px,) * 2) for frame in clip.frames]
    return replace(clip, frames=np.stack(frames))


def _players(names: list[str], sizes: list[int]) -> dict[str, Callable[[], object]]:
    steps: dict[str, Callable[[], object]] = {}
    first, opening = World.from_pretrained(names[0]), load_openings(names[0])[0]
    played = [(name, World.from_pretrained(name), load_openings(name)[0]) for name in names]
    played += [
        (f"untrained, {size}x{size}", untrained(first, size), resized(opening, size))
        for size in sizes
    ]
    for name, world, clip in played:
        action = np.zeros(world.action_size, np.float32)
        for number in (1, 2, 4):
            session = at_steps(world, number).open(clip, seed=0)
            steps[f"{name}, K = {number}"] = lambda s=session, a=action: s.step(a)
    acted = first.action_size
    for size in sorted({_LEARNED_PX, *sizes}):
        unet, past = DiamondUNet(acted).eval(), torch.zeros(1, 3 * DIAMOND_PAST, size, size)
        told = torch.zeros(1, DIAMOND_PAST * acted)
        steps[_unet_of(size)] = lambda u=unet, p=past, t=told: u.frame(p, t)
    tokens, led = torch.zeros(1, IrisSession.KEPT, 16, dtype=torch.long), torch.zeros(1, 8, acted)
    iris = IrisSession(IrisTokenizer().eval(), IrisTransformer(acted).eval(), tokens, led)
    steps["IRIS' transformer, 16 tokens"] = lambda: iris.frame(led[:, 0])
    return steps


if __name__ == "__main__":
    main()
