"""Where in a scene there is most to forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from worldline.core import Scene

__all__ = ["Moment", "choose_moment"]

_MIN_SEEN = 0.8
_ROOM = 2.2  # side of the square, in units of what has to fit in


@dataclass(frozen=True)
class Moment:
    """A stretch of a video, and a square of its picture.

    Attributes:
        start_s, end_s: stretch, from the first context frame to the last one forecast.
        square_px: (x, y, side) in pixels of the scene.
        reason: why this one, in a sentence.
    """

    start_s: float
    end_s: float
    square_px: tuple[int, int, int]
    reason: str


def choose_moment(scene: Scene, *, length_s: float, cuts_s: Sequence[float] = ()) -> Moment | None:
    """The stretch of `length_s` without a cut in which one object moves most.

    Motion counts by the way covered times the object's size, so that a speck does not win. Where
    nothing is followed for so long, it is the middle of the longest shot, and the picture's middle.

    Returns:
        None if no shot is long enough.
    """
    if scene.num_frames < 2:
        return None
    end_s = float(scene.time_s[-1])
    edges = [float(scene.time_s[0]), *(c for c in cuts_s if c < end_s), end_s]
    # A shot ends one frame before the next one's first frame.
    step_s = float(np.median(np.diff(scene.time_s)))
    shots = [(a, b if b == end_s else b - step_s) for a, b in pairwise(edges)]
    shots = [(a, b) for a, b in shots if b - a >= length_s]
    if not shots:
        return None
    best: tuple[float, int, float] | None = None
    for start_s in scene.time_s.tolist():
        if not any(a <= start_s and start_s + length_s <= b for a, b in shots):
            continue
        for row, score in enumerate(_scores(scene, start_s, start_s + length_s)):
            if score > 0 and (best is None or score > best[0]):
                best = score, row, start_s
    if best is None:
        a, b = max(shots, key=lambda shot: shot[1] - shot[0])
        start_s = (a + b - length_s) / 2
        return Moment(
            start_s,
            start_s + length_s,
            _middle(scene),
            "No object was followed for long enough, so this is the middle of the longest shot.",
        )
    _, row, start_s = best
    return Moment(
        start_s,
        start_s + length_s,
        _around(scene, row, start_s, start_s + length_s),
        f"Most motion is here: {scene.labels[row]} {int(scene.ids[row])} is followed.",
    )


def _scores(scene: Scene, start_s: float, end_s: float) -> np.ndarray:
    inside = (scene.time_s >= start_s) & (scene.time_s <= end_s)
    seen = scene.visible[:, inside]
    scores = np.zeros(scene.num_objects)
    for row in np.flatnonzero(seen.mean(axis=1) >= _MIN_SEEN):
        place = scene.center_px[row, inside][seen[row]]
        size = scene.size_px[row, inside][seen[row]]
        way = float(np.linalg.norm(place[-1] - place[0]))
        scores[row] = way * float(np.sqrt(np.mean(size.prod(axis=1))))
    return scores


def _around(scene: Scene, row: int, start_s: float, end_s: float) -> tuple[int, int, int]:
    inside = (scene.time_s >= start_s) & (scene.time_s <= end_s) & scene.visible[row]
    place, half = scene.center_px[row, inside], scene.size_px[row, inside] / 2
    low, high = (place - half).min(axis=0), (place + half).max(axis=0)
    short = min(scene.width_px, scene.height_px)
    side = int(np.clip(max(0.4 * short, _ROOM * float((high - low).max()) / 2), 8, short))
    side = max(side, min(short, int(np.ceil((high - low).max()))))
    x, y = np.round((low + high) / 2 - side / 2).astype(int).tolist()
    x = min(max(x, 0), scene.width_px - side)
    y = min(max(y, 0), scene.height_px - side)
    return x, y, side


def _middle(scene: Scene) -> tuple[int, int, int]:
    side = min(scene.width_px, scene.height_px)
    return (scene.width_px - side) // 2, (scene.height_px - side) // 2, side
