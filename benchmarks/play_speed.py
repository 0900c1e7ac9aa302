"""How fast does a world answer? Whole step of a session, action to picture.

    python benchmarks/play_speed.py [--worlds sandbox pusht doom] [--threads 1 2] [--seconds 4]
        [--record play_speed]

In one run, taking turns: a session of each world with 1, 2 and 4 denoising steps per frame, and
untrained networks of the shape of DIAMOND's U-Net (three steps) and IRIS' transformer (sixteen
tokens) at 64x64 pixels, see `play_peers`. Printed are frames per second by the clock (median step),
the 50th, 95th and 99th percentile of a step, and the processor time of a step, which other work on
the machine hardly touches. Quality is compared by `play_quality`. Goals: 60 frames/s with 2 steps,
ten times the U-Net.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time

import numpy as np
import torch
from play_peers import DIAMOND_PAST, DiamondUNet, IrisSession, IrisTokenizer, IrisTransformer
from record import write_record

from worldline.world import World
from worldline.world.openings import load_openings
from worldline.world.steps import at_steps

_TURN = 8
"""Frames that one takes before the next has its turn."""
_UNET = "DIAMOND's U-Net, 3 steps"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", nargs="+", default=["sandbox", "pusht", "doom"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--record", default="play_speed", help="name of the result")
    args = parser.parse_args()
    rows = {}
    for threads in args.threads:
        torch.set_num_threads(threads)
        steps = _players(args.worlds)
        spent: dict[str, list[float]] = {name: [] for name in steps}
        worked: dict[str, list[float]] = {name: [] for name in steps}
        for step in steps.values():
            step()
        until = perf_counter() + args.seconds * len(steps)
        while perf_counter() < until:
            for name, step in steps.items():
                for _ in range(_TURN if len(spent[name]) < 2 or name != _UNET else 2):
                    start, worked_before = perf_counter(), process_time()
                    step()
                    spent[name].append(perf_counter() - start)
                    worked[name].append(process_time() - worked_before)
        peer, peer_worked = median(spent[_UNET]), median(worked[_UNET])
        for name, times in spent.items():
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
    write_record(args.record, {"worlds": args.worlds, "rows": rows})


def _players(names: list[str]) -> dict[str, Callable[[], object]]:
    steps: dict[str, Callable[[], object]] = {}
    for name in names:
        world, opening = World.from_pretrained(name), load_openings(name)[0]
        action = np.zeros(world.action_size, np.float32)
        for number in (1, 2, 4):
            session = at_steps(world, number).open(opening, seed=0)
            steps[f"{world.name}, K = {number}"] = lambda s=session, a=action: s.step(a)
    size = World.from_pretrained(names[0]).action_size
    unet = DiamondUNet(size).eval()
    past, told = torch.zeros(1, 3 * DIAMOND_PAST, 64, 64), torch.zeros(1, DIAMOND_PAST * size)
    steps[_UNET] = lambda: unet.frame(past, told)
    tokens, led = torch.zeros(1, IrisSession.KEPT, 16, dtype=torch.long), torch.zeros(1, 8, size)
    iris = IrisSession(IrisTokenizer().eval(), IrisTransformer(size).eval(), tokens, led)
    steps["IRIS' transformer, 16 tokens"] = lambda: iris.frame(led[:, 0])
    return steps


if __name__ == "__main__":
    main()
