"""The two rooms as an environment, and a recorded walk through them."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

from worldline.core.errors import InputError
from worldline.data.record import record
from worldline.planning.two_rooms import ENV_ID, TwoRoomsEnv, wander


def test_goals_end_an_episode_and_nothing_else_does():
    env = gymnasium.make(ENV_ID, render_mode="rgb_array", size_px=32)
    env.reset(seed=1, options={"position_m": (0.5, 1.0), "goal_m": (0.8, 1.0)})
    steps = [env.step(np.array([1.0, 0.0], np.float32)) for _ in range(3)]
    assert [step[1:3] for step in steps] == [(0.0, False), (0.0, False), (1.0, True)]
    assert env.render().shape == (32, 32, 3)
    env.reset(seed=1)
    assert not any(env.step(env.action_space.sample())[2] for _ in range(50))


def test_seeds_repeat_and_walls_can_be_elsewhere():
    env = TwoRoomsEnv(random_wall=True)
    first, _ = env.reset(seed=3)
    assert np.array_equal(env.reset(seed=3)[0], first)
    assert not np.array_equal(env.reset(seed=4)[0][2:], first[2:])
    assert TwoRoomsEnv().reset(seed=4)[0][2:] == pytest.approx([1.12, 0.49])
    assert env.render() is None


def test_places_in_the_wall_are_refused():
    with pytest.raises(InputError, match="goal_m is"):
        TwoRoomsEnv().reset(options={"goal_m": (1.12, 1.5)})
    with pytest.raises(InputError, match="size_px"):
        TwoRoomsEnv(size_px=4)


def test_who_wanders_sees_both_rooms_and_is_recorded():
    episodes = list(
        record(
            f"worldline.planning.two_rooms:{ENV_ID}",
            num_episodes=3,
            every=5,
            max_frames=30,
            policy=wander,
            size_px=32,
            options={"size_px": 32},
        )
    )
    assert [e.frames.shape for e in episodes] == [(30, 32, 32, 3)] * 3
    assert episodes[0].fps == pytest.approx(2.0)
    assert episodes[0].spec.names == ("right", "down")
    place = np.concatenate([e.state[:, 0] for e in episodes])
    assert (place < 1.0).any()
    assert (place > 1.3).any()
