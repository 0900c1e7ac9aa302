"""Things that are followed, as rows of arrays: where each is expected, and which box is which."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = ["Pursuit"]

_NEW_REACH = 2.5  # how far a thing of unknown velocity may come in a frame, in its own sizes
_REACH = 0.8  # the same beyond the prediction, once the velocity is known
_MISS_REACH = 0.2  # more for each frame that it was not seen,
_MISS_SPEED = 1.0  # and this share of its way in these frames
_DECAY = 0.97  # a frame, of the size and speed that are remembered
_COLOR_WEIGHT = 1.2
_WHOLE = 0.8  # of the remembered length: less is a piece of the object
_MAX_AHEAD = 25  # frames for which the place of the whole object is believed
_LIMIT = 1.0  # of distances
_LEAST_VARIANCE = 1e-12
_PATIENCE = 1  # frames that a thing seen once is waited for


class Pursuit:
    """Follows boxes from frame to frame, the camera's shift taken out of them.

    Each side of a box has a Kalman filter of constant velocity; all sides of a box are always
    measured together, and share their variances. Boxes go to the things that are nearest, the
    nearest pair first (the way of norfair's tracker), and first to things that were seen twice.
    What is not seen is waited for, the longer the more often it was seen.

    Attributes:
        keys: `[n]` numbers of the things that are followed, in order of appearance.
        at: `[n, 4]` left, top, right, bottom by the filters, now, and
        step: `[n, 4]` by how much they move in a frame.
        variance: `[n]` of a side's place, pixels squared.
        color: `[n, 3]` last mean RGB.
        is_known: `[n]` seen twice or more.
    """

    def __init__(self, *, max_gap_frames: int, measurement_std_px: float) -> None:
        self._most_hits = max(2, max_gap_frames)
        self._noise = measurement_std_px**2
        self._num_begun = 0
        self.keys: Int[np.ndarray, " n"] = np.zeros(0, np.int64)
        self.at: Float[np.ndarray, "n 4"] = np.zeros((0, 4))
        self.step: Float[np.ndarray, "n 4"] = np.zeros((0, 4))
        self.variance: Float[np.ndarray, " n"] = np.zeros(0)
        self.color: Float[np.ndarray, "n 3"] = np.zeros((0, 3))
        self.is_known: Bool[np.ndarray, " n"] = np.zeros(0, bool)
        self._both = np.zeros(0)  # covariance of place and velocity
        self._velocity = np.zeros(0)  # variance of the velocity
        self._hits = np.zeros(0, np.int64)  # frames that it is still waited for
        self._age = np.zeros(0, np.int64)
        self._seen_age = np.zeros(0, np.int64)
        self._box = np.zeros((0, 4))  # the last one
        # Length (root of the box area) and speed, both kept up while it is partly hidden.
        self._length, self._speed = np.zeros(0), np.zeros(0)
        # The last box in which all of it was seen, the frame, and how its sides then moved.
        self._whole, self._whole_step = np.zeros((0, 4)), np.zeros((0, 4))
        self._whole_index = np.zeros(0, np.int64)

    def whole_at(self, index: int, rows: Int[np.ndarray, " k"]) -> Float[np.ndarray, "k 4"]:
        """Where all of some things would be in a later frame."""
        ahead = np.minimum(index - self._whole_index[rows], _MAX_AHEAD)
        return self._whole[rows] + self._whole_step[rows] * ahead[:, None]

    def active(self) -> Int[np.ndarray, " k"]:
        """Rows of the things that are known and still waited for."""
        return np.flatnonzero(self.is_known & (self._hits >= 0))

    def update(
        self, index: int, boxes: Float[np.ndarray, "b 4"], colors: Float[np.ndarray, "b 3"]
    ) -> Int[np.ndarray, " b"]:
        """Take the boxes of the next frame; gives the row of the thing that each one is."""
        self._keep(self._hits >= 0)
        self._hits -= 1
        self._age += 1
        self.at += self.step
        row_of = np.full(len(boxes), -1)
        areas = _areas(boxes)
        for rows in (np.flatnonzero(self.is_known), np.flatnonzero(~self.is_known)):
            free = np.flatnonzero(row_of < 0)
            if len(rows) and len(free):
                apart = self._distances(boxes[free], areas[free], colors[free], rows)
                for i, k in _nearest_first(apart):
                    row_of[free[i]] = rows[k]
        hit = np.flatnonzero(row_of >= 0)
        self._correct(row_of[hit], boxes[hit])
        new = np.flatnonzero(row_of < 0)
        row_of[new] = self._begin(index, boxes[new])
        self._remember(index, row_of, boxes, np.sqrt(areas), colors)
        return row_of

    def _distances(
        self,
        boxes: Float[np.ndarray, "b 4"],
        areas: Float[np.ndarray, " b"],
        colors: Float[np.ndarray, "b 3"],
        rows: Int[np.ndarray, " k"],
    ) -> Float[np.ndarray, "b k"]:
        """Of measured boxes from things, 1 being the limit.

        Centres in units of the reach (own size, more while the velocity is unknown or after
        misses), plus change of area and of colour.
        """
        at, age = self.at[rows], self._age[rows]
        num_missed = np.maximum(age - self._seen_age[rows] - 1, 0)
        reach = np.where(age <= 2, _NEW_REACH, _REACH) + _MISS_REACH * num_missed
        away = ((boxes[:, :2] + boxes[:, 2:]) / 2)[:, None] - ((at[:, :2] + at[:, 2:]) / 2)[None]
        before = _areas(self._box[rows])
        length = (np.sqrt(areas)[:, None] + np.sqrt(before)[None]) / 2
        length = np.maximum(length, self._length[rows][None])
        slack = _MISS_SPEED * self._speed[rows] * num_missed
        grown = np.abs(np.log(areas[:, None] / before[None]))
        changed = colors[:, None] - self.color[rows][None]
        apart = _norm(away) / (reach * length + slack)
        return apart + 0.25 * grown + _COLOR_WEIGHT * _norm(changed)

    def _correct(self, rows: Int[np.ndarray, " k"], boxes: Float[np.ndarray, "k 4"]) -> None:
        """The filters' update (Kalman 1960), for things that were seen in this frame."""
        noise, drift = self._noise, 0.25 * self._noise
        place, both, velocity = self.variance[rows], self._both[rows], self._velocity[rows]
        error = boxes - self.at[rows]
        ahead = both + velocity
        total = np.maximum(place + both + ahead + drift + noise, _LEAST_VARIANCE)
        share = 1.0 / total
        gain, turn = 1.0 - noise * share, ahead * share
        self.at[rows] += gain[:, None] * error
        self.step[rows] += turn[:, None] * error
        self.variance[rows] = gain * noise
        self._both[rows] = turn * noise
        self._velocity[rows] = np.maximum(velocity + (drift - turn * turn * total), _LEAST_VARIANCE)
        hits = np.minimum(self._hits[rows] + 2, self._most_hits)
        known = self.is_known[rows]
        sure = ~known & (hits > _PATIENCE)
        self._hits[rows] = np.where(sure, self._most_hits, hits)
        self.is_known[rows] = known | sure

    def _begin(self, index: int, boxes: Float[np.ndarray, "k 4"]) -> Int[np.ndarray, " k"]:
        """Things that were never seen before."""
        num, first = len(boxes), len(self.keys)
        if num:
            none, still = np.zeros(num, np.int64), np.zeros((num, 4))
            fresh = {
                "keys": self._num_begun + 1 + np.arange(num),
                "at": boxes,
                "step": still,
                "variance": np.full(num, self._noise),
                "color": np.zeros((num, 3)),
                "is_known": np.zeros(num, bool),
                "_both": np.zeros(num),
                "_velocity": np.full(num, 25 * self._noise),
                "_hits": none + 1,
                "_age": none,
                "_seen_age": none,
                "_box": boxes,
                "_length": np.zeros(num),
                "_speed": np.zeros(num),
                "_whole": boxes,
                "_whole_step": still,
                "_whole_index": none + index,
            }
            for name, values in fresh.items():
                setattr(self, name, np.concatenate([getattr(self, name), values]))
            self._num_begun += num
        return np.arange(first, first + num)

    def _remember(
        self,
        index: int,
        rows: Int[np.ndarray, " b"],
        boxes: Float[np.ndarray, "b 4"],
        sides: Float[np.ndarray, " b"],
        colors: Float[np.ndarray, "b 3"],
    ) -> None:
        """What is known of things beside their filters, after they were seen."""
        self._seen_age[rows] = self._age[rows]
        self._box[rows], self.color[rows] = boxes, colors
        step = self.step[rows]
        step = (step[:, :2] + step[:, 2:]) / 2
        length = np.maximum(sides, _DECAY * self._length[rows])
        self._length[rows] = length
        self._speed[rows] = np.maximum(np.hypot(*step.T), _DECAY * self._speed[rows])
        whole = sides > _WHOLE * length
        seen = rows[whole]
        self._whole[seen], self._whole_index[seen] = boxes[whole], index
        self._whole_step[seen] = np.hstack([step, step])[whole]

    def _keep(self, keep: Bool[np.ndarray, " n"]) -> None:
        if not keep.all():
            for name in _ROWS:
                setattr(self, name, getattr(self, name)[keep])


_ROWS = (
    *("keys", "at", "step", "variance", "color", "is_known", "_both", "_velocity", "_hits"),
    *("_age", "_seen_age", "_box", "_length", "_speed", "_whole", "_whole_step", "_whole_index"),
)


def _nearest_first(apart: Float[np.ndarray, "b k"]) -> Iterator[tuple[int, int]]:
    """Pairs within the limit, the nearest first, each box and each thing once."""
    order = np.argsort(apart, axis=None, kind="stable")
    order = order[: np.count_nonzero(apart < _LIMIT)]
    boxes, things = set[int](), set[int]()
    for place in order.tolist():
        i, k = divmod(place, apart.shape[1])
        if i not in boxes and k not in things:
            boxes.add(i)
            things.add(k)
            yield i, k


def _areas(boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, " n"]:
    return np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1e-9)


def _norm(vectors: Float[np.ndarray, "a b d"]) -> Float[np.ndarray, "a b"]:
    """NumPy's own, without its checks."""
    return np.sqrt((vectors * vectors).sum(axis=-1))
