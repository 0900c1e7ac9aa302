from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.sim import camera, make_clip
from worldline.sim.camera import shoot
from worldline.sim.caster import first_faces
from worldline.sim.engine import simulate
from worldline.sim.framing import look_at
from worldline.sim.soft import ball_grid, sheet_grid
from worldline.sim.stage import Light, Shape, Soft


def sheet_at(position_m, **options) -> Soft:
    return Soft(
        Shape.BOX, *sheet_grid(2.0, 4), mass_kg=1.0, color=(1.0, 1.0, 1.0), color_name="white",
        label="sheet", position_m=position_m, pinned=tuple(range(25)), **options,
    )  # fmt: skip


def test_rays_meet_triangles_from_either_side_at_the_true_distance():
    plane = np.array([[[-4.0, -4, 3], [8, -4, 3], [-4, 8, 3]]])
    rays = np.random.default_rng(0).normal(size=(500, 3))
    rays /= np.linalg.norm(rays, axis=1)[:, None]
    up = rays[:, 2] > 0.1
    spot = rays / np.where(up, rays[:, 2], 1.0)[:, None] * 3
    inside = up & (spot[:, 0] > -4) & (spot[:, 1] > -4) & (spot[:, 0] + spot[:, 1] < 4)
    for corners in (plane, plane[:, ::-1]):
        ray, face, reach, share = first_faces(corners, rays)
        np.testing.assert_array_equal(ray, np.flatnonzero(inside))
        assert (face == 0).all()
        np.testing.assert_allclose(reach, 3 / rays[ray, 2])
        places = np.einsum("rk,ki->ri", share, corners[0])
        np.testing.assert_allclose(places, rays[ray] * reach[:, None], atol=1e-12)


def test_no_ray_slips_between_faces_and_the_nearest_one_counts():
    vertices, cells = ball_grid(1.0)
    faces = np.concatenate([cells[:, list(side)] for side in ((0, 1, 2), (1, 2, 3), (0, 1, 3))])
    corners = vertices[faces]
    # straight at vertices and middles of edges, where a gap would be
    ends = np.concatenate([vertices[1:], (corners[:, 0] + corners[:, 1])])
    ends = ends[np.linalg.norm(ends, axis=1) > 1e-6]
    rays = ends / np.linalg.norm(ends, axis=1)[:, None]
    ray, _, reach, _ = first_faces(corners + np.array([0.0, 0.0, 0.1]), rays)
    np.testing.assert_array_equal(ray, np.arange(len(rays)))
    assert reach.max() < 1.2
    away, ahead = np.array([5.0, 0, 0]), np.eye(3)[:1]
    near = first_faces(np.concatenate([corners, 0.1 * corners]) + away, ahead)
    assert near[2] == pytest.approx(first_faces(corners + away, ahead)[2])
    assert near[2] < 4.2


def test_depth_identity_and_shadow_of_a_sheet(stage_of):
    stage = stage_of(softs=(sheet_at((0.0, 0.0, 2.0)),), num_frames=2)
    stage = replace(stage, light=Light((0.0, 0.0, 12.0), 0.4, 0.6))
    eye = look_at(np.array([0.0, -6.0, 5.0]), np.array([0, 0, 1.0]), focal_px=40, size_px=64)
    film = shoot(stage, simulate(stage), eye)
    assert set(np.unique(film.segmentation)) == {-1, 0}
    rows, columns = np.nonzero(film.segmentation[0] == 0)
    local = np.stack([(columns + 0.5 - 32) / 40, (rows + 0.5 - 32) / 40, np.ones(len(rows))], -1)
    rays = local @ eye.world_from_camera[0, :3, :3].T
    np.testing.assert_allclose(film.depth_m[0, rows, columns], -3 / rays[:, 2], rtol=1e-5)
    assert film.area_px[0, 0] == pytest.approx(len(rows), abs=8)
    # the lamp is straight above: the floor's middle is dark, the sheet's upper side lit
    x, y = eye.project(np.array([[[0.0, -1.05, 0.0]]]))[0][0, 0].astype(int)
    assert film.segmentation[0, y, x] == -1
    assert film.frames[0, y, x, 0] < 0.6 * film.background[0, y, x, 0]
    assert film.frames[0, rows, columns, 0].mean() > 230


def test_a_body_that_moves_stays_in_front_of_a_sheet(stage_of, ball):
    flying = ball((0.0, -1.0, 1.0), radius_m=0.2, velocity_mps=(0.0, 0.0, 4.0))
    wall = sheet_at((0.0, 0.5, 1.4), rotation_wxyz=(np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0))
    stage = stage_of(flying, softs=(wall,), num_frames=6)
    rollout = simulate(stage)
    eye = look_at(np.array([0.0, -6.0, 1.2]), np.array([0, 0, 1.2]), focal_px=80, size_px=64)
    film = shoot(stage, rollout, eye)
    assert film.area_px[0].min() > 0.9 * film.area_px[0].max()


def test_casting_only_near_soft_bodies_changes_nothing(monkeypatch):
    quick = make_clip("cloth", 0, seed=3, size_px=12, events=False)
    monkeypatch.setattr(
        camera, "_cone_pairs", lambda rays, *_: np.divmod(np.arange(32 * len(rays)), len(rays))
    )
    thorough = make_clip("cloth", 0, seed=3, size_px=12, events=False)
    np.testing.assert_array_equal(quick.frames, thorough.frames)
    np.testing.assert_array_equal(quick.depth_m, thorough.depth_m)
