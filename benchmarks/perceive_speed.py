"""How much faster than the video is perceiving 480p at 25 frames/s? Goal: 5 times, on two cores.

    OMP_NUM_THREADS=1 python benchmarks/perceive_speed.py [--footage FOLDER] [--rounds 3]
        [--seconds 20] [--record perceive_speed]

Three videos of 854x480 pixels at 25 frames/s, 20 s each or as long as is asked for: a drawn street
(a textured ground, camera noise, eight discs that cross it) and the demo's two videos, scaled and
repeated: a person who walks past a fixed camera, and street scenes with a cut every two seconds and
a moving camera, which is hard. FOLDER holds the two as `tools/fetch_footage.py` puts them there;
without it they are fetched.

Rows: one video as `worldline perceive` reads it (shots in processes of their own, whose start
counts), and the same video in two processes at once, together, each of which searches in threads.
"decode" is decoding alone, to the size of the search, in one process. Wall times count what else
the machine does; processor times are over all threads and processes. Medians over rounds; "stages"
are shares of processor time, each measured alone, in one process, on frames that are decoded.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import cv2
import numpy as np
from record import write_record

if TYPE_CHECKING:  # each process that is started imports what stands here
    from worldline.readout import PixelReadoutConfig
    from worldline.readout.shot import MovingRegions

WIDTH, HEIGHT, FPS, NUM_DISCS = 854, 480, 25, 8
ROOT = Path(__file__).parents[1]


def draw_street(seconds: float) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    coarse = rng.uniform(60, 190, (HEIGHT // 12, WIDTH // 12, 3))
    street = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    start = rng.uniform((0, 60), (WIDTH, HEIGHT - 60), (NUM_DISCS, 2))
    step = rng.uniform(2, 7, NUM_DISCS) * rng.choice([-1, 1], NUM_DISCS)
    colors = rng.uniform(0, 255, (NUM_DISCS, 3))
    grain = rng.normal(0, 3, (HEIGHT + 64, WIDTH + 64, 1))
    for k in range(round(seconds * FPS)):
        image = street.copy()
        for (x, y), dx, color in zip(start, step, colors, strict=True):
            center = round((x + dx * k) % (WIDTH + 60) - 30), round(y)
            cv2.circle(image, center, 22, color.tolist(), cv2.FILLED, cv2.LINE_AA)
        oy, ox = rng.integers(0, 64, 2)
        image += grain[oy : oy + HEIGHT, ox : ox + WIDTH]
        yield np.clip(image, 0, 255).astype(np.uint8)


def scale_footage(path: Path, num_frames: int) -> Iterator[np.ndarray]:
    """The middle of the picture at 854x480, from the start again when it ends."""
    from worldline.data import iter_frames

    k = 0
    while True:
        for _, frame in iter_frames(path):
            height, width = frame.shape[:2]
            zoom = max(WIDTH / width, HEIGHT / height)
            size = round(width * zoom), round(height * zoom)
            how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
            image = cv2.resize(frame, size, interpolation=how)
            y, x = (size[1] - HEIGHT) // 2, (size[0] - WIDTH) // 2
            yield np.ascontiguousarray(image[y : y + HEIGHT, x : x + WIDTH])
            k += 1
            if k == num_frames:
                return


def settings() -> PixelReadoutConfig:
    from worldline.readout import PixelReadout

    return PixelReadout.Config()


def frames_of(path: Path) -> Iterator[tuple[float, np.ndarray]]:
    from worldline.data import iter_frames

    return iter_frames(path, max_side_px=settings().max_side_px)


def perceive(path: Path) -> int:
    """As `worldline perceive` does it: in processes where they pay, and in a pool's in threads."""
    from worldline.data import probe
    from worldline.readout import workers_for

    info = probe(path)
    workers = workers_for(info.num_frames_hint)
    readout = settings().build()
    scene = readout.read(frames_of(path), provenance=info.provenance, num_workers=workers)
    return scene.num_objects


