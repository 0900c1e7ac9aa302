"""What a detector and a depth estimator say about some frames of a video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from worldline.readout.plugins import (
    DepthEstimator,
    Detections,
    Detector,
    check_depths,
    check_detections,
)

__all__ = ["Testimony", "Witness"]

_BATCH = 4
_MAP_SIDE_PX = 96  # depth maps are kept this small, so that hours of them fit into memory


@dataclass(frozen=True, eq=False)
class Testimony:
    """What was said about one frame.

    Attributes:
        frame: its number.
        found: by the detector, if there is one.
        colors: `[K, 3]` mean RGB in [0, 1] in the middle of each of its boxes.
        depth: `[y, x]` shrunk map of the depth estimator, if there is one.
        size_px: (width, height) of the frame.
    """

    frame: int
    found: Detections | None
    colors: Float[np.ndarray, "k 3"]
    depth: Float[np.ndarray, "y x"] | None
    size_px: tuple[int, int]


class Witness:
    """Shows a frame every now and then to a detector and a depth estimator, in passing."""

    def __init__(
        self, detector: Detector | None, depth: DepthEstimator | None, *, every_s: float
    ) -> None:
        self._detector = detector
        self._depth = depth
        self._every_s = every_s
        self.testimonies: list[Testimony] = []

    def watch(
        self, frames: Iterable[tuple[float, UInt8[np.ndarray, "h w 3"]]]
    ) -> Iterator[tuple[float, UInt8[np.ndarray, "h w 3"]]]:
        """Pass frames on; raises `InputError` where a plug-in does not do as it should."""
        batch: list[tuple[int, float, np.ndarray]] = []
        next_s = -np.inf
        for index, (time_s, frame) in enumerate(frames):
            if time_s >= next_s:
                batch.append((index, time_s, frame))
                # Half a frame early counts: sampling moments fall between frames.
                next_s = time_s + 0.999 * self._every_s
                if len(batch) == _BATCH:
                    self._question(batch)
                    batch = []
            yield time_s, frame
        if batch:
            self._question(batch)

    def _question(self, batch: list[tuple[int, float, np.ndarray]]) -> None:
        frames, time_s = [frame for _, _, frame in batch], batch[0][1]
        found: list[Detections | None] = [None] * len(batch)
        maps: list[np.ndarray | None] = [None] * len(batch)
        if self._detector is not None:
            found[:] = check_detections(self._detector, frames, time_s)
        if self._depth is not None:
            maps[:] = [_shrink(depth) for depth in check_depths(self._depth, frames, time_s)]
        for (index, _, frame), seen, depth in zip(batch, found, maps, strict=True):
            colors = np.zeros((0, 3)) if seen is None else _colors(frame, seen)
            size = frame.shape[1], frame.shape[0]
            self.testimonies.append(Testimony(index, seen, colors, depth, size))


def _shrink(depth: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "y x"]:
    scale = _MAP_SIDE_PX / max(depth.shape)
    small = depth.astype(np.float32)
    if scale >= 1:
        return small
    size = max(1, round(depth.shape[1] * scale)), max(1, round(depth.shape[0] * scale))
    return cv2.resize(small, size, interpolation=cv2.INTER_NEAREST)


def _colors(frame: UInt8[np.ndarray, "h w 3"], found: Detections) -> Float[np.ndarray, "k 3"]:
    colors = np.zeros((len(found.labels), 3))
    for k, (left, top, right, bottom) in enumerate(found.boxes_px):
        w, h = right - left, bottom - top
        x = int(left + w / 4), max(int(left + w / 4) + 1, int(right - w / 4))
        y = int(top + h / 4), max(int(top + h / 4) + 1, int(bottom - h / 4))
        colors[k] = frame[y[0] : y[1], x[0] : x[1]].reshape(-1, 3).mean(axis=0) / 255.0
    return colors
