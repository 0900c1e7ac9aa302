import numpy as np
import pytest
import torch
from tests.playing import block_clips, playable, with_hindsight

from worldline.core import InputError
from worldline.core.latents import Controls
from worldline.dynamics import FlowDynamics
from worldline.world import World
from worldline.world.env import WorldEnv
from worldline.world.vector_env import VectorWorldEnv


@pytest.mark.parametrize("world", [playable(), with_hindsight(playable())])
def test_agents_in_a_batch_see_what_they_would_see_alone(
    monkeypatch: pytest.MonkeyPatch, world: World
):
    """Without noise, which agents of a batch draw together."""
    monkeypatch.setattr(FlowDynamics, "_noise", lambda self, shape, generator: torch.zeros(shape))
    clips = block_clips(1, 4)
    batch = VectorWorldEnv(world, clips, num_envs=3, observation="latents")
    batch.reset(seed=0)
    actions = np.array([[2.0, 0.0], [-2.0, 0.0], [2.0, 1.0]], np.float32)
    after, reward, *_ = batch.step(actions)
    assert np.abs(after[0] - after[1]).max() > 1e-3
    for number, action in enumerate(actions):
        alone = WorldEnv(world, clips, observation="latents")
        alone.reset(seed=0)
        seen, earned, *_ = alone.step(action)
        np.testing.assert_allclose(after[number], seen, atol=1e-4)
        assert reward[number] == pytest.approx(earned, abs=1e-5)


def test_who_begins_anew_is_as_if_nothing_had_been_before():
    """Frames keep their distances in time, so a late start gives what an early one does."""
    world, clips = playable(), block_clips(1, 4)
    dynamics = world.dynamics
    latents = world.encode(clips[0])
    led = Controls(actions=torch.zeros(1, 4, 2))
    made = []
    for start in (0, 40):
        carry = dynamics.init(latents, led, torch.Generator().manual_seed(0), start=start)
        now = Controls(actions=torch.ones(1, 1, 2))
        carry, _ = dynamics.step(carry, now)
        made.append(dynamics.step(carry, now)[1].tokens)
    torch.testing.assert_close(made[0], made[1], atol=1e-4, rtol=1e-3)


def test_episodes_begin_anew_with_the_step_after_their_end():
    batch = VectorWorldEnv(playable(), block_clips(2, 6), num_envs=2, max_steps=2)
    batch.reset(seed=1)
    cuts = [batch.step(np.zeros((2, 2), np.float32))[3].tolist() for _ in range(6)]
    assert cuts == [[False] * 2, [True] * 2, [False] * 2, [False] * 2, [True] * 2, [False] * 2]


def test_the_number_of_actions_is_checked():
    batch = VectorWorldEnv(playable(), block_clips(2, 6), num_envs=2)
    with pytest.raises(InputError, match="reset"):
        batch.step(np.zeros((2, 2), np.float32))
    batch.reset(seed=0)
    with pytest.raises(InputError, match="3 actions"):
        batch.step(np.zeros((3, 2), np.float32))
