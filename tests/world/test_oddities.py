"""How odd outlines are."""

import numpy as np
import pytest

from worldline.world.oddities import compare_looks, shared_width, unexplained
from worldline.world.outlines import Outline, Portrait


def outline(x: float, width: float = 8, area: float = 50, color=(200.0, 50.0, 50.0)) -> Outline:
    return Outline(np.array([x, 20.0]), np.array([width, 8.0]), area, np.array(color), False)


WAS = Portrait(
    start=np.array([0.0, 20.0]),
    velocity=np.array([2.0, 0.0]),
    last=5,
    size=np.array([8.0, 8.0]),
    area=50.0,
    color=np.array([200.0, 50.0, 50.0]),
)


def test_the_same_thing_in_its_place_is_not_odd():
    found = compare_looks([outline(16), outline(18), outline(20)], WAS, 10)
    assert found == pytest.approx({"colour": 0, "outline": 0, "displaced": 0})


def test_colour_outline_and_place_are_told_apart():
    other = compare_looks([outline(20, color=(50.0, 50.0, 200.0))] * 3, WAS, 10)
    assert other["colour"] == pytest.approx(100 / 12)
    assert other["outline"] == other["displaced"] == 0
    full = compare_looks([outline(20, area=64)] * 3, WAS, 10)
    assert full["outline"] == pytest.approx(3 * np.log(64 / 50))
    away = compare_looks([outline(27)] * 3, WAS, 10)
    assert away["displaced"] == pytest.approx(7 / 1.4)


def test_two_in_one_place_are_narrower_than_side_by_side():
    one, two = outline(10), outline(18)
    assert shared_width(one, two, outline(14, width=16, area=100)) == 0
    assert shared_width(one, two, outline(14, width=10, area=70)) == pytest.approx(6 / 8)


def test_what_the_flow_carries_on_is_explained():
    before = np.zeros((20, 20, 3), np.float32)
    before[8:12, 4:8] = 255
    now = np.roll(before, 2, axis=1)
    flow = np.zeros((20, 20, 2), np.float32)
    assert unexplained(before, now, flow) > 0.1
    flow[..., 0] = 2
    assert unexplained(before, now, flow) == pytest.approx(0, abs=1e-9)
