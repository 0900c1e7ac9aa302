"""Small frames kept on their way to somebody else, so that tracks can be looked at again later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["STEP_S", "FrameKeep", "Kept"]

STEP_S = 0.08
"""Time between kept frames."""

_SIDE_PX = 192
_QUALITY = 92


@dataclass(frozen=True, eq=False)
class Kept:
    """Small frames of a video, compressed: some 60 kB a second.

    Attributes:
        time_s: `[T]` of each, at least nearly `STEP_S` apart.
        images: JPEG bytes.
        scale: size of a kept frame over that of the frame as it came.
    """

    time_s: Float[np.ndarray, " t"]
    images: Sequence[bytes]
    scale: float

    def frame(self, index: int) -> UInt8[np.ndarray, "h w 3"]:
        """One of them, RGB."""
        import cv2

        packed = np.frombuffer(self.images[index], np.uint8)
        bgr = cv2.imdecode(packed, cv2.IMREAD_COLOR)
        assert bgr is not None
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


class FrameKeep:
    """Keeps a small frame every `STEP_S`."""

    def __init__(self) -> None:
        self._time_s: list[float] = []
        self._images: list[bytes] = []
        self._scale = 1.0

    def pass_on(
        self, frames: Iterable[tuple[float, UInt8[np.ndarray, "h w 3"]]]
    ) -> Iterator[tuple[float, UInt8[np.ndarray, "h w 3"]]]:
        """The same frames."""
        for time_s, frame in frames:
            if not self._time_s or time_s > self._time_s[-1] + 0.75 * STEP_S:
                self._keep(time_s, frame)
            yield time_s, frame

    @property
    def kept(self) -> Kept:
        """What was kept so far."""
        return Kept(np.array(self._time_s, dtype=np.float64), self._images, self._scale)

    def _keep(self, time_s: float, frame: np.ndarray) -> None:
        import cv2

        height, width = frame.shape[:2]
        self._scale = min(1.0, _SIDE_PX / max(height, width))
        if self._scale < 1.0:
            size = max(8, round(width * self._scale)), max(8, round(height * self._scale))
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        how = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR]
        packed = cv2.imencode(".jpg", bgr, [*how, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444])[1]
        self._time_s.append(time_s)
        self._images.append(packed.tobytes())
