"""A library of the footage and of simulated clips, asked for what happens in them."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from worldline.core import Clip, InputError, Origin, Scene
from worldline.data import read_clip, write_video
from worldline.readout import draw_world_lines
from worldline.report.facts import Film, HitFacts, SearchFacts
from worldline.report.media import encode_film
from worldline.report.stopwatch import Stopwatch
from worldline.report.viewing import Viewing
from worldline.retrieval import Hit, Library
from worldline.retrieval.ingest import hash_content

__all__ = ["QUERIES", "ask", "build_library", "pick", "simulate_clips"]

QUERIES = (
    "something falls from a height",
    "near-miss",
    "a collision but no bounce",
)

_MOST_HITS = 100
_SHOWN_HITS = 4
_MARGIN_S = 0.4
_FILM_PX = 320
_SMALL_PX = 256
_FILM_FPS = 15.0


def simulate_clips(clips: Iterable[Clip], folder: Path, *, seed: int) -> dict[Path, Scene]:
    """Write simulated clips as mp4, each with its true scene beside it.

    Returns:
        file to scene.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[Path, Scene] = {}
    for index, clip in enumerate(clips):
        assert clip.scene is not None  # the simulator knows the truth
        path = folder / f"{clip.provenance.source}-{seed}-{index:04d}.mp4"
        write_video(path, clip.frames, time_s=clip.time_s, provenance=clip.provenance)
        text = json.dumps(clip.scene.to_json(), allow_nan=False)
        path.with_suffix(".scene.json").write_text(text + "\n", encoding="utf-8")
        written[path.absolute()] = clip.scene
    return written


def build_library(
    uri: Path, viewings: Sequence[Viewing], simulated: Iterable[Path]
) -> tuple[Library, dict[str, int]]:
    """Bring footage and simulated clips into a library; what an earlier run left there goes.

    Returns:
        the library, and its number of videos by origin.

    Raises:
        InputError: a simulated clip could not be read back.
    """
    library = Library.open(uri)
    report = library.ingest(simulated)
    if failed := [result.error for result in report.results if result.error]:
        raise InputError(f"{uri}: {failed[0]}")
    wanted = {result.source for result in report.results}
    for viewing in viewings:
        source = str(viewing.path.absolute())
        # What was seen may differ from an earlier run's though the file is the same.
        library.remove(source)
        library.add(viewing.scene, uri=source, content_hash=hash_content(viewing.path))
        wanted.add(source)
    for video in library.videos():
        if video["uri"] not in wanted:
            library.remove(video["uri"])
    origins = Counter(v.footage.provenance.origin for v in viewings)
    origins[Origin.SIMULATED] += len(report.results)
    return library, {str(origin): number for origin, number in origins.items() if number}


def ask(library: Library, query: str, scenes: dict[str, Scene], *, watch: Stopwatch) -> SearchFacts:
    """Ask a question, and make the best answers playable.

    Args:
        library: to search.
        query: in words.
        scenes: absolute file name to scene, for drawing.
    """
    with watch.stage("Search"):
        began_s = time.perf_counter()
        result = library.search(query, limit=_MOST_HITS)
        seconds = time.perf_counter() - began_s
    with watch.stage("Draw"):
        families = {
            uri: scene.provenance.source
            for uri, scene in scenes.items()
            if scene.provenance.origin is Origin.SIMULATED
        }
        shown = pick(result.hits, families)
        hits = tuple(_show(hit, rank, scenes.get(hit.source)) for rank, hit in shown)
    return SearchFacts(
        query=query,
        plan=result.plan.to_json(),
        hits=hits,
        num_found=len(result.hits),
        seconds=seconds,
    )


def pick(hits: Sequence[Hit], kinds: Mapping[str, str]) -> list[tuple[int, Hit]]:
    """(rank, hit) of those worth showing, in order of rank.

    The best of each video; of videos of the same kind (the simulator's family) one before any has
    a second; and the best recorded one in any case, so that simulated clips do not hide what was
    found in footage.

    Args:
        hits: best first.
        kinds: kind of each video by its source; a video without one is of its own kind.
    """
    best: dict[str, tuple[int, Hit]] = {}
    for rank, hit in enumerate(hits, start=1):
        best.setdefault(hit.source, (rank, hit))
    seen = Counter[str]()
    turns: list[tuple[int, int, Hit]] = []
    for rank, hit in best.values():
        kind = kinds.get(hit.source, hit.source)
        turns.append((seen[kind], rank, hit))
        seen[kind] += 1
    turns.sort(key=lambda turn: turn[:2])
    shown = [(rank, hit) for _, rank, hit in turns[:_SHOWN_HITS]]
    recorded = [item for item in best.values() if not item[1].synthetic]
    if recorded and not any(not hit.synthetic for _, hit in shown):
        shown[-1] = recorded[0]
    return sorted(shown, key=lambda item: item[0])


def _show(hit: Hit, rank: int, scene: Scene | None) -> HitFacts:
    return HitFacts(
        source=Path(hit.source).name.encode("utf-8", "replace").decode("utf-8"),
        start_s=hit.start_s,
        end_s=hit.end_s,
        rank=rank,
        score=hit.score,
        why=hit.why,
        synthetic=hit.synthetic,
        film=_cut_out(hit, scene),
    )


def _cut_out(hit: Hit, scene: Scene | None) -> Film | None:
    """The passage with a little around it, world lines drawn where they are known."""
    start_s = max(0.0, hit.start_s - _MARGIN_S)
    try:
        clip = read_clip(
            hit.source, start_s=start_s, end_s=hit.end_s + _MARGIN_S, max_side_px=_FILM_PX
        )
    except InputError:
        return None
    every = max(1, round(clip.fps / _FILM_FPS))
    zoom = max(1, _SMALL_PX // max(clip.size_px))
    frames, times_s = clip.frames[::every], clip.time_s[::every]
    frames = frames.repeat(zoom, axis=1).repeat(zoom, axis=2)
    if scene is not None:
        nearest = [int(np.argmin(np.abs(scene.time_s - t))) for t in times_s]
        frames = [
            draw_world_lines(frame, scene, k) for frame, k in zip(frames, nearest, strict=True)
        ]
    return encode_film(
        frames,
        times_s,
        alt=f"{Path(hit.source).name} from {start_s:.2f} s",
        provenance=replace(clip.provenance, details=(*clip.provenance.details, ("shown", "hit"))),
        poster=int(np.argmin(np.abs(times_s - (hit.start_s + hit.end_s) / 2))),
    )
