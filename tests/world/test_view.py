from dataclasses import replace

import numpy as np
import pytest

from worldline.core import Clip, InputError
from worldline.world.view import look

RANGE = (1 / 30, 0.1)


def make(num: int, fps: float, size=(64, 64)) -> Clip:
    frames = np.zeros((num, size[1], size[0], 3), np.uint8)
    frames[:] = np.arange(num, dtype=np.uint8)[:, None, None, None]
    return Clip(frames=frames, time_s=np.arange(num) / fps)


@pytest.mark.parametrize(("fps", "every"), [(10, 1), (25, 1), (30, 1), (50, 2), (60, 2), (240, 8)])
def test_frames_are_kept_or_every_nth_taken(fps, every):
    view = look(make(64, fps), size_px=64, step_range_s=RANGE)
    assert view.step_s == pytest.approx(every / fps)
    assert view.frames[:, 0, 0, 0].tolist() == list(range(0, 64, every))


def test_uneven_times_are_resampled():
    clip = make(8, 20)
    times = clip.time_s.copy()
    times[4:] += 0.1
    view = look(Clip(frames=clip.frames, time_s=times), size_px=64, step_range_s=RANGE)
    np.testing.assert_allclose(np.diff(view.time_s), 0.05, atol=1e-9)


def test_too_slow_video_is_refused():
    with pytest.raises(InputError, match="5 frames/s"):
        look(make(8, 5), size_px=64, step_range_s=RANGE)


def test_a_part_that_is_too_slow_is_refused():
    """Filled up with repeated frames it would look like things that jump."""
    times = np.concatenate([np.arange(30) / 30, 1 + np.arange(5) / 5])
    clip = make(35, 30)
    with pytest.raises(InputError, match=r"a part of it has 5 frames/s, .* 10 frames/s"):
        look(Clip(frames=clip.frames, time_s=times), size_px=64, step_range_s=RANGE)


def test_the_middle_square_is_taken():
    view = look(make(3, 20, size=(160, 90)), size_px=64, step_range_s=RANGE)
    assert view.frames.shape == (3, 64, 64, 3)
    assert view.crop_px == (35, 0, 90, 90)


def test_a_clip_with_a_long_gap_is_refused():
    clip = make(32, 30)
    time_s = clip.time_s.copy()
    time_s[16:] += 3600
    with pytest.raises(InputError, match="32 frames over 3601 s leave gaps"):
        look(replace(clip, time_s=time_s), size_px=64, step_range_s=RANGE)
