from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.sim import camera, make_clip
from worldline.sim.camera import shoot
from worldline.sim.engine import simulate
from worldline.sim.framing import Shot, frame_action, look_at
from worldline.sim.stage import Body, Floor, Light, Prop, Shape, Sky
from worldline.sim.surface import FOG_M
from worldline.sim.truth import project_box

SIZE_PX = 64


def seen(stage, eye=(0.0, -6.0, 1.0), target=(0.0, 0.0, 1.0)):
    camera = look_at(np.array(eye), np.array(target), focal_px=80.0, size_px=SIZE_PX)
    rollout = simulate(stage)
    return shoot(stage, rollout, camera), camera, rollout


@pytest.fixture
def hover(stage_of):
    def build(*bodies, **options):
        return stage_of(*bodies, num_frames=2, gravity_mps2=0.0, **options)

    return build


def test_camera_axes_are_right_down_forward():
    camera = look_at(np.array([0.0, -6.0, 1.0]), np.array([0, 0, 1.0]), focal_px=80, size_px=64)
    pixels, depth = camera.project(np.array([[[0, 0, 1.0]], [[1, 0, 1.0]], [[0, 0, 2.0]]]))
    np.testing.assert_allclose(pixels[:, 0], [[32, 32], [32 + 80 / 6, 32], [32, 32 - 80 / 6]])
    np.testing.assert_allclose(depth, 6)


def test_depth_and_identity_of_a_ball_are_exact(ball, hover):
    film, _, _ = seen(hover(ball((0.0, 0.0, 1.0), radius_m=0.5)))
    rows, columns = np.nonzero(film.segmentation[0] == 0)
    # ray through a pixel centre meets the sphere in front of the eye
    slope = np.stack([(columns + 0.5 - 32) / 80, (rows + 0.5 - 32) / 80], -1)
    square = (slope**2).sum(-1) + 1
    z = (6 - np.sqrt(36 - square * (36 - 0.25))) / square
    np.testing.assert_allclose(film.depth_m[0, rows, columns], z, rtol=1e-5)
    # a cone of half angle asin(r / d) cuts the image plane in a circle around the middle
    radius_px = 80 * 0.5 / np.sqrt(36 - 0.25)
    assert film.area_px[0, 0] == pytest.approx(np.pi * radius_px**2, rel=0.02)


def test_depth_of_the_floor_and_of_the_sky(ball, hover):
    film, _, _ = seen(hover(ball((0.0, 0.0, 50.0))))
    slope = (np.arange(SIZE_PX) + 0.5 - 32) / 80
    np.testing.assert_allclose(film.depth_m[0, 32:, 5], 1 / slope[32:], rtol=1e-5)
    assert np.isinf(film.depth_m[0, :32]).all()
    assert (film.segmentation == -1).all()


def test_a_body_behind_a_wall_is_not_seen(ball, hover):
    wall = Prop(Shape.BOX, (2.0, 0.1, 2.0), (0.0, -2.0, 1.0), (0.2, 0.2, 0.2))
    film, _, _ = seen(hover(ball((0.0, 0.0, 1.0)), props=(wall,)))
    assert film.area_px.max() == 0
    np.testing.assert_allclose(film.depth_m[0, 32, 32], 3.9, rtol=1e-6)
    assert (film.frames[0, 20:40, 20:40] == film.background[0, 20:40, 20:40]).all()


def test_a_shadow_lies_under_the_lamp_and_nowhere_else(ball, hover):
    stage = hover(ball((0.0, 0.0, 2.0), radius_m=0.4))
    stage = replace(stage, light=Light((0.0, 0.0, 12.0), 0.4, 0.6))
    film, camera, _ = seen(stage, eye=(0.0, -5.0, 4.0), target=(0.0, 0.0, 0.5))
    pixels, _ = camera.project(np.array([[[0.0, 0.0, 0.0]], [[1.5, 0.0, 0.0]]]))
    under, beside = pixels[:, 0].astype(int)
    assert film.background[0, under[1], under[0], 0] == pytest.approx(255, abs=3)
    # only the ambient 0.4 is left, and the haze of the distance to the floor
    haze = 1 - np.exp(-((np.hypot(5, 4) / FOG_M) ** 2))
    shade = 255 * (0.4 * (1 - haze) + haze)
    assert film.frames[0, under[1], under[0], 0] == pytest.approx(shade, abs=2)
    changed = film.frames[0, beside[1], beside[0]] != film.background[0, beside[1], beside[0]]
    assert not changed.any()


