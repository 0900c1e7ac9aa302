from dataclasses import replace

import numpy as np
import pytest

from worldline.retrieval.motions.moments import Moments
from worldline.retrieval.motions.tracks import HOP_S, WINDOW_S, cut_segments, window_numbers
from worldline.retrieval.motions.windows import cut_windows


@pytest.mark.parametrize("length_s", [0.5, 3.96, 4.0, 4.04, 6.0, 6.04, 17.3])
def test_a_video_without_gaps_is_windows_up_to_its_end(length_s):
    time_s = np.arange(0, length_s + 1e-6, 0.04) + 7.0
    last = max(0, int(np.ceil((time_s[-1] - 7.0 - WINDOW_S) / HOP_S - 1e-9)))
    assert window_numbers(time_s) == list(range(last + 1))


def test_windows_lie_where_frames_are_however_far_apart(scene_of, paths):
    """A file may say that a hundred days pass between two frames."""
    scene = scene_of(paths["fall"])
    gap_s = 8_640_000.0
    time_s = scene.time_s + np.where(np.arange(scene.num_frames) < 20, 0.0, gap_s)
    assert window_numbers(time_s)[0] == 0
    assert len(window_numbers(time_s)) <= 4
    far = replace(scene, time_s=time_s)
    assert {s.number for s in cut_segments(far)} <= set(window_numbers(time_s))
    moments = Moments(time_s[1:], np.ones((scene.num_frames - 1, 12)))
    windows = list(cut_windows(far, moments))
    assert [w.number for w in windows] == window_numbers(time_s)
