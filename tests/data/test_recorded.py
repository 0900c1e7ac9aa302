import gymnasium
import numpy as np
import pytest
from tests.tiny_env import TinyEnv

from worldline.core import InputError
from worldline.data import recorded
from worldline.data.lerobot_write import write_lerobot
from worldline.data.record import record
from worldline.data.recorded import Recorded, open_recording

TINY = "worldline-tests/Tiny-v0"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    TinyEnv.num_resets = 0
    folder = tmp_path_factory.mktemp("data") / "tiny"
    write_lerobot(folder, record(TINY, num_episodes=5, size_px=32, options={"length": 12}))
    return folder


def test_the_last_episodes_are_held_out_and_never_trained_on(dataset, tmp_path):
    recording = open_recording(Recorded(folder=str(dataset), num_frames=6, stride=3, held_out=0.4))
    assert (recording.num_episodes, recording.num_held_out) == (5, 2)
    assert recording.has_rewards
    assert recording.action_size == 3
    learned = list(recording.clips(32, held_out=False))
    judged = list(recording.clips(32, held_out=True))
    assert len(learned) == 3 * 3
    assert len(judged) == 2 * 2  # these do not overlap
    seeds = [{dict(c.provenance.details)["episode"] for c in part} for part in (learned, judged)]
    assert not seeds[0] & seeds[1]
    shards = recording.write(tmp_path / "shards", 32)
    assert shards.num_clips == 9
    assert shards.earned is not None
    # the environment's rewards count its steps
    np.testing.assert_array_equal(shards.earned[0], [1, 2, 3, 4, 5, 6])
    assert shards.ended is not None
    # the last action of an episode ends it, and the last window of each has it
    np.testing.assert_array_equal(np.flatnonzero(shards.ended.any(axis=0)), [5])
    assert shards.ended.sum() == 3
    again = recording.write(tmp_path / "shards", 32)
    np.testing.assert_array_equal(again.frames, shards.frames)


def test_episodes_may_differ_in_length(tmp_path):
    folder = tmp_path / "uneven"
    both = [
        episode
        for length in (8, 12)
        for episode in record(TINY, num_episodes=2, size_px=32, options={"length": length})
    ]
    write_lerobot(folder, both)
    recording = open_recording(Recorded(folder=str(folder), num_frames=6, held_out=0.5))
    assert sorted({len(times) for times in recording.times_s}) == [8, 12]


def test_numbers_go_from_their_limits_to_one(tmp_path):
    folder = tmp_path / "box"
    options = {"kind": "box", "length": 10}
    write_lerobot(folder, record(TINY, num_episodes=3, size_px=32, options=options))
    recording = open_recording(Recorded(folder=str(folder), num_frames=5))
    assert recording.spec is not None
    assert recording.spec.low == (-1.0, -1.0)
    clip = next(recording.clips(32, held_out=False))
    assert clip.actions is not None
    assert np.abs(clip.actions).max() <= 1


class Pointed(TinyEnv):
    """One whose actions are directions in the picture."""

    action_names = ("right", "down")


def test_images_of_training_clips_are_written_beside_them(tmp_path):
    gymnasium.register("worldline-tests/Pointed-v0", entry_point=Pointed)
    folder, options = tmp_path / "box", {"kind": "box", "length": 10}
    episodes = record("worldline-tests/Pointed-v0", num_episodes=3, size_px=32, options=options)
    write_lerobot(folder, episodes)
    plain, eight = (
        open_recording(Recorded(folder=str(folder), num_frames=5, stride=5, images=images))
        for images in (1, 8)
    )
    alone = plain.write(tmp_path / "alone", 32)
    shards = eight.write(tmp_path / "eight", 32)
    assert shards.num_clips == 8 * alone.num_clips
    np.testing.assert_array_equal(shards.frames[::8], alone.frames)
    np.testing.assert_array_equal(shards.actions[::8], alone.actions)
    assert len({clip.tobytes() for clip in np.abs(shards.actions[:8])}) == 2
    # what is held out is judged as it was recorded
    judged = [list(each.clips(32, held_out=True)) for each in (plain, eight)]
    assert len(judged[0]) == len(judged[1])
    with pytest.raises(InputError, match="another recipe"):
        eight.write(tmp_path / "alone", 32)


def test_what_cannot_be_learned_from_is_refused(dataset, tmp_path):
    with pytest.raises(InputError, match="no such dataset"):
        open_recording(Recorded(folder=str(tmp_path / "none")))
    with pytest.raises(ValueError, match="held_out"):
        Recorded(folder=str(dataset), held_out=1.0)
    with pytest.raises(ValueError, match="images is 9"):
        Recorded(folder=str(dataset), images=9)
    turned = open_recording(Recorded(folder=str(dataset), num_frames=6, images=2))
    with pytest.raises(InputError, match="right and down"):
        turned.write(tmp_path / "turned", 32)
    recording = open_recording(Recorded(folder=str(dataset), num_frames=32))
    with pytest.raises(InputError, match="32 frames"):
        recording.write(tmp_path / "none", 32)


def test_a_dataset_is_looked_through_once_until_it_changes(tmp_path, monkeypatch):
    folder = tmp_path / "tiny"
    write_lerobot(folder, record(TINY, num_episodes=4, size_px=32, options={"length": 10}))
    config = Recorded(folder=str(folder), num_frames=5, stride=5, held_out=0.5)
    first = open_recording(config)
    read: list[int] = []
    whole = recorded.read_lerobot

    def counted(*args, **options):
        for episode in whole(*args, **options):
            read.append(int(dict(episode.provenance.details)["episode"]))
            yield episode

    monkeypatch.setattr(recorded, "read_lerobot", counted)
    assert open_recording(config) is first
    assert read == []
    assert len(list(first.clips(32, held_out=True))) == 4
    # those before the held-out ones are not decoded
    assert read == [2, 3]
    read.clear()
    first.write(tmp_path / "shards", 32)
    assert read == [0, 1]
    (folder / "meta" / "note.txt").write_text("changed")
    assert open_recording(config) is not first
