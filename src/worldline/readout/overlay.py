"""Draw world lines on video frames."""

from __future__ import annotations

import colorsys
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from worldline.core.scene import Scene

__all__ = ["draw_world_lines", "line_color"]

_TRAIL_S = 2.5  # the path fades out over this time
_GOLDEN = 0.618033988749895  # steps of the hue circle that never come close to each other
_ELLIPSE_STD = 2.0  # standard deviations drawn, about 86% of a plane normal distribution
_MIN_ELLIPSE_PX = 2.0  # smaller ones would only be a dot


def line_color(object_id: int) -> tuple[int, int, int]:
    """RGB colour of an object's world line: bright, and far from that of the next ids."""
    hue = (0.07 + object_id * _GOLDEN) % 1.0
    r, g, b = colorsys.hls_to_rgb(hue, 0.62, 0.85)
    return round(r * 255), round(g * 255), round(b * 255)


def draw_world_lines(
    frame: UInt8[np.ndarray, "h w 3"], scene: Scene, t: int
) -> UInt8[np.ndarray, "h w 3"]:
    """A copy of a frame with the box, id, path so far and uncertainty of each object in it.

    Hidden objects get a dashed box; what has left is not drawn. The frame may be of another size
    than the scene's image.

    Args:
        frame: RGB.
        scene: objects in pixels.
        t: number of the frame in the scene.

    Raises:
        IndexError: the scene has no frame `t`.
    """
    if not 0 <= t < scene.num_frames:
        raise IndexError(f"frame {t} of a scene with {scene.num_frames}")
    out = frame.copy()
    height, width = frame.shape[:2]
    zoom = np.array([width / scene.width_px, height / scene.height_px])
    thick = max(1, round(max(width, height) / 480))
    for row in np.flatnonzero(scene.present[:, t]).tolist():  # lines of others outlive a cut
        color = line_color(int(scene.ids[row]))
        _draw_path(out, scene, row, t, zoom, color, thick)
    for row in range(scene.num_objects):
        center = scene.center_px[row, t] * zoom
        if not scene.present[row, t] or not np.all(np.isfinite(center)):
            continue
        color = line_color(int(scene.ids[row]))
        half = np.nan_to_num(scene.size_px[row, t]) * zoom / 2
        low, high = center - half, center + half
        _draw_box(out, low, high, color, thick, dashed=not scene.visible[row, t])
        _draw_label(out, low, f"{scene.ids[row]}", color, thick)
        radius = _ELLIPSE_STD * np.nan_to_num(scene.center_px_std[row, t]) * zoom
        if radius.max() >= _MIN_ELLIPSE_PX:
            axes = int(max(1, radius[0])), int(max(1, radius[1]))
            middle = int(center[0]), int(center[1])
            cv2.ellipse(out, middle, axes, 0, 0, 360, color, max(1, thick // 2), cv2.LINE_AA)
    return out


def _draw_path(
    image: np.ndarray,
    scene: Scene,
    row: int,
    t: int,
    zoom: Float[np.ndarray, " 2"],
    color: tuple[int, int, int],
    thick: int,
) -> None:
    now_s = scene.time_s[t]
    first = int(np.searchsorted(scene.time_s, now_s - _TRAIL_S))
    points = scene.center_px[row, first : t + 1] * zoom
    there = scene.present[row, first : t + 1] & np.all(np.isfinite(points), axis=1)
    steps = (1 + np.flatnonzero(there[1:] & there[:-1])).tolist()
    if not steps:
        return
    # Blend a few age groups, each with its own opacity, within the part that the path covers.
    low = np.floor(points[there].min(axis=0)).astype(int) - 2 * thick
    high = np.ceil(points[there].max(axis=0)).astype(int) + 2 * thick + 1
    x0, y0 = np.maximum(low, 0)
    x1, y1 = np.minimum(high, [image.shape[1], image.shape[0]])
    if x1 <= x0 or y1 <= y0:
        return
    part = image[y0:y1, x0:x1]
    opacity = np.zeros(part.shape[:2], np.uint8)
    eighths = np.round((np.where(there[:, None], points, 0.0) - [x0, y0]) * 8).astype(int).tolist()
    age = (now_s - scene.time_s[first : t + 1]) / _TRAIL_S
    levels = (30 + 215 * (1.0 - age)).astype(int).tolist()
    for i in steps:
        cv2.line(opacity, eighths[i - 1], eighths[i], levels[i], thick, cv2.LINE_AA, shift=3)
    weight = opacity[..., None].astype(np.float32) / 255.0
    part[:] = (part * (1.0 - weight) + np.array(color, np.float32) * weight).astype(np.uint8)


def _draw_box(
    image: np.ndarray,
    low: Float[np.ndarray, " 2"],
    high: Float[np.ndarray, " 2"],
    color: tuple[int, int, int],
    thick: int,
    *,
    dashed: bool,
) -> None:
    (x0, y0), (x1, y1) = np.round(low).astype(int), np.round(high).astype(int) - 1
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
    for a, b in pairwise(corners):
        if not dashed:
            cv2.line(image, a, b, color, thick)
            continue
        length = max(abs(b[0] - a[0]), abs(b[1] - a[1]))
        num = max(1, length // (4 * thick))
        for k in range(0, num, 2):
            p = np.array(a) + (np.array(b) - np.array(a)) * k / num
            q = np.array(a) + (np.array(b) - np.array(a)) * min(k + 1, num) / num
            cv2.line(
                image, (int(p[0]), int(p[1])), (int(q[0]), int(q[1])), color, thick, cv2.LINE_AA
            )


def _draw_label(
    image: np.ndarray,
    low: Float[np.ndarray, " 2"],
    text: str,
    color: tuple[int, int, int],
    thick: int,
) -> None:
    height, width = image.shape[:2]
    if max(height, width) < 160:  # a label would hide the object
        return
    size = max(0.35, max(height, width) / 1600)
    (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, thick)
    x = int(np.clip(low[0], 0, max(0, width - w - 4)))
    y = int(low[1]) - 3 if low[1] > h + 6 else int(low[1]) + h + 5
    cv2.rectangle(image, (x, y - h - 3), (x + w + 4, y + 3), color, cv2.FILLED)
    cv2.putText(
        image, text, (x + 2, y), cv2.FONT_HERSHEY_SIMPLEX, size, (20, 20, 20), thick, cv2.LINE_AA
    )
