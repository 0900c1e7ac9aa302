"""Two scenes of the same moments on one clock, in one pixel size, object by object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment

from worldline.core.errors import InputError
from worldline.core.scene import Scene

__all__ = ["Alignment", "Tracks", "align", "longest_run", "sample_both"]

_NUM_INITIAL_FRAMES = 5
_REACH = 0.1  # of the picture's width: farther apart than this, two tracks are strangers
_MIN_SIDE_PX = 3.0
_REST_PX = 1.0
_MAX_ASPECT_RATIO = 1.05
_TIME_SLACK_S = 1e-6


@dataclass(frozen=True, eq=False)
class Alignment:
    """The reference's N objects and their counterparts at T common moments.

    Lengths are in pixels of the reference. Where there is no counterpart, `distance_px` is 0 and
    carries no meaning.

    Attributes:
        time_s: `[T]`.
        ids: ids of the reference's objects.
        visible: `[N, T]` the reference shows it.
        plain: `[N, T]` it shows it whole: inside the frame and at least 3 px wide and high.
        matched: `[N]` the scene has a counterpart at some time.
        seen: `[N, T]` the counterpart is visible then.
        covered: `[N, T]` it is, or a track without any counterpart is near: trackers rename.
        resting: `[N]` it moves by less than a pixel in all.
        distance_px: `[N, T]` between the two middles.
        std_px: `[N, T]` standard deviation of one coordinate of their difference.
        size_px: `[N, T]` mean side of the reference's box.
        num_seen: `[T]` objects that the scene shows, matched or not.
        coarse_px: side of a pixel of the coarser of the two pictures.
    """

    time_s: Float[np.ndarray, " t"]
    ids: tuple[int, ...]
    visible: Bool[np.ndarray, "n t"]
    plain: Bool[np.ndarray, "n t"]
    matched: Bool[np.ndarray, " n"]
    seen: Bool[np.ndarray, "n t"]
    covered: Bool[np.ndarray, "n t"]
    resting: Bool[np.ndarray, " n"]
    distance_px: Float[np.ndarray, "n t"]
    std_px: Float[np.ndarray, "n t"]
    size_px: Float[np.ndarray, "n t"]
    num_seen: Int[np.ndarray, " t"]
    coarse_px: float


@dataclass(frozen=True, eq=False)
class Tracks:
    """A scene sampled at given times, in reference pixels.

    Attributes:
        center_px, size_px: `[N, T, 2]`.
        std_px: `[N, T]` standard deviation of one coordinate of the middle.
        visible: `[N, T]`.
    """

    center_px: Float[np.ndarray, "n t 2"]
    size_px: Float[np.ndarray, "n t 2"]
    std_px: Float[np.ndarray, "n t"]
    visible: Bool[np.ndarray, "n t"]

    def plain(self, side_px: tuple[int, int], coarse_px: float) -> Bool[np.ndarray, "n t"]:
        """Where an object is whole in a picture of these sides and at least 3 pixels each way."""
        half = self.size_px / 2
        inside = ((self.center_px - half > 0) & (self.center_px + half < np.array(side_px))).all(-1)
        return self.visible & inside & (self.size_px >= _MIN_SIDE_PX * coarse_px).all(-1)

    def travel_px(self) -> Float[np.ndarray, " n"]:
        """The longer side of the box in which each object's middle stays; 0 if never visible."""
        center_px = np.where(self.visible[..., None], self.center_px, np.nan)
        travel_px = np.zeros(len(self.visible))
        shown = np.asarray(self.visible.any(1))
        if shown.any():
            spread = np.nanmax(center_px[shown], axis=1) - np.nanmin(center_px[shown], axis=1)
            travel_px[shown] = spread.max(-1)
        return travel_px


def align(scene: Scene, reference: Scene) -> Alignment:
    """Bring a scene to the clock and size of a reference and pair their objects.

    The common moments are those of the scene with the lower frame rate; the other is interpolated
    linearly between neighbouring frames in which an object is visible. Objects are paired one to
    one (Kuhn 1955) by their median distance in the first five frames that show both, so that an
    object which later goes astray is compared and not renamed.

    Raises:
        InputError: the two do not overlap in time, or their pictures have different shapes.
    """
    ours, theirs, time_s, coarse_px = sample_both(scene, reference)
    reach_px = _REACH * reference.width_px
    partner = _pair(ours, theirs, reach_px)
    matched = partner >= 0
    n, t = theirs.visible.shape
    seen = np.zeros((n, t), dtype=bool)
    distance_px, std_px = np.zeros((n, t)), np.zeros((n, t))
    if matched.any():
        rows = partner[matched]
        seen[matched] = ours.visible[rows]
        offset = ours.center_px[rows] - theirs.center_px[matched]
        distance_px[matched] = np.nan_to_num(np.linalg.norm(offset, axis=-1))
        std_px[matched] = np.hypot(ours.std_px[rows], theirs.std_px[matched])
    return Alignment(
        time_s=time_s,
        ids=tuple(int(i) for i in reference.ids),
        visible=theirs.visible,
        plain=theirs.plain((reference.width_px, reference.height_px), coarse_px),
        matched=matched,
        seen=seen,
        covered=_cover(ours, theirs, partner, reach_px),
        resting=theirs.travel_px() < _REST_PX,
        distance_px=distance_px,
        std_px=std_px,
        size_px=np.nan_to_num(theirs.size_px.mean(-1)),
        num_seen=ours.visible.sum(0),
        coarse_px=coarse_px,
    )


