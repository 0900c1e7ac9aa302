import numpy as np
import pytest
from tests.tiny_env import TinyEnv

from worldline.core import InputError, Origin
from worldline.data.episode import EpisodeError, Quarantine
from worldline.data.record import record

TINY = "worldline-tests/Tiny-v0"


@pytest.fixture(autouse=True)
def _count_anew(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(TinyEnv, "num_resets", 0)


def block_columns(frames: np.ndarray) -> np.ndarray:
    """Left edge of the block in each frame, found by its colour."""
    return (frames[:, 10] == (250, 200, 40)).all(axis=-1).argmax(axis=1)


def test_an_action_shows_in_the_frame_after_it():
    (played,) = record(TINY, num_episodes=1, seed=4, options={"length": 20})
    assert played.frames.shape == (20, 24, 32, 3)
    assert played.actions is not None
    moves = played.actions[:, 0] - 1  # choices are counted from 0, this space's from -1
    np.testing.assert_array_equal(np.diff(block_columns(played.frames)), moves[:-1])
    assert set(moves.tolist()) == {-1, 0, 1}
    assert played.spec is not None
    assert played.spec.num_actions == (3,)
    assert played.fps == pytest.approx(10.0)
    assert played.provenance.origin is Origin.SIMULATED
    assert (played.provenance.source, played.provenance.seed) == (TINY, 4)
    assert (played.terminated, played.truncated) == (True, False)
    np.testing.assert_array_equal(played.rewards, np.arange(1, 21))
    np.testing.assert_array_equal(played.state[:, 1], np.arange(20))


def test_the_action_is_held_between_frames():
    (played,) = record(TINY, num_episodes=1, seed=1, every=3, options={"length": 10})
    assert played.num_frames == 4  # steps 0, 3, 6, 9; the last action acts only once
    moves = played.actions[:, 0] - 1
    np.testing.assert_array_equal(np.diff(block_columns(played.frames)), 3 * moves[:-1])
    np.testing.assert_array_equal(played.rewards, [6, 15, 24, 10])
    assert played.fps == pytest.approx(10 / 3)


def test_continuous_actions_keep_their_limits():
    played = next(record(TINY, num_episodes=1, options={"kind": "box"}))
    assert played.spec is not None
    assert (played.spec.low, played.spec.high) == ((-1.0, -1.0), (1.0, 1.0))
    assert played.actions is not None
    assert (played.actions.shape, played.actions.dtype) == ((8, 2), np.float32)
    assert np.abs(played.actions).max() <= 1


def test_several_choices_at_once():
    played = next(record(TINY, num_episodes=1, options={"kind": "multi"}))
    assert played.spec is not None
    assert played.spec.num_actions == (3, 2)
    assert played.actions is not None
    np.testing.assert_array_equal(np.diff(block_columns(played.frames)), played.actions[:-1, 0] - 1)
    assert played.to_clip().actions.shape == (8, 5)


def test_a_policy_chooses_from_what_it_sees():
    def policy(rng):
        return lambda state: np.array([-1.0 if state[0] > 14 else 1.0, 0.0])

    (played,) = record(TINY, num_episodes=1, policy=policy, options={"kind": "box", "length": 30})
    assert set(played.state[-10:, 0]) == {14, 15}
    assert dict(played.provenance.details)["policy"] == "given"
    with pytest.raises(InputError, match="chose 7"):
        next(record(TINY, num_episodes=1, policy=lambda rng: lambda state: 7))


def test_the_same_seed_plays_the_same_and_every_episode_differs():
    first, second = record(TINY, num_episodes=2, seed=9)
    again = next(record(TINY, num_episodes=1, seed=9))
    np.testing.assert_array_equal(first.frames, again.frames)
    np.testing.assert_array_equal(first.actions, again.actions)
    assert (first.actions != second.actions).any()


def test_a_number_of_frames_cuts_off_the_last_episode():
    played = list(record(TINY, num_steps=20))
    assert [p.num_frames for p in played] == [8, 8, 4]
    assert [p.truncated for p in played] == [False, False, True]
    assert [p.num_frames for p in record(TINY, num_episodes=2, max_frames=5)] == [5, 5]


def test_frames_are_brought_to_size_with_nothing_cut_off():
    whole = next(record(TINY, num_episodes=1, seed=2))
    small = next(record(TINY, num_episodes=1, seed=2, size_px=12))
    assert small.frames.shape == (8, 12, 12, 3)
    np.testing.assert_allclose(
        small.frames.mean(axis=(1, 2)), whole.frames.mean(axis=(1, 2)), atol=1.0
    )


def test_a_broken_episode_is_left_out_and_counted():
    quarantine = Quarantine()
    options = {"broken": (1,)}
    played = list(record(TINY, num_episodes=3, options=options, on_reject=quarantine))
    assert [dict(p.provenance.details)["episode"] for p in played] == ["0", "2", "3"]
    assert [(e.episode, e.field) for e in quarantine.errors] == [("1", "environment")]
    assert "RuntimeError: the block fell off" in str(quarantine.errors[0])


def test_a_broken_episode_can_be_an_error():
    with pytest.raises(EpisodeError, match="episode 0: environment failed in step"):
        list(record(TINY, num_episodes=1, options={"broken": (0,)}, strict=True))


def test_an_environment_that_always_breaks_does_not_go_on_for_ever():
    quarantine = Quarantine()
    reason = (
        r"episode 4: environment failed in step 3 \(RuntimeError: the block fell off\), in all 5 "
        "episodes in a row; no more are tried"
    )
    with pytest.raises(EpisodeError, match=reason):
        list(
            record(
                TINY,
                num_episodes=1,
                options={"broken": tuple(range(50))},
                on_reject=quarantine,
            )
        )
    assert quarantine.num == 4


def test_the_commonest_of_several_causes_comes_first(monkeypatch):
    step = TinyEnv.step

    def fall_or_fade(self, action):
        state, *rest = step(self, action)
        return (state * np.nan if self.number % 2 == 0 else state, *rest)

    monkeypatch.setattr(TinyEnv, "step", fall_or_fade)
    reason = (
        r"episode 4: state is not finite \(NaN or infinite\) at row 1, in 3 of 5 episodes in a "
        r"row; environment failed in step 3 \(RuntimeError: the block fell off\) in 2; no more"
    )
    with pytest.raises(EpisodeError, match=reason):
        list(record(TINY, num_episodes=1, options={"broken": (1, 3)}, on_reject=Quarantine()))


def test_an_episode_of_one_frame_is_left_out():
    quarantine = Quarantine()
    with pytest.raises(EpisodeError, match="are a single one: the episode ended with its first"):
        list(record(TINY, num_episodes=1, options={"length": 1}, on_reject=quarantine))


@pytest.mark.parametrize(
    ("env_id", "arguments", "reason"),
    [
        (TINY, {}, "either num_steps or num_episodes"),
        (TINY, {"num_steps": 4, "num_episodes": 1}, "either num_steps or num_episodes"),
        (TINY, {"num_episodes": 0}, "num_episodes is 0"),
        (TINY, {"num_episodes": 1, "every": 0}, "every is 0"),
        (TINY, {"num_episodes": 1, "size_px": 0}, "size_px is 0"),
        (TINY, {"num_episodes": 1, "max_frames": 1}, "max_frames is 1"),
        (TINY, {"num_episodes": 1, "fps": 0.0}, "states no frame rate"),
        (TINY, {"num_episodes": 1, "options": {"kind": "binary"}}, "MultiBinary; only Discrete"),
        (TINY, {"num_episodes": 1, "options": {"nonsense": 1}}, "cannot be made .*nonsense"),
        ("worldline-tests/Blind-v0", {"num_episodes": 1}, "cannot draw its frames"),
        ("worldline-tests/Timeless-v0", {"num_episodes": 1}, "name one with fps"),
        ("No/Such-v0", {"num_episodes": 1}, "No/Such-v0: cannot be made"),
    ],
)
def test_what_cannot_be_recorded_is_refused_in_words(env_id: str, arguments, reason: str):
    with pytest.raises(InputError, match=reason):
        list(record(env_id, **arguments))


def test_a_frame_rate_can_be_named():
    played = next(record("worldline-tests/Timeless-v0", num_episodes=1, fps=20.0, every=2))
    assert played.fps == pytest.approx(10.0)


def test_pong():
    pytest.importorskip("ale_py")
    options = {"repeat_action_probability": 0.0}
    (played,) = record("ALE/Pong-v5", num_episodes=1, seed=1, max_frames=120, options=options)
    assert played.spec is not None
    assert played.spec.names[:4] == ("NOOP", "FIRE", "RIGHT", "LEFT")
    paddle = (np.abs(played.frames[:, 34:194, 140:144].astype(int) - (92, 186, 92)) < 8).all(-1)
    rows = np.array([np.nonzero(p)[0].mean() if p.any() else np.nan for p in paddle])
    direction = np.array([0, 0, -1, 1, -1, 1])[played.actions[:-1, 0]]
    step = np.diff(rows)
    seen = np.isfinite(step)
    assert np.corrcoef(direction[seen], step[seen])[0, 1] > 0.4


def test_push_t_draws_the_target_that_was_chosen_one_frame_before():
    pytest.importorskip("gym_pusht")
    (played,) = record("gym_pusht/PushT-v0", num_episodes=1, seed=1, max_frames=20)
    red = (played.frames[..., 0] > 200) & (played.frames[..., 1:] < 60).all(-1)
    scale = 512 / played.frames.shape[1]
    cross = np.array([np.argwhere(r)[:, ::-1].mean(0) * scale for r in red[1:]])
    away = np.linalg.norm(cross - played.actions[:-1], axis=1)
    assert np.median(away) < 3
