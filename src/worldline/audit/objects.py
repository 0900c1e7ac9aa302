"""Are the objects still there, and where? Recall and position error of predicted frames.

The instrument looks at pixels only and treats every predictor alike, the true frames included. It
takes from the truth what each object looks like (colours where it was last seen in the context),
how much of it should be seen (its visible mask at the target frame) and the clean background.

1. Evidence: opacity per pixel in each object's colours (`worldline.audit.evidence`).
2. Search: the true visible shape, and the shape last seen, slide over the whole frame; the best
   place is where evidence fills the shape and not its rim. No place is preferred, the true one
   included. Objects of like colour are sought together, one place each, and then named in the way
   that is nearest to the truth. If one place more fits nearly as well (a ghost at the old place,
   say), the reading that is *worse* for the predictor counts.
3. Centroid of the evidence in a window around the shape, moved until it rests.
4. Found: at least 40 % of the summed opacity that the true frame has there, and no farther from the
   truth than the match radius: an object's width, but at least 1/16 of the frame.

Shares and errors are against what *the same search* finds in the true frame, so that its own bias
cancels. An object counts only where that search finds it, with at least 30 % of its visible area
and within 2 px of its mask's middle; others are counted apart, in `ObjectProbe.num_untestable`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.ndimage import binary_dilation
from scipy.optimize import linear_sum_assignment

from worldline.audit.evidence import color_groups, match_exposure, object_evidence, palette
from worldline.core.clip import Clip
from worldline.core.errors import InputError

__all__ = ["MIN_VISIBLE_PX", "ObjectMatch", "ObjectProbe"]

MIN_VISIBLE_PX = 8
"""Fewer visible pixels than this are too few to judge."""

_MIN_AREA_SHARE = 0.4
_MIN_SELF_SHARE = 0.3
_MIN_MOVE_PX = 1.0
_SELF_RADIUS_PX = 2.0  # farther from its own mask than this, the search has failed on the truth
_RIM_PX = 2
_RIM_COST = 0.5
_NEARLY = 0.9
_MAX_SHIFTS = 10


@dataclass(frozen=True)
class ObjectMatch:
    """One object in one predicted frame.

    Attributes:
        object_id: id in the truth's segmentation.
        moving: it moved by at least 1 px since it was last seen in the context.
        found: enough of it is within the match radius.
        error_px: distance to the truth of the best place, however far or faint.
        radius_px: match radius; stands in for the error of an object that was not found.
        area_share: summed opacity there as a share of the same in the true frame.
        truth_px, found_px: the two centroids (x, y), pixel centres at whole numbers plus 0.5.
    """

    object_id: int
    moving: bool
    found: bool
    error_px: float
    radius_px: float
    area_share: float
    truth_px: tuple[float, float]
    found_px: tuple[float, float]

    @property
    def penalised_error_px(self) -> float:
        """Position error if found, else the match radius."""
        return self.error_px if self.found else self.radius_px


@dataclass(frozen=True, eq=False)
class _Target:
    object_id: int
    colors: Float[np.ndarray, "k 3"]
    shapes: tuple[Bool[np.ndarray, "h w"], ...]
    area_px: int
    center_px: Float[np.ndarray, " 2"]
    moved_px: float
    seen: bool


@dataclass(frozen=True, eq=False)
class _Place:
    center_px: np.ndarray
    mass_px: float
    score: float


@dataclass(frozen=True, eq=False)
class ObjectProbe:
    """Everything about one target frame that is the same for all predictors.

    Attributes:
        background: `[h, w, 3]` clean plate of the target frame.
        targets: every object visible then, also those that do not count.
        truth: what `measure` answers for the true frame.
        places: where the search finds each entry of `truth`.
        num_untestable: objects that are visible and were seen before, but that the search does not
            find in the true frame itself.
    """

    background: UInt8[np.ndarray, "h w 3"]
    targets: tuple[_Target, ...]
    truth: tuple[ObjectMatch, ...]
    places: tuple[_Place, ...]
    num_untestable: int

    @property
    def moving_region(self) -> Bool[np.ndarray, "h w"]:
        """Pixels that a moving object covers, or covered when it was last seen."""
        region = np.zeros(self.background.shape[:2], dtype=bool)
        for target in self.targets:
            if target.seen and target.moved_px >= _MIN_MOVE_PX:
                for shape in target.shapes:
                    region |= shape
        return region

    @classmethod
    def prepare(
        cls, clip: Clip, *, context_start: int, context_stop: int, frame: int
    ) -> ObjectProbe:
        """Look at the truth.

        Args:
            clip: true clip with segmentation and background.
            context_start, context_stop: frames the predictors saw (stop exclusive).
            frame: target frame, in the clip's numbering.

        Raises:
            InputError: no segmentation or background, or frames outside the clip.
        """
        if clip.segmentation is None or clip.background is None:
            raise InputError(
                "object recall needs a clip with segmentation and background; "
                "simulated clips have both"
            )
        if not 0 <= context_start < context_stop <= frame < clip.num_frames:
            raise InputError(
                f"context {context_start}..{context_stop} and target frame {frame} "
                f"do not fit a clip of {clip.num_frames} frames"
            )
        background = clip.background[frame if len(clip.background) > 1 else 0]
        targets = _describe_targets(clip, context_start, context_stop, frame)
        blank = cls(background=background, targets=targets, truth=(), places=(), num_untestable=0)
        anchors = np.array([t.center_px for t in targets]).reshape(-1, 2)
        places = _search(clip.frames[frame], background, targets, anchors)
        truth: list[ObjectMatch] = []
        kept: list[_Place] = []
        num_untestable = 0
        for target, place in zip(targets, places, strict=True):
            if not target.seen:
                continue
            offset_px = float(np.hypot(*(place.center_px - target.center_px)))
            share = place.mass_px / target.area_px
            if offset_px > _SELF_RADIUS_PX or share < _MIN_SELF_SHARE:
                num_untestable += 1
                continue
            kept.append(place)
            truth.append(blank._match(target, place, place))
        return cls(
            background=background,
            targets=targets,
            truth=tuple(truth),
            places=tuple(kept),
            num_untestable=num_untestable,
        )

    def measure(self, frame: UInt8[np.ndarray, "h w 3"]) -> tuple[ObjectMatch, ...]:
        """Find the objects in a predicted frame; one entry per object that counts.

        Raises:
            InputError: the frame's size is not the truth's.
        """
        if frame.shape != self.background.shape:
            raise InputError(
                f"predicted frame is {frame.shape} but the truth {self.background.shape}; "
                "resize the prediction first"
            )
        if not self.truth:
            return ()
        known = {
            match.object_id: place for match, place in zip(self.truth, self.places, strict=True)
        }
        anchors = np.array(
            [
                known[t.object_id].center_px if t.object_id in known else t.center_px
                for t in self.targets
            ]
        )
        places = _search(frame, self.background, self.targets, anchors.reshape(-1, 2))
        return tuple(
            self._match(target, place, known[target.object_id])
            for target, place in zip(self.targets, places, strict=True)
            if target.object_id in known
        )

    def _match(self, target: _Target, place: _Place, true_place: _Place) -> ObjectMatch:
        truth_px = true_place.center_px
        radius_px = max(len(self.background) / 16, 2 * np.sqrt(target.area_px / np.pi))
        error_px = float(np.hypot(*(place.center_px - truth_px)))
        share = place.mass_px / true_place.mass_px
        return ObjectMatch(
            object_id=target.object_id,
            moving=bool(target.moved_px >= _MIN_MOVE_PX),
            found=bool(share >= _MIN_AREA_SHARE and error_px <= radius_px),
            error_px=error_px,
            radius_px=float(radius_px),
            area_share=float(share),
            truth_px=(float(truth_px[0]), float(truth_px[1])),
            found_px=(float(place.center_px[0]), float(place.center_px[1])),
        )


def _describe_targets(clip: Clip, start: int, stop: int, frame: int) -> tuple[_Target, ...]:
    """Objects visible at the target frame; those never seen before only compete for pixels."""
    assert clip.segmentation is not None
    now = clip.segmentation[frame]
    targets = []
    for object_id in np.unique(now[now >= 0]).tolist():
        mask = now == object_id
        area_px = int(mask.sum())
        if area_px < MIN_VISIBLE_PX:
            continue
        past = clip.segmentation[start:stop] == object_id
        usable = np.flatnonzero(past.sum((1, 2)) >= MIN_VISIBLE_PX)
        seen = bool(len(usable))
        last = start + int(usable[-1]) if seen else frame
        before = clip.segmentation[last] == object_id
        center_px = _mask_center(mask)
        targets.append(
            _Target(
                object_id=object_id,
                colors=palette(clip.frames[last], before),
                shapes=(mask, before) if seen else (mask,),
                area_px=area_px,
                center_px=center_px,
                moved_px=float(np.hypot(*(center_px - _mask_center(before)))),
                seen=seen,
            )
        )
    return tuple(targets)


def _mask_center(mask: np.ndarray) -> np.ndarray:
    y, x = np.nonzero(mask)
    return np.array([x.mean() + 0.5, y.mean() + 0.5])


def _search(
    frame: UInt8[np.ndarray, "h w 3"],
    background: UInt8[np.ndarray, "h w 3"],
    targets: tuple[_Target, ...],
    anchors_px: Float[np.ndarray, "n 2"],
) -> list[_Place]:
    """Best place of each target; `anchors_px` only name places among objects of like colour."""
    if not targets:
        return []
    palettes = [target.colors for target in targets]
    evidence = object_evidence(match_exposure(frame, background), background, palettes)
    places: list[_Place] = [_Place(np.zeros(2), 0.0, 0.0)] * len(targets)
    for group in color_groups(palettes):
        field = evidence[group].max(0).astype(np.float32)
        picks = _pick_places(field, [targets[i] for i in group])
        for index, place in zip(group, _name_places(picks, anchors_px[group]), strict=True):
            places[index] = place
    return places


def _pick_places(field: np.ndarray, targets: list[_Target]) -> list[_Place]:
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
        place, cover = _settle(field, shape, offset, score)
        picks.append(place)
        field[cover] = 0
        if left:
            left.pop(which)
    return picks


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


def _settle(
    field: np.ndarray, shape: np.ndarray, offset: tuple[int, int], score: float
) -> tuple[_Place, np.ndarray]:
    """Centroid and sum of the evidence near a shape, moved until both agree; pixels it covers."""
    home = _mask_center(shape)
    window = binary_dilation(shape, iterations=_RIM_PX)
    y, x = np.nonzero(window)
    inner = shape[y, x]
    height, width = field.shape
    dx, dy = offset
    center, mass = home + np.array(offset), 0.0
    seen: set[tuple[int, int]] = set()
    while (dx, dy) not in seen and len(seen) < _MAX_SHIFTS:
        seen.add((dx, dy))
        inside = (x + dx >= 0) & (x + dx < width) & (y + dy >= 0) & (y + dy < height)
        xs, ys = x[inside] + dx, y[inside] + dy
        weights = field[ys, xs].astype(np.float64)
        mass = float(weights.sum())
        if mass < 1e-3:
            break
        center = np.array([(weights * xs).sum(), (weights * ys).sum()]) / mass + 0.5
        dx, dy = np.rint(center - home).astype(int).tolist()
    inside = inner & (x + dx >= 0) & (x + dx < width) & (y + dy >= 0) & (y + dy < height)
    cover = np.zeros(field.shape, dtype=bool)
    cover[y[inside] + dy, x[inside] + dx] = True
    return _Place(np.asarray(center, dtype=np.float64), mass, score), cover


def _name_places(picks: list[_Place], anchors_px: np.ndarray) -> list[_Place]:
    """Give places to objects, nearest in sum; of two equally good sets the farther one."""
    num = len(anchors_px)
    readings = [picks[:num]]
    last, spare = picks[num - 1], picks[num]
    if spare.score > 0 and spare.score >= _NEARLY * last.score:
        readings.append([*picks[: num - 1], spare])
    worst: list[_Place] = []
    worst_px = -1.0
    for reading in readings:
        centers = np.array([place.center_px for place in reading])
        distance = np.linalg.norm(anchors_px[:, None] - centers[None], axis=-1)
        rows, columns = linear_sum_assignment(distance)
        if (total := float(distance[rows, columns].sum())) > worst_px:
            worst_px, worst = total, [reading[c] for c in columns[np.argsort(rows)]]
    return worst
