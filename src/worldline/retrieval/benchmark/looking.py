"""The clips as the library sees them, and the truth beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import worldline.data
import worldline.physics
import worldline.readout
from worldline.core import Scene
from worldline.core.processes import spawn_pool
from worldline.physics import detect_events
from worldline.retrieval.benchmark.clips import ClipFile, source_digest
from worldline.retrieval.ingest import Seen, look_at
from worldline.retrieval.library import Library
from worldline.retrieval.store import ArrayStore

__all__ = ["Sight", "library_of", "look_at_clips"]

OnDone = Callable[[int, int], None]


@dataclass(frozen=True)
class Sight:
    """One clip.

    Attributes:
        file: where it is.
        seen: what the ordinary ingest makes of its pixels.
        truth: the true scene, with events.
    """

    file: ClipFile
    seen: Scene
    truth: Scene


def look_at_clips(
    files: Sequence[ClipFile], *, num_workers: int, on_done: OnDone | None = None
) -> list[Sight]:
    """Perceive every clip from its pixels, as ingest does; what was perceived by the same program
    before is taken from the folder `seen` beside the videos."""
    folder = files[0].video.parent.with_name(f"seen-{source_digest(_SOURCES)}")
    folder.mkdir(exist_ok=True)
    sights = []
    with spawn_pool(num_workers) as pool:
        for file, (seen, truth) in zip(
            files, pool.imap(partial(_look, folder=folder), files), strict=True
        ):
            sights.append(Sight(file, Scene.from_json(seen), Scene.from_json(truth)))
            if on_done is not None:
                on_done(len(sights), len(files))
    return sights


_SOURCES = [
    file
    for room in (worldline.data, worldline.physics, worldline.readout)
    for file in sorted(Path(str(room.__file__)).parent.rglob("*.py"))
]


def _look(file: ClipFile, *, folder: Path) -> tuple[dict, dict]:
    kept = folder / f"{file.name}.json"
    if kept.is_file():
        record = json.loads(kept.read_text())
        return record["seen"], record["truth"]
    looked = look_at(file.video)
    if looked.evidence != "pixels":
        raise RuntimeError(f"{file.video}: was not perceived from its pixels")
    truth = file.read_truth()
    truth = truth.with_events(detect_events(truth))
    record = {"seen": looked.scene.to_json(), "truth": truth.to_json()}
    partial_file = kept.with_suffix(".partial")
    partial_file.write_text(json.dumps(record))
    partial_file.replace(kept)
    return record["seen"], record["truth"]


def library_of(sights: Sequence[Sight], *, of_truth: bool = False) -> Library:
    """A library in memory, filled by the ordinary ingest with these clips."""
    scenes = {
        str(s.file.video): Seen(s.truth, "truth") if of_truth else Seen(s.seen, "pixels")
        for s in sights
    }
    library = Library(ArrayStore(), look=lambda path: scenes[str(path)])
    library.ingest([s.file.video for s in sights])
    return library
