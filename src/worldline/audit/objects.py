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
5. Silhouette: the pixels that hang together with the place and whose evidence is at least half the
   object's own opacity in the true frame; like objects nearby keep theirs. If it overlaps the true
   silhouette with an intersection over union of at least 1/2, the object is *covered*: the
   criterion of PASCAL VOC (Everingham et al. 2010, section 4.2) and of AP50 in COCO (Lin et al.
   2014, arXiv 1405.0312). Of the overlaps from 5 % to 95 % in steps of 5 % those that it reaches
   are its *coverage*; the mean over objects is the detection recall of HOTA (Luiten et al. 2021,
   arXiv 2009.07736: DetRe averaged over its localisation thresholds), which asks neither for rough
   places alone nor for exact ones alone.

Shares, errors and overlaps are against what *the same search* finds in the true frame, so that its
own bias cancels. An object counts only where that search finds it, with at least 30 % of its
visible area and within 2 px of its mask's middle; others are counted apart, in
`ObjectProbe.num_untestable`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from worldline.audit.evidence import palette
from worldline.audit.seek import Place, Target, mask_center, search_objects
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.wording import counted

__all__ = ["MIN_VISIBLE_PX", "ObjectMatch", "ObjectProbe"]

MIN_VISIBLE_PX = 8
"""Fewer visible pixels than this are too few to judge."""

_MIN_AREA_SHARE = 0.4
_MIN_SELF_SHARE = 0.3
_MIN_MOVE_PX = 1.0
_SELF_RADIUS_PX = 2.0  # farther from its own mask than this, the search has failed on the truth
_MIN_IOU = 0.5
_HOTA_IOUS = np.arange(1, 20) / 20


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
        iou: intersection over union of its silhouette with that in the true frame.
        truth_px, found_px: the two centroids (x, y), pixel centres at whole numbers plus 0.5.
    """

    object_id: int
    moving: bool
    found: bool
    error_px: float
    radius_px: float
    area_share: float
    iou: float
    truth_px: tuple[float, float]
    found_px: tuple[float, float]

    @property
    def covered(self) -> bool:
        """Found, and its silhouette overlaps the true one with an IoU of at least 1/2."""
        return self.found and self.iou >= _MIN_IOU

    @property
    def coverage(self) -> float:
        """Share of the IoU thresholds .05, .10, ..., .95 that it reaches; 0 if it is not found."""
        return float((self.iou >= _HOTA_IOUS).mean()) if self.found else 0.0

    @property
    def penalised_error_px(self) -> float:
        """Position error if found, else the match radius."""
        return self.error_px if self.found else self.radius_px


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
    targets: tuple[Target, ...]
    truth: tuple[ObjectMatch, ...]
    places: tuple[Place, ...]
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
                f"do not fit a clip of {counted(clip.num_frames, 'frame')}"
            )
        background = clip.background[frame if len(clip.background) > 1 else 0]
        targets = _describe_targets(clip, context_start, context_stop, frame)
        blank = cls(background=background, targets=targets, truth=(), places=(), num_untestable=0)
        anchors = np.array([t.center_px for t in targets]).reshape(-1, 2)
        places = search_objects(clip.frames[frame], background, targets, anchors)
        truth: list[ObjectMatch] = []
        kept: list[Place] = []
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
        places = search_objects(frame, self.background, self.targets, anchors.reshape(-1, 2))
        return tuple(
            self._match(target, place, known[target.object_id])
            for target, place in zip(self.targets, places, strict=True)
            if target.object_id in known
        )

    def _match(self, target: Target, place: Place, true_place: Place) -> ObjectMatch:
        truth_px = true_place.center_px
        radius_px = max(len(self.background) / 16, 2 * np.sqrt(target.area_px / np.pi))
        error_px = float(np.hypot(*(place.center_px - truth_px)))
        share = place.mass_px / true_place.mass_px
        opacity = true_place.opacity
        return ObjectMatch(
            object_id=target.object_id,
            moving=bool(target.moved_px >= _MIN_MOVE_PX),
            found=bool(share >= _MIN_AREA_SHARE and error_px <= radius_px),
            error_px=error_px,
            radius_px=float(radius_px),
            area_share=float(share),
            iou=_overlap(place.silhouette(opacity), true_place.silhouette(opacity)),
            truth_px=(float(truth_px[0]), float(truth_px[1])),
            found_px=(float(place.center_px[0]), float(place.center_px[1])),
        )


def _describe_targets(clip: Clip, start: int, stop: int, frame: int) -> tuple[Target, ...]:
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
        center_px = mask_center(mask)
        targets.append(
            Target(
                object_id=object_id,
                colors=palette(clip.frames[last], before),
                shapes=(mask, before) if seen else (mask,),
                area_px=area_px,
                center_px=center_px,
                moved_px=float(np.hypot(*(center_px - mask_center(before)))),
                seen=seen,
            )
        )
    return tuple(targets)


def _overlap(a: Bool[np.ndarray, "h w"], b: Bool[np.ndarray, "h w"]) -> float:
    """Intersection over union."""
    return float((a & b).sum() / max((a | b).sum(), 1))
