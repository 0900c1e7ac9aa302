import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from worldline.sim.sandbox import SandboxEnv, explore, press_keys

STILL = np.array([0.0, 0.0, -1.0], np.float32)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_is_an_environment():
    check_env(SandboxEnv(render_mode="rgb_array"))


def test_the_hand_goes_where_it_is_told_and_stays():
    env = SandboxEnv()
    seen, _ = env.reset(seed=0)
    after, *_ = env.step(np.array([0.5, -0.25, -1.0], np.float32))
    after, *_ = env.step(np.array([0.5, -0.25, -1.0], np.float32))
    moved = after[9:11] - seen[9:11]
    # half of 4 m/s to the right for 2/15 s; less what it takes to speed up
    assert 0.15 < moved[0] < 2 * 2 / 15 + 0.01
    assert moved[1] == pytest.approx(-moved[0] / 2, rel=0.1)


def test_bodies_fall_and_stay_in_the_box():
    env = SandboxEnv()
    env.reset(seed=1)
    for _ in range(60):
        seen, *_ = env.step(STILL)
    bodies = seen[:9].reshape(3, 3)
    assert (bodies[:, 1] < 2.0).all()
    assert (bodies[:, :2] > 0).all()
    assert (bodies[:, :2] < 4).all()


def test_a_shut_hand_holds_and_lifts_what_it_touches():
    env = SandboxEnv()
    seen, _ = env.reset(seed=2)
    for _ in range(45):
        seen, *_ = env.step(STILL)
    for _ in range(60):
        way = (seen[0:2] - seen[9:11]) * 1.5
        seen, *_ = env.step(np.array([*way.clip(-1, 1), -1.0], np.float32))
    start = seen[1]
    for _ in range(8):
        seen, *_ = env.step(np.array([0.0, 0.4, 1.0], np.float32))
    assert seen[14] > 0
    held = int(seen[14]) - 1
    assert seen[3 * held + 1] > start + 0.2
    seen, *_ = env.step(STILL)
    assert seen[14] == 0


def test_putting_away_earns_and_bringing_back_costs():
    env = SandboxEnv()
    rng, earned = np.random.default_rng(0), 0.0
    seen, _ = env.reset(seed=3)
    begun = int((seen[[0, 3, 6]] > 2.8).sum())
    play = explore(rng)
    for _ in range(200):
        seen, reward, ended, *_ = env.step(play(seen))
        earned += reward
        if ended:
            break
    assert earned == pytest.approx((int((seen[[0, 3, 6]] > 2.8).sum()) - begun) / 3)


def test_who_presses_keys_holds_them_until_the_hand_leans_on_the_edge():
    leaning = {"explore": [], "press": []}
    longest, taken = 0, []
    for episode in range(6):
        for name, policy in (("explore", explore), ("press", press_keys)):
            env, act = SandboxEnv(), policy(np.random.default_rng(episode))
            seen, _ = env.reset(seed=episode)
            before, run = np.zeros(3), 0
            for _ in range(120):
                action = act(seen)
                assert env.action_space.contains(action)
                run = run + 1 if np.array_equal(action, before) else 1
                if name == "press" and np.abs(action[:2]).max() == 1:
                    longest = max(longest, run)
                    taken.append(action)
                before = action
                seen, *_ = env.step(action)
                hand = seen[9:11]
                leaning[name].append(bool((np.minimum(hand, 4 - hand) < 0.26).any()))
    assert np.mean(leaning["press"]) > 0.1 > 10 * np.mean(leaning["explore"]) / 2
    assert longest >= 30  # two seconds
    held = {tuple(action[:2]) for action in taken}
    assert {(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)} <= held
    assert set(np.unique([action[2] for action in taken])) == {-1.0, 1.0}


def test_actions_must_be_numbers():
    env = SandboxEnv()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="3 finite numbers"):
        env.step(np.array([0.0, np.nan, 0.0], np.float32))
