"""`Camera` against geometry done by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from worldline.core import Camera


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
