import numpy as np
import pytest
from tests.data.episodes import ARM, PAD, make_episode, number_of

from worldline.core import InputError
from worldline.data.actions import ActionSpec
from worldline.data.episode import EpisodeError, Quarantine
from worldline.data.shards import write_shards
from worldline.data.windows import count_windows, cut_windows, mark_changes


def test_windows_follow_each_other():
    clips = list(cut_windows([make_episode(0, 14), make_episode(20, 9)], num_frames=4, size_px=8))
    assert [number_of(c.frames[0]) for c in clips] == [0, 4, 8, 20, 24]
    assert all(c.frames.shape == (4, 8, 8, 3) for c in clips)
    assert clips[1].actions is not None
    np.testing.assert_allclose(clips[1].actions[:, 0], [0.4, 0.5, 0.6, 0.7])
    np.testing.assert_allclose(clips[1].time_s, [0, 0.1, 0.2, 0.3])
    details = dict(clips[1].provenance.details)
    assert (details["start_s"], details["fps"], details["source_fps"]) == ("0.4", "10", "10")
    assert details["view_px"] == "4,0,24,24"
    assert details["episode"] == "0"
    assert ActionSpec.from_text(details["actions"]) == ARM
    assert clips[3].caption == "from 20"


@pytest.mark.parametrize(
    ("leftover", "starts"), [("end", [0, 3]), ("start", [2, 5]), ("none", [0, 3, 5])]
)
def test_what_is_left_of_an_episode(leftover, starts):
    arguments = {"num_frames": 4, "size_px": 8, "stride": 3, "leftover": leftover}
    clips = list(cut_windows([make_episode(0, 9)], **arguments))
    begins = [float(dict(clip.provenance.details)["start_s"]) for clip in clips]
    whole = make_episode(0, 9)
    np.testing.assert_allclose(begins, [whole.time_s[start] for start in starts], atol=1e-5)


@pytest.mark.parametrize("leftover", ["end", "start", "none"])
@pytest.mark.parametrize(
    ("num", "stride", "step_s"), [(20, None, None), (23, 4, None), (21, 3, 0.2)]
)
def test_windows_are_counted_without_being_cut(leftover, num, stride, step_s):
    one = make_episode(0, num)
    asked = {"num_frames": 5, "stride": stride, "step_s": step_s, "leftover": leftover}
    clips = list(cut_windows([one], size_px=16, **asked))
    assert count_windows(one.time_s, **asked) == len(clips) > 0
    assert count_windows(one.time_s[:3], **asked) == 0


def test_windows_may_overlap():
    clips = cut_windows([make_episode(0, 8)], num_frames=4, size_px=8, stride=2)
    assert [number_of(c.frames[0]) for c in clips] == [0, 2, 4]


def test_a_slower_grid_takes_the_mean_of_what_was_done_on_the_way():
    (clip,) = cut_windows([make_episode(0, 12)], num_frames=4, size_px=8, step_s=0.3)
    assert [number_of(f) for f in clip.frames] == [0, 3, 6, 9]
    assert clip.actions is not None
    np.testing.assert_allclose(clip.actions[:, 0], [0.1, 0.4, 0.7, 1.0], rtol=1e-6)
    assert dict(clip.provenance.details)["source_fps"] == "10"
    assert clip.fps == pytest.approx(10 / 3)


def test_choices_become_shares():
    actions = np.array([[0], [0], [2], [1], [1], [1], [2], [2]])
    episode = make_episode(0, 8, spec=PAD, actions=actions)
    (clip,) = cut_windows([episode], num_frames=4, size_px=8, step_s=0.2)
    expected = [[1, 0, 0], [0, 0.5, 0.5], [0, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(clip.actions, expected)


def test_uneven_frames_come_onto_a_grid():
    time_s = np.arange(12) / 10 + 0.03 * (np.arange(12) % 2)
    (clip,) = cut_windows([make_episode(0, 12, time_s=time_s)], num_frames=5, size_px=8, step_s=0.2)
    assert [number_of(f) for f in clip.frames] == [0, 2, 4, 6, 8]


def test_episodes_without_actions_give_clips_without():
    (clip,) = cut_windows([make_episode(0, 4, spec=None, actions=None)], num_frames=4, size_px=8)
    assert clip.actions is None


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"num": 3}, "frames", "are 3 at 10 frames/s, a window needs 4"),
        ({"num": 1}, "frames", "is a single one"),
        ({"fps": 5.0}, "time_s", "has 5 frames/s, but 10 are asked for"),
    ],
)
def test_an_episode_that_gives_no_window_is_told(changes, field: str, reason: str):
    quarantine = Quarantine()
    arguments = {"num_frames": 4, "size_px": 8, "step_s": 0.1}
    episodes = [make_episode(9, **changes), make_episode(1, 4)]
    clips = list(cut_windows(episodes, **arguments, on_reject=quarantine))
    assert [number_of(c.frames[0]) for c in clips] == [1]
    assert [(e.source, e.episode, e.field) for e in quarantine.errors] == [("arm", "9", field)]
    with pytest.raises(EpisodeError, match=reason):
        list(cut_windows(episodes, **arguments, strict=True))


@pytest.mark.parametrize(
    "arguments",
    [{"num_frames": 1}, {"leftover": "all"}, {"stride": 0}, {"size_px": 0}, {"step_s": 0.0}],
)
def test_bad_arguments_are_named(arguments):
    (name,) = arguments
    with pytest.raises(InputError, match=f"{name} is"):
        list(cut_windows([], **{"num_frames": 4, "size_px": 8, **arguments}))


def test_what_changes_is_marked():
    frames = np.full((3, 24, 24, 3), 50, np.uint8)
    frames[1, 2:5, 6:9] = 90
    frames[2, 2:5, 6:9] = 100  # too little to count
    clip = next(cut_windows([make_episode(0, 3, frames=frames)], num_frames=3, size_px=24))
    marked = mark_changes(clip)
    expected = np.full((3, 24, 24), -1)
    expected[:2, 2:5, 6:9] = 0
    np.testing.assert_array_equal(marked.segmentation, expected)
    assert marked.scene is not None
    assert (marked.scene.num_objects, marked.scene.num_frames) == (0, 3)


def test_shards_take_windows(tmp_path):
    clips = list(cut_windows([make_episode(0, 12)], num_frames=4, size_px=16))
    shards = write_shards(tmp_path, map(mark_changes, clips), num_clips=3, recipe={"a": 1})
    np.testing.assert_array_equal(shards.frames[2], clips[2].frames)
    assert shards.records[0]["step_s"] == pytest.approx(0.1)
    assert not shards.visible.any()
