"""How much faster than the video is perceiving 480p at 25 frames/s? The goal: 5 times, on one core.

Not reached: the recorded run, on a busy machine, gave 2.4 times.

    OMP_NUM_THREADS=1 python benchmarks/perceive_speed.py [--video FILE] [--seconds 20]

Without a file it draws its own: a textured street of 854x480 pixels, camera noise, eight discs that
cross it. "decode" is decoding alone, "perceive" is decoding, tracking, contacts and events. Times
are processor times over all threads (other work on the machine counts little) and wall times.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time

import cv2
import numpy as np
from record import write_record

from worldline.core import Origin, Provenance
from worldline.data import iter_frames, probe, write_video
from worldline.readout import PixelReadout

WIDTH, HEIGHT, FPS, NUM_DISCS = 854, 480, 25, 8


def draw_street(seconds: float) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    coarse = rng.uniform(60, 190, (HEIGHT // 12, WIDTH // 12, 3))
    street = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    start = rng.uniform((0, 60), (WIDTH, HEIGHT - 60), (NUM_DISCS, 2))
    step = rng.uniform(2, 6, NUM_DISCS) * rng.choice([-1, 1], NUM_DISCS)
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


def measure(action: Callable[[], object]) -> dict[str, float]:
    wall, cpu = perf_counter(), process_time()
    action()
    return {"cpu_s": round(process_time() - cpu, 2), "wall_s": round(perf_counter() - wall, 2)}


def measure_file(path: Path) -> dict[str, object]:
    info = probe(path)
    readout = PixelReadout.Config().build()
    decode = measure(lambda: [None for _ in iter_frames(path)])
    found: list[int] = []

    def perceive() -> None:
        found.append(readout.read(iter_frames(path), provenance=info.provenance).num_objects)

    perceived = measure(perceive)
    return {
        "size": [info.width_px, info.height_px],
        "fps": round(info.fps, 2),
        "video_s": round(info.duration_s, 2),
        "objects": found[0],
        "decode": decode,
        "perceive": perceived,
        "times_real_time_one_core": round(info.duration_s / perceived["cpu_s"], 1),
        "times_real_time_wall": round(info.duration_s / perceived["wall_s"], 1),
        "cost_over_decoding": round(perceived["cpu_s"] / max(decode["cpu_s"], 1e-9), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    if arguments.video is not None:
        print(json.dumps(measure_file(arguments.video), indent=1))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "street.mp4"
        made = Provenance(Origin.SIMULATED, source="benchmark street")
        write_video(path, draw_street(arguments.seconds), fps=FPS, provenance=made)
        row = measure_file(path)
    print(json.dumps(row, indent=1))
    write_record("perceive_speed", row)


if __name__ == "__main__":
    main()
