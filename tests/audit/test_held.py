from dataclasses import replace

import numpy as np
import pytest
from tests.playing import block_clips, playable

from worldline.audit.held import (
    HELD,
    HELD_STEPS,
    Key,
    Keys,
    hold_keys,
    is_at_edge,
    measure_grain,
)
from worldline.audit.scripts import find_color
from worldline.core.readings import Readings

SANDBOX = HELD["worldline/Sandbox-v0"]
LEFT = Key("left", (-1.0, 0.0), 0, 0)


def at_the_left(film_of: np.ndarray | None) -> Keys:
    return Keys(
        (LEFT,),
        lambda frame: find_color(frame, ((250, 200, 40),)),
        lambda height, width: np.zeros((height, width, 3), np.uint8),
        lambda clip, actions: None if film_of is None else film_of[: len(actions)],
    )


def test_worlds_stand_beside_the_environment_where_it_can_be_played_on():
    clips, film = block_clips(3, 6), np.zeros((HELD_STEPS, 16, 16, 3), np.uint8)
    film[:, 6:10, :3] = (250, 200, 40)
    (found,) = hold_keys(at_the_left(film), {"true actions": playable()}, clips, seed=0)
    assert set(found.stays) == {"true actions", "persistence", "truth"}
    assert found.stays["truth"].tolist() == [1.0, 1.0, 1.0]
    assert found.grain["truth"].tolist() == [0.0, 0.0, 0.0]
    assert found.grain["true actions"].shape == (3,)
    (alone,) = hold_keys(at_the_left(None), {"true actions": playable()}, clips, seed=0)
    assert set(alone.stays) == {"true actions", "persistence"}
    np.testing.assert_array_equal(alone.grain["true actions"], found.grain["true actions"])


def test_grain_is_what_ground_has_and_bodies_have_not():
    ground = SANDBOX.ground(64, 64)
    assert ground[0, 0].tolist() == [34, 36, 44]
    assert ground[0, 63].tolist() == [52, 58, 70]
    frame = ground.copy()
    frame[20:30, 20:30] = (240, 150, 50)
    assert measure_grain(frame, ground) == 0.0
    noise = np.random.default_rng(0).choice([-6, 6], ground.shape)
    assert measure_grain((ground + noise).astype(np.uint8), ground) == pytest.approx(6.0)
    assert measure_grain(np.full_like(ground, 255), ground) == 0.0


def test_specks_are_no_hand():
    key = SANDBOX.keys[0]
    assert key.name == "right"
    frame = SANDBOX.ground(64, 64)
    frame[30:32, 60:63] = 235
    assert not is_at_edge(frame, SANDBOX, key)
    frame[28:34, 57:63] = 235
    assert is_at_edge(frame, SANDBOX, key)
    assert not is_at_edge(frame[:, ::-1], SANDBOX, key)


def test_the_hand_of_the_sandbox_leans_on_the_edge_and_the_ground_stays_plain():
    pytest.importorskip("gymnasium")
    from worldline.sim.sandbox import SandboxEnv

    env = SandboxEnv(render_mode="rgb_array")
    frames, states = [], []
    seen, _ = env.reset(seed=0)
    for _ in range(4):
        frames.append(env.render())
        states.append(seen)
        seen, *_ = env.step(np.array([0.0, 0.0, -1.0], np.float32))
    values = np.array(states, np.float64)
    names = tuple(f"s{k}" for k in range(15))
    told = Readings(names, values, np.ones(values.shape, bool))
    (clip,) = block_clips(1, 4)
    clip = replace(clip, frames=np.stack(frames), state=told)
    # its speed is read off two moments, so it goes on as the environment itself does
    for key, after in ((SANDBOX.keys[2], 30), (SANDBOX.keys[0], 30)):
        given = np.tile(np.array(key.action, np.float32), (after, 1))
        film = SANDBOX.replay(clip, given)
        assert film is not None
        assert is_at_edge(film[-1], SANDBOX, key)
        assert not is_at_edge(frames[-1], SANDBOX, key)
        assert measure_grain(film[-1], SANDBOX.ground(64, 64)) < 3
    still = np.tile(np.array([0.0, 0.0, -1.0], np.float32), (1, 1))
    film = SANDBOX.replay(clip, still)
    assert film is not None
    assert np.abs(film[0].astype(int) - env.render()).mean() < 1.5
    assert SANDBOX.replay(replace(clip, state=None), still) is None
