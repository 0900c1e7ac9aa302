import numpy as np
import pytest

from worldline.world.trust import Trust, trust_features


@pytest.fixture
def trust() -> Trust:
    return Trust(np.zeros(3), np.diag([1.0, 4.0, 1.0]), slope=4.0, middle=np.log(3.0), offset=1e-3)


def test_distance_counts_only_what_is_worse(trust):
    assert trust.score(np.array([-5.0, -5.0, -5.0])) == 0
    assert trust.score(np.array([3.0, -9.0, 0.0])) == pytest.approx(3)
    assert trust.score(np.array([0.0, 2.0, 0.0])) == pytest.approx(4)


def test_trust_falls_with_distance_and_is_half_at_the_middle(trust):
    values = [trust.value(np.array([x, 0.0, 0.0])) for x in (0.0, 1.0, 2.999, 10.0, 100.0)]
    assert values == sorted(values, reverse=True)
    assert values[2] == pytest.approx(0.5, abs=1e-3)
    assert values[0] > 0.99
    assert values[-1] < 0.01


def test_low_trust_says_so_and_why(trust):
    value, reason = trust.judge(np.array([0.0, 9.0, 0.0]))
    assert value < 0.1
    assert reason.startswith("Low trust")
    assert "surprised" in reason
    assert trust.judge(np.zeros(3))[1].startswith("High trust")


def test_json_round_trip(trust):
    again = Trust.from_json(trust.to_json())
    x = np.array([1.0, 2.0, 3.0])
    assert again.value(x) == trust.value(x)


def test_features_are_logarithms():
    np.testing.assert_allclose(trust_features(1.0, np.e, 0.0), [0, 1, np.log(1e-8)])
