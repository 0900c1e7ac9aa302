"""What PPO sees, and how episodes end for it."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")


@pytest.fixture
def ppo():
    return importlib.import_module("ppo")


def picture(ppo, **places: tuple[int, int]) -> np.ndarray:
    """64 pixels; squares of 6 whose corners are at (row, column)."""
    frame = np.full((64, 64, 3), 35, np.uint8)
    for name, (row, column) in places.items():
        color = ppo.SANDBOX_COLORS["hand" if name == "shut" else name][name == "shut"]
        frame[row : row + 6, column : column + 6] = color
    return frame


def test_eyes_find_things_and_remember_what_is_out_of_sight(ppo):
    eyes = ppo.Eyes(2)
    seen = eyes(np.stack([picture(ppo, ball=(29, 29), shut=(0, 58)), picture(ppo, box=(58, 0))]))
    names = list(ppo.SANDBOX_COLORS)
    ball, box, hand = (2 * names.index(name) for name in ("ball", "box", "hand"))
    assert seen[0, ball : ball + 2] == pytest.approx([0.0, 0.0], abs=0.02)
    assert np.abs(seen[0, hand : hand + 2]).min() > 0.85
    assert np.sign(seen[0, hand]) != np.sign(seen[0, hand + 1])
    assert np.abs(seen[1, box : box + 2]).min() > 0.85
    assert seen[:, -1].tolist() == [1.0, 0.0]
    again = eyes(np.stack([picture(ppo), picture(ppo)]))
    np.testing.assert_array_equal(again[:, :-1], seen[:, :-1])
    assert again[0, -1] == 0.0


def test_the_step_after_the_last_ends_the_episode_there(ppo):
    """As Gymnasium's vector environments begin anew."""

    class Env:
        def __init__(self):
            self.cuts = iter([[False, True], [False, False]])

        def step(self, given):
            cut = np.array(next(self.cuts))
            frames = np.stack([picture(ppo, ball=(10, 10))] * 2)
            return frames, np.ones(2), np.zeros(2, bool), cut, {}

    dream = ppo.Dream.__new__(ppo.Dream)
    dream.env, dream.eyes = Env(), ppo.Eyes(2)
    dream.over, dream.cut = np.zeros(2, bool), np.zeros(2, bool)
    dream.seen = np.zeros((2, ppo.Eyes.size), np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ppo, "AGENTS", 2)
        dream.step_async(np.zeros((2, 3)))
        _, _, over, told = dream.step_wait()
        assert over.tolist() == [False, False]
        last = dream.seen
        _, reward, over, told = dream.step_wait()
    assert over.tolist() == [False, True]
    assert reward.dtype == np.float32
    assert told[0] == {}
    assert told[1]["TimeLimit.truncated"]
    np.testing.assert_array_equal(told[1]["terminal_observation"], last[1])
