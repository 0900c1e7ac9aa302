"""`Camera` against geometry done by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from worldline.core import Camera
from worldline.core.camera import mirror_poses, plucker_rays


def pose(rotation: np.ndarray, origin: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, origin
    return matrix


def about_y(angle_rad: float) -> np.ndarray:
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


FIXED = Camera(100.0, 64, 48, np.eye(4)[None])


def test_projects_as_similar_triangles():
    points = np.array([[[0.0, 0.0, 2.0], [0.5, -0.25, 2.0]], [[1.0, 1.0, 4.0], [1.0, 1.0, 10.0]]])
    pixels, depth = FIXED.project(points)
    np.testing.assert_allclose(pixels[0], [[32, 24], [57, 11.5]])
    np.testing.assert_allclose(pixels[1], [[57, 49], [42, 34]])
    np.testing.assert_array_equal(depth, [[2, 2], [4, 10]])


def test_a_point_behind_has_depth_below_zero_and_no_infinity():
    points = np.array([[[0.3, 0.0, -1.0], [0.3, 0.1, 0.0]]])
    pixels, depth = FIXED.project(points)
    np.testing.assert_array_equal(depth, [[-1, 0]])
    assert np.isfinite(pixels).all()


def test_a_moving_camera_uses_the_pose_of_each_frame():
    # The camera steps right by 1 m, then turns a quarter to look along world x.
    poses = np.stack([pose(np.eye(3), (1.0, 0.0, 0.0)), pose(about_y(np.pi / 2), (0.0, 0.0, 0.0))])
    camera = Camera(100.0, 64, 48, poses)
    pixels, depth = camera.project(np.array([[[1.0, 0.0, 5.0], [5.0, 0.5, 0.0]]]))
    np.testing.assert_allclose(pixels, [[[32, 24], [32, 34]]], atol=1e-12)
    np.testing.assert_allclose(depth, [[5, 5]])


def test_middle_ray_is_the_optical_axis():
    odd = Camera(100.0, 65, 49, np.eye(4)[None])
    np.testing.assert_allclose(odd.rays()[24, 32], [0, 0, 1], atol=1e-15)


def test_rays_project_back_to_pixel_centres():
    matrix = pose(about_y(0.4), (1.0, -2.0, 0.5))
    camera = Camera(80.0, 16, 12, matrix[None])
    rays = camera.rays()
    np.testing.assert_allclose(np.linalg.norm(rays, axis=-1), 1.0)
    points = (matrix[:3, 3] + 3.0 * rays).reshape(-1, 1, 3)
    pixels, depth = camera.project(points)
    assert (depth > 0).all()
    y, x = np.mgrid[:12, :16] + 0.5
    np.testing.assert_allclose(pixels[:, 0], np.stack([x.ravel(), y.ravel()], axis=-1), atol=1e-9)


def test_frames_of_a_fixed_and_of_a_moving_camera():
    poses = np.stack([np.eye(4), pose(about_y(0.3), (0.0, 0.0, 0.0))])
    moving = Camera(100.0, 8, 8, poses)
    np.testing.assert_array_equal(FIXED.rays(5), FIXED.rays(0))
    assert not np.allclose(moving.rays(1), moving.rays(0))
    with pytest.raises(IndexError):
        moving.rays(2)


def test_json_round_trip():
    camera = Camera(61.5, 64, 48, pose(about_y(0.123), (0.1, 0.2, 0.3))[None])
    back = Camera.from_json(json.loads(json.dumps(camera.to_json())))
    assert (back.focal_px, back.width_px, back.height_px) == (61.5, 64, 48)
    np.testing.assert_array_equal(back.world_from_camera, camera.world_from_camera)


def path(num: int = 5) -> np.ndarray:
    """A camera that goes to the right and turns about its vertical."""
    poses = np.tile(np.eye(4), (num, 1, 1))
    for t in range(num):
        cos, sin = np.cos(0.1 * t), np.sin(0.1 * t)
        poses[t, :3, :3] = [[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]
        poses[t, :3, 3] = 0.2 * t, 0.05 * t, 3.0
    return poses


def test_plucker_rays_pass_through_what_they_see():
    """A point lies on a line if its moment about the origin is the line's: p x d = m."""
    poses = path()
    rays = plucker_rays(poses, 1.1, 4)
    assert rays.shape == (5, 16, 6)
    np.testing.assert_allclose(np.linalg.norm(rays[..., :3], axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(rays[0, :, 3:], 0, atol=1e-6)
    camera = Camera(1.1 * 64, 64, 64, poses)
    for t in (1, 4):
        seen = poses[t] @ [0.3, -0.2, 2.0, 1.0]
        pixel, _ = camera.project(np.tile(seen[:3], (1, 5, 1)))
        x, y = pixel[0, t] / 64
        fine = plucker_rays(poses, 1.1, 256)[t]
        line = fine[int(y * 256) * 256 + int(x * 256)]
        there = np.linalg.inv(poses[0]) @ seen
        np.testing.assert_allclose(np.cross(there[:3], line[:3]), line[3:], atol=0.02)


def test_rays_do_not_depend_on_where_the_world_is():
    moved = np.eye(4)
    moved[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    moved[:3, 3] = 5.0, 6.0, 7.0
    one, other = plucker_rays(path(), 1.0, 4), plucker_rays(moved @ path(), 1.0, 4)
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_mirrored_poses_see_mirrored_lines():
    """Mirroring a line turns its direction's x around, and its moment's y and z."""
    rays = plucker_rays(path(), 0.9, 4).reshape(5, 4, 4, 6)
    mirrored = plucker_rays(mirror_poses(path()), 0.9, 4).reshape(5, 4, 4, 6)
    flip = np.array([-1.0, 1, 1, 1, -1, -1])
    np.testing.assert_allclose(mirrored, rays[:, :, ::-1] * flip, atol=1e-5)


def test_a_crop_keeps_lines_of_sight():
    camera = Camera(60.0, 64, 48, path())
    square = camera.cropped((8, 0, 48, 48), 96)
    point = np.tile([0.1, 0.05, 6.0], (1, 5, 1))
    wide, _ = camera.project(point)
    small, _ = square.project(point)
    np.testing.assert_allclose(small, (wide - [8, 0]) * 2, atol=1e-9)
    with pytest.raises(ValueError, match="not a square about the middle"):
        camera.cropped((0, 0, 48, 48), 96)


def broken(change) -> np.ndarray:
    poses = path()
    change(poses)
    return poses


@pytest.mark.parametrize(
    ("poses", "message"),
    [
        (broken(lambda p: p.__setitem__((2, 0, 3), np.nan)), "pose 2 is not finite"),
        (broken(lambda p: p.__setitem__((3, 0, 0), 3.0)), "pose 3 is not a rigid"),
        (broken(lambda p: np.negative(p[1, :3, 0], out=p[1, :3, 0])), "pose 1 is not a rigid"),
        (np.zeros((0, 4, 4)), "poses are"),
    ],
)
def test_poses_that_are_none_are_refused(poses, message):
    with pytest.raises(ValueError, match=message):
        Camera(60.0, 64, 64, poses)


def test_uncertain_cameras_survive_json():
    std = np.arange(5.0)
    camera = Camera(60.0, 64, 64, path(), std, 2 * std, 3.0)
    again = Camera.from_json(camera.to_json())
    assert not again.is_exact
    np.testing.assert_array_equal(again.at([0, 2]).place_std_m, [0.0, 4.0])
    assert "focal_std_px" not in Camera(60.0, 64, 64, path()).to_json()
