"""Tracks of a `Scene`: where each object was, in pieces that one parabola describes each."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Bool, Float, Int

from worldline.core import STATIC, Scene
from worldline.physics.polynomial import PolynomialFit, estimate_noise, fit_polynomial
from worldline.physics.segmentation import split_parabolas

__all__ = [
    "STANDARD_GRAVITY_MPS2",
    "Motion",
    "Segment",
    "Track",
    "across",
    "carry_motion",
    "find_runs",
    "motion_of",
    "smooth_velocity",
    "touches_static",
    "whole_boxes",
]

STANDARD_GRAVITY_MPS2 = 9.80665
"""Standard acceleration of free fall (CGPM 1901)."""

MIN_STD_M = 1e-3
"""Floor of metric noise: integrators and soft contacts are not exact to less."""

MIN_STD_PX = 0.15
"""Floor of pixel noise: perspective bends true parabolas by about so much."""

MIN_STD_SIZE = 0.003
"""Floor of pixel noise as a share of the object's size: box edges are not better known."""

MAX_GAP_S = 0.25
"""A track unseen for longer is not joined across the gap by one fit."""

CLIPPED_SHARE = 0.93
"""A box at the image border narrower than this share of its usual side is cut off by the border."""

SMOOTH_S = 0.12
"""Half width of the window over which `smooth_velocity` fits a line."""


@dataclass(frozen=True, eq=False)
class Segment:
    """A piece of a track between contacts, gaps and velocity jumps.

    Attributes:
        start, stop: half-open range of samples of the track.
        fit: parabola through it; None with fewer than 3 samples.
        touching: a recorded contact covers part of it.
    """

    start: int
    stop: int
    fit: PolynomialFit | None
    touching: bool

    @property
    def num_samples(self) -> int:
        """Samples in the segment."""
        return self.stop - self.start


@dataclass(frozen=True, eq=False)
class Track:
    """One object's known positions: metres (D = 3) or pixels (D = 2, y down).

    Attributes:
        row, object_id, label: which object of the scene.
        frames: `[K]` frame numbers where the position is known.
        time_s: `[K]`.
        position: `[K, D]`.
        std: `[K, D]` standard deviation of each sample, > 0.
        size: `[K, D]` full side lengths (pixels: of the box; metres: of the body, NaN if unknown).
        up: `[D]` unit vector away from gravity.
        is_std_given: `std` was stated by the scene rather than estimated here.
        segments: pieces, in order; together they cover all samples.
    """

    row: int
    object_id: int
    label: str
    frames: Int[np.ndarray, " k"]
    time_s: Float[np.ndarray, " k"]
    position: Float[np.ndarray, "k d"]
    std: Float[np.ndarray, "k d"]
    size: Float[np.ndarray, "k d"]
    up: Float[np.ndarray, " d"]
    is_std_given: bool
    segments: tuple[Segment, ...]

    @property
    def is_metric(self) -> bool:
        """Metres rather than pixels."""
        return self.position.shape[1] == 3

    @property
    def num_samples(self) -> int:
        """K."""
        return len(self.time_s)

    @property
    def height(self) -> Float[np.ndarray, " k"]:
        """Position along `up`."""
        return self.position @ self.up

    @cached_property
    def scale(self) -> float:
        """Typical side length in the track's unit: root of the box area, or mean body side."""
        if not self.num_samples:
            return 0.0
        side = self.size.mean(axis=1) if self.is_metric else np.sqrt(np.prod(self.size, axis=1))
        finite = side[np.isfinite(side)]
        return float(np.median(finite)) if len(finite) else 0.0

    @cached_property
    def step_s(self) -> float:
        """Median time between samples; 0 for fewer than two."""
        return float(np.median(np.diff(self.time_s))) if self.num_samples > 1 else 0.0


@dataclass(frozen=True, eq=False)
class Motion:
    """All tracks of a scene.

    Attributes:
        tracks: one for each object that has at least one known position, in row order.
        is_metric: tracks are in metres.
        gravity_mps2: size of the acceleration of free fall (standard where the scene has none).
    """

    tracks: tuple[Track, ...]
    is_metric: bool
    gravity_mps2: float

    def of(self, object_id: int) -> Track | None:
        """Track of an object, if it has one."""
        return next((t for t in self.tracks if t.object_id == object_id), None)


_MOTIONS: WeakKeyDictionary[Scene, Motion] = WeakKeyDictionary()


def motion_of(scene: Scene) -> Motion:
    """Tracks of a scene, computed once for each scene object.

    Metres are used when `position_m` is there, else pixels. In metres a position is known wherever
    it is finite and the object is present; in pixels wherever the object is visible and its box is
    finite and not cut off by the image border. Segments never cross a contact of the scene, a gap
    longer than 0.25 s, or a jump in velocity (see `split_parabolas`).
    """
    found = _MOTIONS.get(scene)
    if found is None:
        found = _MOTIONS[scene] = _build_motion(scene)
    return found


