"""Connected regions of a mask: cleaning, measuring, splitting, telling objects from ghosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from worldline.readout.background import UNIT, largest_channel, without
from worldline.readout.shade import Shade

__all__ = [
    "Core",
    "Piece",
    "Region",
    "clean_mask",
    "find_cores",
    "find_pieces",
    "find_regions",
    "join_regions",
    "outline_ratio",
    "split_region",
    "suspects",
]

_COLOR_WEIGHT = 3.0  # how much a full change of colour counts, in box halves of distance
_WEAK = round(0.6 * UNIT)  # strength of what belongs to an object next to it
_REACH = 3  # pixels around a part, more than its opening and its outline reach
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_DISC = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


@dataclass(frozen=True, eq=False)
class Piece:
    """Connected pixels of the working image, which shows the scene from the reference view.

    Attributes:
        window: rows and columns of the working image that `mask` covers.
        mask: `[h, w]` 1 at its pixels inside the window.
    """

    window: tuple[slice, slice]
    mask: UInt8[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class Region(Piece):
    """A piece that has been measured.

    Attributes:
        box: `[4]` left, top, right, bottom, in pixels of the frame as it came.
        color: `[3]` mean RGB in [0, 1].
        area_px: number of pixels of the frame that it covers.
        pixels: `[h, w, 3]` the working image inside the window, RGB from 0 to 255.
        frame_from_work: `[3, 3]` homography into the frame as it came.
        split: cut out of a region that several objects shared; its outline is a guess.
        shade: what it is to the background behind it, where that was measured.
    """

    box: Float[np.ndarray, " 4"]
    color: Float[np.ndarray, " 3"]
    area_px: float
    pixels: UInt8[np.ndarray, "h w 3"]
    frame_from_work: Float[np.ndarray, "3 3"]
    split: bool = False
    shade: Shade | None = None


@dataclass(frozen=True, eq=False)
class Core:
    """A thick part of a region.

    Attributes:
        window: rows and columns around the region.
        mask: `[h, w]` 1 at the core's pixels inside the window.
        thinned_px: by how much the region was thinned to it.
    """

    window: tuple[slice, slice]
    mask: UInt8[np.ndarray, "h w"]
    thinned_px: int


def suspects(strength: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """1 where `clean_mask` can find an object at all: whether these are light is to be told."""
    weak = cv2.threshold(strength, _WEAK, 1, cv2.THRESH_BINARY)[1]
    return cv2.morphologyEx(weak, cv2.MORPH_OPEN, _CROSS)


def clean_mask(
    strength: UInt8[np.ndarray, "h w"], light: UInt8[np.ndarray, "h w"], min_area: float
) -> UInt8[np.ndarray, "h w"]:
    """1 at objects' pixels: above the threshold or next to such, without specks, holes and light.

    Args:
        strength: deviation from the background, see `Deviation`.
        light: not 0 where shadows and lamps are, see `find_light`.
        min_area: smaller specks go.
    """
    matter = without(strength, light)
    strong = _opened(matter, UNIT)
    if not strong.any():
        return strong
    weak = cv2.bitwise_or(_opened(matter, _WEAK), strong)
    weak = cv2.morphologyEx(weak, cv2.MORPH_CLOSE, _DISC)
    mask = np.zeros_like(weak)
    found = [
        contour for contour, window in _contours(weak, min_area) if cv2.countNonZero(strong[window])
    ]
    return cv2.drawContours(mask, found, -1, 1, thickness=cv2.FILLED) if found else mask


def _opened(strength: UInt8[np.ndarray, "h w"], least: int) -> UInt8[np.ndarray, "h w"]:
    above = cv2.threshold(strength, least, 1, cv2.THRESH_BINARY)[1]
    return cv2.morphologyEx(above, cv2.MORPH_OPEN, _CROSS)


def _contours(
    mask: UInt8[np.ndarray, "h w"], min_area: float
) -> list[tuple[np.ndarray, tuple[slice, slice]]]:
    """Outlines of connected pieces whose bounding box is large enough, with that box."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    found = []
    for contour in contours:
        x, y, w, h = cv2.boundingRect(contour)
        if w * h >= min_area:
            found.append((contour, (slice(y, y + h), slice(x, x + w))))
    return found


def find_pieces(mask: UInt8[np.ndarray, "h w"], min_area: float) -> list[Piece]:
    """Connected pieces of at least `min_area` pixels, holes filled, from left to right."""
    pieces = []
    for contour, window in _contours(mask, min_area):
        inside = np.zeros_like(mask[window])
        corner = -window[1].start, -window[0].start
        cv2.drawContours(inside, [contour], -1, 1, thickness=cv2.FILLED, offset=corner)
        if cv2.countNonZero(inside) >= min_area:
            pieces.append(Piece(window, inside))
    return sorted(pieces, key=lambda piece: piece.window[1].start)


