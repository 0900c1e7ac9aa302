import numpy as np
import pytest

from worldline.readout.pursuit import Pursuit


def box(x: float, y: float = 50.0, side: float = 10.0) -> list[float]:
    return [x - side / 2, y - side / 2, x + side / 2, y + side / 2]


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


GRAY = np.full((1, 3), 0.5)


def start(max_gap_frames: int = 5) -> Pursuit:
    return Pursuit(max_gap_frames=max_gap_frames, measurement_std_px=1.0)


def test_a_thing_is_known_once_it_was_seen_twice() -> None:
    pursuit = start()
    assert pursuit.update(0, boxes(box(10)), GRAY).tolist() == [0]
    assert len(pursuit.active()) == 0
    assert pursuit.update(1, boxes(box(13)), GRAY).tolist() == [0]
    assert pursuit.active().tolist() == [0]
    assert pursuit.keys.tolist() == [1]


def test_its_filter_is_kalmans() -> None:
    noise, drift = 1.0, 0.25
    # State (place, velocity), its covariance, and how both go on in a frame.
    state, covariance = np.array([5.0, 0.0]), np.diag([noise, 25 * noise])
    ahead, seen = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([1.0, 0.0])
    pursuit = start()
    pursuit.update(0, boxes(box(10.0)), GRAY)
    for index, x in enumerate((13.0, 15.5, 19.0, 21.0), start=1):
        pursuit.update(index, boxes(box(x)), GRAY)
        state = ahead @ state
        covariance = ahead @ covariance @ ahead.T + drift * np.eye(2)
        gain = covariance @ seen / (seen @ covariance @ seen + noise)
        state = state + gain * (x - 5.0 - state[0])
        covariance = covariance - np.outer(gain, seen @ covariance)
        np.testing.assert_allclose([pursuit.at[0, 0], pursuit.step[0, 0]], state)
        np.testing.assert_allclose(pursuit.variance[0], covariance[0, 0])


def test_two_that_pass_each_other_keep_their_numbers() -> None:
    pursuit = start()
    colors = np.array([[0.9, 0.1, 0.1], [0.1, 0.1, 0.9]])
    for index in range(20):
        rows = pursuit.update(index, boxes(box(5.0 * index), box(95 - 5.0 * index, 52)), colors)
        assert pursuit.keys[rows].tolist() == [1, 2]


def test_the_nearest_pair_goes_first() -> None:
    pursuit = start()
    for index in range(3):
        pursuit.update(index, boxes(box(10), box(20)), np.repeat(GRAY, 2, axis=0))
    # Both lie nearer to the second: it gets its nearest, the first one gets the rest.
    rows = pursuit.update(3, boxes(box(15.5), box(19)), np.repeat(GRAY, 2, axis=0))
    assert pursuit.keys[rows].tolist() == [1, 2]
    rows = pursuit.update(4, boxes(box(20), box(15.5)), np.repeat(GRAY, 2, axis=0))
    assert pursuit.keys[rows].tolist() == [2, 1]


@pytest.mark.parametrize(("num_missed", "same"), [(3, True), (9, False)])
def test_what_is_not_seen_is_waited_for(num_missed: int, same: bool) -> None:
    pursuit = start(max_gap_frames=5)
    for index in range(4):
        pursuit.update(index, boxes(box(10 + 4.0 * index)), GRAY)
    for index in range(4, 4 + num_missed):
        assert len(pursuit.update(index, boxes(), np.zeros((0, 3)))) == 0
    back = 4 + num_missed
    rows = pursuit.update(back, boxes(box(10 + 4.0 * back)), GRAY)
    assert (pursuit.keys[rows].tolist() == [1]) is same


def test_what_was_seen_once_is_forgotten_soon() -> None:
    pursuit = start(max_gap_frames=30)
    pursuit.update(0, boxes(box(10)), GRAY)
    for index in (1, 2, 3):
        pursuit.update(index, boxes(), np.zeros((0, 3)))
    assert len(pursuit.keys) == 0


def test_another_colour_is_another_thing() -> None:
    pursuit = start()
    pursuit.update(0, boxes(box(10)), np.array([[1.0, 0.0, 0.0]]))
    rows = pursuit.update(1, boxes(box(11)), np.array([[0.0, 1.0, 0.0]]))
    assert pursuit.keys[rows].tolist() == [2]


def test_it_remembers_the_whole_of_what_goes_behind_something() -> None:
    pursuit = start()
    for index in range(8):
        pursuit.update(index, boxes(box(10 + 2.0 * index)), GRAY)
    for index in range(8, 11):  # its right side stays behind an edge
        left = 5 + 2.0 * index
        pursuit.update(index, boxes([left, 45, 27.0, 55]), GRAY)
    expected = pursuit.whole_at(11, pursuit.active())
    np.testing.assert_allclose(expected, boxes(box(32)), atol=1.0)