def sample_both(
    scene: Scene, reference: Scene
) -> tuple[Tracks, Tracks, Float[np.ndarray, " t"], float]:
    """Two scenes at their common moments, in pixels of the reference.

    Returns:
        the scene's tracks, the reference's, the moments `[T]`, and the side of a pixel of the
        coarser of the two pictures.

    Raises:
        InputError: the two do not overlap in time, or their pictures have different shapes.
    """
    if not scene.num_frames or not reference.num_frames:
        raise InputError("scene and reference need at least one frame each")
    start_s = max(scene.time_s[0], reference.time_s[0]) - _TIME_SLACK_S
    end_s = min(scene.time_s[-1], reference.time_s[-1]) + _TIME_SLACK_S
    grids = [s.time_s[(s.time_s >= start_s) & (s.time_s <= end_s)] for s in (scene, reference)]
    time_s = min((g for g in grids if len(g)), key=len, default=np.zeros(0))
    if not len(time_s):
        raise InputError(
            f"scene ({_span(scene)}) and reference ({_span(reference)}) do not overlap in time; "
            "shift one of them to the clock of the other"
        )
    scale = np.array([reference.width_px / scene.width_px, reference.height_px / scene.height_px])
    if max(scale) / min(scale) > _MAX_ASPECT_RATIO:
        raise InputError(
            f"scene is {scene.width_px} x {scene.height_px} px and reference "
            f"{reference.width_px} x {reference.height_px} px; they must show the same view, so "
            "crop one to the shape of the other"
        )
    ours, theirs = _sample(scene, time_s, scale), _sample(reference, time_s, np.ones(2))
    return ours, theirs, time_s, max(1.0, float(scale.max()))


def longest_run(flags: Bool[np.ndarray, " t"]) -> tuple[int, int]:
    """Length of the longest run of true entries and where it starts; (0, 0) if there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    if not len(starts):
        return 0, 0
    longest = int((stops - starts).argmax())
    return int(stops[longest] - starts[longest]), int(starts[longest])


def _span(scene: Scene) -> str:
    return f"{scene.time_s[0]:.2f} to {scene.time_s[-1]:.2f} s"


def _sample(scene: Scene, time_s: np.ndarray, scale: np.ndarray) -> Tracks:
    right = np.searchsorted(scene.time_s, time_s - _TIME_SLACK_S).clip(0, scene.num_frames - 1)
    exact = np.abs(scene.time_s[right] - time_s) <= 2 * _TIME_SLACK_S
    left = np.where(exact, right, right - 1).clip(0)
    gap_s = np.where(exact, 1.0, scene.time_s[right] - scene.time_s[left])
    share = np.where(exact, 0.0, (time_s - scene.time_s[left]) / np.where(gap_s > 0, gap_s, 1.0))

    def blend(values: np.ndarray) -> np.ndarray:
        weight = share[None, :, None]
        return (1 - weight) * values[:, left] + weight * values[:, right]

    visible = scene.visible[:, left] & scene.visible[:, right]
    center_px = blend(scene.center_px) * scale
    std = np.nan_to_num(blend(scene.center_px_std) * scale)
    visible = visible & np.isfinite(center_px).all(-1)
    return Tracks(center_px, blend(scene.size_px) * scale, np.sqrt((std**2).mean(-1)), visible)


def _pair(ours: Tracks, theirs: Tracks, reach_px: float) -> np.ndarray:
    """Row of `ours` for each row of `theirs`; -1 where there is none within reach."""
    n, m = len(theirs.visible), len(ours.visible)
    partner = np.full(n, -1)
    far_px = 1e6
    cost = np.full((n, m), far_px)
    for row in range(n):
        for column in range(m):
            both = np.flatnonzero(theirs.visible[row] & ours.visible[column])
            if not len(both):
                continue
            both = both[:_NUM_INITIAL_FRAMES]
            offset = theirs.center_px[row, both] - ours.center_px[column, both]
            distance_px = float(np.median(np.linalg.norm(offset, axis=-1)))
            size_px = float(np.nanmedian(theirs.size_px[row, both].max(-1)))
            if distance_px <= max(reach_px, size_px):
                cost[row, column] = distance_px
    for row, column in zip(*linear_sum_assignment(cost), strict=True):
        if cost[row, column] < far_px:
            partner[row] = column
    return partner


def _cover(ours: Tracks, theirs: Tracks, partner: np.ndarray, reach_px: float) -> np.ndarray:
    """Frames in which the partner, or a track that is nobody's partner, is near the object."""
    n, t = theirs.visible.shape
    free = np.setdiff1d(np.arange(len(ours.visible)), partner)
    covered = np.zeros((n, t), dtype=bool)
    for row in range(n):
        if partner[row] >= 0:
            covered[row] = ours.visible[partner[row]]
        if len(free):
            offset = ours.center_px[free] - theirs.center_px[row]
            reach = np.fmax(reach_px, theirs.size_px[row].max(-1))
            near = (np.linalg.norm(offset, axis=-1) <= reach) & ours.visible[free]
            covered[row] |= near.any(0)
    return covered
