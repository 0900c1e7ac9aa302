"""How odd outlines are."""

import numpy as np
import pytest

from worldline.world.oddities import (
    Falls,
    Palette,
    compare_looks,
    lift,
    order_x,
    shared_width,
    unexplained,
)
from worldline.world.outlines import Blob, Outline, Portrait


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


def blob(x: float, y: float, down: float) -> Blob:
    mask = np.zeros((64, 64), bool)
    mask[int(y) - 3 : int(y) + 3, int(x) - 3 : int(x) + 3] = True
    place, velocity = np.array([x, y], dtype=float), np.array([0.0, down])
    box = (x - 3, y - 3, x + 3, y + 3)
    return Blob(place, velocity, 36.0, box, np.zeros(3), mask, at_border=False)


def test_what_leaves_the_floor_faster_than_it_came_gains():
    falls = Falls()
    for frame in range(4):
        falls.note(frame, [blob(30, 20 + 2 * frame, 2.0)])
    assert falls.gain(6, [blob(30, 27, -1.8), blob(30, 25, -1.8)]) == 0
    gained = falls.gain(6, [blob(30, 27, -3.5), blob(30, 24, -3.6)])
    assert gained == pytest.approx(3.5 - 2.0 - 0.3)
    assert falls.gain(6, [blob(55, 27, -3.5), blob(55, 24, -3.6)]) == 0  # nothing fell there


def test_a_rise_that_begins_bit_by_bit_is_a_lift_and_a_bounce_is_none():
    def ways(*down: float) -> np.ndarray:
        return np.array([[1.0, each] for each in down])

    assert lift(ways(0.2, 0.0, -0.25, -0.5, -0.7, -1.0)) == pytest.approx(1.2)
    assert lift(ways(2.0, 2.2, -0.1, -1.8, -1.7, -1.6)) == 0
    assert lift(ways(1.0, 0.8, 0.6, 0.4, 0.2, 0.0)) == 0  # slows down
    assert lift(ways(-1.0, -0.8, -0.5, -0.2, 0.0, 0.2)) == 0  # falls back


def test_colours_tell_two_things_apart():
    red, blue = np.full((20, 3), (200.0, 40, 40)), np.full((20, 3), (40.0, 40, 200))
    palette = Palette.of(red, blue)
    assert palette is not None
    np.testing.assert_array_less(0.9, palette.of_first(red))
    np.testing.assert_array_less(palette.of_first(blue), 0.1)
    assert Palette.of(red, red) is None
    assert Palette.of(red[:3], blue) is None
    plate = np.full((64, 64, 3), 120.0)
    now = plate.copy()
    now[28:36, 10:18], now[28:36, 30:38] = red[0], blue[0]
    assert order_x(now, plate, palette, (5, 25, 45, 40)) == pytest.approx(-20.0)
    assert order_x(plate, plate, palette, (5, 25, 45, 40)) is None
