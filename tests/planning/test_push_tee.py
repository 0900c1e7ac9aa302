"""The environment of the T and who pushes it, through the recorder."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

pytest.importorskip("pymunk", reason="needs the extra pusht (pymunk)")

from gymnasium.utils.env_checker import check_env

from worldline.core.errors import InputError
from worldline.data.players import load_policy
from worldline.data.record import record
from worldline.planning.push_tee import ENV_ID, Pusher, PushTeeEnv, start_states
from worldline.planning.tee import Tee, outline

STATE = (100.0, 100.0, 300.0, 300.0, 0.5, 0.0, 0.0)


@pytest.mark.filterwarnings("ignore:.*(Box observation space|not in|infinity)")
def test_it_is_a_gymnasium_environment():
    check_env(gymnasium.make(ENV_ID, render_mode="rgb_array").unwrapped, skip_render_check=True)


def test_goals_earn_and_end():
    env = PushTeeEnv(size_px=32, render_mode="rgb_array")
    observation, _ = env.reset(options={"state": STATE, "goal": (196, 100, *STATE[2:])})
    assert observation == pytest.approx(STATE)
    ended = [env.step(np.array([0.5, 0.0]))[1:3] for _ in range(5)]
    assert ended[0] == (0.0, False)
    assert ended[-1] == (1.0, True)
    frame = env.render()
    assert frame is not None
    assert frame.shape == (32, 32, 3)
    assert PushTeeEnv().render() is None


def test_pushers_push_and_stay_inside():
    moved, places = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        (start,) = start_states(1, rng)
        tee, pusher = Tee(start), Pusher(rng)
        for _ in range(20):
            action = pusher.act(tee.state)
            for _ in range(5):
                tee.step(action)
            places.append(tee.state[:2])
        moved.append(np.linalg.norm(tee.state[2:4] - start[2:4]))
    assert np.mean(np.array(moved) > 20) > 0.5
    assert (np.stack(places) > 0).all()
    assert (np.stack(places) < 512).all()


def test_starts_have_the_pusher_beside_the_block():
    states = start_states(20, np.random.default_rng(0))
    for state in states:
        bar, stem = outline(state)
        corners = np.concatenate([bar, stem])
        assert np.linalg.norm(corners - state[:2], axis=-1).min() > 25
    assert (states == start_states(20, np.random.default_rng(0))).all()


def test_it_is_recorded_by_its_pusher():
    policy = load_policy("worldline.planning.push_tee:push")
    (episode,) = record(
        f"worldline.planning.push_tee:{ENV_ID}",
        num_episodes=1,
        policy=policy,
        every=5,
        max_frames=6,
        size_px=32,
    )
    assert episode.frames.shape == (6, 32, 32, 3)
    assert episode.spec is not None
    assert episode.spec.names == ("right", "down")
    assert episode.fps == 2
    assert episode.state is not None
    assert episode.state.shape == (6, 7)
    assert np.abs(episode.actions).max() <= 1


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="size_px is 4"):
        PushTeeEnv(size_px=4)
    with pytest.raises(InputError, match="reset"):
        PushTeeEnv().step(np.zeros(2))
    with pytest.raises(InputError, match="goal is"):
        PushTeeEnv().reset(options={"goal": (1, 2)})
    with pytest.raises(InputError, match="seven numbers"):
        PushTeeEnv().reset(options={"state": [np.nan] * 7})
