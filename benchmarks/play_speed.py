"""How fast does a world answer? Whole step of a session, action to picture.

    python benchmarks/play_speed.py [--world sandbox] [--threads 1 2] [--seconds 4]

In one run, taking turns: a session of the world with 1, 2 and 4 denoising steps per frame, and
untrained networks of the shape of DIAMOND's U-Net (three steps) and IRIS' transformer (sixteen
tokens) at 64x64 pixels, see `play_peers`. Quality is not compared here: the peers are not trained.
Goals: 60 frames/s with 2 steps, ten times the U-Net.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
import torch
from play_peers import DiamondUNet, IrisTransformer
from record import write_record

from worldline.world import World
from worldline.world.openings import load_openings
from worldline.world.steps import at_steps

_TURN = 8
"""Frames that one takes before the next has its turn."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="sandbox")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=4.0)
    args = parser.parse_args()
    opening = load_openings(args.world)[0]
    rows = {}
    for threads in args.threads:
        torch.set_num_threads(threads)
        steps = _players(args.world, opening)
        spent: dict[str, list[float]] = {name: [] for name in steps}
        for step in steps.values():
            step()
        until = perf_counter() + args.seconds * len(steps)
        while perf_counter() < until:
            for name, step in steps.items():
                for _ in range(_TURN if len(spent[name]) < 2 or "DIAMOND" not in name else 2):
                    start = perf_counter()
                    step()
                    spent[name].append(perf_counter() - start)
        peer = median(spent["DIAMOND's U-Net, 3 steps"])
        for name, times in spent.items():
            p50, p95, p99 = (1e3 * np.quantile(times, q) for q in (0.5, 0.95, 0.99))
            rows[f"{name}, {threads} threads"] = {
                "frames_per_s": round(1e3 / p50, 1),
                "p50_ms": round(p50, 2),
                "p95_ms": round(p95, 2),
                "p99_ms": round(p99, 2),
                "times_faster_than_u_net": round(peer / median(times), 1),
                "n": len(times),
            }
    for name, row in rows.items():
        print(name, row)
    write_record("play_speed", {"world": args.world, "rows": rows})


def _players(name: str, opening) -> dict[str, Callable[[], object]]:
    world = World.from_pretrained(name)
    action = np.zeros(world.action_size, np.float32)
    steps: dict[str, Callable[[], object]] = {}
    for number in (1, 2, 4):
        session = at_steps(world, number).open(opening, seed=0)
        steps[f"{world.name}, K = {number}"] = lambda session=session: session.step(action)
    unet = DiamondUNet(world.action_size).eval()
    past = torch.zeros(1, 12, 64, 64)
    told = torch.zeros(1, 4 * world.action_size + 1)
    steps["DIAMOND's U-Net, 3 steps"] = lambda: unet.frame(past, told)
    iris, cache = IrisTransformer().eval(), []
    steps["IRIS' transformer, 16 tokens"] = lambda: iris.frame(0, cache)
    return steps


if __name__ == "__main__":
    main()