def carry_motion(old: Scene, new: Scene, touched: Set[int]) -> None:
    """Let a scene that differs from another in contacts alone take over what is known of it.

    Args:
        old, new: the scenes.
        touched: ids of the objects that have contacts in either of them; their tracks are cut anew.
    """
    known = _MOTIONS.get(old)
    if known is not None:
        _MOTIONS[new] = _build_motion(
            new, {t.row: t for t in known.tracks if t.object_id not in touched}
        )


def _build_motion(scene: Scene, known: Mapping[int, Track] | None = None) -> Motion:
    is_metric = scene.position_m is not None
    gravity = STANDARD_GRAVITY_MPS2
    up = np.array([0.0, 0.0, 1.0]) if is_metric else np.array([0.0, -1.0])
    if scene.gravity_mps2 is not None:
        gravity = float(np.linalg.norm(scene.gravity_mps2))
        if is_metric and gravity > 0:
            up = -scene.gravity_mps2 / gravity
    tracks = []
    for row in range(scene.num_objects):
        track = (known or {}).get(row)
        if track is None:
            track = _metric_track(scene, row, up) if is_metric else _pixel_track(scene, row, up)
        if track is not None:
            tracks.append(track)
    return Motion(tuple(tracks), is_metric, gravity)


def _metric_track(scene: Scene, row: int, up: np.ndarray) -> Track | None:
    assert scene.position_m is not None
    position = scene.position_m[row]
    frames = np.flatnonzero(scene.present[row] & np.all(np.isfinite(position), axis=1))
    given = None if scene.position_m_std is None else scene.position_m_std[row]
    size = np.full(3, np.nan) if scene.extent_m is None else scene.extent_m[row].astype(np.float64)
    sizes = np.tile(size, (len(frames), 1))
    return _make_track(scene, row, frames, position, given, sizes, up, MIN_STD_M)


def _pixel_track(scene: Scene, row: int, up: np.ndarray) -> Track | None:
    center, size = scene.center_px[row], scene.size_px[row]
    frames = np.flatnonzero(whole_boxes(scene, row))
    typical = float(np.nanmedian(np.sqrt(np.prod(size[frames], axis=1)))) if len(frames) else 0.0
    floor = max(MIN_STD_PX, MIN_STD_SIZE * typical)
    return _make_track(
        scene, row, frames, center, scene.center_px_std[row], size[frames], up, floor
    )


def whole_boxes(scene: Scene, row: int) -> Bool[np.ndarray, " t"]:
    """Frames in which an object is visible and its box is finite and not cut off by the border."""
    center, size = scene.center_px[row], scene.size_px[row]
    known = scene.visible[row] & np.all(np.isfinite(center) & np.isfinite(size), axis=1)
    if not known.any():
        return known
    usual = np.percentile(size[known], 90, axis=0)
    with np.errstate(invalid="ignore"):
        low, high = center - size / 2 <= 0.5, center + size / 2 >= _image_size(scene) - 0.5
        return known & ~np.any((low | high) & (size < CLIPPED_SHARE * usual), axis=1)


def _image_size(scene: Scene) -> np.ndarray:
    return np.array([scene.width_px, scene.height_px], dtype=np.float64)


def _make_track(
    scene: Scene,
    row: int,
    frames: np.ndarray,
    position: np.ndarray,
    given_std: np.ndarray | None,
    size: np.ndarray,
    up: np.ndarray,
    floor: float,
) -> Track | None:
    if not len(frames):
        return None
    times = scene.time_s[frames]
    later = np.concatenate([[True], times[1:] > np.maximum.accumulate(times)[:-1]])
    frames, size = frames[later], size[later]
    time_s, known = scene.time_s[frames], position[frames]
    estimated = np.maximum(estimate_noise(time_s, known), floor)
    std = np.tile(estimated, (len(frames), 1))
    is_std_given = False
    if given_std is not None:
        given = given_std[frames]
        # A stated deviation replaces the estimate, except where it is 0 or absent (truth).
        stated = np.isfinite(given) & (given > 0)
        std = np.where(stated, np.maximum(given, floor), std)
        is_std_given = bool(stated.all())
    noise = np.maximum(np.median(std, axis=0), estimated)
    object_id = int(scene.ids[row])
    segments = _cut(scene, object_id, time_s, known, std, noise)
    return Track(
        row,
        object_id,
        scene.labels[row],
        frames,
        time_s,
        known,
        std,
        size,
        up,
        is_std_given,
        segments,
    )


