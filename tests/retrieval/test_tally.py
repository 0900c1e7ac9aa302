"""Counts of likely events."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from worldline.retrieval.query import Op
from worldline.retrieval.tally import chance_of, likeliest


@dataclass(frozen=True)
class Guess:
    score: float
    start_s: float


def test_the_chance_of_a_count_is_a_sum_over_outcomes():
    assert chance_of([0.5, 0.5], Op.GE, 1) == pytest.approx(0.75)
    assert chance_of([0.5, 0.5], Op.EQ, 1) == pytest.approx(0.5)
    assert chance_of([0.9, 0.2], Op.GE, 2) == pytest.approx(0.18)
    assert chance_of([], Op.GE, 1) == 0.0
    assert chance_of([], Op.EQ, 0) == 1.0


def test_what_a_count_rests_on_is_in_order_of_time():
    guesses = [Guess(0.3, 2.0), Guess(0.9, 1.0), Guess(0.4, 0.0), Guess(0.1, 3.0)]
    assert [g.start_s for g in likeliest(guesses, 0, 0.5)] == [1.0]
    assert [g.start_s for g in likeliest(guesses, 2, 0.5)] == [0.0, 1.0]
