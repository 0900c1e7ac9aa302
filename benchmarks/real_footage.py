"""How many falls, collisions and other alarms are reported on real footage? The goal: 0 an hour.

    OMP_NUM_THREADS=1 python benchmarks/real_footage.py VIDEO...

Give videos in which nothing is thrown, bounces, topples or collides: all these are false alarms.
The demo's two videos are such ones (`python tools/fetch_footage.py FOLDER`), but for one true fall:
a person leaps off a roof in demo.mp4. What one person counted stands beside (`BY_EYE`).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from record import write_record

from worldline.data import iter_frames, probe
from worldline.readout import PixelReadout

ALARMS = ("fall", "throw", "topple", "collapse", "collide", "bounce", "near_miss", "break")

BY_EYE = {
    # Moving things in overlays every 0.5 s (demo), 1 s (bikes, box-in-hand) or 2 s (the others),
    # and what the tracks seen there are: a thing, a part of one, several at once, or nothing that
    # moves.
    "demo.mp4": {"things": 2, "tracks": {"thing": 3, "part": 13, "nothing": 3}, "falls": 1},
    "bikes.mp4": {"things": 8, "tracks": {"thing": 1, "part": 4}},
    "bottles.mp4": {"things": 4, "tracks": {"thing": 6, "part": 1, "nothing": 4}},
    "box-in-hand.mp4": {"things": 4, "tracks": {"thing": 3, "part": 16}},
    # Vehicles of the near half; those of the queue far away are too small to be counted.
    "traffic.mp4": {"things": 46, "tracks": {"thing": 41, "several": 4, "not in samples": 16}},
}
"""Declared, not measured: one reader, the readout of 2026-11-29. Doubtful tracks are parts."""


def look(path: Path) -> dict[str, object]:
    info = probe(path)
    config = PixelReadout.Config()
    scene = config.build().read(
        iter_frames(path, max_side_px=config.max_side_px),
        provenance=info.provenance,
        full_size_px=(info.width_px, info.height_px),
    )
    events = Counter(event.type for event in scene.events)
    return {
        "video_s": round(info.duration_s, 1),
        "objects": scene.num_objects,
        "alarms": {name: events[name] for name in ALARMS if events[name]},
        "by_eye": BY_EYE.get(path.name),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", type=Path, nargs="+")
    rows = {path.name: look(path) for path in parser.parse_args().videos}
    hours = sum(float(str(row["video_s"])) for row in rows.values()) / 3600
    total: Counter[str] = Counter()
    for row in rows.values():
        total.update(row["alarms"])  # type: ignore[arg-type]
    per_hour = {name: round(total[name] / hours, 1) for name in ALARMS}
    facts = {"videos": rows, "hours": round(hours, 4), "alarms": total, "alarms_per_hour": per_hour}
    print(json.dumps(facts, indent=1))
    write_record("real_footage", facts)


if __name__ == "__main__":
    main()
