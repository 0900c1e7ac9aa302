"""Laws of bodies: they keep their shape, and never share space."""

from __future__ import annotations

import itertools
import math

import numpy as np

from worldline.core import Scene, Verdict
from worldline.physics.contacts import box_gap
from worldline.physics.kinematics import motion_of, whole_boxes
from worldline.physics.laws.judging import (
    ROUND,
    Deviation,
    judge,
    tell,
    two_sided_log_p,
    untestable,
)
from worldline.physics.laws.solids import Solid, overlap_depth

__all__ = ["check_interpenetration", "check_rigidity"]

EDGE_PX = 1.0
"""Error of a box side that is always granted: each of two edges is known to half a pixel."""

SIZE_SHARE = 0.08
"""Change of size that is always granted: perspective stretches balls away from the image centre."""

ASPECT_SHARE = 0.25
"""Change of width over height that is granted to a ball: motion blur and perspective."""

MIN_SIDE_PX = 4.0
"""Smaller boxes are nothing but edge error."""

MIN_FRAMES = 4
"""Fewer measurements have no usual size to compare with."""

OVERLAP_SHARE, OVERLAP_M = 0.2, 0.01
"""Overlap that is granted, as a share of the smaller body's least half side, and in metres: soft
contacts give way under impacts."""

FRAME_OVERLAP_SHARE = 0.5
"""The same where positions come from depth and boxes."""


def check_rigidity(scene: Scene, alpha: float) -> Verdict:
    """A rigid body keeps its size and shape.

    Tested on balls and discs (by label), because the box of anything else changes as it turns. With
    depth, box side times depth is constant, whatever the perspective; without, width over height
    stays one. The longer side is used, since hiding shortens a box, and frames in which another
    box overlaps or the image border cuts are left out. Granted: 1 px and 8% (width over height:
    25%). The p-value is that of the third largest deviation among the K frames, each normal: one
    or two bad boxes are no deformation.
    """
    found = []
    for row in range(scene.num_objects):
        if scene.labels[row] not in ROUND:
            continue
        seen = whole_boxes(scene, row) & ~_overlapped(scene, row)
        seen &= np.nan_to_num(scene.size_px[row].min(axis=1)) >= MIN_SIDE_PX
        frames = np.flatnonzero(seen)
        if len(frames) < MIN_FRAMES:
            continue
        found.append(_size_change(scene, row, frames))
    if not found:
        return untestable(
            "rigidity",
            "No ball or disc is seen whole in four frames; the boxes of other bodies change as "
            "they turn.",
        )
    return judge("rigidity", found, alpha)


def _overlapped(scene: Scene, row: int) -> np.ndarray:
    """Frames in which another visible box overlaps this one."""
    hidden = np.zeros(scene.num_frames, dtype=bool)
    own = scene.center_px[row], scene.size_px[row]
    for other in range(scene.num_objects):
        if other != row:
            gap = box_gap(*own, scene.center_px[other], scene.size_px[other])
            hidden |= scene.visible[other] & (np.nan_to_num(gap, nan=np.inf) < 0)
    return hidden


