"""Small frames kept: how many, how large, and what they show."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.retrieval.spotting.keep import STEP_S, FrameKeep


def keep(frames, fps):
    watch = FrameKeep()
    passed = list(watch.pass_on((i / fps, frame) for i, frame in enumerate(frames)))
    return watch.kept, passed


@pytest.mark.parametrize("fps", [10, 12.5, 25, 30, 60])
def test_frames_come_about_every_step_and_nobody_else_notices(fps):
    frames = [np.full((40, 60, 3), i, np.uint8) for i in range(int(2 * fps))]
    kept, passed = keep(frames, fps)
    assert [id(frame) for _, frame in passed] == [id(frame) for frame in frames]
    steps = np.diff(kept.time_s)
    assert steps.min() >= 0.75 * STEP_S
    assert steps.max() <= max(1.3 * STEP_S, 1.01 / fps)


def test_a_large_frame_is_kept_small_and_looks_the_same():
    ramp = np.tile(np.linspace(20, 220, 800).astype(np.uint8)[None, :, None], (450, 1, 3))
    kept, _ = keep([ramp], 25)
    frame = kept.frame(0)
    assert frame.shape == (108, 192, 3)
    assert kept.scale == pytest.approx(0.24)
    assert np.abs(frame[50, :, 1].astype(float) - np.linspace(20, 220, 192)).max() < 6


def test_colours_stay_where_they_are():
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[:, :32, 0], frame[:, 32:, 2] = 200, 200
    kept, _ = keep([frame], 25)
    assert kept.frame(0)[10, 10, 0] > 150 > kept.frame(0)[10, 10, 2]
    assert kept.frame(0)[10, 50, 2] > 150 > kept.frame(0)[10, 50, 0]
