"""How many falls and collisions are reported on footage that has none? The goal: 0 an hour.

    OMP_NUM_THREADS=1 python benchmarks/real_footage.py VIDEO...

Give videos in which nothing falls, is thrown, topples or collides: all these are false alarms.
The demo's two videos are such ones (`python tools/fetch_footage.py FOLDER`). Objects are counted as
they are found; how many there are is for a person to say.
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
