"""Catching a ball: it lands where it is expected, and what lies in the cup is caught."""

from __future__ import annotations

import numpy as np

from worldline.planning.catch_ball import CatchBall, landing
from worldline.planning.drill import Bench, Shift


def test_a_cup_that_stands_where_it_lands_catches_it():
    drill, rng = CatchBall(), np.random.default_rng(0)
    caught = []
    for _ in range(8):
        start = drill.begin(rng, Shift())
        start[0] = landing(start)
        bench = Bench(drill, Shift(), 16)
        bench.put(start)
        bench.step(np.zeros(1), 60)
        caught.append(bool(drill.is_there(bench.state, start)))
    assert sum(caught) >= 7


def test_players_catch_some_and_miss_some():
    drill, rng = CatchBall(), np.random.default_rng(0)
    bench = Bench(drill, Shift(), 16)
    caught = []
    for _ in range(20):
        bench.put(drill.begin(rng, Shift()))
        player = drill.player(rng, Shift())
        for _ in range(13):
            bench.step(player(bench.state), 5)
        caught.append(bool(drill.is_there(bench.state, bench.state)))
    assert 5 < sum(caught) < 20


def test_a_ball_in_a_cup_stays_there():
    drill = CatchBall()
    bench = Bench(drill, Shift(), 16)
    path = np.stack([drill.begin(np.random.default_rng(2), Shift())] * 2)
    cut = None
    rng = np.random.default_rng(0)
    while cut is None:
        path[:] = drill.begin(rng, Shift())
        cut = drill.cut(path, 10, Shift(), rng)
    here, there, _ = cut
    assert not drill.is_there(here, there)
    bench.put(there)
    bench.step(np.zeros(1), 10)
    assert drill.is_there(bench.state, there)
    assert abs(drill.counts(bench.state)[0]) < 0.5
    assert np.abs(drill.counts(here)) > 1
