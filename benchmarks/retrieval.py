"""How well the library finds what physically happens, beside baselines: `worldline eval retrieval`.

`python benchmarks/retrieval.py` makes the clips, perceives them, asks all questions of the test
part and keeps the answer with commit and machine. `--calibrate` first learns the probabilities of
events anew from the development part, and writes them into the package.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from record import write_record

from worldline.retrieval.benchmark import Settings, run_benchmark


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path(".cache/eval"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--calibrate", action="store_true")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    settings = Settings(given.cache, num_workers=given.workers, calibrate=given.calibrate)
    last = [""]

    def say(stage: str, _: float) -> None:
        if stage != last[0]:
            last[0] = stage
            print(stage, flush=True)

    answer = run_benchmark(settings, say)
    for name, row in answer["systems"].items():
        print(name, row.get("missing") or (row["mean_average_precision"], row["interval"]))
    print("reliability", answer["reliability"])
    write_record("retrieval", answer)


if __name__ == "__main__":
    main()
