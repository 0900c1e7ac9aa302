"""Motion vectors of a scene, by the bundled network, and how two groups of them compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from worldline.core.config import Config
from worldline.core.scene import Scene
from worldline.retrieval.bundled import name_of_weights, open_network
from worldline.retrieval.motions.moments import Moments
from worldline.retrieval.motions.tracks import MAX_TRACKS, pack_segment
from worldline.retrieval.motions.windows import Window, cut_windows
from worldline.retrieval.spotting.course import COURSE_S, Course
from worldline.retrieval.spotting.spots import course_vector

__all__ = [
    "NUM_FEATURES",
    "Kind",
    "MotionVector",
    "compare",
    "compare_all",
    "describe",
    "describe_both",
    "embedding_name",
    "load_network",
]

NUM_FEATURES = 64
"""Length of a vector."""

COURSE_WEIGHT = 0.75
"""How much a course counts, where all motion in the picture counts 1: what did best on 120 motions
other than those that numbers are reported of."""

BUNDLED = Path(__file__).parent / "pretrained"
_BATCH = 64


class Kind(StrEnum):
    """What a vector is of; only vectors of one kind compare."""

    FIELD = "field"
    """All motion in the picture, whoever moves."""

    BODY = "body"
    """One track."""

    PAIR = "pair"
    """Two tracks that come near each other: how they move against each other."""

    COURSE = "course"
    """What happens when, by the spotter, whoever it happens to."""


@dataclass(frozen=True, eq=False)
class MotionVector:
    """One vector of one segment.

    Attributes:
        segment: number of the window in the video.
        start_s, end_s: first and last moment in which its tracks are seen there.
        kind: what it is of.
        tracks: object ids: all, one or two.
        vector: unit length.
        weight: how much it counts where it is asked for.
    """

    segment: int
    start_s: float
    end_s: float
    kind: Kind
    tracks: tuple[int, ...]
    vector: Float[np.ndarray, " f"]
    weight: float


@cache
def embedding_name(folder: Path = BUNDLED) -> str:
    """Version of the vectors: other weights, other name.

    Raises:
        ArtifactError: there are no weights.
    """
    return name_of_weights("motions", folder)


@cache
def load_network(folder: Path = BUNDLED) -> Any:
    """The trained `MotionNetwork`.

    Raises:
        ArtifactError: it is missing, damaged, or of another version.
    """
    from worldline.retrieval.motions.network import MotionNetworkConfig

    def fits(config: Config) -> bool:
        return isinstance(config, MotionNetworkConfig) and config.dim == NUM_FEATURES

    return open_network(folder, fits, f"a motion embedding of {NUM_FEATURES} numbers")


def describe(
    scene: Scene,
    moments: Moments | None = None,
    course: Course | None = None,
    *,
    network: Any = None,
) -> list[MotionVector]:
    """Vectors of everything that moves, segment by segment; none where nothing moves.

    Args:
        scene: with tracks.
        moments: of all motion in the picture, where they were measured; else boxes tell.
        course: what happens when, where the spotter looked.
        network: a `MotionNetwork`; the bundled one by default.
    """
    return _describe(scene, moments, course, network, mirrored=False)


def describe_both(
    scene: Scene,
    moments: Moments | None = None,
    course: Course | None = None,
    *,
    network: Any = None,
) -> tuple[list[MotionVector], list[MotionVector]]:
    """The vectors of `describe`, and those of the same seen in a mirror: the same physics."""
    return (
        _describe(scene, moments, course, network, mirrored=False),
        _describe(scene, moments, course, network, mirrored=True),
    )


def _describe(
    scene: Scene,
    moments: Moments | None,
    course: Course | None,
    network: Any,
    *,
    mirrored: bool,
) -> list[MotionVector]:
    windows = list(cut_windows(scene, moments))
    if not windows:
        return []  # and torch is not even loaded
    import torch

    from worldline.retrieval.motions.features import Tracks, align_moments, measure, mirror, sum_up

    network = load_network() if network is None else network
    found: list[MotionVector] = []
    for first in range(0, len(windows), _BATCH):
        part = windows[first : first + _BATCH]
        packed = [pack_segment(window.segment) for window in part]
        box, seen = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*packed, strict=True))
        tracks = Tracks(box[..., :2], box[..., 2:], seen)
        if moments is None:
            field = sum_up(tracks)
        else:
            field = torch.from_numpy(np.stack([window.moments for window in part])).float()
        if mirrored:
            tracks, field = mirror(tracks, field)
        with torch.inference_mode():
            features = measure(tracks, align_moments(field))
            vectors = network(features)
        table = vectors.vector.double().numpy()
        there, weight = vectors.present.numpy(), vectors.weight.double().numpy()
        members = features.members.numpy()
        for row, window in enumerate(part):
            if course is not None:
                found += _of_course(course, window)
            for column in np.flatnonzero(there[row]).tolist():
                kind, tracks_of, start_s, end_s = _place(window, column, members[row])
                found.append(
                    MotionVector(
                        segment=window.number,
                        start_s=start_s,
                        end_s=end_s,
                        kind=kind,
                        tracks=tracks_of,
                        vector=table[row, column],
                        weight=float(weight[row, column]),
                    )
                )
    return found


def _of_course(course: Course, window: Window) -> list[MotionVector]:
    # a mirror changes nothing in it
    vector = course_vector(course, window.start_s)
    if vector is None:
        return []
    span = window.start_s, min(window.end_s, window.start_s + COURSE_S)
    return [MotionVector(window.number, *span, Kind.COURSE, (), vector, COURSE_WEIGHT)]


def _place(
    window: Window, column: int, members: np.ndarray
) -> tuple[Kind, tuple[int, ...], float, float]:
    """Kind, tracks and interval of a column of the network's answer."""
    segment = window.segment
    if column == 0 or segment is None:
        tracks = () if segment is None else tuple(segment.track.tolist())
        return Kind.FIELD, tracks, window.start_s, window.end_s
    if column <= MAX_TRACKS:
        kind, rows = Kind.BODY, [column - 1]
    else:
        kind, rows = Kind.PAIR, members[column - 1 - MAX_TRACKS].tolist()
    start_s, end_s = float(segment.start_s[rows].min()), float(segment.end_s[rows].max())
    return kind, tuple(int(segment.track[row]) for row in rows), start_s, end_s


