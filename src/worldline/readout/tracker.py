"""Regions of successive frames joined into tracks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from jaxtyping import Float

from worldline.readout.pursuit import Pursuit
from worldline.readout.regions import Region, join_regions, split_region
from worldline.readout.shade import Shade
from worldline.readout.shot import MovingRegions

__all__ = ["RegionTracker", "Track"]

_SHARED = 0.5  # share of an expected box that a region must cover to count as shared
_MIN_PART = 0.1  # of the area of the largest object in a region: less has no share in it
_MIN_FILL = 0.25  # share of an object's box that its pieces cover
_INSIDE = 0.8  # share of a region that lies inside the expected box of an object it is part of


@dataclass(eq=False)
class Track:
    """What one object was measured to be, frame by frame.

    Attributes:
        frames: numbers of the frames in which it was seen.
        boxes: left, top, right, bottom in pixels at these frames.
        filter_std_px: standard deviation of its centre by the Kalman filter at these frames.
        colors: mean RGB in [0, 1] at these frames.
        split: whether the box was cut out of a region shared with another object.
        shifts: displacement of the picture by the camera at these frames.
        unsteady: whether the camera moved at these frames.
        shades: what it was to the background at these frames, where that was measured.
    """

    frames: list[int] = field(default_factory=list)
    boxes: list[Float[np.ndarray, " 4"]] = field(default_factory=list)
    filter_std_px: list[float] = field(default_factory=list)
    colors: list[Float[np.ndarray, " 3"]] = field(default_factory=list)
    split: list[bool] = field(default_factory=list)
    shifts: list[Float[np.ndarray, " 2"]] = field(default_factory=list)
    unsteady: list[bool] = field(default_factory=list)
    shades: list[Shade | None] = field(default_factory=list)


class RegionTracker:
    """Feeds a `Pursuit` frame by frame and keeps what each object was measured to be."""

    def __init__(self, *, max_gap_frames: int, measurement_std_px: float) -> None:
        self._start = partial(
            Pursuit, max_gap_frames=max_gap_frames, measurement_std_px=measurement_std_px
        )
        self._tracks: dict[int, Track] = {}
        self._pursuit = self._start()

    def update(self, found: MovingRegions) -> None:
        """Take the regions of the next frame of the shot."""
        shift = np.concatenate([found.shift_px, found.shift_px])
        regions = self._share(found, shift)
        boxes = np.array([region.box for region in regions]).reshape(-1, 4)
        colors = np.array([region.color for region in regions]).reshape(-1, 3)
        pursuit = self._pursuit
        rows = pursuit.update(found.index, boxes - shift, colors)
        keys = pursuit.keys[rows].tolist()
        # The centre is the mean of two corners whose errors are taken as independent.
        stds_px = np.sqrt(pursuit.variance[rows] / 2).tolist()
        for region, key, std_px in zip(regions, keys, stds_px, strict=True):
            track = self._tracks.get(key)
            if track is None:
                track = self._tracks[key] = Track()
            track.frames.append(found.index)
            track.boxes.append(region.box)
            track.colors.append(region.color)
            track.split.append(region.split)
            track.shifts.append(found.shift_px)
            track.unsteady.append(found.camera_moves)
            track.shades.append(region.shade)
            track.filter_std_px.append(std_px)

    def end_shot(self) -> list[Track]:
        """All tracks of the shot; what comes next has nothing to do with them."""
        tracks = list(self._tracks.values())
        self._tracks, self._pursuit = {}, self._start()
        return tracks

    def _share(self, found: MovingRegions, shift_of_box: Float[np.ndarray, " 4"]) -> list[Region]:
        """Join the pieces of known objects, cut up regions that several known objects share."""
        pursuit = self._pursuit
        known = pursuit.active()
        if not len(known):
            return list(found.regions)
        # One step ahead of the filters, which have not been told of this frame yet.
        expected = pursuit.at[known] + pursuit.step[known] + shift_of_box
        regions: list[Region] = []
        whole = pursuit.whole_at(found.index, known) + shift_of_box
        gathered = self._gather(list(found.regions), whole)
        if not gathered:
            return []
        covered = _covered(expected, np.array([region.box for region in gathered]))
        area = np.prod(np.maximum(expected[:, 2:] - expected[:, :2], 0.0), axis=1)
        for region, shares in zip(gathered, covered.T, strict=True):
            inside = np.flatnonzero(shares > _SHARED)
            # A small thing before a large one cannot be told from a part of it: it is hidden.
            inside = inside[area[inside] > _MIN_PART * area[inside].max(initial=0.0)]
            if len(inside) < 2:
                regions.append(region)
                continue
            parts = split_region(region, expected[inside], pursuit.color[known[inside]])
            seen = [part for part in parts if part is not None]
            regions.extend(seen or [region])
        return regions

    def _gather(self, regions: list[Region], expected: Float[np.ndarray, "n 4"]) -> list[Region]:
        """Join regions that lie inside one expected box and are not expected by themselves."""
        if len(regions) < 2:
            return regions
        boxes = np.array([region.box for region in regions])
        # share[r, k]: of region r inside the expected box k; filled[r, k]: the other way round.
        share, filled = _covered(boxes, expected), _covered(expected, boxes).T
        owner = np.where(share.max(axis=1) > _INSIDE, share.argmax(axis=1), -1)
        own = np.prod(np.maximum(expected[:, 2:] - expected[:, :2], 0.0), axis=1)
        out = [region for region, k in zip(regions, owner, strict=True) if k < 0]
        for k in np.unique(owner[owner >= 0]):
            parts = np.flatnonzero(owner == k)
            smaller = own < own[k]
            taken = (filled[parts] * smaller > _SHARED).any(axis=1)
            pieces = [regions[r] for r in parts[~taken]]
            # Scattered small things in a large box are a crowd, not one object in pieces.
            if sum(piece.area_px for piece in pieces) < _MIN_FILL * own[k]:
                out += [regions[r] for r in parts]
                continue
            out += [regions[r] for r in parts[taken]]
            if pieces:
                out.append(join_regions(pieces))
        return out


def _covered(
    boxes: Float[np.ndarray, "n 4"], by: Float[np.ndarray, "m 4"]
) -> Float[np.ndarray, "n m"]:
    """Share of each box that lies inside each of the others."""
    a, b = boxes.T[:, :, None], by.T[:, None]
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0.0)
    area = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), axis=1)
    return sides[0] * sides[1] / np.maximum(area, 1e-9)[:, None]