def find_regions(
    mask: UInt8[np.ndarray, "h w"],
    image: UInt8[np.ndarray, "h w 3"],
    min_area: float,
    frame_from_work: Float[np.ndarray, "3 3"],
) -> list[Region]:
    """Connected regions of at least `min_area` working pixels, holes filled, from left to right."""
    regions = [
        _measure(piece.mask, piece.window, image[piece.window], frame_from_work)
        for piece in find_pieces(mask, min_area)
    ]
    return sorted(regions, key=lambda region: float(region.box[0]))


def find_cores(
    mask: UInt8[np.ndarray, "h w"],
    margin: int,
    *,
    skip: Callable[[tuple[slice, slice]], bool] = lambda _: False,
) -> Iterator[Core]:
    """The thick parts of each connected region.

    Two discs that touch are one region but have two cores: places further from the outline than
    three quarters of the region's greatest such distance.

    Args:
        mask: the regions, 1 inside.
        margin: pixels around a region that its cores' windows show.
        skip: tells of such a window that the region in it is of no interest.
    """
    for contour, box in _contours(mask, 1.0):
        rows, columns = window = (
            slice(max(0, box[0].start - margin), box[0].stop + margin),
            slice(max(0, box[1].start - margin), box[1].stop + margin),
        )
        if skip(window):
            continue
        inside = np.zeros_like(mask[window])
        corner = -columns.start, -rows.start
        cv2.drawContours(inside, [contour], -1, 1, thickness=cv2.FILLED, offset=corner)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
        radius = 0.75 * cv2.minMaxLoc(depth)[1]
        thick = cv2.compare(depth, np.array([radius]), cv2.CMP_GT)
        parts, part_of = cv2.connectedComponents(thick)
        thinned = max(1, int(np.ceil(radius)))
        for k in range(1, parts):
            yield Core(window, (part_of == k).view(np.uint8), thinned)


def _measure(
    mask: UInt8[np.ndarray, "h w"],
    window: tuple[slice, slice],
    pixels: UInt8[np.ndarray, "h w 3"],
    frame_from_work: Float[np.ndarray, "3 3"],
) -> Region:
    x, y, width, height = cv2.boundingRect(mask)
    top, left = window[0].start + y, window[1].start + x
    bottom, right = top + height, left + width
    box = _map_box((left, top, right, bottom), frame_from_work)
    # Its edge is mixed with the background: take the colour from further inside, if there is any.
    inner = cv2.erode(mask, _DISC, borderValue=0)
    grow = (box[2] - box[0]) * (box[3] - box[1]) / ((right - left) * (bottom - top))
    return Region(
        box=np.array(box),
        color=np.array(cv2.mean(pixels, inner if cv2.countNonZero(inner) else mask)[:3]) / 255.0,
        area_px=cv2.countNonZero(mask) * grow,
        window=window,
        mask=mask,
        pixels=pixels,
        frame_from_work=frame_from_work,
    )


def _map_box(
    box: Sequence[float], transform: Float[np.ndarray, "3 3"]
) -> tuple[float, float, float, float]:
    # In plain numbers: four corners are too few for arrays to pay.
    (a, b, c), (d, e, f), (g, h, i) = transform.tolist()
    left, top, right, bottom = box
    one, two = 1.0 / (g * left + h * top + i), 1.0 / (g * right + h * top + i)
    three, four = 1.0 / (g * right + h * bottom + i), 1.0 / (g * left + h * bottom + i)
    xs = (
        (a * left + b * top + c) * one,
        (a * right + b * top + c) * two,
        (a * right + b * bottom + c) * three,
        (a * left + b * bottom + c) * four,
    )
    ys = (
        (d * left + e * top + f) * one,
        (d * right + e * top + f) * two,
        (d * right + e * bottom + f) * three,
        (d * left + e * bottom + f) * four,
    )
    return min(xs), min(ys), max(xs), max(ys)


def join_regions(parts: Sequence[Region]) -> Region:
    """One region out of the pieces of one object."""
    first = parts[0]
    if len(parts) == 1:
        return first
    boxes = np.array([part.box for part in parts])
    areas = np.array([part.area_px for part in parts])
    largest = parts[int(np.argmax(areas))]
    return replace(
        largest,
        box=np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)]),
        color=np.average([part.color for part in parts], axis=0, weights=areas),
        area_px=float(areas.sum()),
    )