def _size_change(scene: Scene, row: int, frames: np.ndarray) -> Deviation:
    side = scene.size_px[row, frames].max(axis=1)
    jitter = np.nanmedian(scene.center_px_std[row, frames]) * 2
    relative_std = (EDGE_PX + float(np.nan_to_num(jitter))) / side / 2
    by_depth = scene.depth_m is not None and np.all(np.isfinite(scene.depth_m[row, frames]))
    if by_depth:
        assert scene.depth_m is not None
        logarithm, granted = np.log(side * scene.depth_m[row, frames]), math.log1p(SIZE_SHARE)
    else:
        width, height = scene.size_px[row, frames].T
        logarithm, granted = np.log(width / height), math.log1p(ASPECT_SHARE)
        relative_std = relative_std * math.sqrt(2)
    usual = float(np.median(logarithm[: max(MIN_FRAMES, len(frames) // 3)])) if by_depth else 0.0
    excess = np.maximum(np.abs(logarithm - usual) - granted, 0.0) / relative_std
    k = len(frames)
    rank = min(3, k)
    third = float(np.sort(excess)[-rank])
    from scipy import stats  # takes long to load, and searches need no law

    one = two_sided_log_p(third, 1.0)
    # Far out the binomial tail is its first term: `rank` of K frames, each so deviant.
    few = math.log(math.comb(k, rank)) + rank * one
    log_p = float(stats.binom.logsf(rank - 1, k, math.exp(one))) if few > -600.0 else few
    worst = int(np.argmax(excess)) if third > 0 else int(np.argmax(np.abs(logarithm - usual)))
    ratio = math.exp(float(logarithm[worst]) - usual)
    what = "size (with depth taken out)" if by_depth else "width over height"
    object_id = int(scene.ids[row])
    return Deviation(
        min(log_p, 0.0),
        float(scene.time_s[frames[worst]]),
        (object_id,),
        f"{what} of object {object_id} is {ratio:.2f} times the usual at its most deviant",
        {"ratio": ratio},
        float(np.sort(np.abs(logarithm - usual) / (granted + 2.0 * relative_std))[-rank]),
    )


def check_interpenetration(scene: Scene, alpha: float) -> Verdict:
    """Two solid bodies never share space.

    Metres: balls, discs and boxes by their labels, extents and rotations; granted are 20% of the
    smaller body's least half side and 1 cm. Pixels: only with depth and camera, as balls of the
    inscribed size, granted half of the smaller radius; otherwise a body in front of another looks
    the same as one inside it. Normal p-value of the deepest overlap against the position noise.
    """
    if scene.position_m is not None and scene.extent_m is not None:
        pairs = _metric_overlaps(scene)
        reason = "No two bodies of known solid shape (ball, disc, box) are present together."
    elif scene.depth_m is not None and scene.camera is not None and scene.camera.is_exact:
        pairs = _depth_overlaps(scene)
        reason = "No two bodies with depth are seen together."
    else:
        return untestable(
            "interpenetration",
            "Without depth, overlapping boxes may be one body in front of another.",
        )
    if not pairs:
        return untestable("interpenetration", reason)
    return judge("interpenetration", pairs, alpha)


def _metric_overlaps(scene: Scene) -> list[Deviation]:
    assert scene.position_m is not None and scene.extent_m is not None  # noqa: PT018
    found = []
    for i, j in itertools.combinations(range(scene.num_objects), 2):
        together = scene.present[i] & scene.present[j]
        together &= np.all(np.isfinite(scene.position_m[[i, j]]), axis=(0, 2))
        depths: list[tuple[float, int]] = []
        granted = 0.0
        for t in np.flatnonzero(together).tolist():
            solids = [_solid(scene, row, t) for row in (i, j)]
            if solids[0] is None or solids[1] is None:
                continue
            a, b = solids[0], solids[1]
            granted = OVERLAP_SHARE * float(min(a.half_m.min(), b.half_m.min())) + OVERLAP_M
            near = float(np.linalg.norm(a.center_m - b.center_m))
            reach = float(np.linalg.norm(a.half_m) + np.linalg.norm(b.half_m))
            depths.append((reach - near if near > reach else overlap_depth(a, b), t))
        if depths:
            found.append(_overlap(scene, i, j, depths, granted))
    return found


def _solid(scene: Scene, row: int, t: int) -> Solid | None:
    assert scene.position_m is not None and scene.extent_m is not None  # noqa: PT018
    if not np.all(np.isfinite(scene.extent_m[row])):
        return None
    rotation = None if scene.rotation_wxyz is None else scene.rotation_wxyz[row, t]
    return Solid.of(scene.labels[row], scene.position_m[row, t], scene.extent_m[row], rotation)


def _overlap(
    scene: Scene, i: int, j: int, depths: list[tuple[float, int]], granted: float
) -> Deviation:
    depth, t = max(depths)
    noise = 1e-3
    if scene.position_m_std is not None:
        squares = np.nan_to_num(scene.position_m_std[[i, j], t]) ** 2
        noise = max(noise, math.sqrt(float(squares.sum()) / 3))
    # The deepest of K frames is picked, so it may be large by chance alone: Bonferroni over frames.
    excess = max(depth, 0.0)
    log_p = two_sided_log_p(excess, noise, tolerance=granted) + math.log(len(depths))
    ids = (int(scene.ids[i]), int(scene.ids[j]))
    text = (
        f"objects {ids[0]} and {ids[1]} overlap by {tell(depth)} m at the most"
        if depth > 0
        else f"objects {ids[0]} and {ids[1]} stay at least {tell(-depth)} m apart"
    )
    return Deviation(log_p, float(scene.time_s[t]), ids, text, {"overlap_m": depth})


def _depth_overlaps(scene: Scene) -> list[Deviation]:
    assert scene.depth_m is not None and scene.camera is not None  # noqa: PT018
    middle = np.array([scene.width_px / 2, scene.height_px / 2])
    depth = scene.depth_m
    across = (scene.center_px - middle) * depth[..., None] / scene.camera.focal_px
    place = np.concatenate([across, depth[..., None]], axis=-1)
    radius = scene.size_px.min(axis=-1) / 2 * depth / scene.camera.focal_px
    rows = {track.row for track in motion_of(scene).tracks}
    found = []
    for i, j in itertools.combinations(sorted(rows), 2):
        seen = scene.visible[i] & scene.visible[j] & np.isfinite(radius[i] + radius[j])
        seen &= np.all(np.isfinite(place[[i, j]]), axis=(0, 2))
        frames = np.flatnonzero(seen).tolist()
        if not frames:
            continue
        apart = np.linalg.norm(place[i] - place[j], axis=1)
        smaller = np.minimum(radius[i], radius[j])
        # Depth of the deepest frame relative to what is granted there.
        depths = [(float(radius[i, t] + radius[j, t] - apart[t]), t) for t in frames]
        granted = FRAME_OVERLAP_SHARE * float(smaller[max(depths)[1]])
        found.append(_overlap(scene, i, j, depths, granted))
    return found
