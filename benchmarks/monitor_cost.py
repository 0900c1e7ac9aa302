"""What does the monitor add to a forecast? Goal: under 5 % of its time.

    OMP_NUM_THREADS=1 python benchmarks/monitor_cost.py [--world small] [--rounds 10]

Each round forecasts one simulated clip (8 frames of context, 16 ahead, 4 futures) and measures, in
the same call, the processor time of what exists for the monitor alone: putting its evidence
together, which decodes the first future once, and judging it. Everything else (futures, scenes,
laws, trust) is there without a monitor. Medians over rounds, and the median of the shares, since
the machine does other things as well; processor time counts all threads of this process.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import wraps
from statistics import median
from time import process_time
from typing import Any

from record import write_record

from worldline.sim import FIRST_FAMILIES, Split, make_clip
from worldline.world import World, prediction


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="small")
    parser.add_argument("--rounds", type=int, default=10)
    args = parser.parse_args()
    world = World.from_pretrained(args.world)
    spent = [0.0]

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*positional: Any, **named: Any) -> Any:
            start = process_time()
            try:
                return function(*positional, **named)
            finally:
                spent[0] += process_time() - start

        return call

    prediction.gather = timed(prediction.gather)
    prediction.watch = timed(prediction.watch)
    whole, extra = [], []
    for number in range(args.rounds + 1):
        family = FIRST_FAMILIES[number % len(FIRST_FAMILIES)]
        clip = make_clip(family, number, seed=4, split=Split.HELD_OUT, size_px=world.size_px)
        spent[0], start = 0.0, process_time()
        world.predict(clip.slice(0, world.context))
        if number:  # the first call warms up
            whole.append(process_time() - start)
            extra.append(spent[0])
    without = [a - b for a, b in zip(whole, extra, strict=True)]
    share = median(b / a for a, b in zip(without, extra, strict=True))
    result = {
        "world": args.world,
        "rounds": args.rounds,
        "forecast_without_s": round(median(without), 4),
        "monitor_s": round(median(extra), 4),
        "share_of_forecast": round(share, 4),
        "goal": 0.05,
    }
    print(result)
    write_record("monitor_cost", result)


if __name__ == "__main__":
    main()
