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
from worldline.planning.push_tee import ENV_ID, Pusher, PushTeeEnv, explore, start_states
from worldline.planning.tee import MIDDLE_PX, Tee, draw, outline

STATE = (100.0, 100.0, 300.0, 300.0, 0.5, 0.0, 0.0)


@pytest.mark.filterwarnings("ignore:.*(Box observation space|not in|infinity)")
def test_it_is_a_gymnasium_environment():
    check_env(gymnasium.make(ENV_ID, render_mode="rgb_array").unwrapped, skip_render_check=True)


def test_goals_earn_and_end():
    env = PushTeeEnv(size_px=32, render_mode="rgb_array")
    observation, _ = env.reset(options={"state": STATE, "goal": (196, 100, *STATE[2:])})
    assert observation[:7] == pytest.approx(STATE)
    # places from the middle of the picture, and where the stem points
    seen = dict(zip(env.state_names[7:], observation[7:], strict=True))
    assert seen["seen_block_x_px"] == pytest.approx(STATE[2] - MIDDLE_PX)
    stem = outline(np.array(STATE))[1]
    along = stem[2:].mean(axis=0) - stem[:2].mean(axis=0)
    told = np.array([seen["seen_stem_x"], seen["seen_stem_y"]])
    np.testing.assert_allclose(told, along / np.linalg.norm(along), atol=1e-6)
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


def test_who_explores_does_the_same_and_sways():
    (start,) = start_states(1, np.random.default_rng(0))
    tee, one = Tee(start), explore(np.random.default_rng(3))
    actions = []
    for _ in range(60):
        actions.append(one(tee.state))
        for _ in range(5):
            tee.step(actions[-1])
        # never far from the block for long, and never outside
        assert (tee.state[:2] > 0).all()
        assert (tee.state[:2] < 512).all()
    assert np.ptp(np.stack(actions), axis=0).min() > 0.5
    with_sight = PushTeeEnv().reset(options={"state": start})[0]
    one, other = (explore(np.random.default_rng(3))(seen) for seen in (start, with_sight))
    np.testing.assert_allclose(one, other, atol=1e-6)
    plain, sways = (Pusher(np.random.default_rng(3), swaying=s).act(start) for s in (0.0, 1.0))
    assert (plain != sways).any()


def test_pictures_turn_about_their_middle_as_states_do():
    """The one mirror that keeps the drawn mark: from upper right to lower left."""
    x, y, block_x, block_y, turn = 120.0, 200.0, 300.0, 250.0, 0.7
    full = 2 * MIDDLE_PX
    twin = (full - y, full - x, full - block_y, full - block_x, np.pi / 2 - turn, 0, 0)
    one = draw(np.array([x, y, block_x, block_y, turn, 0, 0]), 32).astype(int)
    other = draw(np.array(twin), 32).astype(int)
    # the mark lies a unit beside the middle, an eighth of a pixel from its twin
    assert np.abs(np.rot90(one, 2).transpose(1, 0, 2) - other).max() <= 20


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
    assert episode.state.shape == (6, 13)
    assert episode.state_names == PushTeeEnv.state_names
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
