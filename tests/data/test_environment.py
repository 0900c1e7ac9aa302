"""What a foreign environment may do wrong, beyond raising."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.tiny_env import TinyEnv

from worldline.core import InputError
from worldline.data.environment import Stage
from worldline.data.episode import FieldError
from worldline.data.record import record

TINY = "worldline-tests/Tiny-v0"
STATE = np.zeros(2)


@pytest.fixture
def stage() -> Stage:
    opened = Stage(TINY, {}, None)
    opened.reset(0)
    return opened


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ((STATE, 1.0, False, {}), "gave 4 things in step 1; Gymnasium's give observation, reward"),
        ((STATE, 1.0, False, False, {}, 1), "gave 6 things in step 1"),
        (None, "gave NoneType in step 1"),
        ((STATE, None, False, False, {}), "a reward or an end in step 1 that cannot be read"),
        ((STATE, "much", False, False, {}), "could not convert string to float"),
        ((STATE, np.zeros(2), False, False, {}), "that cannot be read"),
        ((STATE, 1.0, np.zeros(2, bool), False, {}), "that cannot be read"),
    ],
)
def test_a_step_of_another_kind_is_said_in_a_sentence(monkeypatch, stage, told, reason: str):
    monkeypatch.setattr(TinyEnv, "step", lambda self, action: told)
    with pytest.raises(FieldError) as caught:
        stage.step(0, 1)
    assert caught.value.field == "environment"
    assert reason in caught.value.reason


@pytest.mark.parametrize("told", [STATE, (STATE, {}, 1), None])
def test_so_is_a_reset(monkeypatch, stage, told: Any):
    monkeypatch.setattr(TinyEnv, "reset", lambda self, seed=None, options=None: told)
    with pytest.raises(FieldError, match="in reset; Gymnasium's give observation and info"):
        stage.reset(0)


def test_a_step_may_be_a_list(monkeypatch, stage):
    monkeypatch.setattr(TinyEnv, "step", lambda self, action: [STATE, 1, 1, 0, {}])
    observation, *rest = stage.step(0, 1)
    np.testing.assert_array_equal(observation, STATE)
    assert rest == [1.0, True, False]


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"render_modes": ["rgb_array"], "render_fps": "fast"}, "states no frame rate"),
        ({"render_modes": ["rgb_array"], "render_fps": np.inf}, "states no frame rate"),
        ({"render_modes": ["rgb_array"], "render_fps": np.nan}, "states no frame rate"),
        ({"render_modes": ["rgb_array"], "render_fps": 1e300}, "states no frame rate"),
    ],
)
def test_what_an_environment_states_of_itself_may_be_nonsense(monkeypatch, metadata, reason: str):
    monkeypatch.setattr(TinyEnv, "metadata", metadata)
    with pytest.raises(InputError, match=reason):
        next(record(TINY, num_episodes=1))


@pytest.mark.parametrize("other", [np.zeros(3), None])
def test_states_that_change_their_shape_cost_an_episode(monkeypatch, other):
    step = TinyEnv.step

    def change(self, action):
        state, *rest = step(self, action)
        return (other if self.steps == 3 else state, *rest)

    monkeypatch.setattr(TinyEnv, "step", change)
    with pytest.raises(InputError, match="episode 0: state changes its shape"):
        next(record(TINY, num_episodes=1, strict=True))
