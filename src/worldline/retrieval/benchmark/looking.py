"""The clips as the library sees them, and the truth beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType

import worldline.data
import worldline.physics
import worldline.readout
from worldline.core import Scene
from worldline.core.processes import spread_in_order
from worldline.data import iter_frames
from worldline.physics import detect_contacts, detect_events
from worldline.retrieval.benchmark.clips import ClipFile, source_digest
from worldline.retrieval.ingest import Seen, look_at
from worldline.retrieval.library import Library
from worldline.retrieval.spotting.keep import FrameKeep, Kept
from worldline.retrieval.spotting.spots import Spots, spot
from worldline.retrieval.store import ArrayStore

__all__ = ["Sight", "keep_frames", "library_of", "look_at_clips", "spot_clips"]

NOTHING = Spots((), ())
"""No spotter has looked."""

OnDone = Callable[[int, int], None]


@dataclass(frozen=True)
class Sight:
    """One clip.

    Attributes:
        file: where it is.
        seen: what the ordinary ingest makes of its pixels.
        truth: the true scene, with events.
        spots: what the spotter thinks of the pixels.
    """

    file: ClipFile
    seen: Scene
    truth: Scene
    spots: Spots = NOTHING


def look_at_clips(
    files: Sequence[ClipFile], *, num_workers: int, on_done: OnDone | None = None
) -> list[Sight]:
    """Perceive every clip from its pixels, as ingest does.

    What was perceived by the same program before is taken from folders beside the videos: one
    holds tracks, one what the definitions of events make of them.
    """
    place = files[0].video.parent
    tracks = place.with_name(f"tracks-{source_digest(_TRACK_SOURCES)}")
    seen = place.with_name(f"seen-{source_digest(_TRACK_SOURCES + _EVENT_SOURCES)}")
    for folder in (tracks, seen):
        folder.mkdir(exist_ok=True)
    sights = []
    look = partial(_look, tracks=tracks, kept=seen)
    looked = spread_in_order(look, files, num_workers=num_workers)
    for file, (scene, truth) in zip(files, looked, strict=True):
        sights.append(Sight(file, Scene.from_json(scene), Scene.from_json(truth)))
        if on_done is not None:
            on_done(len(sights), len(files))
    return sights


def spot_clips(
    sights: Sequence[Sight], *, num_workers: int, on_done: OnDone | None = None
) -> list[Sight]:
    """The same clips, with what the bundled spotter thinks of them."""
    spotted = []
    found = spread_in_order(_spot, sights, num_workers=num_workers)
    for sight, spots in zip(sights, found, strict=True):
        spotted.append(replace(sight, spots=spots))
        if on_done is not None:
            on_done(len(spotted), len(sights))
    return spotted


def _spot(sight: Sight) -> Spots:
    return spot(sight.seen, keep_frames(sight.file))


def keep_frames(file: ClipFile) -> Kept:
    """What ingest keeps of a clip's frames."""
    keep = FrameKeep()
    for _ in keep.pass_on(iter_frames(file.video)):
        pass
    return keep.kept


def _sources(*rooms: ModuleType) -> list[Path]:
    files = [sorted(Path(str(room.__file__)).parent.rglob("*.py")) for room in rooms]
    return [file for own in files for file in own]


_TRACK_SOURCES = _sources(worldline.data, worldline.readout)
_EVENT_SOURCES = _sources(worldline.physics)


def _look(file: ClipFile, *, tracks: Path, kept: Path) -> tuple[dict, dict]:
    known = kept / f"{file.name}.json"
    if known.is_file():
        record = json.loads(known.read_text())
        return record["seen"], record["truth"]
    path = tracks / known.name
    if path.is_file():
        # the last thing that perception does, done again: contacts and events are read anew
        scene = replace(Scene.from_json(json.loads(path.read_text())), contacts=(), events=())
        scene = replace(scene, contacts=detect_contacts(scene))
        scene = scene.with_events(detect_events(scene))
    else:
        looked = look_at(file.video)
        if looked.evidence != "pixels":
            raise RuntimeError(f"{file.video}: was not perceived from its pixels")
        scene = looked.scene
        _write(path, scene.to_json())
    truth = file.read_truth()
    truth = truth.with_events(detect_events(truth))
    record = {"seen": scene.to_json(), "truth": truth.to_json()}
    _write(known, record)
    return record["seen"], record["truth"]


def _write(path: Path, record: dict) -> None:
    partial_file = path.with_suffix(".partial")
    partial_file.write_text(json.dumps(record))
    partial_file.replace(path)


def library_of(sights: Sequence[Sight], *, of_truth: bool = False) -> Library:
    """A library in memory, filled by the ordinary ingest with these clips."""
    scenes = {
        str(s.file.video): Seen(s.truth, "truth")
        if of_truth
        else Seen(s.seen, "pixels", spots=s.spots)
        for s in sights
    }
    library = Library(ArrayStore(), look=lambda path: scenes[str(path)])
    report = library.ingest([s.file.video for s in sights])
    if failed := [result.error for result in report.results if result.error]:
        raise RuntimeError(f"{len(failed)} clips could not be ingested: {failed[0]}")
    return library
