"""Bring clips onto an even time grid and frames into a square."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.scene import Scene

__all__ = ["center_square", "nearest_frames", "resample"]

_SCENE_ARRAYS = (
    "present",
    "visible",
    "center_px",
    "size_px",
    "center_px_std",
    "position_m",
    "position_m_std",
    "rotation_wxyz",
    "velocity_mps",
    "angular_velocity_radps",
    "depth_m",
)


def nearest_frames(
    time_s: Float[np.ndarray, " t"], step_s: float
) -> tuple[Float[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """An even grid over increasing times, and the nearest frame to each of its points.

    The grid starts at the first time and ends at or before the last. Of two frames that are
    equally near, the earlier one is taken.

    Raises:
        InputError: `step_s` is not positive, or there is no time at all.
    """
    if not step_s > 0:
        raise InputError(f"step_s is {step_s}, expected a positive number of seconds")
    if len(time_s) == 0:
        raise InputError("a clip without frames cannot be resampled")
    # The slack keeps the last frame where the span is a whole number of steps but for rounding.
    num = int(np.floor((time_s[-1] - time_s[0]) / step_s + 1e-6)) + 1
    grid_s = time_s[0] + step_s * np.arange(num)
    right = np.clip(np.searchsorted(time_s, grid_s), 0, len(time_s) - 1)
    left = np.maximum(right - 1, 0)
    earlier = grid_s - time_s[left] <= time_s[right] - grid_s + 1e-9 * step_s
    return grid_s, np.where(earlier, left, right).astype(np.int64)


def resample(clip: Clip, step_s: float) -> Clip:
    """The clip on an even grid of `step_s` seconds, each point showing the nearest frame.

    Depth, segmentation, background, camera, state and scene come along. Actions are kept only where
    every frame is, because an action belongs to the step between two given frames.

    Raises:
        InputError: `step_s` is not positive.
    """
    grid_s, pick = nearest_frames(clip.time_s, step_s)
    same = len(pick) == clip.num_frames and bool(np.all(pick == np.arange(len(pick))))
    background = clip.background
    if background is not None and len(background) == clip.num_frames > 1:
        background = background[pick]
    return replace(
        clip,
        frames=clip.frames[pick],
        time_s=grid_s,
        depth_m=None if clip.depth_m is None else clip.depth_m[pick],
        segmentation=None if clip.segmentation is None else clip.segmentation[pick],
        background=background,
        actions=clip.actions if same else None,
        camera=None if clip.camera is None else clip.camera.at(pick),
        state=None if clip.state is None else clip.state.at(pick),
        scene=None if clip.scene is None else _resample_scene(clip.scene, grid_s, pick),
    )


def _resample_scene(
    scene: Scene, grid_s: Float[np.ndarray, " n"], pick: Int[np.ndarray, " n"]
) -> Scene:
    arrays = {
        name: array[:, pick]
        for name in _SCENE_ARRAYS
        if (array := getattr(scene, name)) is not None
    }
    camera = None if scene.camera is None else scene.camera.at(pick)
    return replace(scene, time_s=grid_s, camera=camera, **arrays)


def center_square(
    frames: UInt8[np.ndarray, "t h w 3"], size_px: int
) -> tuple[UInt8[np.ndarray, "t s s 3"], tuple[int, int, int, int]]:
    """The largest square in the middle of the frames, resized to `size_px`.

    Shrinking averages over areas, so that small things do not flicker; enlarging interpolates.

    Returns:
        frames `[T, size_px, size_px, 3]` and the part of the input that they show, (x, y, w, h).

    Raises:
        InputError: `size_px` is not positive, or the frames are empty.
    """
    if size_px < 1:
        raise InputError(f"size_px is {size_px}, expected 1 or more")
    height, width = frames.shape[1:3]
    side = min(height, width)
    if side == 0:
        raise InputError(f"frames are {frames.shape}, expected at least one pixel")
    x, y = (width - side) // 2, (height - side) // 2
    square = frames[:, y : y + side, x : x + side]
    if side == size_px:
        return square.copy(), (x, y, side, side)
    how = cv2.INTER_AREA if size_px < side else cv2.INTER_LINEAR
    out = np.empty((len(frames), size_px, size_px, 3), dtype=np.uint8)
    for i, frame in enumerate(square):
        cv2.resize(np.ascontiguousarray(frame), (size_px, size_px), dst=out[i], interpolation=how)
    return out, (x, y, side, side)
