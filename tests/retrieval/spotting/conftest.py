"""A disc that crosses a drawn picture, as a scene and as kept frames."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.core.provenance import Origin, Provenance
from worldline.core.scene import Event, Scene
from worldline.retrieval.spotting.keep import FrameKeep, Kept

WIDTH, HEIGHT, FPS = 96, 64, 25
SIDE = 12.0


def draw(num_frames: int, *, speed_px_s: float = 20.0, num: int = 1) -> tuple[Scene, Kept]:
    """Discs beside each other, all to the right; the first falls by the word of a definition."""
    time_s = np.arange(num_frames) / FPS
    center = np.zeros((num, num_frames, 2))
    center[..., 0] = 12.0 + speed_px_s * time_s
    center[..., 1] = (np.arange(num) * 18.0 + 14.0)[:, None]
    ground = np.random.default_rng(0).integers(90, 110, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    watch = FrameKeep()
    for i, moment in enumerate(time_s):
        frame = ground.copy()
        for n in range(num):
            inside = np.hypot(x - center[n, i, 0], y - center[n, i, 1]) < SIDE / 2
            frame[inside] = (220, 40, 40)
            frame[inside & (x < center[n, i, 0])] = (40, 40, 220)
        list(watch.pass_on([(float(moment), frame)]))
    there = np.ones((num, num_frames), bool)
    scene = Scene(
        time_s=time_s,
        width_px=WIDTH,
        height_px=HEIGHT,
        ids=np.arange(1, num + 1),
        labels=("object",) * num,
        present=there,
        visible=there,
        center_px=center,
        size_px=np.full((num, num_frames, 2), SIDE),
        center_px_std=np.zeros((num, num_frames, 2)),
        color_rgb=np.full((num, 3), 0.5),
        events=(Event("fall", 0.4, 0.8, {"object": 1}),),
        provenance=Provenance(Origin.RECORDED),
    )
    return scene, watch.kept


@pytest.fixture
def drawn():
    return draw
