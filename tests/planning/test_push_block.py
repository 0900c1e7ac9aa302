"""Pushing a block: who pushes it gets it there, and what is past the bar."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.planning.drill import Bench, Shift
from worldline.planning.push_block import PushBlock, is_past, toward


@pytest.mark.parametrize("mark", [(0.25, 0.8), (0.3, 0.2), (0.15, 0.5)])
def test_pushing_toward_a_mark_gets_the_block_there(mark: tuple[float, float]):
    bench = Bench(PushBlock(), Shift(), 16)
    bench.put(np.array([0.2, 0.3, 0.3, 0.5, 0, 0.4, *np.zeros(6)]))
    goal = np.array([0, 0, *mark, *np.zeros(8)])
    for _ in range(30):
        bench.step(toward(bench.state, np.array(mark)), 5)
        if PushBlock().is_there(bench.state, goal):
            return
    pytest.fail(f"the block is at {bench.state[2:4]}")


def test_straight_through_the_bar_is_past_it():
    left, right = np.array([0.3, 0.5]), np.array([0.7, 0.5])
    assert is_past(left, right, Shift())
    assert not is_past(left, np.array([0.3, 0.9]), Shift())
    high = np.array([0.0, 0.38])
    assert not is_past(left + high, right + high, Shift())
    assert is_past(left + high, right + high, Shift(moved_m=0.2))


def test_players_move_the_block_and_stay_on_the_table():
    drill, rng = PushBlock(), np.random.default_rng(1)
    moved = []
    for _ in range(6):
        bench = Bench(drill, Shift(), 16)
        start = drill.begin(rng, Shift())
        bench.put(start)
        player = drill.player(rng, Shift())
        for _ in range(30):
            bench.step(player(bench.state), 5)
            assert (np.abs(bench.state[:4] - 0.5) < 0.5).all()
        moved.append(np.linalg.norm(bench.state[2:4] - start[2:4]))
    assert np.mean(np.array(moved) > 0.1) > 0.5
