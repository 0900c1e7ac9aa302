"""Throwing a ball: it stays on the tray, flies as far as the tray says, and stays in the bin."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.planning.drill import Bench, Shift
from worldline.planning.throw_ball import ThrowBall, throw_speed


@pytest.fixture
def bench() -> Bench:
    return Bench(ThrowBall(), Shift(), 16)


def start(rng: np.random.Generator, bin_m: float) -> np.ndarray:
    state = ThrowBall().begin(rng, Shift())
    state[5] = bin_m
    return state


def test_a_ball_stays_on_a_tray_that_stands(bench: Bench):
    here = start(np.random.default_rng(0), 1.2)
    bench.put(here)
    bench.step(np.zeros(2), 40)
    np.testing.assert_allclose(bench.state[:6], here[:6], atol=0.02)
    assert not bench.drill.is_there(bench.state, here)


def test_who_throws_by_free_fall_hits_far_bins(bench: Bench):
    rng, hit = np.random.default_rng(1), []
    for bin_m in (1.25, 1.35, 1.45, 1.55):
        here = start(rng, bin_m)
        bench.put(here)
        for _ in range(12):
            bench.step(bench.drill.greedy(bench.state, here), 5)  # type: ignore[attr-defined]
        hit.append(bool(bench.drill.is_there(bench.state, here)))
    assert sum(hit) >= 3


def test_a_farther_mark_needs_a_faster_tray():
    here = start(np.random.default_rng(2), 1.2)
    speeds = [throw_speed(here, mark_m) for mark_m in (0.6, 0.9, 1.2, 1.5)]
    assert speeds == sorted(speeds)
    assert 0 < speeds[0] < speeds[-1] < 1.5


def test_the_tray_cannot_reach_the_bin(bench: Bench):
    bench.put(start(np.random.default_rng(3), 0.9))
    bench.step(np.array([1.0, 0.0]), 30)
    assert bench.state[0] < 0.7
    assert bench.state[5] == pytest.approx(0.9, abs=0.02)


def test_players_hit_some_and_miss_some(bench: Bench):
    rng, hit = np.random.default_rng(4), []
    for _ in range(24):
        bench.put(bench.drill.begin(rng, Shift()))
        player = bench.drill.player(rng, Shift())
        for _ in range(16):
            bench.step(player(bench.state), 5)
        hit.append(bool(bench.drill.is_there(bench.state, bench.state)))
    assert 2 < sum(hit) < 22


def test_a_ball_in_a_bin_stays_there(bench: Bench):
    drill, rng = ThrowBall(), np.random.default_rng(5)
    cut = drill.cut(np.stack([drill.begin(rng, Shift())] * 2), 10, Shift(), rng)
    assert cut is not None
    here, there, far = cut
    assert not drill.is_there(here, there)
    assert far == (here[5] > 1.35)
    bench.put(there)
    bench.step(np.zeros(2), 20)
    assert drill.is_there(bench.state, there)
    assert abs(drill.counts(bench.state)[0]) < 0.5
