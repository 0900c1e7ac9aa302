"""Moving regions in a stream of frames, with the camera's own motion taken out."""

from __future__ import annotations

from collections.abc import Generator, Iterable

import cv2
import numpy as np
from jaxtyping import UInt8

from worldline.core.memory import keep_freed_memory
from worldline.readout.cuts import CutDetector
from worldline.readout.elsewhere import search_elsewhere
from worldline.readout.opener import MAX_BUFFER, Opener, SmallFrame, make_ready
from worldline.readout.prefetch import prefetch
from worldline.readout.shot import MovingRegions, Picture, Shot

__all__ = ["MotionDetector"]

_UPSCALE_BELOW_PX = 160  # smaller images are enlarged, so that a ball of four pixels has a shape
_UPSCALE_TO_PX = 192


class MotionDetector:
    """Streams frames to moving regions; holds a second of frames at the start of each shot.

    Frames are fetched (for a file: decoded) and made ready on a thread of their own, and shots are
    opened on another: a cut costs no waiting, because the background behind it is learned while
    the frames before it are still being searched. With `num_workers` shots are opened and searched
    in so many processes instead, several at once, and the answer is the same.
    """

    def __init__(
        self, *, max_side_px: int, buffer_s: float, absorb_s: float, num_workers: int = 0
    ) -> None:
        self._max_side_px = max_side_px
        self._buffer_s = buffer_s
        self._absorb_s = absorb_s
        self._num_workers = num_workers

    def detect(
        self, frames: Iterable[tuple[float, UInt8[np.ndarray, "h w 3"]]]
    ) -> Generator[MovingRegions, None, None]:
        """One `MovingRegions` a frame, in order; this process keeps freed memory from now on."""
        keep_freed_memory()
        opener = Opener(buffer_s=self._buffer_s, absorb_s=self._absorb_s)
        small = self._shrink(frames)
        if self._num_workers:
            with prefetch(small) as fetched:
                yield from search_elsewhere(fetched, opener, num_workers=self._num_workers)
            return
        with (
            prefetch(make_ready(frame) for frame in small) as pictures,
            prefetch(_in_shots(pictures, opener), ahead=MAX_BUFFER) as opened,
        ):
            for shot, picture in opened:
                yield shot.step(picture)

    def _shrink(
        self, frames: Iterable[tuple[float, np.ndarray]]
    ) -> Generator[SmallFrame, None, None]:
        cuts = CutDetector()
        size: tuple[int, int] | None = None
        scale = 1.0
        for index, (time_s, frame) in enumerate(frames):
            height, width = frame.shape[:2]
            side = max(height, width)
            if size is None:
                if side > self._max_side_px:
                    scale = self._max_side_px / side
                elif side < _UPSCALE_BELOW_PX:
                    scale = float(round(_UPSCALE_TO_PX / side))
                size = round(width * scale), round(height * scale)
                size = max(8, size[0]), max(8, size[1])
            if size != (width, height):
                # Down to a half, two samples by two see every pixel, at a fifth of the cost.
                how = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
                frame = cv2.resize(frame, size, interpolation=how)
            yield SmallFrame(index, time_s, frame, scale, cuts.update(frame) or index == 0)


def _in_shots(
    pictures: Iterable[Picture], opener: Opener
) -> Generator[tuple[Shot, Picture], None, None]:
    """Each picture with the shot that it belongs to, once that is open."""
    for picture in pictures:
        if picture.new_shot:
            yield from opener.end()
        yield from opener.take(picture)
    yield from opener.end()
