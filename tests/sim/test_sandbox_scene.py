"""Scenes of the sandbox: told, set up again, and filmed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from worldline.core import InputError, Scene
from worldline.sim import make_clip
from worldline.sim.sandbox import SandboxEnv
from worldline.sim.sandbox_scene import STILL, THINGS, film_scene, state_of, to_scene

PUSH = np.array([0.6, -0.7, -1.0], np.float32)


@pytest.fixture(scope="module")
def env() -> SandboxEnv:
    env = SandboxEnv(render_mode="rgb_array")
    env.reset(seed=4)
    for _ in range(9):
        env.step(PUSH)
    return env


def test_a_moment_told_as_a_scene_is_set_up_again(env):
    scene = Scene.from_json(json.loads(json.dumps(to_scene(env.state).to_json())))
    assert scene.labels == THINGS
    again = state_of(scene)
    turns = [2, 5, 8]
    rest = np.setdiff1d(np.arange(22), turns)
    np.testing.assert_allclose(again[rest], env.state[rest], atol=1e-5)
    np.testing.assert_allclose(np.cos(again[turns] - env.state[turns]), 1, atol=1e-6)


def test_film_begins_with_the_scene_and_goes_on_by_physics(env):
    film = film_scene(to_scene(env.state), num_frames=4, size_px=64)
    apart = np.abs(film.frames[0].astype(int) - env.render().astype(int))
    assert apart.max() <= 40  # a turn comes back out of a quaternion
    assert apart.mean() < 0.2
    np.testing.assert_array_equal(film.actions, np.tile(STILL, (4, 1)))
    twin = SandboxEnv(render_mode="rgb_array")
    twin.reset(options={"state": state_of(to_scene(env.state))})
    for _ in range(3):
        twin.step(np.array(STILL, np.float32))
    np.testing.assert_array_equal(film.frames[3], twin.render())


def test_slower_worlds_see_fewer_moments(env):
    scene = to_scene(env.state)
    slow = film_scene(scene, num_frames=3, size_px=64, step_s=0.2)
    fast = film_scene(scene, num_frames=7, size_px=64)
    np.testing.assert_array_equal(slow.frames, fast.frames[::3])
    np.testing.assert_allclose(np.diff(slow.time_s), 0.2)


def test_boxes_are_where_the_pixels_are(env):
    scene = to_scene(env.state, 64)
    frame = env.render().astype(int)
    row = scene.labels.index("box")
    mask = np.abs(frame - (70, 120, 220)).sum(-1) < 60
    rows, columns = np.nonzero(mask)
    middle = (columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2
    np.testing.assert_allclose(scene.center_px[row, 0], middle, atol=1.5)
    width = columns.max() - columns.min() + 1
    assert scene.size_px[row, 0, 0] == pytest.approx(width, abs=2.5)


def test_objects_are_known_by_colour_and_by_where_they_are_seen(env):
    scene = to_scene(env.state)
    seen = replace(scene, labels=("object",) * 4, position_m=None)
    np.testing.assert_allclose(state_of(seen)[:2], env.state[:2], atol=1e-6)
    np.testing.assert_allclose(state_of(seen)[9:11], env.state[9:11], atol=1e-6)


def test_what_a_scene_lacks_is_out_of_sight(env):
    ball = film_scene(to_scene(env.state, names=("ball",)), num_frames=1, size_px=64).frames[0]
    blue = np.abs(ball.astype(int) - (70, 120, 220)).sum(-1) < 60
    white = np.abs(ball.astype(int) - (235, 235, 235)).sum(-1) < 60
    assert not blue.any()
    assert white.any()  # there is a hand to play with


def test_scenes_of_no_use_are_told(env):
    scene = to_scene(env.state)
    with pytest.raises(InputError, match="ball twice, and the sandbox has one"):
        state_of(replace(scene, labels=("ball", "ball", "plank", "hand")))
    with pytest.raises(InputError, match="called 'cup', and the sandbox has only ball"):
        state_of(replace(scene, labels=("cup", "box", "plank", "hand")))
    far = scene.position_m + np.array([9.0, 0, 0])
    with pytest.raises(InputError, match=r"ball is \d+\.\d+ m from the left"):
        state_of(replace(scene, position_m=far))
    with pytest.raises(InputError, match="no moment"):
        state_of(Scene.empty(np.zeros(0), 64, 64, scene.provenance))
    with pytest.raises(InputError):
        state_of(make_clip("topple", 0, seed=1).scene)


def test_a_state_that_is_none_is_told():
    with pytest.raises(ValueError, match="22 finite numbers"):
        SandboxEnv().reset(options={"state": np.zeros(3)})
