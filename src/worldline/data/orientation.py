"""The display matrix: how a frame must be turned before a person sees it upright."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import cast

import numpy as np
from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame
from jaxtyping import UInt8

__all__ = ["display_matrix", "orient", "rotation_deg"]

Matrix = tuple[int, int, int, int]
"""(a, b, c, d) of x' = a x + c y, y' = b x + d y, each -1, 0 or 1; y points down."""

UPRIGHT: Matrix = (1, 0, 0, 1)


def display_matrix(frame: VideoFrame) -> Matrix:
    """Read a decoded frame's display matrix, rounded to one of the eight square orientations."""
    # PyAV annotates a dictionary, but what it hands out iterates over its items.
    for item in cast("Iterable[SideData]", frame.side_data):
        if item.type is Type.DISPLAYMATRIX:
            a, b, _, c, d, *_ = struct.unpack("=9i", bytes(item)[:36])
            return _square(a, b, c, d)
    return UPRIGHT


def _square(a: int, b: int, c: int, d: int) -> Matrix:
    def sign(value: int) -> int:
        return (value > 0) - (value < 0)

    if abs(a) + abs(d) >= abs(b) + abs(c):
        return (sign(a) or 1, 0, 0, sign(d) or 1)
    return (0, sign(b) or 1, sign(c) or 1, 0)


def rotation_deg(matrix: Matrix) -> int:
    """Clockwise turn that a display applies: 0, 90, 180 or 270. Mirroring is not counted."""
    a, b, c, d = matrix
    if a * d - b * c < 0:  # mirrored: undo the mirror in x first
        a, b = -a, -b
    return {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}[(a, b)]


def orient(image: UInt8[np.ndarray, "h w 3"], matrix: Matrix) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Turn and mirror an image as its display matrix says; contiguous."""
    a, b, c, d = matrix
    if matrix == UPRIGHT:
        return image
    if a == 0:
        image = image.transpose(1, 0, 2)
        flip_x, flip_y = c < 0, b < 0
    else:
        flip_x, flip_y = a < 0, d < 0
    return np.ascontiguousarray(image[:: -1 if flip_y else 1, :: -1 if flip_x else 1])