def _cut(
    scene: Scene,
    object_id: int,
    time_s: np.ndarray,
    position: np.ndarray,
    std: np.ndarray,
    noise: np.ndarray,
) -> tuple[Segment, ...]:
    k = len(time_s)
    intervals = [
        (c.start_s, c.end_s)
        for c in scene.contacts
        if object_id in (c.a, c.b) and c.confidence >= 0.5
    ]
    begun = sum((time_s >= start for start, _ in intervals), np.zeros(k, dtype=np.int64))
    ended = sum((time_s > end for _, end in intervals), np.zeros(k, dtype=np.int64))
    touching = begun > ended
    step_s = float(np.median(np.diff(time_s))) if k > 1 else 0.0
    gap = np.diff(time_s) > max(MAX_GAP_S, 3.0 * step_s)
    cut = gap | (np.diff(begun) != 0) | (np.diff(ended) != 0)
    edges = [0, *(np.flatnonzero(cut) + 1).tolist(), k]
    segments = []
    for left, right in itertools.pairwise(edges):
        for a, b in split_parabolas(time_s[left:right], position[left:right], noise):
            inside = slice(left + a, left + b)
            fit = None
            if b - a >= 3:
                fit = fit_polynomial(time_s[inside], position[inside], degree=2, std=std[inside])
            segments.append(Segment(left + a, left + b, fit, bool(touching[inside].any())))
    return tuple(segments)


_VELOCITIES: WeakKeyDictionary[Track, dict[float, tuple[np.ndarray, np.ndarray]]] = (
    WeakKeyDictionary()
)


def smooth_velocity(
    track: Track, *, half_width_s: float = SMOOTH_S
) -> tuple[Float[np.ndarray, "k d"], Float[np.ndarray, "k d"]]:
    """Velocity at each sample from a straight line through the samples around it.

    At least one neighbour on each side is used where there is one; samples across a gap of more
    than 0.25 s are not. Computed once for each track object and width.

    Returns:
        velocity and its standard error, `[K, D]`, in units per second, not to be written to; for a
        lone sample the velocity is 0 and its standard error infinite.
    """
    known = _VELOCITIES.setdefault(track, {})
    if half_width_s not in known:
        known[half_width_s] = _smooth_velocity(track, half_width_s)
        for array in known[half_width_s]:
            array.flags.writeable = False
    return known[half_width_s]


_TOGETHER = 4096  # samples that are fitted at once, so that memory stays small


def _smooth_velocity(track: Track, half_width_s: float) -> tuple[np.ndarray, np.ndarray]:
    k, d = track.position.shape
    velocity, std = np.zeros((k, d)), np.full((k, d), np.inf)
    if k < 2:
        return velocity, std
    t, at = track.time_s, np.arange(k)
    # Times are rounded: a frame on the window's edge is inside, at either end.
    reach_s = half_width_s + 0.01 * track.step_s
    run = np.concatenate([[0], np.cumsum(np.diff(t) > max(MAX_GAP_S, 3.0 * track.step_s))])
    left = np.minimum(np.searchsorted(t, t - reach_s), np.maximum(at - 1, 0))
    right = np.maximum(np.searchsorted(t, t + reach_s, side="right"), np.minimum(at + 2, k))
    # A run of samples without a gap is in one piece.
    left = np.maximum(left, np.searchsorted(run, run))
    right = np.minimum(right, np.searchsorted(run, run, side="right"))
    for first in range(0, k, _TOGETHER):
        part = slice(first, first + _TOGETHER)
        start, num = left[part, None], (right - left)[part, None]
        offset = np.arange(num.max())[None]
        inside = offset < num
        index = np.minimum(start + offset, k - 1)
        centred = np.where(inside, t[index], 0.0)
        centred = np.where(inside, centred - centred.sum(axis=1, keepdims=True) / num, 0.0)
        enough = num[:, 0] >= 2
        gain = centred[enough] / np.sum(centred[enough] ** 2, axis=1, keepdims=True)
        velocity[part][enough] = np.einsum("kw,kwd->kd", gain, track.position[index[enough]])
        variance = np.einsum("kw,kwd->kd", gain**2, track.std[index[enough]] ** 2)
        std[part][enough] = np.sqrt(variance)
    return velocity, std


def across(
    vectors: Float[np.ndarray, "k d"], up: Float[np.ndarray, " d"]
) -> Float[np.ndarray, "k d"]:
    """Vectors without their part along the unit vector `up`."""
    return vectors - np.outer(vectors @ up, up)


def find_runs(mask: Bool[np.ndarray, " k"]) -> list[tuple[int, int]]:
    """First and last index (inclusive) of each run of true values."""
    padded = np.concatenate([[False], mask, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(padded))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def touches_static(scene: Scene, object_id: int, start_s: float, end_s: float) -> bool:
    """Whether a recorded contact with the static world covers part of an interval."""
    return any(
        c.a == object_id and c.b == STATIC and c.start_s <= end_s and c.end_s >= start_s
        for c in scene.contacts
    )
