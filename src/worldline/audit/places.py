"""How far things are from where they should be, in environments that are known by name.

As in `worldline.audit.scripts`, one instrument looks at recorded frames and at imagined ones, in
terms of pixels alone. Add your own environment to `OFFSETS` by the id that Gymnasium knows it by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from worldline.audit.scripts import SANDBOX_COLORS, find_agent, find_block, find_color

__all__ = ["LOST", "OFFSETS", "FrameOffset"]

Frame = UInt8[np.ndarray, "h w 3"]

FrameOffset = Callable[[Frame, Frame], float]
"""Of a true and another frame: greatest way of a thing from its true place, in sides of the
picture; `LOST` where a thing is gone, NaN where nothing was to be seen."""

LOST = 0.5

Find = Callable[[Frame], Float[np.ndarray, " 2"] | None]


def _greatest(true: Frame, made: Frame, *, finds: tuple[Find, ...]) -> float:
    ways = []
    for find in finds:
        place, other = find(true), find(made)
        if place is not None:
            ways.append(LOST if other is None else float(np.hypot(*(place - other))))
    return max(ways, default=float("nan"))


def _turned(true: Frame, made: Frame) -> float:
    """How far the view as a whole is to the side."""
    height, width = true.shape[:2]
    band = slice(height // 4, height * 3 // 4)
    grey = [cv2.cvtColor(f[band], cv2.COLOR_RGB2GRAY).astype(np.float32) for f in (true, made)]
    window = cv2.createHanningWindow(grey[0].shape[::-1], cv2.CV_32F)
    return abs(cv2.phaseCorrelate(grey[0], grey[1], window)[0][0]) / width


OFFSETS: Mapping[str, FrameOffset] = MappingProxyType(
    {
        "worldline/Sandbox-v0": partial(
            _greatest,
            finds=tuple(partial(find_color, colors=each) for each in SANDBOX_COLORS.values()),
        ),
        "gym_pusht/PushT-v0": partial(_greatest, finds=(find_agent, find_block)),
        "VizdoomBasic-v1": _turned,
    }
)
"""By the id of the environment."""
