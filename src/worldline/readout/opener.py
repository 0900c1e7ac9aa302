"""From frames to pictures, and from pictures to the shots that they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from worldline.readout.shot import Picture, Shot

__all__ = ["MAX_BUFFER", "Opener", "SmallFrame", "make_ready"]

_MIN_BUFFER = 40
MAX_BUFFER = 80
"""Frames that are held at most before a shot is opened."""


@dataclass(frozen=True, eq=False)
class SmallFrame:
    """A frame at the size of the search.

    Attributes:
        index, time_s: number and presentation time.
        frame: `[h, w, 3]` RGB.
        scale: its size over that of the frame as it came.
        new_shot: the first after a cut.
    """

    index: int
    time_s: float
    frame: UInt8[np.ndarray, "h w 3"]
    scale: float
    new_shot: bool


def make_ready(small: SmallFrame) -> Picture:
    """What the search looks at: the frame in grey, and smoothed."""
    gray = cv2.cvtColor(small.frame, cv2.COLOR_RGB2GRAY)
    smooth = cv2.GaussianBlur(small.frame, (3, 3), 0.8 if small.scale <= 1 else 1.2)
    return Picture(small.index, small.time_s, smooth, gray, small.new_shot, small.scale)


class Opener:
    """Holds the first pictures of a shot until its background can be learned from them."""

    def __init__(self, *, buffer_s: float, absorb_s: float) -> None:
        self._buffer_s = buffer_s
        self._absorb_s = absorb_s
        self._buffer: list[Picture] = []
        self._shot: Shot | None = None

    def take(self, picture: Picture) -> Iterator[tuple[Shot, Picture]]:
        """The next picture of the shot; gives those that can be searched now, with their shot."""
        if self._shot is not None:
            yield self._shot, picture
            return
        self._buffer.append(picture)
        # A short clip is held whole, so that what rests in it for long can be found out.
        long_enough = picture.time_s - self._buffer[0].time_s >= self._buffer_s
        if (long_enough and len(self._buffer) >= _MIN_BUFFER) or len(self._buffer) >= MAX_BUFFER:
            yield from self._open()

    def end(self) -> Iterator[tuple[Shot, Picture]]:
        """No picture of this shot follows; gives those that are still held."""
        if self._buffer:
            yield from self._open()
        self._shot = None

    def _open(self) -> Iterator[tuple[Shot, Picture]]:
        held, self._buffer = self._buffer, []
        self._shot = shot = Shot(held, scale=held[0].scale, absorb_s=self._absorb_s)
        yield from ((shot, picture) for picture in held)
