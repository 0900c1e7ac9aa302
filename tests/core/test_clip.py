"""`Clip`: validation, slicing, rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import Clip, Provenance, Scene

T, H, W = 6, 4, 5


@pytest.fixture
def clip() -> Clip:
    frames = np.arange(T * H * W * 3, dtype=np.uint16).reshape(T, H, W, 3) % 251
    time_s = np.array([0.0, 0.1, 0.2, 0.4, 0.5, 0.7])
    return Clip(
        frames=frames.astype(np.uint8),
        time_s=time_s,
        provenance=Provenance(source="a.mp4"),
        depth_m=np.arange(T * H * W, dtype=np.float64).reshape(T, H, W),
        segmentation=np.arange(T * H * W).reshape(T, H, W),
        background=np.full((1, H, W, 3), 9, dtype=np.uint8),
        actions=np.arange(T * 2, dtype=np.float64).reshape(T, 2),
        scene=Scene.empty(time_s, W, H, Provenance()),
        caption="Nothing happens.",
    )


def test_slice_cuts_all_that_is_per_frame(clip: Clip):
    part = clip.slice(2, 5)
    assert part.num_frames == 3
    for name in ("frames", "time_s", "depth_m", "segmentation", "actions"):
        np.testing.assert_array_equal(getattr(part, name), getattr(clip, name)[2:5], err_msg=name)
    np.testing.assert_array_equal(part.background, clip.background)
    assert part.scene is None
    assert (part.caption, part.provenance) == (clip.caption, clip.provenance)


def test_slice_cuts_a_background_per_frame(clip: Clip):
    moving = replace(clip, background=clip.frames[::-1].copy())
    np.testing.assert_array_equal(moving.slice(1, 3).background, clip.frames[::-1][1:3])


def test_slice_of_one_frame_keeps_its_background(clip: Clip):
    one = clip.slice(3, 4)
    assert (one.num_frames, one.fps) == (1, 0.0)
    np.testing.assert_array_equal(one.slice(0, 1).background, clip.background)


def test_slice_counts_from_the_end_as_python_does(clip: Clip):
    np.testing.assert_array_equal(clip.slice(-2, T).time_s, [0.5, 0.7])


@pytest.mark.usefixtures("as_users_run")
def test_an_empty_slice_is_refused(clip: Clip):
    with pytest.raises(ValueError, match=r"\(0, 4, 5, 3\)"):
        clip.slice(4, 4)


def test_rate_is_the_mean_over_uneven_times(clip: Clip):
    assert clip.fps == pytest.approx(5 / 0.7)
    assert clip.size_px == (W, H)


def test_the_bare_minimum():
    clip = Clip(frames=np.zeros((1, 1, 1, 3), np.uint8), time_s=np.zeros(1))
    assert clip.slice(0, 1).num_frames == 1
    assert clip.provenance == Provenance()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frames": np.zeros((T, H, W, 4), np.uint8)}, "frames"),
        ({"frames": np.zeros((T, H, W), np.uint8)}, "frames"),
        ({"frames": np.zeros((T, 0, W, 3), np.uint8)}, "frames"),
        ({"frames": np.zeros((0, H, W, 3), np.uint8)}, "frames"),
        ({"frames": np.zeros((T, H, W, 3))}, "frames"),
        ({"time_s": np.arange(T - 1) * 0.1}, "time"),
        ({"time_s": np.zeros(T)}, "increase"),
        ({"time_s": np.arange(T)[::-1] * 0.1}, "increase"),
        ({"time_s": np.array([0, 1, 2, np.nan, 4, 5])}, "finite"),
        ({"time_s": np.array([0, 1, 2, 3, 4, np.inf])}, "finite"),
        ({"depth_m": np.zeros((T, H, W + 1))}, "depth_m"),
        ({"segmentation": np.zeros((T - 1, H, W), int)}, "segmentation"),
        ({"background": np.zeros((2, H, W, 3), np.uint8)}, "background"),
        ({"actions": np.zeros((T - 1, 2))}, "actions"),
    ],
)
@pytest.mark.usefixtures("as_users_run")
def test_what_does_not_fit_is_refused(clip: Clip, change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        replace(clip, **change)
