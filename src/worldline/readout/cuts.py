"""Shot cuts in a stream of frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["CutDetector", "find_cuts"]

_GRID = (32, 18)  # thumbnail on which layouts are compared
_MEMORY = 12  # steps that tell how much change is usual in this shot


class CutDetector:
    """Says of each frame whether a new shot begins with it.

    A cut changes colours and layout at once, and more than the frames before did. Colours are
    compared by the Bhattacharyya distance of hue-saturation-value histograms, layouts by the
    correlation of edge thumbnails. A flash changes no edges, a fast object no colours, and a pan
    neither as suddenly. Dissolves are not found.
    """

    def __init__(self, *, min_color_change: float = 0.3, min_edge_change: float = 0.5) -> None:
        self._min_color_change = min_color_change
        self._min_edge_change = min_edge_change
        self._histogram: np.ndarray | None = None
        self._edges: np.ndarray | None = None
        self._usual: deque[float] = deque(maxlen=_MEMORY)

    def update(self, frame: UInt8[np.ndarray, "h w 3"]) -> bool:
        """Take the next frame; true if it begins a new shot. The first frame does not."""
        thumbnail = cv2.resize(frame, _GRID, interpolation=cv2.INTER_AREA)
        histogram = _color_histogram(frame)
        edges = _edge_map(thumbnail)
        if self._histogram is None or self._edges is None:
            self._histogram, self._edges = histogram, edges
            return False
        color = float(cv2.compareHist(self._histogram, histogram, cv2.HISTCMP_BHATTACHARYYA))
        layout = 1.0 - _correlation(self._edges, edges)
        self._histogram, self._edges = histogram, edges
        change = color * layout
        usual = float(np.median(self._usual)) if self._usual else 0.0
        cut = (
            color > self._min_color_change
            and layout > self._min_edge_change
            and change > 3.0 * usual
        )
        if cut:
            self._usual.clear()
        else:
            self._usual.append(change)
        return cut


def find_cuts(frames: Iterable[tuple[float, UInt8[np.ndarray, "h w 3"]]]) -> Iterator[float]:
    """Times in seconds of the first frame of each shot but the first."""
    detector = CutDetector()
    for time_s, frame in frames:
        if detector.update(frame):
            yield time_s


def _color_histogram(frame: np.ndarray) -> Float[np.ndarray, " b"]:
    height, width = frame.shape[:2]
    if width > 160:
        size = (160, max(1, height * 160 // width))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_NEAREST)
    hsv = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV)
    histogram = cv2.calcHist([hsv], [0, 1, 2], None, [8, 4, 8], [0, 180, 0, 256, 0, 256])
    return histogram.ravel() / hsv[..., 0].size


def _edge_map(thumbnail: np.ndarray) -> np.ndarray:
    gray = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gradient = cv2.magnitude(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1))
    return np.sqrt(gradient)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    # Two pictures without any edge have the same layout.
    return float((a * b).sum()) / spread if spread > a.size else 1.0
