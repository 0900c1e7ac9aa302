"""Lifting what moves off a frame and carrying it on, straight or along forecast trajectories."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from worldline.core import InputError
from worldline.dynamics import (
    CellMotion,
    ConstantVelocityWarp,
    TrajectoryForecaster,
    TrajectoryWarp,
)
from worldline.dynamics.lift import Lifter
from worldline.dynamics.warp import draw_order, mix, spread_to_points


def ball(x: float, y: float, size: int = 64) -> np.ndarray:
    """A red ball of radius 6 on grey ground, anti-aliased."""
    row, column = np.mgrid[:size, :size] + 0.5
    cover = np.clip(6.5 - np.hypot(column - x, row - y), 0, 1)[..., None]
    return np.rint(128 * (1 - cover) + np.array([220, 30, 30]) * cover).astype(np.uint8)


def rolling(num: int, speed: float = 2.0) -> np.ndarray:
    return np.stack([ball(16 + speed * t, 30) for t in range(num)])


class Straight(TrajectoryForecaster):
    """Sends everything right at 2 px a frame, and with noise elsewhere; hides it from +7 on."""

    def forward(self, frames, noise, flows=None):
        step = torch.arange(1, 17)[None, :, None, None].expand(len(frames), -1, 16, 16)
        shift = torch.stack([2.0 * step, noise.sum(1)[:, None, None, None] * step], dim=-1)
        return CellMotion(shift, torch.where(step < 7, 5.0, -5.0))


@pytest.fixture(scope="module")
def straight() -> Straight:
    return Straight(
        TrajectoryForecaster.Config(fine_width=8, width=16, depth=1, late_depth=1, heads=1)
    )


def test_the_front_is_the_ball_and_behind_it_is_ground():
    lifted = Lifter().lift(rolling(8))
    x, y = (lifted.x + 0.5) / 4, (lifted.y + 0.5) / 4
    assert np.hypot(x - 30, y - 30).max() < 8.5
    assert 0.9 < len(x) / 16 / (np.pi * 36) < 1.4
    assert np.abs(lifted.plate.astype(int) - 128).max() <= 12
    assert [body.sum() > 400 for body in lifted.bodies].count(True) == 1


def test_nothing_is_lifted_where_nothing_moves():
    still = np.repeat(ball(20, 30)[None], 5, axis=0)
    lifted = Lifter().lift(still)
    assert not lifted.front.any()
    np.testing.assert_array_equal(lifted.lay_down(np.zeros((0, 2))), still[-1])
    with pytest.raises(InputError, match="two context frames"):
        Lifter().lift(still[:1])


def test_a_body_that_rested_before_it_moved_leaves_nothing_behind():
    waiting = [ball(24, 30)] * 5
    leaving = [ball(24 + shift, 30) for shift in (1.0, 4.0, 9.0)]
    lifted = Lifter().lift(np.stack([*waiting, *leaving]))
    assert np.abs(lifted.plate.astype(int) - 128).max() <= 16
    assert ((lifted.x + 0.5) / 4).min() > 24


def test_constant_velocity_goes_straight_on():
    future = ConstantVelocityWarp().predict(rolling(8), 10, 0)[0]
    truth = rolling(18)[8:]
    for step in (0, 4, 9):
        error = ((future[step].astype(float) - truth[step]) ** 2).mean()
        assert 10 * np.log10(255**2 / error) > 28, step


def test_forecast_trajectories_carry_the_ball_and_hide_it(straight):
    future = TrajectoryWarp(straight).predict(rolling(8), 8, 0)
    assert future.shape == (1, 8, 64, 64, 3)
    truth = rolling(16)[8:]
    error = ((future[0, 3].astype(float) - truth[3]) ** 2).mean()
    assert 10 * np.log10(255**2 / error) > 28
    assert np.abs(future[0, 7].astype(int) - 128).max() <= 12  # out of sight


def test_futures_differ_and_the_first_is_the_middle_one(straight):
    futures = TrajectoryWarp(straight).imagine(rolling(8), 4, samples=3, seed=5)
    np.testing.assert_array_equal(futures[0], TrajectoryWarp(straight).predict(rolling(8), 4, 9)[0])
    assert (futures[0] != futures[1]).any()
    assert (futures[1] != futures[2]).any()
    again = TrajectoryWarp(straight).imagine(rolling(8), 4, samples=3, seed=5)
    np.testing.assert_array_equal(futures, again)


def test_long_forecasts_go_on_from_their_own_frames(straight):
    short = TrajectoryWarp(straight).imagine(rolling(8), 16, samples=2, seed=1)
    long = TrajectoryWarp(straight).imagine(rolling(8), 20, samples=2, seed=1)
    assert long.shape[1] == 20
    np.testing.assert_array_equal(short, long[:, :16])


def test_share_zero_is_constant_velocity(straight):
    frames = rolling(8)
    mixed = TrajectoryWarp(straight, share=(0.0,)).predict(frames, 3, 0)
    np.testing.assert_array_equal(mixed, ConstantVelocityWarp().predict(frames, 3, 0))


def test_only_what_differs_by_far_outweighs_constant_velocity():
    straight = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    forecast = straight + np.array([[0.0, 1.9], [0.0, 4.0], [-20.0, 0.0]])
    moved = mix(forecast, straight, share=0.1, gap=2.0)
    np.testing.assert_allclose(moved[0], [1, 0.19])  # less than the gap: the share alone
    np.testing.assert_allclose(moved[1], [1, 4 * (0.1 + 0.9 * (1 - 1 / 4))])
    np.testing.assert_allclose(moved[2], [1 - 20 * (0.1 + 0.9 * (1 - 1 / 100)), 0])
    for gap in (np.inf, 1000.0):
        np.testing.assert_allclose(
            mix(forecast, straight, share=0.1, gap=gap), 0.1 * forecast + 0.9 * straight
        )


def test_comparing_mixes_gives_what_predicting_with_each_does(straight):
    frames = rolling(8, speed=1.0)
    mixes = [(0.0, np.inf), (0.35, np.inf), (0.1, 1.0), (1.0, np.inf)]
    drawn = TrajectoryWarp(straight).compare(frames, 5, mixes)
    for (share, gap_px), found in zip(mixes, drawn, strict=True):
        warp = TrajectoryWarp(straight, share=(share,), gap_px=(gap_px,))
        np.testing.assert_array_equal(found, warp.predict(frames, 5, 0)[0])
    assert (drawn[0] != drawn[2]).any()
    assert (drawn[2] != drawn[3]).any()


def test_cells_are_interpolated_within_a_body_alone():
    """Two balls side by side: numbers of one's cells never reach the other."""
    pair = [np.minimum(ball(14 + t, 30), ball(44 + t, 30)) for t in range(6)]
    lifted = Lifter().lift(np.stack(pair))
    assert [body.sum() > 400 for body in lifted.bodies].count(True) == 2
    field = np.zeros((1, 16, 16, 2))
    field[:, :, 9:] = 5
    shift, seen = spread_to_points(lifted, field, np.ones((1, 16, 16)))
    left = lifted.x < 128
    np.testing.assert_allclose(shift[0, left], 0)
    np.testing.assert_allclose(shift[0, ~left], 5)
    np.testing.assert_allclose(seen, 1)


