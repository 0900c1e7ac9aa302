"""Tracks beside true ones: detection and association, after HOTA (Luiten et al. 2021).

HOTA ("A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV, arXiv 2009.07736) is the
root of detection accuracy times association accuracy, averaged over the overlaps .05, .10, ..., .95
that a match may ask for. IDF1 (Ristani et al. 2016, arXiv 1609.01775) and identity switches (CLEAR
MOT, Bernardin and Stiefelhagen 2008) are taken at an overlap of one half.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment

from worldline.core.scene import Scene

__all__ = ["TrackScore", "compare_tracks", "moves_away"]

_OVERLAPS = np.arange(1, 20) / 20
_HALF = 9  # index of the overlap one half
_TRAVEL = 0.25  # of the root of the box area, and
_TRAVEL_PX = 2.0  # so many pixels, or a body counts as resting


def _zeros() -> Float[np.ndarray, " 19"]:
    return np.zeros(len(_OVERLAPS))


@dataclass(frozen=True, eq=False)
class TrackScore:
    """Counts over one or many videos; `a + b` is the score of both together.

    Attributes:
        hits, misses, alarms: `[19]` boxes by overlap: matched, true alone, found alone.
        association: `[19]` sum over hits of the association's accuracy.
        id_hits, num_true, num_found: boxes for IDF1.
        num_switches: times that a true object was matched by another track than before.
        num_true_tracks, num_tracks: objects.
    """

    hits: Float[np.ndarray, " 19"] = field(default_factory=_zeros)
    misses: Float[np.ndarray, " 19"] = field(default_factory=_zeros)
    alarms: Float[np.ndarray, " 19"] = field(default_factory=_zeros)
    association: Float[np.ndarray, " 19"] = field(default_factory=_zeros)
    id_hits: float = 0.0
    num_true: int = 0
    num_found: int = 0
    num_switches: int = 0
    num_true_tracks: int = 0
    num_tracks: int = 0

    def __add__(self, other: TrackScore) -> TrackScore:
        return TrackScore(
            **{name: getattr(self, name) + getattr(other, name) for name in vars(self)}
        )

    @property
    def detection_recall(self) -> float:
        """DetRe: share of true boxes that are found, averaged over overlaps."""
        return float(np.mean(self.hits / np.maximum(self.hits + self.misses, 1)))

    @property
    def detection_precision(self) -> float:
        """DetPr: share of found boxes that are true, averaged over overlaps."""
        return float(np.mean(self.hits / np.maximum(self.hits + self.alarms, 1)))

    @property
    def association_accuracy(self) -> float:
        """AssA: how well the boxes of an object stay in one track, averaged over overlaps."""
        return float(np.mean(self.association / np.maximum(self.hits, 1)))

    @property
    def hota(self) -> float:
        """Root of detection accuracy times association accuracy, averaged over overlaps."""
        detection = self.hits / np.maximum(self.hits + self.misses + self.alarms, 1)
        return float(np.mean(np.sqrt(detection * self.association / np.maximum(self.hits, 1))))

    @property
    def idf1(self) -> float:
        """Share of boxes with the right identity, one identity for each true object."""
        return float(2 * self.id_hits / max(self.num_true + self.num_found, 1))

    def to_json(self) -> dict[str, float]:
        """The measures and the plain counts."""
        shares = {
            "hota": self.hota,
            "detection_recall": self.detection_recall,
            "detection_precision": self.detection_precision,
            "association_accuracy": self.association_accuracy,
            "idf1": self.idf1,
        }
        counts = {
            name: getattr(self, name) for name in ("num_switches", "num_true_tracks", "num_tracks")
        }
        return {name: round(value, 4) for name, value in shares.items()} | counts


def moves_away(scene: Scene) -> Bool[np.ndarray, " n"]:
    """Objects whose box travels a quarter of its size and two pixels while it is seen."""
    moving = np.zeros(scene.num_objects, dtype=bool)
    for row in range(scene.num_objects):
        seen = scene.visible[row]
        if seen.any():
            size = np.median(scene.size_px[row, seen], axis=0)
            least = max(_TRAVEL_PX, _TRAVEL * float(np.sqrt(np.prod(size))))
            moving[row] = bool(np.ptp(scene.center_px[row, seen], axis=0).max() > least)
    return moving


def compare_tracks(
    found: Scene, truth: Scene, *, counted: Bool[np.ndarray, " n"] | None = None
) -> TrackScore:
    """Score the boxes that `found` calls visible against those of `truth`, frame by frame.

    Args:
        found: what was perceived, with the frames of `truth`.
        truth: from the simulator.
        counted: which true objects are asked for; found boxes that overlap one of the others by
            half count neither for nor against.

    Raises:
        ValueError: the scenes have different numbers of frames.
    """
    if found.num_frames != truth.num_frames:
        raise ValueError(
            f"scenes of {found.num_frames} and {truth.num_frames} frames cannot be compared"
        )
    asked = np.ones(truth.num_objects, dtype=bool) if counted is None else counted
    frames = []
    for t in range(truth.num_frames):
        rows, columns = (np.flatnonzero(s.visible[:, t]) for s in (truth, found))
        overlap = _overlaps(_boxes(truth, rows, t), _boxes(found, columns, t))
        spare = ~asked[rows]
        if spare.any() and len(columns):
            i, j = linear_sum_assignment(-overlap)
            drop = j[spare[i] & (overlap[i, j] >= _OVERLAPS[_HALF])]
            columns, overlap = np.delete(columns, drop), np.delete(overlap, drop, axis=1)
        frames.append((rows[~spare], columns, overlap[~spare]))
    return _score(frames, truth.num_objects, found.num_objects)


def _score(
    frames: list[tuple[Int[np.ndarray, " r"], Int[np.ndarray, " c"], Float[np.ndarray, "r c"]]],
    num_true: int,
    num_found: int,
) -> TrackScore:
    shared = np.zeros((num_true, num_found))
    common = np.zeros((num_true, num_found))  # frames in which they overlap by half
    true_count, found_count = np.zeros(num_true), np.zeros(num_found)
    for rows, columns, overlap in frames:
        true_count[rows] += 1
        found_count[columns] += 1
        either = overlap.sum(0)[None] + overlap.sum(1)[:, None] - overlap
        shared[np.ix_(rows, columns)] += overlap / np.maximum(either, 1e-9)
        common[np.ix_(rows, columns)] += overlap >= _OVERLAPS[_HALF]
    total = true_count[:, None] + found_count[None]
    aligned = shared / np.maximum(total - shared, 1e-9)
    matched = np.zeros((len(_OVERLAPS), num_true, num_found))
    last = np.full(num_true, -1)
    num_switches = 0
    for rows, columns, overlap in frames:
        i, j = linear_sum_assignment(-aligned[np.ix_(rows, columns)] * overlap)
        good = overlap[i, j][None] >= _OVERLAPS[:, None] - 1e-9
        matched[:, rows[i], columns[j]] += good
        for a, b in zip(rows[i[good[_HALF]]], columns[j[good[_HALF]]], strict=True):
            num_switches += int(last[a] not in (-1, b))
            last[a] = b
    hits = matched.sum((1, 2))
    accuracy = matched / np.maximum(total[None] - matched, 1e-9)
    i, j = linear_sum_assignment(-common)
    return TrackScore(
        hits=hits,
        misses=true_count.sum() - hits,
        alarms=found_count.sum() - hits,
        association=(matched * accuracy).sum((1, 2)),
        id_hits=float(common[i, j].sum()),
        num_true=int(true_count.sum()),
        num_found=int(found_count.sum()),
        num_switches=num_switches,
        num_true_tracks=int((true_count > 0).sum()),
        num_tracks=int((found_count > 0).sum()),
    )


def _boxes(scene: Scene, rows: Int[np.ndarray, " r"], t: int) -> Float[np.ndarray, "r 4"]:
    center, half = scene.center_px[rows, t], scene.size_px[rows, t] / 2
    return np.concatenate([center - half, center + half], axis=1)


def _overlaps(a: Float[np.ndarray, "r 4"], b: Float[np.ndarray, "c 4"]) -> Float[np.ndarray, "r c"]:
    """Intersection over union of boxes."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inside = np.prod(np.maximum(high - low, 0.0), axis=-1)
    areas = [np.prod(np.maximum(box[:, 2:] - box[:, :2], 0.0), axis=1) for box in (a, b)]
    return inside / np.maximum(areas[0][:, None] + areas[1][None] - inside, 1e-9)