def compare(
    asked: Sequence[MotionVector], kinds: Sequence[str], stored: Float[np.ndarray, "n f"]
) -> tuple[float, tuple[int, ...]]:
    """Late interaction: how similar a stored segment is to an asked one, exactly.

    Weighted mean over the asked vectors of the best match among the stored ones of the same kind; 0
    where there is none, because trackers lose things; but where the spotter has not looked, courses
    do not count. Sum of maximal similarities, Khattab and
    Zaharia, "ColBERT", SIGIR 2020, eq. 3, with weights.

    Args:
        asked: vectors of one segment, at least one.
        kinds: of the stored vectors.
        stored: vectors of one segment.

    Returns:
        similarity in [-1, 1], and for each asked vector the row that it matched, -1 for none.
    """
    score, rows = compare_all(asked, kinds, np.zeros(1, dtype=np.int64), stored)
    return float(score[0]), tuple(rows[0].tolist())


def compare_all(
    asked: Sequence[MotionVector],
    kinds: Sequence[str],
    first: Int[np.ndarray, " s"],
    stored: Float[np.ndarray, "n f"],
) -> tuple[Float[np.ndarray, " s"], Int[np.ndarray, "s a"]]:
    """`compare` with many stored segments at once.

    Args:
        asked: vectors of one segment, at least one.
        kinds: of the stored vectors.
        first: of each segment the number of its first stored vector, rising; none is empty.
        stored: vectors, segment by segment.

    Returns:
        similarity of each segment, and for each asked vector the row that it matched, -1 for none.
    """
    num = len(stored)
    of = np.repeat(np.arange(len(first)), np.diff(first, append=num))
    known = np.array([str(kind) for kind in kinds])
    looked = np.logical_or.reduceat(known == Kind.COURSE, first)
    table = np.stack([motion.vector for motion in asked]) @ stored.T
    total, weights = np.zeros(len(first)), np.zeros(len(first))
    rows = np.full((len(first), len(asked)), -1)
    for column, motion in enumerate(asked):
        same = known == motion.kind
        value = np.where(same, table[column], -np.inf)
        best = np.maximum.reduceat(value, first)
        at = np.minimum.reduceat(np.where(same & (value == best[of]), np.arange(num), num), first)
        there = at < num
        rows[there, column] = at[there]
        weight = motion.weight * (looked | (motion.kind is not Kind.COURSE))
        total += np.where(there, best, 0.0) * weight
        weights += weight
    return np.clip(total / np.maximum(weights, 1e-9), -1.0, 1.0), rows
