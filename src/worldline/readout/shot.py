"""One shot of a video: what moves in it, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from worldline.readout.background import BackgroundModel, Deviation, largest_channel, medians
from worldline.readout.camera_motion import CameraRegistration, View
from worldline.readout.known_light import KnownLight
from worldline.readout.light import find_light, sharpness
from worldline.readout.opening import learn_background
from worldline.readout.regions import Region, clean_mask, find_regions, outline_ratio, suspects
from worldline.readout.shade import measure_shade

__all__ = ["MovingRegions", "Picture", "Shot"]

_SEAM = np.ones((5, 5), np.uint8)  # an object's smoothed edge reaches two pixels further
_BESIDE = np.ones((7, 7), np.uint8)
_MIN_OVERLAP = 0.75  # of a view with the reference, before a new reference is chosen
_CHANGE = 12  # grey levels between neighbouring frames that mean motion in a place
_MIN_ACTIVE_SHARE = 0.01  # of a region's pixels, or nothing moves in it
_GHOST_RATIO = 0.75  # of outlines: below, the background holds the object
_OBJECT_RATIO = 1.15  # what stands still for this long must have a clearer outline than this
_DOUBT_S = 0.8
_MAX_REGIONS = 60  # more at once are a failed registration, or leaves in a storm
_SHADE_EVERY = 2  # frames
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
class Picture:
    """A frame made ready for the search.

    Attributes:
        index, time_s: number and presentation time.
        image: `[h, w, 3]` RGB at the size of the search, smoothed.
        gray: `[h, w]` not smoothed.
        new_shot: the first after a cut.
        scale: its size over that of the frame as it came.
    """

    index: int
    time_s: float
    image: UInt8[np.ndarray, "h w 3"]
    gray: UInt8[np.ndarray, "h w"]
    new_shot: bool
    scale: float


class Shot:
    """Everything known about the shot that is being read.

    Its background starts as the median of its first frames, registered on each other. Where a
    region turns out to be a ghost, something that the background holds and the scene does not, the
    background is mended.
    """

    def __init__(self, head: Sequence[Picture], *, scale: float, absorb_s: float) -> None:
        self._scale = scale
        self._absorb_s = absorb_s
        height, width = head[0].gray.shape
        self._min_area = max(14.0, 1.2e-4 * height * width)
        self._camera = CameraRegistration()
        self._background = learn_background(
            [picture.image for picture in head],
            [picture.gray for picture in head],
            self._camera,
            self._min_area,
            sharpness(scale),
        )
        self._known_light = KnownLight()
        self._anchor_from_start = np.eye(3)
        self._previous: np.ndarray | None = None
        self._still_s = np.zeros((height, width), np.float32)
        self._last_time_s = head[0].time_s
        self._objects: np.ndarray | None = None
        self._num_wild = 0
        self._first = True

    @property
    def seen(self) -> UInt8[np.ndarray, "h w 3"]:
        """The last picture from the reference view, as the regions' pixels show it.

        Raises:
            ValueError: no picture was searched.
        """
        if self._previous is None:
            raise ValueError("nothing was seen before the first step")
        return self._previous

    def step(self, picture: Picture) -> MovingRegions:
        """Find the moving regions of the next frame and learn from it."""
        view = self._camera.register(picture.gray)
        image = self._to_reference(picture.image, view)
        if view.moved and self._overlap(view) < _MIN_OVERLAP:
            image, view = self._move_reference(picture, view)
        model = self._background
        image = model.compensate(image, self._objects)
        deviation = model.difference(image, slack_px=1 if view.moved else 0)
        light = self._light(image, deviation, steady=not view.moved)
        known = None
        if self._known_light.is_any and not view.moved:
            known = self._known_light.find(image, model.picture, suspects(deviation.strength))
        if known is not None:
            light |= known
        mask = clean_mask(deviation.strength, light, self._min_area)
        if cv2.countNonZero(mask) > _GLOBAL_CHANGE * mask.size or view.lost:
            mask, image = self._start_over(picture, mask, image)
        changed = self._changes(image)
        found = find_regions(mask, image, self._min_area, self._frame_from_work(view))
        regions = self._judge(found, image, changed, picture) if len(found) <= _MAX_REGIONS else []
        if not view.moved and picture.index % _SHADE_EVERY == 0:
            regions = [self._shaded(region, image) for region in regions]
            self._known_light.learn(regions, image, model.picture)
        if known is not None:
            mask = mask | known  # not to be learned as the background
        self._objects = cv2.dilate(mask * np.uint8(255), _BESIDE)
        model.learn(image, deviation.change, self._objects)
        self._previous = image
        result = self._report(picture, regions, view)
        self._first, self._last_time_s = False, picture.time_s
        return result

    def _light(
        self, image: UInt8[np.ndarray, "h w 3"], deviation: Deviation, *, steady: bool
    ) -> UInt8[np.ndarray, "h w"]:
        return find_light(
            image,
            self._background.picture,
            deviation.strength,
            suspects(deviation.strength),
            min_area=self._min_area,
            sharp_px=sharpness(self._scale),
            steady=steady,
        )

    def _shaded(self, region: Region, image: UInt8[np.ndarray, "h w 3"]) -> Region:
        then = self._background.picture[region.window]
        now, rim_px = image[region.window], max(2, round(self._scale))
        return replace(region, shade=measure_shade(region.mask, now, then, rim_px=rim_px))

    def _judge(
        self,
        regions: list[Region],
        image: UInt8[np.ndarray, "h w 3"],
        changed: UInt8[np.ndarray, "h w"],
        picture: Picture,
    ) -> list[Region]:
        """Drop ghosts and what has stood still for long; both become background."""
        step_s = picture.time_s - self._last_time_s
        kept = []
        resting = np.zeros_like(changed)
        for region in regions:
            window, inside = region.window, region.mask
            num_changed = cv2.countNonZero(cv2.bitwise_and(changed[window], inside))
            if num_changed < _MIN_ACTIVE_SHARE * cv2.countNonZero(inside) and not self._first:
                still_s = float(medians(self._still_s[window][inside > 0][None])[0])
                ratio = outline_ratio(region, image, self._background.picture)
                doubtful = ratio < _OBJECT_RATIO and still_s > _DOUBT_S
                if ratio < _GHOST_RATIO or doubtful or still_s > self._absorb_s:
                    self._forget(region, image)
                    continue
            resting[window] |= inside
            kept.append(region)
        resting = cv2.subtract(resting, changed)
        longer = cv2.add(self._still_s, np.array([step_s]))
        self._still_s = cv2.copyTo(longer, resting)
        return kept

    def _forget(self, region: Region, image: UInt8[np.ndarray, "h w 3"]) -> None:
        where = np.zeros(image.shape[:2], np.uint8)
        where[region.window] = region.mask
        self._background.replace(cv2.dilate(where, _SEAM) > 0, image)

    def _changes(self, image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w"]:
        """1 where the picture differs from the one before."""
        if self._previous is None:
            return np.zeros(image.shape[:2], dtype=np.uint8)
        apart = largest_channel(cv2.absdiff(image, self._previous))
        return cv2.threshold(apart, _CHANGE, 1, cv2.THRESH_BINARY)[1]

    def _report(self, picture: Picture, regions: list[Region], view: View) -> MovingRegions:
        height, width = picture.gray.shape
        to_current = view.current_from_reference
        middle = np.array([[[width / 2, height / 2]]])
        start_to_current = to_current @ self._anchor_from_start
        moved = cv2.perspectiveTransform(middle, start_to_current)[0, 0] - middle[0, 0]
        return MovingRegions(
            index=picture.index,
            time_s=picture.time_s,
            regions=tuple(regions),
            new_shot=picture.new_shot,
            shift_px=np.asarray(moved / self._scale, dtype=np.float64),
            camera_moves=view.moved,
        )

    def _frame_from_work(self, view: View) -> Float[np.ndarray, "3 3"]:
        return np.diag([1.0 / self._scale, 1.0 / self._scale, 1.0]) @ view.current_from_reference

    # The reference view -------------------------------------------------------------------------

    def _to_reference(self, image: np.ndarray, view: View) -> np.ndarray:
        """The picture from the reference view; where the frame shows nothing, the background."""
        if not view.moved:
            return image
        # Four channels are warped in half the time of three.
        seen = cv2.warpPerspective(
            cv2.cvtColor(image, cv2.COLOR_RGB2RGBA),
            view.current_from_reference,
            (image.shape[1], image.shape[0]),
            dst=cv2.cvtColor(self._background.picture, cv2.COLOR_RGB2RGBA),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        return cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB)

    def _overlap(self, view: View) -> float:
        height, width = self._still_s.shape
        corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
        seen = cv2.perspectiveTransform(corners, view.current_from_reference)[0]
        frame = corners[0]
        area, _ = cv2.intersectConvexConvex(seen.astype(np.float32), frame)
        return float(area) / (width * height)

    def _move_reference(self, picture: Picture, view: View) -> tuple[np.ndarray, View]:
        """Make the current view the reference."""
        transform = view.current_from_reference
        height, width = self._still_s.shape
        self._background.warp(transform)
        fresh = self._background.age == 0
        self._background.replace(fresh, picture.image)
        self._still_s = cv2.warpPerspective(self._still_s, transform, (width, height))
        if self._previous is not None:
            self._previous = cv2.warpPerspective(self._previous, transform, (width, height))
            self._previous[fresh] = picture.image[fresh]
        self._objects = None
        self._anchor_from_start = transform @ self._anchor_from_start
        self._camera.set_reference(picture.gray, current_from_reference=np.eye(3))
        return picture.image, View(np.eye(3), moved=True, lost=False)

    def _start_over(
        self, picture: Picture, mask: UInt8[np.ndarray, "h w"], image: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """After some frames in which nothing fits the background, learn it anew."""
        self._num_wild += 1
        if self._num_wild < 5:
            return np.zeros_like(mask), image
        self._num_wild = 0
        self._background = BackgroundModel(picture.image, 3.0)
        self._camera.set_reference(picture.gray, current_from_reference=np.eye(3))
        self._previous = None
        return np.zeros_like(mask), picture.image
