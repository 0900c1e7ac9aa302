"""Dense optical flow between frames: how fast each pixel of the later one moves.

DIS: Kroeger, Timofte, Dai and Van Gool 2016, arXiv 1603.03590, as OpenCV has it, on enlarged
pictures, where it tells fractions of a pixel apart.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["enlarge", "measure_flows", "measure_velocity"]


def enlarge(frame: UInt8[np.ndarray, "h w 3"], factor: int) -> UInt8[np.ndarray, "a b 3"]:
    """A frame at a multiple of its size."""
    size = (frame.shape[1] * factor, frame.shape[0] * factor)
    return cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC)


def measure_velocity(
    now: UInt8[np.ndarray, "a b 3"], before: UInt8[np.ndarray, "a b 3"]
) -> Float[np.ndarray, "a b 2"]:
    """Velocity (x, y) of each pixel of `now`, in pixels per frame."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (now, before)]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    backward = flow.calc(grey[0], grey[1], np.zeros((*grey[0].shape, 2), np.float32))
    return -backward.astype(np.float64)


def measure_flows(
    frames: UInt8[np.ndarray, "b k h w 3"], *, upscale: int = 4
) -> Float[np.ndarray, "b f 2 h w"]:
    """Velocities in all frames but the first, in pixels per frame, as float32.

    Args:
        frames: of several clips.
        upscale: the flow is measured at this multiple of their size, and averaged.
    """
    batch, num, height, width, _ = frames.shape
    flows = np.zeros((batch, max(num - 1, 0), 2, height, width), dtype=np.float32)
    for clip, out in zip(frames, flows, strict=True):
        fine = [enlarge(frame, upscale) for frame in clip]
        for now, before, flow in zip(fine[1:], fine, out, strict=False):
            velocity = measure_velocity(now, before) / upscale
            flow[:] = cv2.resize(velocity, (width, height), interpolation=cv2.INTER_AREA).transpose(
                2, 0, 1
            )
    return flows
