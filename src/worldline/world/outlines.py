"""What moves before a background that stands still: blobs, outlines, portraits of things.

Everything is measured from frames that have been seen, in pixels of frames about 64 wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = [
    "Blob",
    "Outline",
    "Portrait",
    "Thing",
    "clear_plate",
    "draw_portrait",
    "find_blobs",
    "find_moving",
    "gap_px",
    "is_beyond_edge",
    "moved",
    "outline_at",
    "spread_even",
    "wall_ahead",
]

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

_MIN_SPEED_PX = 0.3
_MIN_AREA_PX = 6
_UNLIKE_LEVELS = 12
_OUTLINE_LEVELS = 14
_EVEN_LEVELS = 10
_EDGE_LEVELS = 14
_WHOLE_SHARE = 0.9
_KERNEL, _WIDE_KERNEL = np.ones((3, 3), np.uint8), np.ones((5, 5), np.uint8)


@dataclass(frozen=True, eq=False)
class Blob:
    """Pixels that move together.

    Attributes:
        place: (x, y) of the middle. velocity: (x, y) in pixels per frame.
        area: in pixels. box: around it.
        color: mean RGB in 0 to 255.
        at_border: it reaches the border of the picture.
    """

    place: Float[np.ndarray, " 2"]
    velocity: Float[np.ndarray, " 2"]
    area: float
    box: Box
    color: Float[np.ndarray, " 3"]
    mask: Bool[np.ndarray, "h w"]
    at_border: bool


@dataclass(frozen=True, eq=False)
class Outline:
    """A region that is unlike the background.

    Attributes:
        place: (x, y) of the middle. size: width and height.
        area: in pixels. color: median RGB of its inside.
        at_border: it reaches the border of the picture.
    """

    place: Float[np.ndarray, " 2"]
    size: Float[np.ndarray, " 2"]
    area: float
    color: Float[np.ndarray, " 3"]
    at_border: bool


@dataclass(frozen=True, eq=False)
class Portrait:
    """What a thing looked like while it was whole, and the straight line that it was on.

    Attributes:
        start, velocity: of the line, in pixels and pixels per frame: place at frame 0, and way.
        last: the last frame that it comes from.
        size, area, color: medians.
    """

    start: Float[np.ndarray, " 2"]
    velocity: Float[np.ndarray, " 2"]
    last: int
    size: Float[np.ndarray, " 2"]
    area: float
    color: Float[np.ndarray, " 3"]

    def at(self, frame: int) -> Float[np.ndarray, " 2"]:
        """Where it would be."""
        return self.start + self.velocity * frame


@dataclass(eq=False)
class Thing:
    """One thing: what was seen of it, and where it is thought to be.

    Attributes:
        blobs, frames: what was seen of it, and when.
        state: moving, rest, hidden, merged, left, vanished or lost.
        since: frame in which it came into that state.
        born: frame in which it was first seen to move.
        was_still: it was seen in its place before it moved.
        back: blobs that it had when it came out again; 0 if it never was hidden.
        excused: frame in which it last met something.
        wall: frame in which it last had a wall before it, where (x), and to which side.
        hid_by, portrait, outside: what hides it, what it was, and for how many frames it should
            have been seen.
        again: outlines since it came out.
    """

    blobs: list[Blob]
    frames: list[int]
    state: str = "moving"
    since: int = 0
    born: int = 0
    back: int = 0
    was_still: bool = False
    excused: int = -99
    wall: tuple[int, float, float] = (-99, 0.0, 1.0)
    outside: int = 0
    hid_by: np.ndarray | None = None
    portrait: Portrait | None = None
    again: list[Outline] = field(default_factory=list)

    @property
    def last(self) -> Blob:
        """What was seen last."""
        return self.blobs[-1]

    @property
    def velocity(self) -> Float[np.ndarray, " 2"]:
        """Of the last three blobs, in pixels per frame."""
        return np.mean([blob.velocity for blob in self.blobs[-3:]], axis=0)


def find_moving(
    frame: Float[np.ndarray, "h w 3"],
    before: Float[np.ndarray, "h w 3"],
    flow: Float[np.ndarray, "h w 2"],
) -> Bool[np.ndarray, "h w"]:
    """Pixels that move by the flow, at or next to such as have changed."""
    changed = (np.abs(frame - before).max(-1) > 6).astype(np.uint8)
    return (np.linalg.norm(flow, axis=-1) > _MIN_SPEED_PX) & (cv2.dilate(changed, _KERNEL) > 0)


def clear_plate(
    frames: Sequence[Float[np.ndarray, "h w 3"]], covered: Sequence[Bool[np.ndarray, "h w"]]
) -> Float[np.ndarray, "h w 3"]:
    """What lies behind: the median of each pixel over the frames in which nothing moved there.

    Where something always moved it is the median of all.
    """
    seen = ~np.stack([cv2.dilate(mask.astype(np.uint8), _WIDE_KERNEL) > 0 for mask in covered])
    count = seen.sum(axis=0)
    usable = seen | (count == 0)
    number = np.where(count == 0, len(covered), count)
    ordered = np.sort(np.where(usable[..., None], np.stack(frames), np.inf), axis=0)
    middle = np.stack([(number - 1) // 2, number // 2])[..., None]
    return np.take_along_axis(ordered, middle, axis=0).mean(axis=0)


def find_blobs(
    frame: Float[np.ndarray, "h w 3"],
    moving: Bool[np.ndarray, "h w"],
    flow: Float[np.ndarray, "h w 2"],
    plate: Float[np.ndarray, "h w 3"] | None,
) -> list[Blob]:
    """Parts of a frame that move together and are not background."""
    if plate is not None:
        moving = moving & (np.abs(frame - plate).max(-1) > _UNLIKE_LEVELS)
    closed = cv2.morphologyEx(moving.astype(np.uint8), cv2.MORPH_CLOSE, _KERNEL)
    num, labels, stats, middles = cv2.connectedComponentsWithStats(closed, connectivity=8)
    found = []
    for label in range(1, num):
        x, y, w, h, area = stats[label].tolist()
        if area < _MIN_AREA_PX:
            continue
        mask = labels == label
        found.append(
            Blob(
                place=middles[label].astype(np.float64),
                velocity=np.median(flow[mask], axis=0).astype(np.float64),
                area=float(area),
                box=(x, y, x + w, y + h),
                color=frame[mask].mean(axis=0, dtype=np.float64),
                mask=mask,
                at_border=_at_border(x, y, w, h, mask, 1),
            )
        )
    return found


def outline_at(
    frame: Float[np.ndarray, "h w 3"],
    plate: Float[np.ndarray, "h w 3"],
    place: Float[np.ndarray, " 2"],
    reach_px: float = 6.0,
) -> Outline | None:
    """The largest region unlike the background with its middle near a place."""
    unlike = (np.abs(frame - plate).max(-1) > _OUTLINE_LEVELS).astype(np.uint8)
    num, labels, stats, middles = cv2.connectedComponentsWithStats(unlike, connectivity=4)
    near = np.linalg.norm(middles - place, axis=1) < reach_px
    area = np.where(near, stats[:, cv2.CC_STAT_AREA], 0)
    area[0] = 0
    label = int(area.argmax())
    if num < 2 or area[label] < _MIN_AREA_PX:
        return None
    mask = labels == label
    inside = cv2.erode(mask.astype(np.uint8), _KERNEL) > 0
    x, y, w, h, _ = stats[label].tolist()
    return Outline(
        place=middles[label].astype(np.float64),
        size=np.array([w, h], dtype=np.float64),
        area=float(area[label]),
        color=np.median(frame[inside if inside.sum() >= 4 else mask], axis=0).astype(np.float64),
        at_border=_at_border(x, y, w, h, mask, 0),
    )


def draw_portrait(
    frames: Sequence[Float[np.ndarray, "h w 3"]],
    plate: Float[np.ndarray, "h w 3"],
    numbers: Sequence[int],
    blobs: Sequence[Blob],
) -> Portrait | None:
    """What blobs of one thing had in common in the last frames that show it whole.

    Args:
        frames: seen so far.
        plate: what lies behind it.
        numbers: of the frames that the blobs are from.
        blobs: of the thing.
    """
    seen = []
    for number, blob in list(zip(numbers, blobs, strict=True))[-20:]:
        found = outline_at(frames[number], plate, blob.place)
        if found is not None and not found.at_border:
            seen.append((number, found))
    seen = seen[-12:]
    if not seen:
        return None
    usual = float(np.median(sorted(outline.area for _, outline in seen)[-5:]))
    whole = [pair for pair in seen if pair[1].area >= _WHOLE_SHARE * usual][-6:]
    when = np.array([number for number, _ in whole], dtype=np.float64)
    places = np.stack([outline.place for _, outline in whole])
    if len(whole) >= 3:
        way, start = np.polyfit(when, places, 1)
    else:
        way = np.mean([blob.velocity for blob in blobs[-3:]], axis=0)
        start = places[-1] - way * when[-1]
    return Portrait(
        start=start,
        velocity=way,
        last=int(when[-1]),
        size=np.median([outline.size for _, outline in whole], axis=0),
        area=float(np.median([outline.area for _, outline in whole])),
        color=np.median([outline.color for _, outline in whole], axis=0),
    )


def spread_even(
    frame: Float[np.ndarray, "h w 3"], place: Float[np.ndarray, " 2"]
) -> Bool[np.ndarray, "h w"]:
    """The piece of even colour around a place: what hides a thing there."""
    height, width = frame.shape[:2]
    seed = (
        int(np.clip(round(place[0]), 0, width - 1)),
        int(np.clip(round(place[1]), 0, height - 1)),
    )
    mask = np.zeros((height + 2, width + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8) | cv2.FLOODFILL_FIXED_RANGE
    spread = (_EVEN_LEVELS,) * 3
    cv2.floodFill(frame.astype(np.uint8), mask, seed, (0, 0, 0), spread, spread, flags)
    return mask[1:-1, 1:-1] > 0


def wall_ahead(
    plate: Float[np.ndarray, "h w 3"], box: Box, side: float, *, is_low: bool = False
) -> float | None:
    """Where an upright edge stands in the background, right before a box; None if nowhere.

    Args:
        plate: the background.
        box: of a thing; its lower half has to face the edge.
        side: > 0 to the right, else to the left.
        is_low: it must not reach up to the top of the thing, as that of a screen does, and go on
            below it, as that of another thing on its line does not.
    """
    top, low = int(box[1]), int(box[3])
    edge = box[2] if side > 0 else box[0] - 1
    steps = np.sign(side) * np.arange(4)
    width = plate.shape[1]
    ahead: Int[np.ndarray, " k"] = np.clip(edge + steps, 0, width - 1).astype(int)
    behind: Int[np.ndarray, " k"] = np.clip(edge + steps - 3 * np.sign(side), 0, width - 1).astype(
        int
    )
    unlike = np.abs(plate[top:low][:, ahead] - plate[top:low][:, behind]).max(-1) > _EDGE_LEVELS
    if len(unlike) < 4:
        return None
    share = unlike[len(unlike) // 2 :].mean(axis=0)
    best = int(share.argmax())
    if share[best] <= 0.7:
        return None
    if is_low:
        near = np.arange(max(ahead[best] - 5, 0), min(ahead[best] + 6, width))
        below = plate[low : low + 4][:, near]
        edges = np.abs(below[:, 3:] - below[:, :-3]).max(-1).max(-1) > _EDGE_LEVELS
        if unlike[: len(unlike) // 4, best].mean() > 0.5 or edges.sum() < 4:
            return None
    return float(ahead[best])


def is_beyond_edge(plate: Float[np.ndarray, "h w 3"], box: Box, side: float) -> bool:
    """Whether what lies below a box ends upright behind it, as a table's side does.

    Args:
        plate: the background.
        box: of a thing.
        side: its velocity to the right, or to the left (< 0).
    """
    width = plate.shape[1]
    low, long = int(box[3]), box[2] - box[0]
    rear = box[0] if side > 0 else box[2] - 1
    now, behind = (round(rear - np.sign(side) * way) for way in (-1.0, 0.8 * long))
    rows = plate[low + 1 : low + 9]
    if len(rows) < 6 or not (0 <= now < width and 0 <= behind < width):
        return False
    unlike = np.abs(rows[:, now] - rows[:, behind]).max(-1) > _EDGE_LEVELS
    even = np.abs(np.diff(rows[:, behind], axis=0)).max(-1) < _EDGE_LEVELS
    far = int(np.clip(round(rear - np.sign(side) * 1.6 * long), 0, width - 1))
    like = np.abs(rows[:, far] - rows[:, behind]).max(-1) < _EDGE_LEVELS  # no stripe of a floor
    return bool(unlike.mean() > 0.8 and even.mean() > 0.8 and like.mean() > 0.6)


def gap_px(a: Box, b: Box) -> float:
    """Way between two boxes, 0 where they overlap."""
    x = max(a[0] - b[2], b[0] - a[2], 0.0)
    y = max(a[1] - b[3], b[1] - a[3], 0.0)
    return float(np.hypot(x, y))


def moved(box: Box, way: Float[np.ndarray, " 2"]) -> Box:
    """A box elsewhere."""
    x, y = way.tolist()
    return (box[0] + x, box[1] + y, box[2] + x, box[3] + y)


def _at_border(x: int, y: int, w: int, h: int, mask: np.ndarray, margin: int) -> bool:
    height, width = mask.shape
    return x <= margin or y <= margin or x + w >= width - margin or y + h >= height - margin