def test_what_will_be_hidden_is_drawn_below(straight):
    """Two points on one place: the one that is expected to be seen wins, whatever its speed."""
    lifted = Lifter().lift(rolling(8))
    half = lifted.x < np.median(lifted.x)
    gather = np.stack([np.median(lifted.x) - lifted.x, np.median(lifted.y) - lifted.y], axis=-1)
    painted = replace(lifted, colors=np.where(half[:, None], 255.0, 0.0).repeat(3, axis=1))
    for seen, value in ((np.where(half, 0.9, 0.4), 255), (np.where(half, 0.4, 0.9), 0)):
        frame = painted.lay_down(gather, draw_order(seen))
        x, y = int(np.median(lifted.x) // 4), int(np.median(lifted.y) // 4)
        patch = frame[y - 1 : y + 2, x - 1 : x + 2].astype(int)
        assert abs(patch - 128).max() > 5
        assert (patch.mean() > 128) == (value > 128)
    assert draw_order(np.array([0.1, 0.9, 0.3])).tolist() == [2, 1]


def test_noise_between_the_cells_of_a_body_does_not_melt_it():
    lifted = Lifter().lift(rolling(8))
    noise = np.random.default_rng(0).normal(0, 0.4, (1, 16, 16, 2))
    turn = np.array([[0.0, 0.1], [-0.1, 0.0]])
    place = np.stack(np.meshgrid(np.arange(16), np.arange(16)), -1) * 4.0 + 1.5
    field = (place - place.mean((0, 1))) @ turn + 5
    shift, _ = spread_to_points(lifted, field + noise, np.ones((1, 16, 16)))
    points = np.stack([lifted.x, lifted.y], -1) / 4
    truth = (points - place.mean((0, 1))) @ turn + 5
    error = np.linalg.norm(shift[0] - truth, axis=-1)
    assert error.mean() < 0.4
    assert np.quantile(error, 0.95) < 0.7


def test_a_body_does_not_shrink_to_nothing():
    """Cells that all go to one place would collapse the ball."""
    lifted = Lifter().lift(rolling(8))
    place = np.stack(np.meshgrid(np.arange(16), np.arange(16)), -1) * 4.0 + 1.5
    shift, _ = spread_to_points(lifted, (30 - place)[None] * 0.4, np.ones((1, 16, 16)))
    before = lifted.x / 4
    after = before + shift[0, :, 0]
    assert after.std() > 0.75 * before.std()


def test_bodies_that_touch_keep_their_own_motion():
    lifted = Lifter().lift(rolling(8))
    field = np.zeros((1, 16, 16, 2))
    field[:, :, :7], field[:, :, 8:] = -12, 12
    shift, _ = spread_to_points(lifted, field, np.ones((1, 16, 16)))
    left, right = lifted.x < 108, lifted.x > 132
    assert shift[0, left].max() < -4
    assert shift[0, right].min() > 4
