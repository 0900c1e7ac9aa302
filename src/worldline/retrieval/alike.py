"""Segments that move like those of another video: candidates by one vector, then all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

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
"""Nearest stored vectors per vector of the other video, and segments that are compared in full."""

_KEY = ["uri", "segment", "kind", "tracks"]
"""Rows of one segment lie together when they are sorted by these."""


@dataclass(frozen=True)
class Asked:
    """Motion to find again: vectors by segment, each as it is and in a mirror.

    Attributes:
        name: what to call the video.
        views: groups of vectors that were seen together.
    """

    name: str
    views: tuple[tuple[MotionVector, ...], ...]


@dataclass(frozen=True, eq=False)
class Alike:
    """A stored segment that moves like an asked one.

    Attributes:
        uri: of the video.
        start_s, end_s: interval of what matched.
        similarity: in [-1, 1].
        view: what was asked.
        rows: the segment's stored vectors, as an Arrow table.
        partners: for each vector of `view` the row that it matched, -1 for none.
    """

    uri: str
    start_s: float
    end_s: float
    similarity: float
    view: tuple[MotionVector, ...]
    rows: Any
    partners: Int[np.ndarray, " a"]

    def pairs(self) -> tuple[Mapping[str, Any], ...]:
        """Which asked tracks matched which stored ones, how well, and with which weight."""
        rows = self.rows.to_pylist()
        looked = any(row["kind"] == Kind.COURSE for row in rows)
        total = sum(m.weight for m in self.view if looked or m.kind is not Kind.COURSE) or 1.0
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
            for motion, at in zip(self.view, self.partners.tolist(), strict=True)
            if at >= 0
        ]
        # what bears on the result most comes first
        return tuple(sorted(pairs, key=lambda pair: -pair["share"] * max(pair["similarity"], 0.0)))


def ask(scene: Scene, moments: Moments | None, course: Course | None, name: str) -> Asked:
    """What to look for.

    Raises:
        InputError: nothing is known to move.
    """
    groups: dict[tuple[bool, int], list[MotionVector]] = {}
    for mirrored, vectors in enumerate(describe_both(scene, moments, course)):
        for motion in vectors:
            groups.setdefault((bool(mirrored), motion.segment), []).append(motion)
    if not groups:
        raise InputError(
            f"{name}: nothing is seen to move in it ({scene.num_frames} frames, "
            f"{scene.duration_s:.2f} s), so there is no motion to search for"
        )
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
    near = _nearest(store, asked)
    here = IsIn("uri", tuple(sorted({uri for uri, _ in near})))
    videos = store.read(VIDEOS, here, ["uri", "ingest_id"])
    current = {row["uri"]: row["ingest_id"] for row in sorted(videos, key=_by_ingest)}
    rows = store.columns(MOTIONS, here, [*_KEY, "ingest_id", "start_s", "end_s", "vector"])
    keys = list(zip(*(rows[name].to_pylist() for name in _KEY), strict=True))
    owners = rows["ingest_id"].to_pylist()
    kept = [
        at
        for at, (key, owner) in enumerate(zip(keys, owners, strict=True))
        if key[:2] in near and owner == current.get(key[0])
    ]
    kept.sort(key=lambda at: keys[at])
    return _compare_each(asked, [keys[at][:2] for at in kept], rows.take(kept))


def _nearest(store: Store, asked: Asked) -> set[tuple[str, int]]:
    """Segments whose nearest vectors promise most: similarities that were not seen count as 0."""
    promise: dict[tuple[str, int], float] = {}
    for view in asked.views:
        seen: dict[tuple[str, int], float] = {}
        for motion in view:
            best: dict[tuple[str, int], float] = {}
            near = store.nearest(MOTIONS, motion.vector, limit=_CANDIDATES, columns=_KEY[:2])
            for row in near:
                best.setdefault((row["uri"], row["segment"]), motion.weight * row["similarity"])
            for key, value in best.items():
                seen[key] = seen.get(key, 0.0) + value
        total = max(sum(motion.weight for motion in view), 1e-9)
        for key, value in seen.items():
            promise[key] = max(promise.get(key, -1.0), value / total)
    return set(sorted(promise, key=lambda key: (-promise[key], key))[:_CANDIDATES])


def _by_ingest(row: Mapping[str, Any]) -> str:
    return row["ingest_id"]


def _compare_each(asked: Asked, keys: Sequence[tuple[str, int]], rows: Any) -> list[Alike]:
    """Every segment with the view that it is most like; `rows` lie segment by segment."""
    if not keys:
        return []
    rows = rows.combine_chunks()
    first = np.array([at for at, key in enumerate(keys) if at == 0 or key != keys[at - 1]])
    size = np.diff(first, append=len(keys))
    vectors = rows["vector"].combine_chunks()
    stored = vectors.flatten().to_numpy().reshape(len(keys), -1).astype(np.float64)
    kinds = rows["kind"].to_pylist()
    found = [compare_all(view, kinds, first, stored) for view in asked.views]
    best = np.argmax([score for score, _ in found], axis=0)
    starts, ends = rows["start_s"].to_numpy(), rows["end_s"].to_numpy()
    alike = []
    for number, at in enumerate(first.tolist()):
        score, partners = (part[number] for part in found[best[number]])
        matched = partners[partners >= 0] if (partners >= 0).any() else [at]
        alike.append(
            Alike(
                uri=keys[at][0],
                start_s=float(starts[matched].min()),
                end_s=float(ends[matched].max()),
                similarity=float(score),
                view=asked.views[best[number]],
                rows=rows.slice(at, int(size[number])),
                partners=np.where(partners >= 0, partners - at, -1),
            )
        )
    return alike
