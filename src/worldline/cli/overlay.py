"""A video with its world lines drawn on it."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from worldline.core.scene import Scene
from worldline.data import iter_frames, write_video

__all__ = ["draw_overlay", "draw_scene"]

_TAIL_S = 1.5
_GOLDEN = 0.618034  # steps of the golden ratio around the colour circle keep neighbours apart


def draw_overlay(path: str, scene: Scene, target: Path) -> None:
    """Write a copy of a video with the scene's world lines, boxes and ids drawn on it.

    Raises:
        MediaError: the video cannot be read.
    """

    times: list[float] = []

    def frames() -> Iterator[np.ndarray]:
        for index, (time_s, frame) in enumerate(iter_frames(path)):
            times.append(time_s)
            yield draw_scene(frame, scene, min(index, scene.num_frames - 1))

    details = (*scene.provenance.details, ("overlay", "world lines"))
    provenance = replace(scene.provenance, producer="worldline perceive", details=details)
    write_video(target, frames(), time_s=_following(times), provenance=provenance)


def draw_scene(frame: np.ndarray, scene: Scene, index: int) -> np.ndarray:
    """A copy of an RGB frame with what the scene says about frame `index`.

    Boxes where an object is visible, and its path over the last second and a half.
    """
    canvas = np.ascontiguousarray(frame).copy()
    thickness = max(1, round(max(frame.shape[:2]) / 480))
    first = int(np.searchsorted(scene.time_s, scene.time_s[index] - _TAIL_S))
    for row, object_id in enumerate(scene.ids.tolist()):
        color = _color(object_id)
        tail = scene.center_px[row, first : index + 1]
        tail = tail[scene.visible[row, first : index + 1]]
        if len(tail) > 1:
            line = np.round(tail).astype(np.int32)
            cv2.polylines(canvas, [line], False, color, thickness, cv2.LINE_AA)
        if not scene.visible[row, index]:
            continue
        center, half = scene.center_px[row, index], scene.size_px[row, index] / 2
        low, high = (np.round(center + sign * half).astype(int).tolist() for sign in (-1, 1))
        cv2.rectangle(canvas, low, high, color, thickness)
        if min(frame.shape[:2]) >= 160:
            text, scale = f"{scene.labels[row]} {object_id}", 0.35 * thickness + 0.1
            above = (low[0], max(12 * thickness, low[1] - 3))
            font = cv2.FONT_HERSHEY_SIMPLEX
            cv2.putText(canvas, text, above, font, scale, color, thickness, cv2.LINE_AA)
    return canvas


def _following(times: list[float]) -> Iterator[float]:
    """Times as the frames add them."""
    index = 0
    while index < len(times):
        yield times[index]
        index += 1


def _color(object_id: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(object_id * _GOLDEN % 1.0, 0.85, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)
