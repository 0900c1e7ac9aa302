"""How fast does ingest read video, and where does the time go?

    OMP_NUM_THREADS=1 python benchmarks/ingest_speed.py [--videos 8] [--seconds 6] [--repeats 3]

Draws videos of 640x360 pixels at 25 frames/s (a textured street, camera noise, eight discs that
cross it), and brings them into a new library with one and with two workers, in turn with decoding
alone: medians of `--repeats`. The shares of the stages are processor time of one worker in this
process: hashing, decoding (as much as decoding alone takes), looking (motion, tracks, contacts and
events), describing (rows and motion descriptors), and writing to the library. Wall times of workers
hold their start, about a second each.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
from perceive_speed import draw_street
from record import write_record

from worldline.core import Origin, Provenance
from worldline.data import iter_frames, write_video
from worldline.retrieval import Library
from worldline.retrieval.commit import commit
from worldline.retrieval.examine import make_rows
from worldline.retrieval.ingest import hash_content, look_at
from worldline.retrieval.lance import LanceStore

FPS = 25


def timed(action: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = perf_counter(), process_time()
    action()
    return perf_counter() - wall, process_time() - cpu


def decode_all(videos: list[Path]) -> None:
    for video in videos:
        for _ in iter_frames(video):
            pass


def stages(videos: list[Path], place: Path) -> dict[str, float]:
    """Processor seconds of each stage, one worker."""
    store, seen, rows = LanceStore(str(place)), [], []
    with store.writing(lambda dead_after_s: None):
        pass
    spent = {"hash": timed(lambda: [hash_content(video) for video in videos])[1]}
    spent["decode"] = timed(lambda: decode_all(videos))[1]
    looking = timed(lambda: seen.extend(look_at(video) for video in videos))[1]
    spent["look"] = max(0.0, looking - spent["decode"])
    spent["describe"] = timed(
        lambda: rows.extend(make_rows(s, str(v), "1") for s, v in zip(seen, videos, strict=True))
    )[1]
    spent["write"] = timed(lambda: commit(store, rows))[1]
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    wall: dict[str, list[float]] = {"decode": [], "1 worker": [], "2 workers": []}
    with tempfile.TemporaryDirectory() as scratch:
        made = Provenance(Origin.SIMULATED, source="benchmark street")
        videos = [Path(scratch) / f"{number}.mp4" for number in range(arguments.videos)]
        for number, video in enumerate(videos):
            frames = (
                np.roll(frame[:360, :640], 11 * number, axis=1)
                for frame in draw_street(arguments.seconds)
            )
            write_video(video, frames, fps=FPS, provenance=made)
        num_frames = arguments.videos * round(arguments.seconds * FPS)
        for repeat in range(arguments.repeats):
            wall["decode"].append(timed(lambda: decode_all(videos))[0])
            for num_workers in (1, 2):
                library = Library.open(Path(scratch) / f"{repeat}-{num_workers}")

                def ingest(library=library, num_workers=num_workers) -> None:
                    report = library.ingest(videos, num_workers=num_workers)
                    assert report.to_json()["added"] == len(videos)

                name = f"{num_workers} worker{'s' * (num_workers > 1)}"
                wall[name].append(timed(ingest)[0])
        spent = stages(videos, Path(scratch) / "stages")
    rates = {name: round(num_frames / median(times), 1) for name, times in wall.items()}
    total = sum(spent.values())
    facts = {
        "videos": arguments.videos,
        "frames": num_frames,
        "repeats": arguments.repeats,
        "frames_per_s": rates,
        "times_decoding": {
            name: round(rates["decode"] / rates[name], 1) for name in rates if name != "decode"
        },
        "cpu_s": {name: round(seconds, 2) for name, seconds in spent.items()},
        "share": {name: round(seconds / total, 3) for name, seconds in spent.items()},
    }
    print(json.dumps(facts, indent=1))
    write_record("ingest_speed", facts)


if __name__ == "__main__":
    main()
