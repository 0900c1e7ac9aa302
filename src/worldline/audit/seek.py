"""Search pixels for objects of known shape and colour: where they are, and what they cover.

It knows neither who predicted a picture nor how that will be judged: see `worldline.audit.objects`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.ndimage import binary_dilation, label
from scipy.optimize import linear_sum_assignment

from worldline.audit.evidence import color_groups, match_exposure, object_evidence

__all__ = ["Place", "Target", "mask_center", "search_objects"]

_RIM_PX = 2
_RIM_COST = 0.5
_NEARLY = 0.9
_MAX_SHIFTS = 10
_FAINTEST = 1e-3  # less opacity than this is rounding


@dataclass(frozen=True, eq=False)
class Target:
    """An object to search for.

    Attributes:
        object_id: id in the truth's segmentation.
        colors: see `worldline.audit.evidence.palette`.
        shapes: masks to try: visible in the target frame, and when it was last seen.
        area_px, center_px: of the first of them.
        moved_px: distance between their middles.
        seen: it was seen before at all.
    """

    object_id: int
    colors: Float[np.ndarray, "k 3"]
    shapes: tuple[Bool[np.ndarray, "h w"], ...]
    area_px: int
    center_px: Float[np.ndarray, " 2"]
    moved_px: float
    seen: bool


@dataclass(frozen=True, eq=False)
class Place:
    """Where the search finds an object.

    Attributes:
        center_px, mass_px: centroid and sum of the evidence around it.
        score: of the shape there.
        opacity: mean evidence, weighted with itself; that of a plain object, however little of the
            window it fills.
        cover, window: `[h, w]` pixels of the shape at this place, and those around it too.
        extent: `[h, w]` evidence that is not another object's.
    """

    center_px: np.ndarray
    mass_px: float
    score: float
    opacity: float
    cover: Bool[np.ndarray, "h w"]
    window: Bool[np.ndarray, "h w"]
    extent: Float[np.ndarray, "h w"]

    def silhouette(self, opacity: float) -> Bool[np.ndarray, "h w"]:
        """Pixels of at least half an opacity that hang together with the place."""
        parts, _ = label(self.extent >= max(opacity / 2, _FAINTEST))
        return (parts > 0) & np.isin(parts, np.unique(parts[self.cover]))


def mask_center(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, " 2"]:
    """Middle (x, y) of a mask, pixel centres at whole numbers plus 0.5."""
    y, x = np.nonzero(mask)
    return np.array([x.mean() + 0.5, y.mean() + 0.5])


def search_objects(
    frame: UInt8[np.ndarray, "h w 3"],
    background: UInt8[np.ndarray, "h w 3"],
    targets: tuple[Target, ...],
    anchors_px: Float[np.ndarray, "n 2"],
) -> list[Place]:
    """Best place of each target; `anchors_px` only name places among objects of like colour."""
    if not targets:
        return []
    palettes = [target.colors for target in targets]
    evidence = object_evidence(match_exposure(frame, background), background, palettes)
    places: dict[int, Place] = {}
    for group in color_groups(palettes):
        field = evidence[group].max(0).astype(np.float32)
        picks = _pick_places(field, [targets[i] for i in group])
        for index, place in zip(group, _name_places(picks, anchors_px[group]), strict=True):
            places[index] = place
    return [places[index] for index in range(len(targets))]


def _pick_places(field: np.ndarray, targets: list[Target]) -> list[Place]:
    """One place per target, best first, and one more to see whether there is a ghost."""
    left = list(targets)
    shapes = list(targets)
    field = field.copy()
    picks = []
    for _ in range(len(targets) + 1):
        pool = left if left else shapes
        candidates = [
            (*_slide(field, shape), which, shape)
            for which, target in enumerate(pool)
            for shape in target.shapes
        ]
        score, offset, which, shape = max(candidates, key=lambda c: c[0])
        place = _settle(field, shape, offset, score)
        picks.append(place)
        field[place.cover] = 0
        if left:
            left.pop(which)
    return [_bounded(place, picks[: len(targets)]) for place in picks]


def _bounded(place: Place, picks: list[Place]) -> Place:
    """A place without the pixels of others of like colour; what two cover is the better one's."""
    extent = place.extent.copy()
    for other in picks:
        if other is not place:
            foreign = other.cover | (other.window & ~place.window)
            extent[foreign & ~place.cover] = 0
    return replace(place, extent=extent)


