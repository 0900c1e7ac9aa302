from __future__ import annotations

import numpy as np
import pytest

from worldline.core import Camera, Clip, InputError, Provenance, Scene
from worldline.data import center_square, nearest_frames, resample


def test_grid_shows_the_nearest_frame():
    time_s = np.array([0.0, 0.1, 0.26, 0.3, 0.9])
    grid_s, pick = nearest_frames(time_s, 0.1)
    np.testing.assert_allclose(grid_s, np.arange(10) * 0.1)
    assert pick.tolist() == [0, 1, 2, 3, 3, 3, 3, 4, 4, 4]


def test_of_two_equally_near_frames_the_earlier_is_taken():
    _, pick = nearest_frames(np.array([0.0, 1.0]), 0.5)
    assert pick.tolist() == [0, 0, 1]


@pytest.mark.parametrize("rate", [24.0, 25.0, 29.97, 30.0])
def test_a_clip_at_its_own_rate_is_unchanged(rate):
    time_s = 3.0 + np.arange(200) / rate
    grid_s, pick = nearest_frames(time_s, 1.0 / rate)
    np.testing.assert_array_equal(pick, np.arange(200))
    np.testing.assert_allclose(grid_s, time_s)


def test_a_single_frame_stays_one():
    grid_s, pick = nearest_frames(np.array([4.0]), 0.1)
    assert (grid_s.tolist(), pick.tolist()) == ([4.0], [0])


@pytest.mark.parametrize("step_s", [0.0, -1.0, float("nan")])
def test_step_must_be_positive(step_s):
    with pytest.raises(InputError, match="step_s"):
        nearest_frames(np.array([0.0, 1.0]), step_s)


def make_clip(num: int) -> Clip:
    frames = np.arange(num, dtype=np.uint8)[:, None, None, None] + np.zeros((1, 4, 6, 3), np.uint8)
    place = np.arange(num, dtype=np.float64)
    poses = np.tile(np.eye(4), (num, 1, 1))
    poses[:, 0, 3] = place
    scene = Scene(
        time_s=place * 0.1,
        width_px=6,
        height_px=4,
        ids=np.array([3]),
        labels=("ball",),
        present=np.ones((1, num), bool),
        visible=(place % 2 == 0)[None],
        center_px=np.stack([place, 2 * place], axis=1)[None],
        size_px=np.ones((1, num, 2)),
        center_px_std=np.zeros((1, num, 2)),
        camera=Camera(5.0, 6, 4, poses),
    )
    return Clip(
        frames=frames,
        time_s=place * 0.1,
        depth_m=frames[..., 0].astype(np.float64),
        segmentation=frames[..., 0].astype(np.int64),
        background=frames,
        actions=place[:, None],
        scene=scene,
        provenance=Provenance(source="x"),
    )


def test_everything_that_is_per_frame_comes_along():
    clip = resample(make_clip(9), 0.2)
    want = [0, 2, 4, 6, 8]
    assert clip.frames[:, 0, 0, 0].tolist() == want
    assert clip.depth_m is not None
    assert clip.depth_m[:, 0, 0].tolist() == want
    assert clip.segmentation is not None
    assert clip.segmentation[:, 0, 0].tolist() == want
    assert clip.background is not None
    assert clip.background[:, 0, 0, 0].tolist() == want
    assert clip.scene is not None
    assert clip.scene.center_px[0, :, 1].tolist() == [0, 4, 8, 12, 16]
    assert clip.scene.visible[0].all()
    assert clip.scene.camera is not None
    assert clip.scene.camera.world_from_camera[:, 0, 3].tolist() == want
    np.testing.assert_allclose(clip.scene.time_s, clip.time_s)
    assert clip.provenance == Provenance(source="x")


def test_actions_belong_to_their_own_steps():
    assert resample(make_clip(9), 0.2).actions is None
    kept = resample(make_clip(9), 0.1).actions
    assert kept is not None
    assert kept.ravel().tolist() == list(range(9))


def test_square_is_cut_from_the_middle():
    frames = np.zeros((2, 4, 8, 3), np.uint8)
    frames[:, :, 2:6] = 200
    square, crop = center_square(frames, 4)
    assert crop == (2, 0, 4, 4)
    np.testing.assert_array_equal(square, 200)
    tall, crop = center_square(frames.transpose(0, 2, 1, 3), 2)
    assert crop == (0, 2, 4, 4)
    np.testing.assert_array_equal(tall, 200)


def test_shrinking_averages_areas():
    frames = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype(np.uint8)
    square, _ = center_square(frames, 2)
    mean = frames.reshape(1, 2, 4, 2, 4, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(square, mean, atol=0.51)


def test_enlarging_keeps_flat_areas_and_the_input_alone():
    frames = np.full((1, 3, 3, 3), 77, np.uint8)
    square, crop = center_square(frames, 7)
    assert (square.shape, crop) == ((1, 7, 7, 3), (0, 0, 3, 3))
    np.testing.assert_array_equal(square, 77)
    same, _ = center_square(frames, 3)
    same[:] = 0
    assert frames.min() == 77


def test_square_refuses_nonsense():
    with pytest.raises(InputError, match="size_px"):
        center_square(np.zeros((1, 3, 3, 3), np.uint8), 0)
    with pytest.raises(InputError, match="at least one pixel"):
        center_square(np.zeros((1, 0, 3, 3), np.uint8), 4)
