"""Scenes of drills: environments as Gymnasium wants them, states that can be gone back to."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from worldline.core.errors import InputError
from worldline.data.players import load_policy
from worldline.data.record import record
from worldline.planning import catch_ball, push_block
from worldline.planning.catch_ball import CatchBall
from worldline.planning.drill import Bench, DrillEnv, Shift
from worldline.planning.drill_task import Plannable
from worldline.planning.push_block import PushBlock
from worldline.planning.throw_ball import ThrowBall

DRILLS = (PushBlock(), CatchBall(), ThrowBall())
PLAYERS = {
    f"worldline.planning.push_block:{push_block.ENV_ID}": "worldline.planning.push_block:push",
    f"worldline.planning.catch_ball:{catch_ball.ENV_ID}": "worldline.planning.catch_ball:catch",
}


@pytest.mark.filterwarnings("ignore:.*(Box observation space|not in|infinity)")
@pytest.mark.parametrize("env_id", [push_block.ENV_ID, catch_ball.ENV_ID])
def test_it_is_a_gymnasium_environment(env_id: str):
    check_env(gymnasium.make(env_id, render_mode="rgb_array").unwrapped, skip_render_check=True)


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.name)
def test_a_state_can_be_gone_back_to(drill: Plannable):
    bench, rng = Bench(drill, Shift(), 16), np.random.default_rng(0)
    bench.put(drill.begin(rng, Shift()))
    bench.step(rng.uniform(-1, 1, len(drill.action_names)), 5)
    kept, action = bench.state, rng.uniform(-1, 1, len(drill.action_names))
    bench.step(action, 5)
    first = bench.state
    bench.put(kept)
    bench.step(action, 5)
    assert bench.state == pytest.approx(first, abs=1e-9)
    assert drill.seen(first).shape == (len(drill.seen_names),)


@pytest.mark.parametrize("env_id", PLAYERS)
def test_it_is_recorded_by_its_player_with_what_can_be_seen(env_id: str):
    (episode,) = record(
        env_id, num_episodes=1, policy=load_policy(PLAYERS[env_id]), every=5, max_frames=6
    )
    assert episode.frames.shape == (6, 32, 32, 3)
    assert episode.state is not None
    assert episode.state.shape == (6, len(episode.state_names))
    assert episode.state_names[0].startswith("seen_")
    assert episode.fps == 4


def test_goals_earn_and_end():
    env = DrillEnv(PushBlock(), size_px=16)
    here = np.array([0.2, 0.2, 0.4, 0.2, 0, 0, *np.zeros(6)])
    env.reset(options={"state": here, "goal": here + np.array([0.2, 0, 0.15, *np.zeros(9)])})
    told = [env.step(np.array([1.0, 0.0]))[1:3] for _ in range(10)]
    assert told[0] == (0.0, False)
    assert (1.0, True) in told
    assert env.render() is None


def test_what_weighs_more_or_rubs_more_moves_otherwise():
    def pushed(shift: Shift) -> float:
        bench = Bench(PushBlock(), shift, 16)
        bench.put(np.array([0.2, 0.2, 0.34, 0.2, 0, 0, *np.zeros(6)]))
        bench.step(np.array([1.0, 0.0]), 5)
        bench.step(np.zeros(2), 10)
        return float(bench.state[2])

    usual = pushed(Shift())
    assert pushed(Shift(friction=0.05)) > usual + 0.02
    assert pushed(Shift(mass=40.0)) < usual - 0.005


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="size_px is 4"):
        DrillEnv(PushBlock(), size_px=4)
    with pytest.raises(InputError, match="mass is -1"):
        DrillEnv(CatchBall(), mass=-1.0)
    env = DrillEnv(CatchBall(), size_px=16)
    with pytest.raises(InputError, match="reset"):
        env.step(np.zeros(1))
    with pytest.raises(InputError, match="goal is"):
        env.reset(options={"goal": (1, 2)})
    env.reset(seed=0)
    with pytest.raises(InputError, match="right"):
        env.step(np.array([np.nan]))
