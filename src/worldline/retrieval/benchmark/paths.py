"""Motion descriptors: how an object moves, apart from where, how large and in what colour.

For one object over a window of at most `WINDOW_S` seconds, the box centre's path is resampled at
`NUM_SAMPLES` equally spaced times between its first and last visible frame (gaps interpolated
linearly). Four blocks, each of unit length, are weighted and set side by side, so that the dot
product of two descriptors is the weighted mean of the blocks' cosines:

* shape, weight 0.4: positions relative to their mean, divided by their norm;
* velocity, weight 0.4: differences of successive positions, divided by their norm, which tells
  acceleration and reversal (a bounce, a stop) where the shapes are alike;
* tempo, weight 0.1: duration on a logarithmic scale, 1/8 s to 8 s, as an angle from 0 to 90
  degrees;
* reach, weight 0.1: path length in units of the object's own size, 1/4 to 64, likewise.

Position and image scale cancel. Mirrored motion is the same physics: `mirrored` flips the sign of
every horizontal component, and a search compares both. Up and down are not exchanged: gravity has a
direction. An object that travels less than `MIN_REACH` of its own size has no descriptor, because
what remains of its path is noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from worldline.core.scene import Scene

__all__ = [
    "NUM_FEATURES",
    "WINDOW_S",
    "Motion",
    "describe_motions",
    "describe_path",
    "max_similarity",
    "mirrored",
]

WINDOW_S, HOP_S = 4.0, 2.0
NUM_SAMPLES = 24
MIN_REACH = 0.25
MIN_FRAMES = 4
_SHAPE, _VELOCITY = 2 * NUM_SAMPLES, 2 * (NUM_SAMPLES - 1)
NUM_FEATURES = _SHAPE + _VELOCITY + 4
_WEIGHTS = (0.4, 0.4, 0.1, 0.1)


@dataclass(frozen=True, eq=False)
class Motion:
    """One object's motion in one window.

    Attributes:
        segment: number of the window in the video; objects of one segment move together.
        start_s, end_s: first and last visible moment in the window.
        track: object id.
        vector: unit descriptor.
    """

    segment: int
    start_s: float
    end_s: float
    track: int
    vector: Float[np.ndarray, " f"]


def describe_path(
    time_s: Float[np.ndarray, " t"], center_px: Float[np.ndarray, "t 2"], size_px: float
) -> Float[np.ndarray, " f"] | None:
    """Descriptor of one path, of unit length, or None where nothing moved.

    Args:
        time_s: increasing times.
        center_px: box centre (x, y) at these times.
        size_px: the object's own size, the square root of its box area.
    """
    if len(time_s) < MIN_FRAMES or time_s[-1] <= time_s[0]:
        return None
    times = np.linspace(time_s[0], time_s[-1], NUM_SAMPLES)
    path = np.stack([np.interp(times, time_s, center_px[:, k]) for k in (0, 1)], axis=1)
    velocity = np.diff(path, axis=0)
    reach = float(np.linalg.norm(velocity, axis=1).sum()) / max(size_px, 1.0)
    span = float(np.linalg.norm(np.ptp(path, axis=0))) / max(size_px, 1.0)
    if span < MIN_REACH:
        return None
    duration_s = float(time_s[-1] - time_s[0])
    blocks = (
        _unit((path - path.mean(axis=0)).ravel()),
        _unit(velocity.ravel()),
        _as_angle(np.log2(duration_s), -3.0, 3.0),
        _as_angle(np.log2(reach), -2.0, 6.0),
    )
    return np.concatenate([np.sqrt(w) * b for w, b in zip(_WEIGHTS, blocks, strict=True)])


def mirrored(vectors: Float[np.ndarray, "n f"]) -> Float[np.ndarray, "n f"]:
    """The descriptors of the same motions seen in a mirror (left and right exchanged)."""
    signs = np.ones(NUM_FEATURES)
    signs[: _SHAPE + _VELOCITY : 2] = -1.0
    return vectors * signs


def max_similarity(
    query: Float[np.ndarray, "q f"], stored: Float[np.ndarray, "n f"]
) -> tuple[float, tuple[int, ...]]:
    """Late interaction: mean over the query's motions of the best match among the stored ones.

    Sum of maximal similarities, Khattab and Zaharia, "ColBERT", SIGIR 2020, eq. 3, divided by the
    number of query vectors; the whole query is mirrored or not, whichever fits better.

    Returns:
        similarity in [-1, 1], and for each query vector the row that it matched.
    """
    best: tuple[float, tuple[int, ...]] = (-np.inf, ())
    for vectors in (query, mirrored(query)):
        table = vectors @ stored.T
        score = float(table.max(axis=1).mean())
        if score > best[0]:
            best = score, tuple(int(i) for i in table.argmax(axis=1))
    return best


def describe_motions(scene: Scene) -> Iterator[Motion]:
    """Descriptors of every moving object in every window of a scene.

    Windows start every `HOP_S` seconds from the first frame and last `WINDOW_S`; a shorter scene is
    one window.
    """
    if scene.num_frames == 0:
        return
    begin_s, end_s = float(scene.time_s[0]), float(scene.time_s[-1])
    num_segments = max(1, int(np.ceil((end_s - begin_s - WINDOW_S) / HOP_S - 1e-9)) + 1)
    for segment in range(num_segments):
        from_s = begin_s + segment * HOP_S
        inside = (scene.time_s >= from_s - 1e-9) & (scene.time_s <= from_s + WINDOW_S + 1e-9)
        for row, track in enumerate(scene.ids.tolist()):
            seen = inside & scene.visible[row] & np.isfinite(scene.center_px[row]).all(axis=1)
            if not seen.any():
                continue
            size_px = float(np.sqrt(np.nanmedian(np.prod(scene.size_px[row, seen], axis=1))))
            vector = describe_path(scene.time_s[seen], scene.center_px[row, seen], size_px)
            if vector is not None:
                times = scene.time_s[seen]
                yield Motion(segment, float(times[0]), float(times[-1]), int(track), vector)


def _unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values)


def _as_angle(value: float, low: float, high: float) -> np.ndarray:
    angle = np.clip((value - low) / (high - low), 0.0, 1.0) * np.pi / 2
    return np.array([np.cos(angle), np.sin(angle)])
