"""A copy of a video with its world lines drawn on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from worldline.core.scene import Scene
from worldline.data import iter_frames, write_video
from worldline.readout.overlay import draw_world_lines

__all__ = ["write_overlay"]


def write_overlay(path: str, scene: Scene, target: Path) -> None:
    """Write a copy of a video with the scene's world lines on it, one frame in memory.

    Args:
        path: video that the scene was read from.
        scene: what moves in it.
        target: mp4 to write.

    Raises:
        MediaError: the video cannot be read.
    """

    def frames() -> Iterator[np.ndarray]:
        for index, (_, frame) in enumerate(iter_frames(path)):
            yield draw_world_lines(frame, scene, index)

    details = (*scene.provenance.details, ("drawn", "world lines"))
    provenance = replace(scene.provenance, details=details)
    write_video(target, frames(), time_s=scene.time_s, provenance=provenance)