def measure(action: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time in seconds, that of processes which end meanwhile included."""
    wall, cpu = perf_counter(), sum(os.times()[:4])
    action()
    return perf_counter() - wall, sum(os.times()[:4]) - cpu


def time_stages(path: Path) -> dict[str, float]:
    """Processor time per frame in milliseconds."""
    from worldline.core import Provenance
    from worldline.readout.motion import MotionDetector
    from worldline.readout.tracker import RegionTracker

    frames = list(frames_of(path))
    config = settings()
    detector = MotionDetector(
        max_side_px=config.max_side_px, buffer_s=config.buffer_s, absorb_s=config.absorb_s
    )
    found: list[MovingRegions] = []
    _, detect_s = measure(lambda: found.extend(detector.detect(iter(frames))))
    tracker = RegionTracker(max_gap_frames=15, measurement_std_px=1.0)

    def follow() -> None:
        for moment in found:
            if moment.new_shot:
                tracker.end_shot()
            tracker.update(moment)

    _, track_s = measure(follow)
    _, all_s = measure(lambda: config.build().read(iter(frames), provenance=Provenance()))
    _, decode_s = measure(lambda: sum(1 for _ in frames_of(path)))
    parts = {
        "decode": decode_s,
        "motion": detect_s,
        "track": track_s,
        "paths, contacts, events": max(0.0, all_s - detect_s - track_s),
    }
    return {name: round(1e3 * part / len(frames), 2) for name, part in parts.items()}


def measure_file(path: Path, rounds: int) -> dict[str, object]:
    num = sum(1 for _ in frames_of(path))  # warms the file cache, too
    decode, alone, together = [], [], []
    objects = perceive(path)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(perceive, [path, path])
        for _ in range(rounds):
            decode.append(measure(lambda: sum(1 for _ in frames_of(path))))
            alone.append(measure(lambda: perceive(path)))
            together.append(measure(lambda: pool.map(perceive, [path, path], chunksize=1)))
    wall_s = median(wall for wall, _ in alone)
    cpu_s = median(cpu for _, cpu in alone)
    both_s = median(wall for wall, _ in together)
    decode_s = median(wall for wall, _ in decode)
    stages = time_stages(path)
    whole = sum(stages.values())
    return {
        "frames": num,
        "objects": objects,
        "decode_frames_per_s": round(num / decode_s, 1),
        "frames_per_s": round(num / wall_s, 1),
        "times_real_time": round(num / wall_s / FPS, 2),
        "frames_per_s_range": [
            round(num / pick(wall for wall, _ in alone), 1) for pick in (max, min)
        ],
        "frames_per_cpu_s": round(num / cpu_s, 1),
        "two_processes_frames_per_s": round(2 * num / both_s, 1),
        "wall_over_decoding": round(wall_s / decode_s, 2),
        "cpu_over_decoding": round(cpu_s / median(cpu for _, cpu in decode), 2),
        "stages_ms_per_frame": stages,
        "stage_shares": {name: round(part / whole, 3) for name, part in stages.items()},
    }


def main() -> None:
    from worldline.core import Origin, Provenance
    from worldline.data import write_video

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--footage", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--record", default="perceive_speed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.footage or Path(scratch)
        if arguments.footage is None:
            subprocess.run([sys.executable, ROOT / "tools/fetch_footage.py", folder], check=True)
        num = FPS * arguments.seconds
        made = {
            "street drawn": (draw_street(arguments.seconds), Origin.SIMULATED),
            "person walking": (scale_footage(folder / "demo.mp4", num), Origin.RECORDED),
            "street with cuts": (scale_footage(folder / "bikes.mp4", num), Origin.RECORDED),
        }
        rows = {}
        for name, (frames, origin) in made.items():
            path = Path(scratch) / f"{name}.mp4"
            write_video(path, frames, fps=FPS, provenance=Provenance(origin, source=name))
            rows[name] = measure_file(path, arguments.rounds)
            print(name, json.dumps(rows[name], indent=1), flush=True)
    facts = {"size": [WIDTH, HEIGHT], "fps": FPS, "rounds": arguments.rounds}
    write_record(arguments.record, {**facts, "seconds": arguments.seconds, "rows": rows})


if __name__ == "__main__":
    main()
