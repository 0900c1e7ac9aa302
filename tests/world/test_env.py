import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from tests.playing import PAD, STICK, as_other, block_clips, playable

from worldline.core import InputError
from worldline.world.env import ActionPort, WorldEnv
from worldline.world.openings import save_openings


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("spec", [STICK, PAD])
def test_it_is_an_environment_as_gymnasium_wants_it(spec):
    world, clips = playable(spec), block_clips(3, 6, spec)
    check_env(WorldEnv(world, clips, max_steps=3, render_mode="rgb_array"))


def test_actions_are_those_of_the_environment_it_learned_from():
    port = ActionPort(STICK)
    assert port.space == spaces.Box(-2.0, 2.0, (2,), np.float32)
    np.testing.assert_allclose(port.vectors(np.array([[2.0, -1.0]], np.float32)), [[1.0, -0.5]])
    assert ActionPort(PAD).space == spaces.Discrete(3)
    np.testing.assert_array_equal(ActionPort(PAD).vectors(np.array([2])), [[0, 0, 1]])
    for beyond in ([2.5, 0.0], [np.nan, 0.0], [1.0]):
        with pytest.raises(InputError, match="not in Box"):
            port.vectors(np.array([beyond]))


@pytest.mark.parametrize("kind", [np.float64, np.float16, np.int64, list, tuple])
def test_numbers_of_any_kind_are_actions_where_they_lie_inside(kind):
    env = WorldEnv(playable(), block_clips(3, 6))
    env.reset(seed=5)
    expected = env.step(np.array([1.0, -2.0], np.float32))[0]
    env.reset(seed=5)
    given = kind([1.0, -2.0]) if kind in (list, tuple) else np.array([1.0, -2.0], kind)
    np.testing.assert_array_equal(env.step(given)[0], expected)
    with pytest.raises(InputError, match="actions must be numbers"):
        env.step([1.0, [2.0]])


def test_an_episode_is_cut_off_and_repeats_by_its_seed():
    env = WorldEnv(playable(), block_clips(3, 6), max_steps=2, observation="latents")
    action = np.zeros(2, np.float32)
    first, _ = env.reset(seed=5)
    assert first.shape == (16 * 48,)
    one = env.step(action)
    assert not one[3]
    assert env.step(action)[3]
    again, _ = env.reset(seed=5)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(one[0], env.step(action)[0])


def test_it_opens_a_saved_world_with_the_openings_beside_it(tmp_path):
    world = as_other(playable(), "saved")
    world.save(tmp_path)
    save_openings(tmp_path, block_clips(2, 5))
    env = WorldEnv(tmp_path)
    assert env.reset(seed=0)[0].shape == (16, 16, 3)
    assert env.world.name == "saved"


def test_what_cannot_be_lived_in_is_refused():
    world = playable()
    with pytest.raises(InputError, match="openings"):
        WorldEnv(world)
    with pytest.raises(InputError, match="of 4 frames at least"):
        WorldEnv(world, block_clips(1, 3))
    with pytest.raises(InputError, match="takes no actions"):
        WorldEnv(world.finished({}, ""), block_clips(1, 6))
    with pytest.raises(InputError, match="observation"):
        WorldEnv(world, block_clips(1, 6), observation="state")
    with pytest.raises(InputError, match="reset"):
        WorldEnv(world, block_clips(1, 6)).step(np.zeros(2, np.float32))