def _slide(field: np.ndarray, shape: np.ndarray) -> tuple[float, tuple[int, int]]:
    """Best score of a shape over the whole field and the (dx, dy) that brings it there."""
    y, x = np.nonzero(shape)
    top, left = y.min() - _RIM_PX, x.min() - _RIM_PX
    height, width = np.ptp(y) + 1 + 2 * _RIM_PX, np.ptp(x) + 1 + 2 * _RIM_PX
    inside = np.zeros((height, width), dtype=np.float32)
    inside[y - top, x - left] = 1
    rim = binary_dilation(inside > 0, iterations=_RIM_PX) & (inside == 0)
    weights = inside / inside.sum() - _RIM_COST * rim / rim.sum()
    # Half a shape beyond the frame's edge is room enough for what is leaving the view.
    pad_y, pad_x = int(height) // 2, int(width) // 2
    padded = np.pad(field, ((pad_y, pad_y), (pad_x, pad_x)))
    scores = cv2.matchTemplate(padded, weights.astype(np.float32), cv2.TM_CCORR)
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    return float(scores[row, column]), (
        int(column) - pad_x - int(left),
        int(row) - pad_y - int(top),
    )


def _settle(field: np.ndarray, shape: np.ndarray, offset: tuple[int, int], score: float) -> Place:
    """Centroid and sum of the evidence near a shape, moved until both agree."""
    home = mask_center(shape)
    window = binary_dilation(shape, iterations=_RIM_PX)
    y, x = np.nonzero(window)
    inner = shape[y, x]
    height, width = field.shape
    dx, dy = offset
    center, mass, opacity = home + np.array(offset), 0.0, 0.0
    seen: set[tuple[int, int]] = set()
    while (dx, dy) not in seen and len(seen) < _MAX_SHIFTS:
        seen.add((dx, dy))
        inside = (x + dx >= 0) & (x + dx < width) & (y + dy >= 0) & (y + dy < height)
        xs, ys = x[inside] + dx, y[inside] + dy
        weights = field[ys, xs].astype(np.float64)
        mass = float(weights.sum())
        if mass < 1e-3:
            break
        opacity = float((weights**2).sum()) / mass
        center = np.array([(weights * xs).sum(), (weights * ys).sum()]) / mass + 0.5
        dx, dy = np.rint(center - home).astype(int).tolist()
    inside = (x + dx >= 0) & (x + dx < width) & (y + dy >= 0) & (y + dy < height)
    around, cover = np.zeros(field.shape, dtype=bool), np.zeros(field.shape, dtype=bool)
    around[y[inside] + dy, x[inside] + dx] = True
    inside &= inner
    cover[y[inside] + dy, x[inside] + dx] = True
    return Place(
        center_px=np.asarray(center, dtype=np.float64),
        mass_px=mass,
        score=score,
        opacity=opacity,
        cover=cover,
        window=around,
        extent=field.copy(),
    )


def _name_places(picks: list[Place], anchors_px: np.ndarray) -> list[Place]:
    """Give places to objects, nearest in sum; of two equally good sets the farther one."""
    num = len(anchors_px)
    readings = [picks[:num]]
    last, spare = picks[num - 1], picks[num]
    if spare.score > 0 and spare.score >= _NEARLY * last.score:
        readings.append([*picks[: num - 1], spare])
    worst: list[Place] = []
    worst_px = -1.0
    for reading in readings:
        centers = np.array([place.center_px for place in reading])
        distance = np.linalg.norm(anchors_px[:, None] - centers[None], axis=-1)
        rows, columns = linear_sum_assignment(distance)
        if (total := float(distance[rows, columns].sum())) > worst_px:
            worst_px, worst = total, [reading[c] for c in columns[np.argsort(rows)]]
    return worst
