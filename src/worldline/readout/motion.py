"""Moving regions in a stream of frames, with the camera's own motion taken out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from worldline.readout.background import BackgroundModel, largest_channel
from worldline.readout.camera_motion import CameraRegistration, View
from worldline.readout.cuts import CutDetector
from worldline.readout.regions import Region, clean_mask, find_cores, find_regions, outline_ratio

__all__ = ["MotionDetector", "MovingRegions"]

_SEAM = np.ones((5, 5), np.uint8)  # an object's smoothed edge reaches two pixels further
_UPSCALE_BELOW_PX = 160  # smaller images are enlarged, so that a ball of four pixels has a shape
_UPSCALE_TO_PX = 192
_MIN_BUFFER, _MAX_BUFFER = 40, 80  # frames
_MEDIAN_FRAMES = 15
_NUM_HEALING_FRAMES = 12
_HEAL_MARGIN = 8  # more than a seam and an outline reach beyond a region
_MIN_OVERLAP = 0.75  # of a view with the reference, before a new reference is chosen
_CHANGE = 12.0  # grey levels between neighbouring frames that mean motion in a place
_MIN_ACTIVE_SHARE = 0.01  # of a region's pixels, or nothing moves in it
_GHOST_RATIO = 0.75  # of outlines: below, the background holds the object
_OBJECT_RATIO = 1.15  # what stands still for this long must have a clearer outline than this
_DOUBT_S = 0.8
_MAX_REGIONS = 60  # more at once are a failed registration, or leaves in a storm
_GLOBAL_CHANGE = 0.6  # share of the image that cannot all be objects


@dataclass(frozen=True, eq=False)
class MovingRegions:
    """What was found in one frame; all lengths in pixels of the frame as it came.

    Attributes:
        index: number of the frame.
        time_s: presentation time.
        regions: connected moving regions.
        new_shot: this frame is the first after a cut.
        shift_px: `[2]` how the picture has moved since the start of the shot, by the camera.
        camera_moves: the camera does not stand still in this frame.
    """

    index: int
    time_s: float
    regions: tuple[Region, ...]
    new_shot: bool
    shift_px: Float[np.ndarray, " 2"]
    camera_moves: bool


@dataclass(frozen=True, eq=False)
class _Work:
    index: int
    time_s: float
    smooth: np.ndarray  # uint8 [h, w, 3]
    gray: np.ndarray  # uint8 [h, w]
    new_shot: bool

    @property
    def image(self) -> np.ndarray:
        """float32 [h, w, 3], smoothed."""
        return self.smooth.astype(np.float32)


class MotionDetector:
    """Streams frames to moving regions; holds a second of frames at the start of each shot.

    The background of a shot starts as the median of its first frames, registered on each other.
    Where the median shows an object that rested there for long, the edges around the region tell
    which of the two pictures holds the object, and the background is mended.
    """

    def __init__(self, *, max_side_px: int, buffer_s: float, absorb_s: float) -> None:
        self._max_side_px = max_side_px
        self._buffer_s = buffer_s
        self._absorb_s = absorb_s
        self._scale = 1.0

    def detect(
        self, frames: Iterable[tuple[float, UInt8[np.ndarray, "h w 3"]]]
    ) -> Iterator[MovingRegions]:
        """One `MovingRegions` a frame, in order."""
        buffer: list[_Work] = []
        shot: _Shot | None = None
        for work in self._prepare(frames):
            if work.new_shot:
                yield from self._flush(buffer)
                buffer, shot = [], None
            if shot is not None:
                yield shot.step(work)
                continue
            buffer.append(work)
            # A short clip is held whole, so that what rests in it for long can be found out.
            long_enough = work.time_s - buffer[0].time_s >= self._buffer_s
            if (long_enough and len(buffer) >= _MIN_BUFFER) or len(buffer) >= _MAX_BUFFER:
                shot = self._open(buffer)
                yield from (shot.step(held) for held in buffer)
                buffer = []
        yield from self._flush(buffer)

    def _flush(self, buffer: list[_Work]) -> Iterator[MovingRegions]:
        if buffer:
            shot = self._open(buffer)
            yield from (shot.step(held) for held in buffer)

    def _open(self, buffer: list[_Work]) -> _Shot:
        return _Shot(buffer, scale=self._scale, absorb_s=self._absorb_s)

    def _prepare(self, frames: Iterable[tuple[float, np.ndarray]]) -> Iterator[_Work]:
        cuts = CutDetector()
        size: tuple[int, int] | None = None
        for index, (time_s, frame) in enumerate(frames):
            height, width = frame.shape[:2]
            side = max(height, width)
            if size is None:
                if side > self._max_side_px:
                    self._scale = self._max_side_px / side
                elif side < _UPSCALE_BELOW_PX:
                    self._scale = float(round(_UPSCALE_TO_PX / side))
                size = round(width * self._scale), round(height * self._scale)
                size = max(8, size[0]), max(8, size[1])
            if size != (width, height):
                # Down to a half, two samples by two see every pixel, at a fifth of the cost.
                how = cv2.INTER_AREA if self._scale < 0.5 else cv2.INTER_LINEAR
                frame = cv2.resize(frame, size, interpolation=how)
            new_shot = cuts.update(frame) or index == 0
            gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
            smooth = cv2.GaussianBlur(frame, (3, 3), 0.8 if self._scale <= 1 else 1.2)
            yield _Work(index, time_s, smooth, gray, new_shot)


class _Shot:
    """Everything known about the shot that is being read."""

    def __init__(self, head: list[_Work], *, scale: float, absorb_s: float) -> None:
        self._scale = scale
        self._absorb_s = absorb_s
        height, width = head[0].gray.shape
        self._min_area = max(14.0, 1.2e-4 * height * width)
        self._camera = CameraRegistration()
        self._background = self._learn_start(head)
        self._anchor_from_start = np.eye(3)
        self._previous: np.ndarray | None = None
        self._previous_view: View | None = None
        self._still_s = np.zeros((height, width), np.float32)
        self._last_time_s = head[0].time_s
        self._objects: np.ndarray | None = None
        self._num_wild = 0
        self._first = True

    def step(self, work: _Work) -> MovingRegions:
        """Find the moving regions of the next frame and learn from it."""
        view = self._camera.register(work.gray)
        image = self._to_reference(work.image, view)
        if view.moved and self._overlap(view) < _MIN_OVERLAP:
            image, view = self._move_reference(work, view)
        model = self._background
        image = model.compensate(image, self._objects)
        strength = model.difference(image, slack_px=1 if view.moved else 0)
        mask = self._object_mask(image, strength)
        if np.count_nonzero(mask) > _GLOBAL_CHANGE * mask.size or view.lost:
            mask, image = self._start_over(work, mask, image)
        changed = self._changes(image)
        found = find_regions(mask, image, self._min_area, self._frame_from_work(view))
        regions = self._judge(found, image, changed, work) if len(found) <= _MAX_REGIONS else []
        keep_out = cv2.dilate(mask.astype(np.uint8) * 255, np.ones((7, 7), np.uint8))
        model.learn(image, strength, keep_out)
        self._objects = keep_out > 0
        self._previous = image
        result = self._report(work, regions, view)
        self._first, self._last_time_s = False, work.time_s
        return result

    def _object_mask(
        self, image: Float[np.ndarray, "h w 3"], strength: Float[np.ndarray, "h w"]
    ) -> Bool[np.ndarray, "h w"]:
        candidate = strength > 0.6
        shadow = self._background.shadows(image, candidate)
        return clean_mask(strength, shadow, self._min_area)

    def _judge(
        self,
        regions: list[Region],
        image: Float[np.ndarray, "h w 3"],
        changed: Bool[np.ndarray, "h w"],
        work: _Work,
    ) -> list[Region]:
        """Drop ghosts and what has stood still for long; both become background."""
        step_s = work.time_s - self._last_time_s
        kept = []
        objects = np.zeros(changed.shape, bool)
        for region in regions:
            window = region.window
            inside = region.mask
            active = float(np.mean(changed[window][inside]))
            if active < _MIN_ACTIVE_SHARE and not self._first:
                still_s = float(np.median(self._still_s[window][inside]))
                ratio = outline_ratio(region, image, self._background.mean)
                doubtful = ratio < _OBJECT_RATIO and still_s > _DOUBT_S
                if ratio < _GHOST_RATIO or doubtful or still_s > self._absorb_s:
                    self._forget(region, image)
                    continue
            objects[window] |= inside
            kept.append(region)
        self._still_s += np.float32(step_s)
        self._still_s[~objects | changed] = 0.0
        return kept

    def _forget(self, region: Region, image: Float[np.ndarray, "h w 3"]) -> None:
        where = np.zeros(image.shape[:2], np.uint8)
        where[region.window][region.mask] = 1
        where = cv2.dilate(where, _SEAM) > 0
        self._background.replace(where, image)

    def _changes(self, image: Float[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
        if self._previous is None:
            return np.zeros(image.shape[:2], dtype=bool)
        return largest_channel(cv2.absdiff(image, self._previous)) > _CHANGE

    def _report(self, work: _Work, regions: list[Region], view: View) -> MovingRegions:
        height, width = work.gray.shape
        to_current = view.current_from_reference
        middle = np.array([[[width / 2, height / 2]]])
        start_to_current = to_current @ self._anchor_from_start
        moved = cv2.perspectiveTransform(middle, start_to_current)[0, 0] - middle[0, 0]
        return MovingRegions(
            index=work.index,
            time_s=work.time_s,
            regions=tuple(regions),
            new_shot=work.new_shot,
            shift_px=np.asarray(moved / self._scale, dtype=np.float64),
            camera_moves=view.moved,
        )

    def _frame_from_work(self, view: View) -> Float[np.ndarray, "3 3"]:
        return np.diag([1.0 / self._scale, 1.0 / self._scale, 1.0]) @ view.current_from_reference

    # The reference view -------------------------------------------------------------------------

    def _to_reference(self, image: np.ndarray, view: View) -> np.ndarray:
        if not view.moved:
            return image
        height, width = image.shape[:2]
        warped = cv2.warpPerspective(
            image,
            view.current_from_reference,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(-1.0, -1.0, -1.0),
        )
        outside = warped[..., 0] < 0
        warped[outside] = self._background.mean[outside]
        return warped

    def _overlap(self, view: View) -> float:
        height, width = self._still_s.shape
        corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
        seen = cv2.perspectiveTransform(corners, view.current_from_reference)[0]
        frame = corners[0]
        area, _ = cv2.intersectConvexConvex(seen.astype(np.float32), frame)
        return float(area) / (width * height)

    def _move_reference(self, work: _Work, view: View) -> tuple[np.ndarray, View]:
        """Make the current view the reference."""
        transform = view.current_from_reference
        height, width = self._still_s.shape
        self._background.warp(transform)
        fresh = self._background.age <= 0
        self._background.replace(fresh, work.image)
        self._still_s = cv2.warpPerspective(self._still_s, transform, (width, height))
        if self._previous is not None:
            self._previous = cv2.warpPerspective(self._previous, transform, (width, height))
            self._previous[fresh] = work.image[fresh]
        self._objects = None
        self._anchor_from_start = transform @ self._anchor_from_start
        self._camera.set_reference(work.gray, current_from_reference=np.eye(3))
        return work.image, View(np.eye(3), moved=True, lost=False)

    def _start_over(
        self, work: _Work, mask: Bool[np.ndarray, "h w"], image: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """After some frames in which nothing fits the background, learn it anew."""
        self._num_wild += 1
        if self._num_wild < 5:
            return np.zeros_like(mask), image
        self._num_wild = 0
        self._background = BackgroundModel(work.image, 3.0)
        self._camera.set_reference(work.gray, current_from_reference=np.eye(3))
        self._previous = None
        return np.zeros_like(mask), work.image

    # The start of a shot ------------------------------------------------------------------------

    def _learn_start(self, head: list[_Work]) -> BackgroundModel:
        self._camera.set_reference(head[0].gray)
        pick = np.unique(np.linspace(0, len(head) - 1, _MEDIAN_FRAMES).round().astype(int))
        images, known = [], []
        height, width = head[0].gray.shape
        for i in pick:
            view = self._camera.register(head[i].gray)
            if view.lost:
                continue
            image = head[i].image
            seen = np.ones((height, width), np.float32)
            if view.moved:
                flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
                transform = view.current_from_reference
                image = cv2.warpPerspective(image, transform, (width, height), flags=flags)
                seen = cv2.warpPerspective(seen, transform, (width, height), flags=flags)
            images.append(image)
            known.append(seen > 0.99)
        stack, seen = _even_exposure(np.stack(images)), np.stack(known)
        median = _masked_median(stack, seen)
        model = BackgroundModel(median, _noise_of(stack))
        self._camera.set_reference(
            cv2.cvtColor(np.clip(median, 0, 255).astype(np.uint8), cv2.COLOR_RGB2GRAY),
            current_from_reference=np.eye(3),
        )
        picks = np.unique(np.linspace(0, len(stack) - 1, _NUM_HEALING_FRAMES).astype(int))
        num_fine = 0  # frames in a row that found nothing to mend: another look finds nothing new
        for i in (*picks, *picks):
            if num_fine == len(picks):
                break
            healed = self._heal(model, np.where(seen[i][..., None], stack[i], model.mean))
            num_fine = 0 if healed else num_fine + 1
        return model

    def _heal(self, model: BackgroundModel, image: np.ndarray) -> bool:
        """Mend the background where it holds an object that this frame does not; true if so."""
        healed = False
        strength = model.difference(image)
        shadow = model.shadows(image, strength > 0.6)
        mask = clean_mask(strength, shadow, self._min_area)
        # An object next to the ghost of another is one region with it: judge the cores apart.
        for core in find_cores(mask, _HEAL_MARGIN):
            size = 2 * core.thinned_px + 1
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
            grown = cv2.dilate(core.mask, kernel)
            masked = mask[core.window]
            here, then = image[core.window], model.mean[core.window]
            full = (grown > 0) & masked
            for region in find_regions(full, here, self._min_area, np.eye(3)):
                if outline_ratio(region, here, then) < _GHOST_RATIO:
                    seam = (cv2.dilate(grown, _SEAM) > 0) & ~masked
                    model.replace(full | seam, image, core.window)
                    healed = True
        return healed


def _even_exposure(stack: Float[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n h w 3"]:
    """Divide each picture by its exposure relative to the middle one, per channel."""
    sample = stack[:, ::4, ::4].reshape(len(stack), -1, 3) + 1.0
    gain = np.median(sample / sample[len(stack) // 2], axis=1)
    gain[np.abs(gain - 1.0) < 0.008] = 1.0
    return (stack / gain[:, None, None]).astype(np.float32)


def _masked_median(
    stack: Float[np.ndarray, "n h w 3"], seen: Bool[np.ndarray, "n h w"]
) -> Float[np.ndarray, "h w 3"]:
    if seen.all():
        return np.median(stack, axis=0).astype(np.float32)
    hidden = np.where(seen[..., None], stack, np.nan)
    known = np.any(seen, axis=0)[..., None]
    hidden[0] = np.where(known, hidden[0], stack[0])
    # What is hidden sorts behind the rest: NumPy's own median of such takes many times longer.
    hidden.sort(axis=0)
    count = np.count_nonzero(~np.isnan(hidden), axis=0)[None]
    low, high = (np.take_along_axis(hidden, at, axis=0)[0] for at in ((count - 1) // 2, count // 2))
    return ((low + high) / 2).astype(np.float32)


def _noise_of(stack: Float[np.ndarray, "n h w 3"]) -> float:
    """Standard deviation of the noise, from steps between frames where nothing moves."""
    if len(stack) < 2:
        return 0.0
    steps = np.abs(np.diff(stack[:, ::2, ::2], axis=0))
    return float(1.4826 * np.median(steps) / np.sqrt(2.0))
