"""The two rooms: walls stop, the door lets through, pictures show where the agent is."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.planning.rooms import LOWEST_M, MOST_M, SIDE_M, STEP_M, Rooms, walk_toward


def test_walls_stop_and_are_slid_along():
    rooms = Rooms.usual(3)
    # into the wall, slantwise along it, through the door
    place = np.array([[0.98, 1.5], [0.99, 1.5], [1.0, 0.49]])
    action = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    moved = rooms.move(place, action)
    assert moved == pytest.approx(np.array([[1.0, 1.5], [1.0, 1.55], [1.05, 0.49]]))
    assert rooms.move(moved, action)[0] == pytest.approx([1.0, 1.5])
    corner = rooms.move(np.array([[LOWEST_M, MOST_M]] * 3), np.array([[-1.0, 1.0]] * 3))
    assert corner == pytest.approx(np.array([[LOWEST_M, MOST_M]] * 3))


def test_nobody_leaves_the_door_sideways_or_comes_through_a_wall():
    rng = np.random.default_rng(0)
    rooms = Rooms.drawn(200, rng)
    place = rooms.place(rng)
    for _ in range(100):
        after = rooms.move(place, rng.uniform(-3, 3, (200, 2)))
        assert rooms.free(after).all()
        assert np.abs(after - place).max() <= STEP_M + 1e-9
        crossed = ~rooms.same_room(place, after)
        assert (np.abs(after[crossed, 1] - rooms.door_m[crossed]) < 0.16).all()
        place = after


def test_who_knows_the_way_arrives():
    rng = np.random.default_rng(1)
    rooms = Rooms.drawn(100, rng)
    place, goal = rooms.place(rng), rooms.place(rng)
    for _ in range(150):
        place = rooms.move(place, walk_toward(rooms, place, goal))
    assert (np.linalg.norm(place - goal, axis=-1) < 0.05).mean() > 0.97


def test_the_dot_is_where_the_agent_is():
    rooms = Rooms.usual(2)
    place = np.array([[0.5, 1.7], [1.6, 0.6]])
    picture = rooms.draw(place, 64).astype(float)
    assert picture.shape == (2, 64, 64, 3)
    red = picture[..., 0] - picture[..., 2]
    middle = (np.arange(64) + 0.5) * SIDE_M / 64
    x = (red.sum(axis=1) * middle).sum(-1) / red.sum(axis=(1, 2))
    y = (red.sum(axis=2) * middle).sum(-1) / red.sum(axis=(1, 2))
    assert np.stack([x, y], axis=-1) == pytest.approx(place, abs=0.01)
    wall = picture[0, :, 32].mean(axis=-1)  # dark but for the door
    assert (wall[8:10] < 60).all() or (wall[30:50] < 60).all()
    assert wall[14] > 240


def test_layouts_are_taken_and_repeated():
    rooms = Rooms.drawn(3, np.random.default_rng(0))
    assert rooms.take(np.array([2])).wall_m.tolist() == [rooms.wall_m[2]]
    assert rooms.repeat(2).door_m.tolist() == np.repeat(rooms.door_m, 2).tolist()
