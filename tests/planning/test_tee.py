"""A T that is pushed: how it moves, when it is where it should be, and its picture."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pymunk", reason="needs the extra pusht (pymunk)")

from worldline.planning.tee import REACH_PX, REACH_RAD, Tee, draw, is_reached, outline

ALONE = np.array([100.0, 100.0, 300.0, 300.0, 0.5, 0.0, 0.0])


def test_the_pusher_goes_where_actions_say_and_leaves_the_block_alone():
    tee = Tee(ALONE)
    for _ in range(5):
        tee.step(np.array([0.5, -0.2]))
    away = tee.state[:2] - ALONE[:2]
    # a damped spring that is drawn on every tenth of a second: 96 px in half a second
    assert away == pytest.approx([96.2, -38.5], abs=0.1)
    assert tee.state[2:5] == pytest.approx(ALONE[2:5])


def test_actions_beyond_one_are_cut_off():
    one, more = Tee(ALONE), Tee(ALONE)
    one.step(np.array([1.0, 0.0]))
    more.step(np.array([7.0, 0.0]))
    assert (one.state == more.state).all()


def test_a_block_that_is_pushed_moves_on_and_stands_still_afterwards():
    # from above, through the middle of the bar
    tee = Tee(np.array([300.0, 250.0, 300.0, 300.0, 0.0, 0.0, 0.0]))
    for _ in range(5):
        tee.step(np.array([0.0, 0.4]))
    x, y, block_x, block_y, angle, *_ = tee.state
    assert block_y > 310
    assert block_y - y == pytest.approx(15, abs=2)
    assert (x, block_x) == (pytest.approx(300, abs=1), pytest.approx(300, abs=1))
    assert min(angle, 2 * np.pi - angle) < 0.05
    for _ in range(10):
        tee.step(np.array([0.0, -0.5]))
    assert tee.state[3] == pytest.approx(block_y, abs=3)


def test_a_push_at_the_end_of_the_bar_turns_the_block():
    tee = Tee(np.array([350.0, 250.0, 300.0, 300.0, 0.0, 0.0, 0.0]))
    for _ in range(5):
        tee.step(np.array([0.0, 0.4]))
    assert 0.2 < tee.state[4] < 2.5


def test_a_state_that_is_put_is_the_state_that_is_there():
    tee = Tee(ALONE)
    tee.step(np.array([0.3, 0.3]))
    other = np.array([50.0, 60.0, 200.0, 310.0, 4.0, 12.0, -7.0])
    tee.put(other)
    assert tee.state == pytest.approx(other)
    fresh = Tee(other)
    for action in ([0.2, 0.9], [0.5, 0.5]):
        tee.step(np.array(action))
        fresh.step(np.array(action))
    assert (tee.state == fresh.state).all()


def test_reached_is_pusher_and_block_together_and_the_angle_round_the_circle():
    goal = np.array([100.0, 100.0, 300.0, 300.0, 0.1])
    near = goal + np.array([0.7, 0, 0.7, 0, 0]) * REACH_PX
    far = goal + np.array([0.8, 0, 0.8, 0, 0]) * REACH_PX
    turned = goal + np.array([0, 0, 0, 0, 2 * np.pi - 0.9 * REACH_RAD])
    too_far = goal + np.array([0, 0, 0, 0, 1.1 * REACH_RAD])
    found = is_reached(np.stack([goal, near, far, turned, too_far]), np.stack([goal] * 5))
    assert found.tolist() == [True, True, False, True, False]


def test_the_picture_shows_pusher_and_block_where_they_are():
    picture = draw(ALONE, 64).astype(int)
    assert picture.shape == (64, 64, 3)
    pusher = picture[100 * 64 // 512, 100 * 64 // 512]
    assert pusher[2] > 200 > pusher[0]
    bar, stem = outline(ALONE)
    for part in (bar, stem):
        x, y = (part.mean(axis=0) * 64 / 512).astype(int)
        assert picture[y, x] == pytest.approx([143, 163, 184], abs=25)
    assert (picture[4, 60] == 255).all()
    assert (draw(ALONE + np.array([0, 0, 9, 0, 0, 0, 0]), 64) != picture).any()
