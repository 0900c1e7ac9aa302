"""What the server has done in other processes: functions of plain values that give plain values."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from worldline.core.errors import InputError, MediaError
from worldline.core.scene import Scene
from worldline.serve.roots import MediaRoots
from worldline.serve.workshop import end_with_parent

__all__ = [
    "MOST_EVENTS",
    "describe_library",
    "draw_clip",
    "draw_still",
    "find_video",
    "forget_video",
    "ingest_files",
    "list_videos",
    "look_at_video",
    "prepare_drawing",
    "prepare_search",
    "search_library",
    "video_id",
]

_libraries: dict[str, Any] = {}
"""Open libraries of this process; one that was not there yet is looked for again."""

_scenes: dict[tuple[str, int, int, float, float], Any] = {}
_MOST_SCENES = 8

MOST_EVENTS = 20
"""Most events that one clip explains."""

_JOB_NICENESS = 5


def video_id(uri: str) -> str:
    """Short name of a video in addresses; tells nothing of where it is."""
    return hashlib.sha256(uri.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def prepare_search() -> None:
    """Import what the first search would have to wait for."""
    import lancedb  # noqa: F401

    import worldline.retrieval  # noqa: F401


def prepare_drawing() -> None:
    """Import what the first picture would have to wait for."""
    import worldline.data
    import worldline.readout.overlay  # noqa: F401


def _open(uri: str) -> Any:
    from worldline.retrieval import Library

    library = _libraries.get(uri)
    if library is None or not library.store.exists:
        _libraries[uri] = library = Library.open(uri)
    return library


def describe_library(uri: str) -> dict[str, Any]:
    """How many videos and events there are, by origin; all zero where no library is yet."""
    from worldline.physics import ONTOLOGY

    videos = _open(uri).videos()
    origins: dict[str, int] = {}
    for video in videos:
        origins[video["origin"]] = origins.get(video["origin"], 0) + 1
    return {
        "num_videos": len(videos),
        "num_events": sum(video["num_events"] for video in videos),
        "duration_s": float(sum(video["duration_s"] for video in videos)),
        "origins": origins,
        "event_types": sorted(ONTOLOGY),
    }


def list_videos(uri: str, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
    """Number of videos, and the records of some, by URI."""
    videos = _open(uri).videos()
    return len(videos), [_with_id(video) for video in videos[offset : offset + limit]]


def find_video(uri: str, name: str) -> dict[str, Any] | None:
    """A video's record with its events, by its id or its URI; None where there is none."""
    from worldline.retrieval.evidence import Evidence, StoredEvent
    from worldline.retrieval.schema import EVENTS, VIDEOS
    from worldline.retrieval.where import AllOf, IsIn

    store = _open(uri).store
    known = [r["uri"] for r in store.read(VIDEOS, columns=["uri"])]
    source = next((u for u in known if name in (u, video_id(u))), None)
    if source is None:
        return None
    rows = store.read(VIDEOS, IsIn("uri", (source,)))
    if not rows:  # forgotten this moment
        return None
    video = max(rows, key=lambda row: row["ingest_id"])
    where = AllOf((IsIn("uri", (source,)), IsIn("ingest_id", (video["ingest_id"],))))
    events = sorted(store.read(EVENTS, where), key=lambda row: row["number"])
    told = [Evidence(StoredEvent(row)).to_json() for row in events]
    return {**_with_id(video), "events": told}


def forget_video(uri: str, source: str) -> bool:
    """Remove a video from the library. Returns whether it was there."""
    return _open(uri).remove(source)


def _with_id(video: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": video_id(video["uri"]), **video}


def search_library(
    uri: str, query: str | Mapping[str, Any], limit: int, like: Scene | None, like_name: str
) -> dict[str, Any]:
    """What `worldline search --json` answers, each hit with the id of its video."""
    try:
        result = _open(uri).search(query, limit=limit, like=like)
    except InputError as error:
        said = str(error).replace("the given scene", like_name) if like is not None else str(error)
        raise type(error)(said) if not isinstance(error, MediaError) else InputError(said) from None
    if like is not None:
        result = replace(result, plan=replace(result.plan, like=like_name))
    answer = result.to_json()
    for hit in answer["hits"]:
        hit["video"] = video_id(hit["source"])
    return answer


def look_at_video(path: str, max_s: float) -> Scene:
    """What moves in a video.

    Raises:
        MediaError: it cannot be used, or is longer than `max_s`.
    """
    from worldline.data import probe
    from worldline.retrieval.ingest import look_at

    duration_s = probe(path).duration_s
    if duration_s > max_s:
        raise MediaError(path, f"lasts {duration_s:.4g} s; give a video of at most {max_s:g} s")
    return look_at(Path(path)).scene


def draw_clip(
    source: str, start_s: float, end_s: float, events: Sequence[Mapping[str, Any]], target: str
) -> None:
    """Write the clip of a hit."""
    _overlay(source, start_s, end_s, events).write_clip(Path(target))


def draw_still(
    source: str,
    start_s: float,
    end_s: float,
    events: Sequence[Mapping[str, Any]],
    at_s: float | None,
    target: str,
) -> None:
    """Write the picture of a hit."""
    Path(target).write_bytes(_overlay(source, start_s, end_s, events).draw_still(at_s))


def _overlay(source: str, start_s: float, end_s: float, events: Sequence[Mapping[str, Any]]) -> Any:
    """The overlay of a hit; what moves there is kept, as a picture and a clip are asked in turn."""
    from worldline.retrieval.overlay import open_overlay

    try:
        state = Path(source).stat()
    except OSError as error:
        raise MediaError(source, f"cannot be read ({error.strerror})") from None
    numbers = hash(tuple(event["number"] for event in events))
    key = (source, state.st_mtime_ns, numbers, start_s, end_s)
    if key not in _scenes:
        while len(_scenes) >= _MOST_SCENES:
            del _scenes[next(iter(_scenes))]
        _scenes[key] = open_overlay(source, start_s, end_s, events)
    return _scenes[key]


def ingest_files(pipe: Connection, paths: tuple[str, ...], uri: str, roots: MediaRoots) -> None:
    """Bring videos into the library, in a process of its own; tells of each file by the pipe.

    Sends `("file", done, total, result)` for each, then `("done",)`, or `("failed", reason)`.
    """
    end_with_parent(pipe)
    os.nice(_JOB_NICENESS)
    try:
        _ingest(pipe, paths, uri, roots)
    except InputError as error:
        pipe.send(("failed", str(error)))
    else:
        pipe.send(("done",))


def _ingest(pipe: Connection, paths: tuple[str, ...], uri: str, roots: MediaRoots) -> None:
    from worldline.retrieval import IngestResult, Status
    from worldline.retrieval.ingest import find_videos, truth_file

    inside: list[Path] = []
    outside: list[IngestResult] = []
    for found in find_videos(paths):
        if isinstance(found, IngestResult):
            outside.append(found)
        elif roots.holds(found) and roots.holds(truth_file(found)):
            inside.append(found)
        else:
            reason = str(MediaError(found, "leads out of the media folders"))
            outside.append(IngestResult(str(found), Status.FAILED, error=reason))
    total = len(outside) + len(inside)
    for number, result in enumerate(outside, start=1):
        pipe.send(("file", number, total, result.to_json()))

    def report(done: int, _: int, result: IngestResult) -> None:
        pipe.send(("file", len(outside) + done, total, result.to_json()))

    _open(uri).ingest(inside, on_progress=report)
