import numpy as np
import pytest

from worldline.core import Provenance
from worldline.data.actions import ActionSpec
from worldline.data.episode import Episode, EpisodeError, FieldError, Quarantine, reject

SPEC = ActionSpec(names=("x", "y"))
PAD = ActionSpec(names=("no", "up", "down"), num_actions=(3,))


def episode(num: int = 4, **changes) -> Episode:
    fields = {
        "frames": np.full((num, 4, 6, 3), 7, np.uint8),
        "time_s": np.arange(num) / 10,
        "spec": SPEC,
        "actions": np.ones((num, 2), np.float32),
    }
    return Episode(**{**fields, **changes})


def test_a_clip_has_vectors_and_says_what_they_mean():
    played = episode(
        spec=PAD,
        actions=np.array([[0], [2], [1], [1]]),
        task="go up",
        provenance=Provenance(source="game", details=(("level", "3"),)),
    )
    clip = played.to_clip()
    assert clip.actions is not None
    np.testing.assert_array_equal(clip.actions.argmax(axis=1), [0, 2, 1, 1])
    np.testing.assert_array_equal(clip.actions.sum(axis=1), 1)
    details = dict(clip.provenance.details)
    assert ActionSpec.from_text(details["actions"]) == PAD
    assert details["level"] == "3"
    assert (clip.caption, clip.fps) == ("go up", pytest.approx(10.0))
    assert played.fps == pytest.approx(10.0)


def test_video_without_actions_is_an_episode_too():
    clip = episode(spec=None, actions=None).to_clip()
    assert clip.actions is None
    assert clip.provenance.details == ()


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"frames": np.zeros((0, 4, 6, 3), np.uint8)}, "frames", "missing"),
        ({"time_s": np.arange(3.0)}, "time_s", "3 rows, but there are 4 frames"),
        ({"time_s": np.array([0.0, 1, 1, 2])}, "time_s", "does not increase"),
        ({"time_s": np.array([0.0, 1, np.nan, 2])}, "time_s", "not finite .* row 2"),
        ({"actions": np.ones((5, 2), np.float32)}, "actions", "5 rows"),
        ({"actions": np.ones((4, 3), np.float32)}, "actions", "3 columns, expected 2"),
        ({"actions": np.array([[0, 0], [0, np.nan], [0, 0], [0, 0]], np.float32)}, "actions", "1"),
        ({"actions": np.ones((4, 2), np.int64)}, "actions", "int64, expected float32"),
        ({"actions": None}, "actions", "come together"),
        ({"spec": PAD, "actions": np.array([[0], [3], [1], [1]])}, "actions", "3 at row 1.*0 to 2"),
        ({"spec": PAD, "actions": np.ones((4, 1), np.float32)}, "actions", "float32"),
        ({"rewards": np.full(4, np.inf, np.float32)}, "rewards", "not finite"),
        ({"state": np.ones((2, 3), np.float32)}, "state", "2 rows"),
    ],
)
def test_faults_name_the_field(as_users_run, changes, field: str, reason: str):
    with pytest.raises(FieldError, match=reason) as caught:
        episode(**changes)
    assert caught.value.field == field


def test_nothing_is_left_out_in_silence():
    error = EpisodeError("set", 3, "actions", "is NaN")
    assert str(error) == "set: episode 3: actions is NaN"
    with pytest.raises(EpisodeError, match="episode 3"):
        reject(error, strict=True, on_reject=None)
    with pytest.warns(UserWarning, match="left out: set: episode 3"):
        reject(error, strict=False, on_reject=None)
    quarantine = Quarantine()
    reject(error, strict=False, on_reject=quarantine)
    assert quarantine.num == 1
    assert quarantine.to_json() == {
        "num": 1,
        "fields": {"actions": 1},
        "episodes": [{"source": "set", "episode": "3", "field": "actions", "reason": "is NaN"}],
    }
