from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import InputError
from worldline.physics.apparent import apparent_motion
from worldline.sim import make_clip, make_clips
from worldline.sim.camera import shoot
from worldline.sim.engine import simulate
from worldline.sim.framing import CameraPath, Shot, frame_action


def test_the_same_happens_whether_the_camera_moves_or_not():
    still = make_clip("bounce", 0, seed=0, events=False).scene
    moving = make_clip("bounce", 0, seed=0, events=False, moving_camera=True).scene
    assert still is not None
    assert moving is not None
    np.testing.assert_array_equal(still.position_m, moving.position_m)
    assert [c.start_s for c in still.contacts] == [c.start_s for c in moving.contacts]
    assert still.camera is not None
    assert moving.camera is not None
    assert len(still.camera.world_from_camera) == 1
    assert len(moving.camera.world_from_camera) == 32
    # the middle of the clip lies between two frames
    near = moving.camera.world_from_camera[15:17].mean(axis=0)
    np.testing.assert_allclose(near, still.camera.world_from_camera[0], atol=1e-3)


def test_an_orbit_turns_by_its_angle_and_a_pan_stays_where_it_is(stage_of, ball):
    stage = stage_of(ball(), num_frames=20)
    rollout = simulate(stage)
    orbit = frame_action(stage, rollout, Shot(64, CameraPath(0.8, 0.0))).world_from_camera
    first, last = (pose[:2, 2] / np.linalg.norm(pose[:2, 2]) for pose in orbit[[0, -1]])
    assert np.arccos(first @ last) == pytest.approx(0.8)
    pan = frame_action(stage, rollout, Shot(64, CameraPath(0.0, 0.5))).world_from_camera
    np.testing.assert_allclose(pan[:, :3, 3], np.tile(pan[0, :3, 3], (20, 1)))
    assert pan[-1, :3, 2] @ pan[0, :3, 0] > 0.05


def test_each_frame_is_what_a_camera_standing_there_would_see(stage_of, ball):
    stage = stage_of(ball((0.0, 0.0, 1.0), velocity_mps=(0.5, 0.3, 0.0)), num_frames=4)
    rollout = simulate(stage)
    camera = frame_action(stage, rollout, Shot(32, CameraPath(0.7, 0.0)))
    film = shoot(stage, rollout, camera)
    assert film.background.shape == film.frames.shape
    for t in (0, 3):
        there = shoot(
            stage, rollout, replace(camera, world_from_camera=camera.world_from_camera[t : t + 1])
        )
        np.testing.assert_array_equal(film.frames[t], there.frames[t])
        np.testing.assert_array_equal(film.background[t], there.background[0])
        np.testing.assert_array_equal(film.depth_m[t], there.depth_m[t])
        np.testing.assert_array_equal(film.segmentation[t], there.segmentation[t])


@pytest.mark.parametrize("family", ["collide", "drop"])
def test_boxes_masks_and_contacts_follow_the_moving_camera(family: str):
    clip = make_clip(family, 3, seed=1, events=False, moving_camera=True)
    scene = clip.scene
    assert scene is not None
    assert clip.segmentation is not None
    compared = 0
    for row in range(scene.num_objects):
        for t in range(0, 32, 5):
            y, x = np.nonzero(clip.segmentation[t] == row)
            low, high = (scene.center_px[row, t] + s * scene.size_px[row, t] / 2 for s in (-1, 1))
            inside = (low > 2).all() and (high < 62).all()
            alone = len(x) > 0.6 * np.prod(scene.size_px[row, t])
            if inside and alone:
                assert np.ptp(x) + 1 == pytest.approx(scene.size_px[row, t, 0], abs=1.6)
                assert np.ptp(y) + 1 == pytest.approx(scene.size_px[row, t, 1], abs=1.6)
                compared += 1
    assert compared >= 3
    for contact in scene.contacts:
        t = int(np.abs(scene.time_s - contact.start_s).argmin())
        if contact.point_px is not None and contact.end_s - contact.start_s < 0.05:
            away = np.linalg.norm(np.array(contact.point_px) - scene.center_px[contact.a, t])
            assert away < scene.size_px[contact.a, t].max()


def test_flat_scenes_and_apparent_motion_refuse_a_moving_camera():
    with pytest.raises(InputError, match="disc_uniform have no camera"):
        make_clips(["drop", "disc_uniform"], num_clips=2, seed=0, moving_camera=True)
    clip = make_clip("drop", 0, seed=0, size_px=16, events=False, moving_camera=True)
    with pytest.raises(InputError, match="camera that stands still"):
        apparent_motion(clip, 3, 4)
