"""Frames on the wire: a small header, the actions, and one or two pictures as PNG."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["FORKED", "HEADER", "PAUSED", "RECORDING", "VERSION", "Shown", "pack"]

VERSION = 1
FORKED, RECORDING, PAUSED, CUT = 1, 2, 4, 8
"""Flags: two pictures follow; a recording goes on; the world stands still; this frame does not
follow the one before (after a rewind or a restart)."""

HEADER = struct.Struct("<BBHIIIIfffff")
"""Version, flags, numbers per action, frame, oldest frame that one can go back to, number of the
newest action it counts, bytes of the first picture, milliseconds that the world took, milliseconds
since that action came, reward, probability of the end, trust. Little-endian; NaN where nothing is
known. Then the actions as float32, one per picture, and the pictures."""

_FAST = (cv2.IMWRITE_PNG_COMPRESSION, 1)
"""Lossless, because pictures are enlarged eightfold and each pixel is seen: 0.11 ms and 3.2 kB for
64x64, beside 0.02 ms and 1.6 kB of JPEG at quality 95. A step of a world takes a hundred times as
long."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A frame, or two of a fork, as they are shown.

    Attributes:
        frame: number of the frame since the session began.
        oldest: of the oldest frame that one can go back to.
        pictures: one, or that of the player and that of the other.
        actions: that led to each picture; empty in a world without.
        step_s: what the world took to make them, in seconds.
        reward, end: of the step, NaN if the world tells none.
        is_recording: a recording goes on.
        is_cut: the frame does not follow the one before.
    """

    frame: int
    oldest: int
    pictures: Sequence[UInt8[np.ndarray, "h w 3"]]
    actions: Sequence[Float[np.ndarray, " a"]] = ()
    step_s: float = math.nan
    reward: float = math.nan
    end: float = math.nan
    is_recording: bool = False
    is_cut: bool = False


def pack(
    shown: Shown,
    *,
    is_paused: bool = False,
    act: int = 0,
    waited_s: float = math.nan,
    trust: float = math.nan,
) -> bytes:
    """A frame as it is sent.

    Args:
        shown: frame.
        is_paused: the world stands still.
        act: number of the newest action that the frame counts.
        waited_s: since that action came; NaN if an earlier frame counted it.
        trust: the newest that is known.
    """
    images = [_to_png(picture) for picture in shown.pictures]
    flags = FORKED * (len(images) > 1) | RECORDING * shown.is_recording
    flags |= PAUSED * is_paused | CUT * shown.is_cut
    size = len(shown.actions[0]) if shown.actions else 0
    numbers = (shown.step_s * 1000, waited_s * 1000, shown.reward, shown.end, trust)
    counts = (shown.frame, shown.oldest, act % 2**32, len(images[0]))
    header = HEADER.pack(VERSION, flags, size, *counts, *numbers)
    actions = b"".join(np.asarray(a, dtype="<f4").tobytes() for a in shown.actions)
    return b"".join([header, actions, *images])


def _to_png(picture: UInt8[np.ndarray, "h w 3"]) -> bytes:
    done, image = cv2.imencode(".png", picture[..., ::-1], _FAST)
    assert done
    return image.tobytes()
