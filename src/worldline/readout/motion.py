"""Moving regions in a stream of frames, with the camera's own motion taken out."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

import cv2
import numpy as np
from jaxtyping import UInt8

from worldline.readout.cuts import CutDetector
from worldline.readout.prefetch import prefetch
from worldline.readout.shot import MovingRegions, Picture, Shot

__all__ = ["MotionDetector"]

_UPSCALE_BELOW_PX = 160  # smaller images are enlarged, so that a ball of four pixels has a shape
_UPSCALE_TO_PX = 192
_MIN_BUFFER, _MAX_BUFFER = 40, 80  # frames


class MotionDetector:
    """Streams frames to moving regions; holds a second of frames at the start of each shot.

    Frames are fetched (for a file: decoded) and made ready on a thread of their own, and shots are
    opened on another: a cut costs no waiting, because the background behind it is learned while
    the frames before it are still being searched.
    """

    def __init__(self, *, max_side_px: int, buffer_s: float, absorb_s: float) -> None:
        self._max_side_px = max_side_px
        self._buffer_s = buffer_s
        self._absorb_s = absorb_s
        self._scale = 1.0

    def detect(
        self, frames: Iterable[tuple[float, UInt8[np.ndarray, "h w 3"]]]
    ) -> Generator[MovingRegions, None, None]:
        """One `MovingRegions` a frame, in order."""
        with (
            prefetch(self._prepare(frames)) as pictures,
            prefetch(self._in_shots(pictures), ahead=_MAX_BUFFER) as opened,
        ):
            for shot, picture in opened:
                yield shot.step(picture)

    def _in_shots(self, pictures: Iterable[Picture]) -> Generator[tuple[Shot, Picture], None, None]:
        """Each picture with the shot that it belongs to, once that is open."""
        buffer: list[Picture] = []
        shot: Shot | None = None
        for picture in pictures:
            if picture.new_shot:
                yield from self._flush(buffer)
                buffer, shot = [], None
            if shot is not None:
                yield shot, picture
                continue
            buffer.append(picture)
            # A short clip is held whole, so that what rests in it for long can be found out.
            long_enough = picture.time_s - buffer[0].time_s >= self._buffer_s
            if (long_enough and len(buffer) >= _MIN_BUFFER) or len(buffer) >= _MAX_BUFFER:
                shot = self._open(buffer)
                yield from ((shot, held) for held in buffer)
                buffer = []
        yield from self._flush(buffer)

    def _flush(self, buffer: list[Picture]) -> Iterator[tuple[Shot, Picture]]:
        if buffer:
            shot = self._open(buffer)
            yield from ((shot, held) for held in buffer)

    def _open(self, buffer: list[Picture]) -> Shot:
        return Shot(buffer, scale=self._scale, absorb_s=self._absorb_s)

    def _prepare(
        self, frames: Iterable[tuple[float, np.ndarray]]
    ) -> Generator[Picture, None, None]:
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
            yield Picture(index, time_s, smooth, gray, new_shot)
