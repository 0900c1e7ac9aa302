"""Does a world that looks on see what motion does not show, and add nothing where all is foreign?

    OMP_NUM_THREADS=1 python benchmarks/fusion.py [--size 64] [--size 192] [--footage VIDEO...]

Held-out clips of the families that the world learned from, at each size: tracks by motion alone,
by the world's latents alone (`World.perceive`), and fused as `perceive --world` does; by HOTA, IDF1
and what is detected. "moving" asks for bodies that go somewhere, "all" for all of them. Intervals
are of the difference fused minus motion, 95 %, clips drawn anew 400 times. VIDEOs are recordings,
to which nothing should be added. Seconds are processor time. A run may do a part: rows of the same
day stay.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from time import process_time

import numpy as np
import torch
from record import rows_of_today, write_record

from worldline.audit.tracks import TrackScore, compare_tracks, moves_away
from worldline.core import Clip, Scene
from worldline.data import iter_frames, probe
from worldline.readout import PixelReadout
from worldline.sim import FIRST_FAMILIES, Split, make_clips
from worldline.world import World
from worldline.world.onlooker import Onlooker

WAYS = ("motion", "latents", "fused")
CONFIG = PixelReadout.Config()


@dataclass(frozen=True)
class Sight:
    """One clip: scores by (way, which bodies), seconds by way, trust, bodies added."""

    family: str
    scores: dict[tuple[str, str], TrackScore]
    seconds: dict[str, float]
    trust: float
    num_added: int


def look(world: World, clip: Clip) -> Sight:
    truth = clip.scene
    assert truth is not None
    started = process_time()
    motion = read(zip(clip.time_s.tolist(), clip.frames, strict=True), clip)
    by_motion = process_time()
    latents = world.perceive(clip)
    by_latents = process_time()
    onlooker = Onlooker(world)
    list(onlooker.watch(zip(clip.time_s.tolist(), clip.frames, strict=True)))
    fused, told = onlooker.add_to(motion)
    ended = process_time()
    moving = moves_away(truth)
    scores = {
        (way, bodies): compare_tracks(scene, truth, counted=counted)
        for way, scene in zip(WAYS, (motion, latents, fused), strict=True)
        for bodies, counted in (("all", None), ("moving", moving))
    }
    seconds = {
        "motion": by_motion - started,
        "latents": by_latents - by_motion,
        "fused": by_motion - started + ended - by_latents,
    }
    added = fused.num_objects - motion.num_objects
    return Sight(clip.provenance.source, scores, seconds, told.trust, added)


def read(frames: object, clip: Clip) -> Scene:
    return CONFIG.build().read(frames, provenance=clip.provenance)  # type: ignore[arg-type]


def pool(sights: Sequence[Sight], way: str, bodies: str) -> TrackScore:
    return reduce(add, (sight.scores[way, bodies] for sight in sights))


def differences(sights: Sequence[Sight], bodies: str) -> dict[str, list[float]]:
    """Fused minus motion: the difference and its 95 % interval."""
    rng = np.random.default_rng(0)
    names = ("hota", "idf1", "detection_recall", "detection_precision")

    def differ(some: Sequence[Sight]) -> list[float]:
        fused, motion = (pool(some, way, bodies) for way in ("fused", "motion"))
        return [getattr(fused, name) - getattr(motion, name) for name in names]

    draws = [
        differ([sights[k] for k in rng.integers(0, len(sights), len(sights))]) for _ in range(400)
    ]
    low, high = np.percentile(np.array(draws), (2.5, 97.5), axis=0)
    middle = differ(sights)
    return {
        name: [round(float(v), 4) for v in values]
        for name, *values in zip(names, middle, low, high, strict=True)
    }


def measure(world: World, num_clips: int, seed: int, size_px: int) -> dict[str, object]:
    clips = make_clips(
        FIRST_FAMILIES,
        num_clips=num_clips,
        seed=seed,
        split=Split.HELD_OUT,
        size_px=size_px,
        events=False,
    )
    sights = [look(world, clip) for clip in clips]
    rows = {
        bodies: {way: pool(sights, way, bodies).to_json() for way in WAYS}
        | {"fused minus motion": differences(sights, bodies)}
        for bodies in ("all", "moving")
    }
    by_family = {
        family: {
            way: round(pool([s for s in sights if s.family == family], way, "all").hota, 3)
            for way in WAYS
        }
        for family in FIRST_FAMILIES
        if any(s.family == family for s in sights)
    }
    seconds = {way: round(float(np.mean([s.seconds[way] for s in sights])), 3) for way in WAYS}
    return {
        **rows,
        "hota_by_family": by_family,
        "clips": len(sights),
        "clips_trusted": sum(s.trust >= 0.8 for s in sights),
        "bodies_added": sum(s.num_added for s in sights),
        "seconds_a_clip": seconds,
    }


def look_at_recording(world: World, path: Path) -> dict[str, object]:
    info = probe(path)
    onlooker = Onlooker(world)
    started = process_time()
    scene = CONFIG.build().read(
        onlooker.watch(iter_frames(path, max_side_px=CONFIG.max_side_px)),
        provenance=info.provenance,
        full_size_px=(info.width_px, info.height_px),
    )
    by_motion = process_time()
    fused, told = onlooker.add_to(scene)
    return {
        "frames": scene.num_frames,
        "objects_by_motion": scene.num_objects,
        "objects_by_latents": 0 if told.scene is None else told.scene.num_objects,
        "trust": round(told.trust, 3),
        "bodies_added": fused.num_objects - scene.num_objects,
        "seconds": {
            "motion": round(by_motion - started, 1),
            "world": round(process_time() - by_motion, 1),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, action="append", default=[])
    parser.add_argument("--clips", type=int, default=65)
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument("--footage", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)
    world = World.from_pretrained("small")
    facts = {"world": "small", "seed": options.seed, "clips": options.clips}
    rows = rows_of_today("fusion", facts)
    for path in options.footage:
        rows[path.name] = look_at_recording(world, path)
        print(path.name, rows[path.name], flush=True)
    for size_px in options.size:
        rows[f"{size_px} px"] = measure(world, options.clips, options.seed, size_px)
        print(size_px, rows[f"{size_px} px"], flush=True)
    write_record("fusion", {**facts, "rows": rows})


if __name__ == "__main__":
    main()