def test_a_body_shades_another_and_a_wall_shades_the_floor(hover):
    low = Body(Shape.BOX, (1.0, 1.0, 0.2), (0.0, 0.0, 0.5), 1.0, (1, 1, 1), "white")
    above = Body(Shape.BOX, (0.3, 0.3, 0.1), (0.0, 0.0, 2.5), 1.0, (1, 1, 1), "white")
    lamp = Light((0.0, 0.0, 12.0), 0.3, 0.6)
    alone, camera, _ = seen(replace(hover(low), light=lamp), (0.0, -4.0, 4.0), (0, 0, 0.5))
    both, _, _ = seen(replace(hover(low, above), light=lamp), (0.0, -4.0, 4.0), (0, 0, 0.5))
    x, y = camera.project(np.array([[[0.0, -0.2, 0.7]]]))[0][0, 0].astype(int)
    assert alone.frames[0, y, x, 0] == pytest.approx(0.9 * 255, abs=4)
    assert both.frames[0, y, x, 0] == pytest.approx(0.3 * 255, abs=4)


def test_a_quarter_of_a_pixel_can_be_seen(ball, hover):
    step_m = 0.25 * 6 / 80
    images = []
    for index in range(5):
        stage = hover(ball((index * step_m, 0.0, 1.0), radius_m=0.5))
        stage = replace(
            stage,
            floor=Floor((0, 0, 0), (0, 0, 0)),
            sky=Sky((0.0, 0, 0), (0, 0, 0)),
            light=Light((0.0, 0.0, 12.0), 1.0, 0.0),
        )
        images.append(seen(stage)[0].frames[0, :, :, 0].astype(float))
    centers = [(image * np.arange(64)).sum() / image.sum() for image in images]
    np.testing.assert_allclose(np.diff(centers), 0.25, atol=0.06)
    edge = images[0][32]
    assert len(set(edge[edge > 0].tolist())) > 1


@pytest.mark.parametrize("shape", list(Shape))
def test_projected_box_agrees_with_the_mask(shape: Shape, hover):
    half = {Shape.BALL: (0.5,) * 3, Shape.BOX: (0.5, 0.3, 0.7)}.get(shape, (0.3, 0.3, 0.7))
    turn = np.array([0.8, 0.3, -0.4, 0.33])
    w, x, y, z = (turn / np.linalg.norm(turn)).tolist()
    body = Body(shape, half, (0.3, 0.5, 1.3), 1.0, (1, 0, 0), "red", rotation_wxyz=(w, x, y, z))
    film, camera, rollout = seen(hover(body))
    low, high = project_box(body, rollout.position_m[0], rollout.rotation_wxyz[0], camera)
    rows, columns = np.nonzero(film.segmentation[0] == 0)
    np.testing.assert_allclose(low[0], [columns.min(), rows.min()], atol=1.0)
    np.testing.assert_allclose(high[0], [columns.max() + 1, rows.max() + 1], atol=1.0)


def test_framing_keeps_the_action_in_view_and_bodies_in_size(stage_of, ball):
    stage = stage_of(ball((-1.0, 0.0, 1.0), velocity_mps=(1.5, 0.0, 3.0)))
    rollout = simulate(stage)
    camera = frame_action(stage, rollout, Shot(SIZE_PX))
    low, high = project_box(
        stage.bodies[0], rollout.position_m[0], rollout.rotation_wxyz[0], camera
    )
    assert low.min() >= 0
    assert high.max() <= SIZE_PX
    assert (high - low).min() >= 5
    assert (high - low).max() <= 24


@pytest.mark.parametrize("family", ["pendulum", "topple", "throw"])
def test_casting_only_near_bodies_changes_nothing(family: str, monkeypatch):
    quick = make_clip(family, 1, seed=0, size_px=24, events=False)
    monkeypatch.setattr(
        camera, "_cone_pairs", lambda rays, *_: np.divmod(np.arange(32 * len(rays)), len(rays))
    )
    thorough = make_clip(family, 1, seed=0, size_px=24, events=False)
    np.testing.assert_array_equal(quick.frames, thorough.frames)
    np.testing.assert_array_equal(quick.depth_m, thorough.depth_m)
    np.testing.assert_array_equal(quick.segmentation, thorough.segmentation)
