"""Sensor maps: depth, edges and segmentation, brought to the latent grid to drive a world.

As in Cosmos-Transfer (NVIDIA 2025, arXiv 2503.14492, section 2): Canny's edges of the pictures, a
relative depth, and a segmentation in which each instance has a colour of its own. There other
models estimate depth and segmentation; here they are the simulator's truth, or what a clip brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

from worldline.core.errors import InputError
from worldline.core.sensors import MAP_DETAIL, MAPS, map_groups

__all__ = ["crop_map", "draw_maps"]

_CANNY = (100, 200)
"""Thresholds of Canny's edges, the ones that ControlNet (Zhang et al. 2023) starts from."""

_COLORS = np.array(
    [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1), (0.5, 0.5, 0.5)],
    dtype=np.float32,
)
"""Of objects 0 to 7, and from there on again; what is static is black."""


def draw_maps(
    names: Sequence[str],
    *,
    frames: UInt8[np.ndarray, "b t h w 3"],
    depth_m: Float[np.ndarray, "b t h w"] | None,
    segmentation: Int[np.ndarray, "b t h w"] | None,
    rows: int,
) -> tuple[Float32[np.ndarray, "b t n k"], Bool[np.ndarray, "b t g"]]:
    """Maps of clips, as averages over `MAP_DETAIL` x `MAP_DETAIL` parts of each latent cell.

    Depth becomes nearness, which is 1 at the nearest point of a clip's first frame with depth, and
    0 where nothing is hit. A frame whose depth holds NaN has none.

    Args:
        names: kinds of map, in the order in which they stand in the cells.
        frames: pictures, of which edges are made.
        depth_m: infinite where nothing is hit; None where it is not known.
        segmentation: object id per pixel, -1 for what is static; None where it is not known.
        rows: latent cells per side; N is their square.

    Returns:
        maps, 0 where not known, and which of the G maps are known in each frame.

    Raises:
        InputError: the pictures do not divide into as many parts.
    """
    batch, num_frames, height, width = frames.shape[:4]
    parts = rows * MAP_DETAIL
    if height != width or height % parts:
        raise InputError(
            f"frames are {width}x{height} pixels, but sensor maps need squares whose side is a "
            f"multiple of {parts}"
        )
    size = sum(map_groups(names))
    maps = np.zeros((batch, num_frames, rows * rows, size), np.float32)
    known = np.zeros((batch, num_frames, len(names)), dtype=bool)
    start = 0
    for i, name in enumerate(names):
        drawn: Any = None
        if name == "edges":
            drawn, known[..., i] = _edges(frames), True
        elif name == "depth" and depth_m is not None:
            drawn, known[..., i] = _nearness(depth_m)
        elif name == "segmentation" and segmentation is not None:
            drawn, known[..., i] = _colored(segmentation), True
        stop = start + MAPS[name] * MAP_DETAIL**2
        if drawn is not None:
            maps[..., start:stop] = _into_cells(drawn, rows)
        start = stop
    return maps, known


def crop_map(values: np.ndarray, crop_px: tuple[int, int, int, int], size_px: int) -> np.ndarray:
    """A square part (x, y, w, h) of maps `[T, H, W]`, at `size_px` by the nearest pixel."""
    x, y, w, h = crop_px
    pick = ((np.arange(size_px) + 0.5) * w / size_px).astype(np.int64)
    return values[:, y : y + h, x : x + w][:, pick][:, :, pick]


def _into_cells(image: np.ndarray, rows: int) -> np.ndarray:
    """`[B, T, H, W, C]` to `[B, T, N, C * MAP_DETAIL^2]`."""
    b, t, height, _, channels = image.shape
    side = height // (rows * MAP_DETAIL)
    shape = b, t, rows, MAP_DETAIL, side, rows, MAP_DETAIL, side, channels
    means = image.reshape(shape).mean(axis=(4, 7), dtype=np.float32)
    # now [B, T, rows, detail, rows, detail, C]
    return means.transpose(0, 1, 2, 4, 6, 3, 5).reshape(b, t, rows * rows, -1)


def _edges(frames: np.ndarray) -> np.ndarray:
    flat = np.ascontiguousarray(frames).reshape(-1, *frames.shape[2:])
    found = [cv2.Canny(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), *_CANNY) for f in flat]
    return (np.stack(found) > 0).astype(np.float32).reshape(*frames.shape[:4], 1)


def _nearness(depth_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    depth = depth_m.astype(np.float32)
    known = np.asarray(~np.isnan(depth).any(axis=(2, 3)))
    with np.errstate(divide="ignore"):
        near = np.where(depth > 0, 1 / np.where(depth > 0, depth, 1), 0)
    near = np.where(known[..., None, None], near, 0)
    peak = near.max(axis=(2, 3))
    first = np.argmax(peak > 0, axis=1)
    most = peak[np.arange(len(peak)), first]
    scaled = near / np.where(most > 0, most, 1)[:, None, None, None]
    return np.minimum(scaled, 2.0)[..., None], known


def _colored(segmentation: np.ndarray) -> np.ndarray:
    colors = _COLORS[np.maximum(segmentation, 0) % len(_COLORS)]
    return colors * (segmentation >= 0)[..., None]
