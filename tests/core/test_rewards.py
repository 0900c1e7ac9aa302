import numpy as np
import pytest

from worldline.core import Clip
from worldline.core.rewards import Rewards


def test_a_clip_keeps_its_rewards_when_it_is_cut():
    rewards = Rewards(np.arange(4.0), np.array([False, False, True, False]))
    clip = Clip(frames=np.zeros((4, 8, 8, 3), np.uint8), time_s=np.arange(4.0), rewards=rewards)
    part = clip.slice(1, 3).rewards
    assert part is not None
    np.testing.assert_array_equal(part.earned, [1, 2])
    np.testing.assert_array_equal(part.ended, [False, True])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="row 1"):
        Rewards(np.array([0.0, np.nan]), np.zeros(2, bool))
    with pytest.raises(ValueError, match="2 rewards"):
        Clip(
            frames=np.zeros((4, 8, 8, 3), np.uint8),
            time_s=np.arange(4.0),
            rewards=Rewards(np.zeros(2), np.zeros(2, bool)),
        )
