import numpy as np
import pytest

from worldline.audit.rare import Recall, area, count_recalls, rare_events


def marks(*places: int, num: int = 60) -> np.ndarray:
    mask = np.zeros((1, num), bool)
    mask[0, list(places)] = True
    return mask


def test_an_event_counts_as_found_two_frames_away_and_no_farther():
    for found, hit in ((12, 1), (8, 1), (13, 0)):
        assert Recall("e", "r", marks(10), marks(found)).hits.tolist() == [hit]
    # what was found close to an event is no false alarm, what was found elsewhere is one
    recall = Recall("e", "r", marks(10), marks(12, 40, 50))
    assert recall.alarms[0] == pytest.approx(2 / 55)


def test_the_area_is_the_chance_of_the_right_order():
    assert area(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1
    assert area(np.array([1.0]), np.array([1.0, 1.0])) == 0.5
    assert area(np.array([0.0, 2.0]), np.array([1.0])) == 0.5
    assert np.isnan(area(np.zeros(0), np.ones(1)))


def test_only_what_is_rare_is_looked_for():
    true = np.zeros((1, 100, 2))
    true[..., 0] = -4.0
    true[0, 10, 0] = 96.0
    true[0, 10, 1] = 1
    true[0, 20:40, 0] = -9.0
    found = rare_events(true)
    assert set(found) == {"earns more than usual", "the episode ends"}
    mask, level, column, sign = found["earns more than usual"]
    assert (mask.sum(), level, column, sign) == (1, 46.0, 0, 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_told_by_half_counts_as_told(sign):
    true = np.zeros((1, 60, 2))
    true[0, 30, 0] = sign
    told = np.zeros((1, 60, 2))
    told[0, 31, 0], told[0, 5, 0] = 0.6 * sign, 0.4 * sign
    (recall,) = count_recalls({}, {"true": true, "own frames": told}, None)
    assert recall.hits.tolist() == [1]
    assert recall.alarms[0] == 0
    assert recall.area < 1  # the event's own step is told no higher than others