def split_region(
    region: Region, boxes: Float[np.ndarray, "k 4"], colors: Float[np.ndarray, "k 3"]
) -> list[Region | None]:
    """Share a region among objects that are expected at `boxes` with `colors`.

    Each pixel goes to the object that is nearest in units of its box and in colour. An object that
    gets too little to be seen gets None.
    """
    inverse = np.linalg.inv(region.frame_from_work)
    expected = np.array([_map_box(box, inverse) for box in boxes.tolist()])
    corner = np.array([region.window[1].start, region.window[0].start], np.float64)
    owner = _nearest(region, expected - np.concatenate([corner, corner]), colors)
    parts: list[Region | None] = []
    for k, box in enumerate(expected):
        own = cv2.inRange(owner, k + 1, k + 1)
        window = _around(own, _REACH)
        mask = cv2.morphologyEx(own[window], cv2.MORPH_OPEN, _CROSS)
        area = float(np.prod(box[2:] - box[:2]))
        if cv2.countNonZero(mask) < 0.25 * area:
            parts.append(None)
            continue
        count, labels = cv2.connectedComponents(mask)
        # Counted only where there is a choice: OpenCV's statistics take five times the search.
        largest = count - 1 if count < 3 else 1 + int(np.argmax(np.bincount(labels.flat)[1:]))
        rows, columns = (
            slice(whole.start + part.start, whole.start + part.stop)
            for whole, part in zip(region.window, window, strict=True)
        )
        part = _measure(
            (labels == largest).view(np.uint8),
            (rows, columns),
            region.pixels[window],
            region.frame_from_work,
        )
        parts.append(replace(part, split=True))
    return parts


def _around(mask: UInt8[np.ndarray, "h w"], reach: int) -> tuple[slice, slice]:
    """Rows and columns of what is not 0, and so many pixels more on each side."""
    x, y, w, h = cv2.boundingRect(mask)
    height, width = mask.shape
    return (
        slice(max(0, y - reach), min(height, y + h + reach)),
        slice(max(0, x - reach), min(width, x + w + reach)),
    )


def _nearest(
    region: Region, boxes: Float[np.ndarray, "k 4"], colors: Float[np.ndarray, "k 3"]
) -> UInt8[np.ndarray, "h w"]:
    """1 + the number of the nearest of some boxes at the region's pixels, and 0 elsewhere.

    Squared distances, less what is the same for all boxes, are linear in a pixel's place, its
    squares and the colour: one matrix product gives them all.
    """
    half = np.maximum((boxes[:, 2:] - boxes[:, :2]) / 2, 1.0)
    middle = (boxes[:, 2:] + boxes[:, :2]) / 2
    weight = 4.0 * _COLOR_WEIGHT
    factors = np.hstack([half**-2.0, -2.0 * middle / half**2, -2.0 / 255.0 * weight * colors])
    constant = np.sum((middle / half) ** 2, axis=1) + weight * np.sum(colors**2, axis=1)
    at = np.flatnonzero(region.mask.view(bool))
    y, x = np.divmod(at, region.mask.shape[1])
    places = np.stack([x, y]) + 0.5
    rgb = region.pixels.reshape(-1, 3).take(at, axis=0).T
    costs = factors @ np.concatenate([places**2, places, rgb]) + constant[:, None]
    owner = np.zeros(region.mask.size, np.uint8)
    # The first of the least; among two or three many times faster than by `argmin`.
    nearest, least = np.ones(len(at), np.uint8), costs[0]
    for k, cost in enumerate(costs[1:], start=2):
        nearest[cost < least] = k
        least = np.minimum(cost, least)
    owner[at] = nearest
    return owner.reshape(region.mask.shape)


def outline_ratio(
    region: Piece, image: UInt8[np.ndarray, "h w 3"], background: UInt8[np.ndarray, "h w 3"]
) -> float:
    """How much more the region's outline is an edge in the image than in the background.

    An object's outline is an edge in the picture that holds it: above 1 the image holds it, below
    1 the *background* does, and the region is a ghost that differs because nothing is there.
    """
    height, width = image.shape[:2]
    pad = 3
    top, bottom = max(0, region.window[0].start - pad), min(height, region.window[0].stop + pad)
    left, right = max(0, region.window[1].start - pad), min(width, region.window[1].stop + pad)
    window = slice(top, bottom), slice(left, right)
    mask = np.zeros((bottom - top, right - left), np.uint8)
    y, x = region.window[0].start - top, region.window[1].start - left
    mask[y : y + region.mask.shape[0], x : x + region.mask.shape[1]] = region.mask
    outline = cv2.dilate(mask, _DISC) - cv2.erode(mask, _DISC, borderValue=0)
    # The image border is an edge of neither picture.
    outline[0] = outline[-1] = 0
    outline[:, 0] = outline[:, -1] = 0
    if not cv2.countNonZero(outline):
        return 1.0
    # Both at once: rows at the seam see the other picture, and lie on no outline.
    slopes = _gradient(np.concatenate([image[window], background[window]]))
    now, then = (cv2.mean(half, outline)[0] for half in (slopes[: len(mask)], slopes[len(mask) :]))
    return (now + 1.0) / (then + 1.0)


def _gradient(image: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w"]:
    # Per channel: a green ball before a grey wall may differ in colour alone.
    x, y = (cv2.Sobel(image, cv2.CV_32F, dx, 1 - dx, scale=0.25) for dx in (1, 0))
    return largest_channel(cv2.magnitude(x, y))
