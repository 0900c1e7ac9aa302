"""The background of a shot, out of its first frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from worldline.readout.background import BackgroundModel, divide, exposure, largest_channel
from worldline.readout.camera_motion import CameraRegistration
from worldline.readout.light import find_light
from worldline.readout.regions import (
    Core,
    clean_mask,
    find_cores,
    find_pieces,
    outline_ratio,
    suspects,
)

__all__ = ["learn_background", "middle_of"]

_MEDIAN_FRAMES = 15
_NUM_HEALING_FRAMES = 12
_HEAL_MARGIN = 8  # more than a seam and an outline reach beyond a region
_SEAM = np.ones((5, 5), np.uint8)  # an object's smoothed edge reaches two pixels further
_GHOST_RATIO = 0.75  # of outlines: below, the background holds the object
_SPARSE = 6  # exposure is measured on every sixth pixel each way, noise on every fourth


def learn_background(
    images: Sequence[UInt8[np.ndarray, "h w 3"]],
    grays: Sequence[UInt8[np.ndarray, "h w"]],
    camera: CameraRegistration,
    min_area: float,
    sharp_px: float,
) -> BackgroundModel:
    """The median of frames that are registered on the first, without what rested in it for long.

    Where the median shows an object that some frames do not, the edges around the region tell which
    of the two pictures holds the object, and the background is mended.

    Args:
        images: RGB, smoothed; the frames that the start of a shot is held for.
        grays: the same frames.
        camera: told to compare with the background from here on.
        min_area: working pixels of the smallest object.
        sharp_px: width of the sharpest edges that the pictures have.
    """
    camera.set_reference(grays[0])
    stack, hidden = _registered(images, grays, camera)
    stack = _even_exposure(stack)
    if any(mask is not None for mask in hidden):
        middle = middle_of(_balanced(stack, hidden))
    else:
        middle = middle_of(stack)
    model = BackgroundModel(middle, _noise_of(stack))
    camera.set_reference(cv2.cvtColor(middle, cv2.COLOR_RGB2GRAY), current_from_reference=np.eye(3))
    picks = np.unique(np.linspace(0, len(stack) - 1, _NUM_HEALING_FRAMES).astype(int))
    steady = all(mask is None for mask in hidden)
    looks: dict[int, _Look] = {}
    last: _Look | None = None
    num_fine = 0  # frames in a row that found nothing to mend: another look finds nothing new
    for i in (*picks, *picks):
        if num_fine == len(picks):
            break
        image, unseen = stack[i], hidden[i]
        if unseen is not None:
            image = cv2.copyTo(model.picture, unseen, image.copy())
        before = [look for look in (last, looks.get(i)) if look is not None]
        last = looks[i] = _look(model, image, min_area, sharp_px, steady=steady)
        healed = _heal(model, last, before, min_area)
        num_fine = 0 if healed else num_fine + 1
    return model


def _registered(
    images: Sequence[np.ndarray], grays: Sequence[np.ndarray], camera: CameraRegistration
) -> tuple[list[np.ndarray], list[np.ndarray | None]]:
    """Frames in the view of the first, and where they show nothing of it (None: nowhere)."""
    stack: list[np.ndarray] = []
    hidden: list[np.ndarray | None] = []
    height, width = grays[0].shape
    for i in np.unique(np.linspace(0, len(images) - 1, _MEDIAN_FRAMES).round().astype(int)):
        view = camera.register(grays[i])
        if view.lost:
            continue
        image, unseen = images[i], None
        if view.moved:
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            # The fourth channel is white, and tells afterwards what was seen.
            image = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)
            size = width, height
            image = cv2.warpPerspective(image, view.current_from_reference, size, flags=flags)
            unseen = cv2.threshold(image[..., 3], 252, 255, cv2.THRESH_BINARY_INV)[1]
            image = cv2.cvtColor(image, cv2.COLOR_RGBA2RGB)
        stack.append(image)
        hidden.append(unseen)
    return stack, hidden


def _even_exposure(stack: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Divide each picture by its exposure relative to the middle one, per channel."""
    samples = [image[::_SPARSE, ::_SPARSE].reshape(-1, 3) for image in stack]
    middle = samples[len(stack) // 2]
    return [
        divide(image, np.maximum(exposure(now, middle), 0.1))
        for image, now in zip(stack, samples, strict=True)
    ]


def _balanced(stack: Sequence[np.ndarray], hidden: Sequence[np.ndarray | None]) -> list[np.ndarray]:
    """Pictures whose median is that of the seen values: what is hidden is black in every other
    picture and white in the rest. Where nothing is seen at all the first picture stands."""
    shape = stack[0].shape[:2]
    blank = np.zeros(shape, np.uint8)
    masks = [blank if mask is None else mask for mask in hidden]
    never = masks[0]
    for mask in masks[1:]:
        never = cv2.bitwise_and(never, mask)
    filler = blank
    out = []
    for image, mask in zip(stack, masks, strict=True):
        filled = cv2.copyTo(cv2.merge([filler] * 3), mask, image.copy())
        filler = cv2.bitwise_xor(filler, mask)
        out.append(cv2.copyTo(stack[0], never, filled))
    return out


def middle_of(pictures: Sequence[UInt8[np.ndarray, "h w 3"]]) -> UInt8[np.ndarray, "h w 3"]:
    """Median of pictures, value by value; the mean of the two in the middle where they are even.

    By forgetful selection: of just over half of the values neither the least nor the greatest can
    be the median, so both are dropped and the next value comes in. Exchanging whole pictures does
    that for all values at once, many times faster than sorting each.
    """
    work, rest = list(pictures[: len(pictures) // 2 + 2]), list(pictures[len(pictures) // 2 + 2 :])
    while len(work) > 2:
        for i in range(len(work) - 1):
            work[i], work[i + 1] = cv2.min(work[i], work[i + 1]), cv2.max(work[i], work[i + 1])
        for i in range(len(work) - 2, 0, -1):
            work[i - 1], work[i] = cv2.min(work[i - 1], work[i]), cv2.max(work[i - 1], work[i])
        work = [*work[1:-1], *rest[:1]]
        rest = rest[1:]
    return work[0] if len(work) == 1 else cv2.addWeighted(work[0], 0.5, work[1], 0.5, 0.0)


def _noise_of(stack: Sequence[np.ndarray]) -> float:
    """Standard deviation of the noise, from steps between frames where nothing moves."""
    if len(stack) < 2:
        return 0.0
    sparse = np.stack([image[::4, ::4] for image in stack]).astype(np.int16)
    # Steps are whole numbers: the median lies somewhere within its own.
    steps = np.abs(np.diff(sparse, axis=0)).ravel()
    count = np.cumsum(np.bincount(steps))
    middle = int(np.searchsorted(count, len(steps) / 2))
    before = count[middle - 1] if middle else 0
    share = (len(steps) / 2 - before) / (count[middle] - before)
    return float(1.4826 * max(0.0, middle - 0.5 + share) / np.sqrt(2.0))


@dataclass(frozen=True, eq=False)
class _Look:
    """A frame beside the background as it is now.

    Attributes:
        image: `[h, w, 3]` the frame.
        picture: `[h, w, 3]` the background.
        mask: `[h, w]` 1 where they differ by what is no light.
    """

    image: UInt8[np.ndarray, "h w 3"]
    picture: UInt8[np.ndarray, "h w 3"]
    mask: UInt8[np.ndarray, "h w"]

    def apart(self, other: _Look) -> UInt8[np.ndarray, "h w"]:
        """Not 0 where another look saw anything else."""
        images = cv2.absdiff(self.image, other.image)
        pictures = cv2.absdiff(self.picture, other.picture)
        masks = cv2.absdiff(self.mask, other.mask)
        return cv2.max(largest_channel(cv2.max(images, pictures)), masks)


def _look(
    model: BackgroundModel,
    image: UInt8[np.ndarray, "h w 3"],
    min_area: float,
    sharp_px: float,
    *,
    steady: bool,
) -> _Look:
    strength = model.difference(image).strength
    light = find_light(
        image,
        model.picture,
        strength,
        suspects(strength),
        min_area=min_area,
        sharp_px=sharp_px,
        steady=steady,
    )
    return _Look(image, model.picture.copy(), clean_mask(strength, light, min_area))


def _heal(model: BackgroundModel, look: _Look, before: Sequence[_Look], min_area: float) -> bool:
    """Mend the background where it holds an object that this frame does not; true if so.

    Regions that an earlier look saw in just the same way are not judged again: what was mended
    then looks otherwise now.
    """
    known = [look.apart(other) for other in before]

    def is_known(window: tuple[slice, slice]) -> bool:
        return any(not cv2.countNonZero(apart[window]) for apart in known)

    healed = False
    image, mask = look.image, look.mask
    # An object next to the ghost of another is one region with it: judge the cores apart.
    for core in find_cores(mask, _HEAL_MARGIN, skip=is_known):
        window, own = _around(core)
        masked, here, then = mask[window], image[window], model.picture[window]
        away = cv2.distanceTransform(1 - own, cv2.DIST_L2, 3)
        grown = cv2.threshold(away, core.thinned_px, 1, cv2.THRESH_BINARY_INV)[1].astype(np.uint8)
        full = cv2.bitwise_and(grown, masked)
        for piece in find_pieces(full, min_area):
            if outline_ratio(piece, here, then) < _GHOST_RATIO:
                seam = (cv2.dilate(grown, _SEAM) > 0) & (masked == 0)
                model.replace((full > 0) | seam, image, window)
                healed = True
    return healed


def _around(core: Core) -> tuple[tuple[slice, slice], UInt8[np.ndarray, "y x"]]:
    """The part of a core's window that its region, a seam and an outline can reach, and the core
    in it."""
    x, y, w, h = cv2.boundingRect(core.mask)
    reach = core.thinned_px + _HEAL_MARGIN
    top, left = max(0, y - reach), max(0, x - reach)
    own = core.mask[top : y + h + reach, left : x + w + reach]
    rows, columns = (
        slice(side.start + low, side.start + low + length)
        for side, low, length in zip(core.window, (top, left), own.shape, strict=True)
    )
    return (rows, columns), np.ascontiguousarray(own)
