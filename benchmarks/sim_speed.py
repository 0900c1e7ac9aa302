"""Claim: the ray-cast camera renders at least 1,000 frames/s a core at 64x64 with shadows.

    OMP_NUM_THREADS=1 python benchmarks/sim_speed.py [--clips 10] [--families cloth soft]

Times are processor times of one process, so that other work on the machine counts little. "camera"
is rendering alone (four colour samples and one depth sample a pixel, shadows, background); "clip"
is all of `make_clip`: draw, simulate, frame, render and write down the truth; "events" adds the
names of what happens. The families are the first thirteen, so that results stay comparable; others
that are named go into a record of their own, `sim_speed_NAMES.json`.
"""

from __future__ import annotations

import argparse
from time import process_time

from record import write_record

from worldline.sim import FAMILIES, FIRST_FAMILIES, Split, make_clip
from worldline.sim.camera import shoot
from worldline.sim.engine import simulate
from worldline.sim.families.flat import DISC_RANGES
from worldline.sim.framing import Shot, frame_action
from worldline.sim.splits import seed_of


def camera_rate(family: str, num_clips: int, size_px: int = 64) -> float:
    seconds, frames = 0.0, 0
    for index in range(num_clips + 1):
        rng = seed_of(family, Split.TRAIN, 0, index)
        stage = FAMILIES[family].stage(Split.TRAIN, rng)  # type: ignore[attr-defined]
        rollout = simulate(stage)
        camera = frame_action(stage, rollout, Shot(size_px))
        start = process_time()
        film = shoot(stage, rollout, camera)
        if index:  # the first one warms up
            seconds += process_time() - start
            frames += len(film.frames)
    return frames / seconds


def clip_rate(family: str, num_clips: int, *, events: bool) -> float:
    seconds, frames = 0.0, 0
    for index in range(num_clips + 1):
        start = process_time()
        clip = make_clip(family, index, seed=0, events=events)
        if index:
            seconds += process_time() - start
            frames += clip.num_frames
    return frames / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=10)
    parser.add_argument("--families", nargs="+", default=FIRST_FAMILIES, choices=list(FAMILIES))
    options = parser.parse_args()
    num_clips, families = options.clips, tuple(options.families)
    rows = {}
    for family in families:
        solid = FAMILIES[family].ranges is not DISC_RANGES
        rows[family] = {
            "camera_fps": round(camera_rate(family, num_clips)) if solid else None,
            "clip_fps": round(clip_rate(family, num_clips, events=False)),
            "clip_with_events_fps": round(clip_rate(family, num_clips, events=True)),
        }
        print(f"{family:15}", *(f"{key} {value}" for key, value in rows[family].items()))
    rates = [row["camera_fps"] for row in rows.values() if row["camera_fps"]]
    mean = len(rates) / sum(1 / rate for rate in rates)
    print(f"camera, all families together: {mean:.0f} frames/s a core")
    facts = {
        "clips_per_family": num_clips,
        "camera_fps_all_families": round(mean),
        "families": rows,
    }
    name = "sim_speed" if families == FIRST_FAMILIES else "_".join(["sim_speed", *families])
    write_record(name, facts)


if __name__ == "__main__":
    main()
