"""Segments that move like those of another video: candidates by one vector, then all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from worldline.core.errors import InputError
from worldline.core.scene import Scene
from worldline.retrieval.motions import Kind, MotionVector, compare_all, describe_both
from worldline.retrieval.motions.moments import Moments
from worldline.retrieval.schema import MOTIONS, VIDEOS
from worldline.retrieval.spotting.course import Course
from worldline.retrieval.store import Store
from worldline.retrieval.where import IsIn

__all__ = ["Alike", "Asked", "ask", "find_alike"]

_CANDIDATES = 2048
"""Nearest stored vectors per vector of the other video whose segments are then compared in full."""

_COLUMNS = ["uri", "ingest_id", "segment", "start_s", "end_s", "kind", "tracks", "vector"]


@dataclass(frozen=True)
class Asked:
    """Motion to find again: vectors by segment, each as it is and in a mirror.

    Attributes:
        name: what to call the video.
        views: groups of vectors that were seen together.
    """

    name: str
    views: tuple[tuple[MotionVector, ...], ...]


@dataclass(frozen=True)
class Alike:
    """A stored segment that moves like an asked one.

    Attributes:
        uri: of the video.
        start_s, end_s: interval of what matched.
        similarity: in [-1, 1].
        pairs: which asked tracks matched which stored ones, how well, and with which weight.
    """

    uri: str
    start_s: float
    end_s: float
    similarity: float
    pairs: tuple[Mapping[str, Any], ...]


def ask(scene: Scene, moments: Moments | None, course: Course | None, name: str) -> Asked:
    """What to look for.

    Raises:
        InputError: nothing moves.
    """
    groups: dict[tuple[bool, int], list[MotionVector]] = {}
    for mirrored, vectors in enumerate(describe_both(scene, moments, course)):
        for motion in vectors:
            groups.setdefault((bool(mirrored), motion.segment), []).append(motion)
    if not groups:
        raise InputError(f"{name}: nothing moves in it, so there is no motion to search for")
    return Asked(name, tuple(tuple(group) for group in groups.values()))


def find_alike(store: Store, asked: Asked) -> list[Alike]:
    """All candidates, each segment once, in no particular order.

    Raises:
        InputError: the library's vectors were made by an older version.
    """
    if stale := store.read(VIDEOS, IsIn("definitions", ("",)), ["uri"]):
        raise InputError(
            f"the library knows how things move in {len(stale)} of its videos by an older version "
            f"only, among them {stale[0]['uri']}; run `worldline ingest` on these videos again"
        )
    near: set[tuple[str, int]] = set()
    for motion in (motion for view in asked.views for motion in view):
        rows = store.nearest(MOTIONS, motion.vector, limit=_CANDIDATES, columns=["uri", "segment"])
        near.update((row["uri"], row["segment"]) for row in rows)
    here = IsIn("uri", tuple(sorted({uri for uri, _ in near})))
    videos = store.read(VIDEOS, here, ["uri", "ingest_id"])
    current = {row["uri"]: row["ingest_id"] for row in sorted(videos, key=_by_ingest)}
    segments: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in store.read(MOTIONS, here, _COLUMNS):
        key = row["uri"], row["segment"]
        if key in near and row["ingest_id"] == current.get(row["uri"]):
            segments.setdefault(key, []).append(row)
    return _compare_each(asked, segments)


def _by_ingest(row: Mapping[str, Any]) -> str:
    return row["ingest_id"]


def _compare_each(
    asked: Asked, segments: Mapping[tuple[str, int], list[dict[str, Any]]]
) -> list[Alike]:
    if not segments:
        return []
    for rows in segments.values():
        rows.sort(key=lambda row: (row["kind"], row["tracks"]))
    every = [row for rows in segments.values() for row in rows]
    first = np.cumsum([0, *(len(rows) for rows in segments.values())])[:-1]
    stored = np.array([row["vector"] for row in every], dtype=np.float64)
    kinds = [row["kind"] for row in every]
    found = [compare_all(view, kinds, first, stored) for view in asked.views]
    best = np.argmax([score for score, _ in found], axis=0)
    told = []
    for number, ((uri, _), rows) in enumerate(segments.items()):
        score, partners = (part[number] for part in found[best[number]])
        own = [int(at) - int(first[number]) if at >= 0 else -1 for at in partners]
        told.append(_tell(uri, rows, asked.views[best[number]], float(score), own))
    return told


def _tell(
    uri: str,
    rows: Sequence[Mapping[str, Any]],
    view: Sequence[MotionVector],
    score: float,
    partners: Sequence[int],
) -> Alike:
    """A segment with what matched in it; `partners` are rows of it, -1 for none."""
    kinds = [row["kind"] for row in rows]
    looked = Kind.COURSE in kinds
    total = sum(m.weight for m in view if looked or m.kind is not Kind.COURSE) or 1.0
    pairs = [
        {
            "kind": str(motion.kind),
            "query_tracks": list(motion.tracks),
            "tracks": list(rows[at]["tracks"]),
            "similarity": float(motion.vector @ np.asarray(rows[at]["vector"])),
            "share": motion.weight / total,
            "start_s": rows[at]["start_s"],
            "end_s": rows[at]["end_s"],
        }
        for motion, at in zip(view, partners, strict=True)
        if at >= 0
    ]
    # what bears on the result most comes first
    pairs.sort(key=lambda pair: -pair["share"] * max(pair["similarity"], 0.0))
    spans = pairs or [{"start_s": rows[0]["start_s"], "end_s": rows[0]["end_s"]}]
    start_s, end_s = min(p["start_s"] for p in spans), max(p["end_s"] for p in spans)
    return Alike(uri, start_s, end_s, score, tuple(pairs))
