from __future__ import annotations

import numpy as np
import pytest

from worldline.sim import FAMILIES, Split
from worldline.sim.appearance import HELD_OUT_PAIRS, HUES, draw_body_colors
from worldline.sim.families.flat import DISC_RANGES
from worldline.sim.splits import Ranges, seed_of
from worldline.sim.stage import Shape


def inside(value: float, intervals) -> bool:
    return any(low <= value <= high for low, high in intervals)


def test_disc_ranges_are_those_of_the_paper():
    assert DISC_RANGES.train == {"radius_m": ((0.7, 1.4),), "speed_mps": ((1.0, 4.0),)}
    assert DISC_RANGES.beyond["radius_m"] == ((0.3, 0.6), (1.5, 2.0))
    assert DISC_RANGES.beyond["speed_mps"] == ((0.0, 0.8), (4.5, 6.0))


@pytest.mark.parametrize("name", FAMILIES)
def test_no_range_beyond_overlaps_the_learned_one(name: str):
    ranges = FAMILIES[name].ranges
    assert ranges.beyond
    assert ranges.hole
    for parameter, intervals in ranges.beyond.items():
        for low, high in intervals:
            for learned_low, learned_high in ranges.train[parameter]:
                assert high < learned_low or low > learned_high
    for region in (ranges.hole, ranges.corner):
        for parameter, (low, high) in region.items():
            assert any(a <= low < high <= b for a, b in ranges.train[parameter])


@pytest.mark.parametrize("name", FAMILIES)
def test_draws_stay_in_their_split(name: str):
    ranges = FAMILIES[name].ranges
    rng = np.random.default_rng(0)
    for split in Split:
        for _ in range(100):
            values = ranges.draw(split, rng)
            assert set(values) == set(ranges.train)
            for parameter, value in values.items():
                assert inside(value, ranges.intervals(parameter, split))
            in_hole = all(inside(values[p], (span,)) for p, span in ranges.hole.items())
            in_corner = bool(ranges.corner) and all(
                inside(values[p], (span,)) for p, span in ranges.corner.items()
            )
            if split in (Split.TRAIN, Split.HELD_OUT):
                assert not in_hole
                assert not in_corner
            assert in_hole or split is not Split.INTERPOLATION
            assert in_corner or not ranges.corner or split is not Split.COMBINATORIAL


def test_intervals_are_drawn_in_proportion_to_their_length():
    ranges = Ranges(train={"a": ((0.0, 1.0), (10.0, 13.0))})
    rng = np.random.default_rng(1)
    values = np.array([ranges.draw(Split.TRAIN, rng)["a"] for _ in range(2000)])
    assert (values > 5).mean() == pytest.approx(0.75, abs=0.03)
    assert ((values <= 1) | (values >= 10)).all()


def test_colour_and_shape_pairs_are_held_out():
    rng = np.random.default_rng(2)
    for shape in Shape:
        learned = {draw_body_colors(shape, Split.TRAIN, rng)[0] for _ in range(300)}
        tested = {draw_body_colors(shape, Split.COMBINATORIAL, rng)[0] for _ in range(60)}
        assert all((name, shape) not in HELD_OUT_PAIRS for name in learned)
        assert all((name, shape) in HELD_OUT_PAIRS for name in tested)
        assert learned | tested == set(HUES)


def test_seeds_depend_on_each_part_of_the_address():
    base = seed_of("drop", Split.TRAIN, 0, 0).random()
    others = [
        seed_of("throw", Split.TRAIN, 0, 0),
        seed_of("drop", Split.HELD_OUT, 0, 0),
        seed_of("drop", Split.TRAIN, 1, 0),
        seed_of("drop", Split.TRAIN, 0, 1),
    ]
    assert all(rng.random() != base for rng in others)
    assert seed_of("drop", Split.TRAIN, 0, 0).random() == base
