import json
from pathlib import Path

import numpy as np
import pytest
from tests.data.episodes import ARM, PAD, make_episode

from worldline.core import InputError, Provenance
from worldline.data.episode import EpisodeError, Quarantine
from worldline.data.lerobot import describe_lerobot, read_lerobot
from worldline.data.lerobot_layout import merge_stats, picture_stats, vector_stats
from worldline.data.lerobot_write import CAMERA, write_lerobot


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"fps": 12.0}, "time_s", "not even at the first episode's 10 frames/s"),
        ({"frames": np.zeros((12, 24, 30, 3), np.uint8)}, "frames", "30x24, .* 32x24"),
        ({"spec": PAD, "actions": np.zeros((12, 1), np.int64)}, "actions", "another meaning"),
        ({"rewards": None}, "rewards", "in all episodes or in none"),
        ({"state": np.zeros((12, 2), np.float32)}, "state", "2 columns, the first episode's 3"),
        ({"provenance": Provenance(source="camera")}, "provenance", "is recorded, .* simulated"),
        ({"num": 1}, "frames", "is a single one"),
    ],
)
def test_an_episode_that_does_not_fit(tmp_path: Path, changes, field: str, reason: str):
    episodes = [make_episode(0), make_episode(5, **changes), make_episode(9)]
    quarantine = Quarantine()
    folder = tmp_path / "loose"
    done = write_lerobot(folder, episodes, strict=False, on_reject=quarantine)
    assert done.num_episodes == 2
    assert [(e.episode, e.field) for e in quarantine.errors] == [("1", field)]
    assert [e.task for e in read_lerobot(folder)] == ["from 0", "from 9"]
    with pytest.raises(EpisodeError, match=reason):
        write_lerobot(tmp_path / "strict", episodes)
    with pytest.raises(InputError, match="not finished"):
        describe_lerobot(tmp_path / "strict")


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not an empty folder"):
        write_lerobot(tmp_path, [make_episode()])
    with pytest.raises(InputError, match="not an empty folder"):
        write_lerobot(tmp_path / "notes.txt", [make_episode()])


def test_bad_arguments_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no episode to write"):
        write_lerobot(tmp_path / "set", [])
    with pytest.raises(InputError, match="must begin with"):
        write_lerobot(tmp_path / "set", [make_episode()], camera="front")
    with pytest.raises(InputError, match="frames_per_file is 1"):
        write_lerobot(tmp_path / "set", [make_episode()], frames_per_file=1)


def test_what_the_source_raises_comes_through(tmp_path: Path):
    def episodes():
        yield make_episode()
        raise ValueError("the source broke")

    with pytest.raises(ValueError, match="the source broke"):
        write_lerobot(tmp_path / "set", episodes())


@pytest.mark.parametrize(("side_px", "kept"), [(32, "yuv444p"), (160, "yuv420p")])
def test_small_pictures_keep_the_colour_of_each_pixel(tmp_path: Path, side_px: int, kept: str):
    frames = np.full((12, side_px, side_px, 3), (150, 150, 140), np.uint8)
    frames[:, 8:24, 13:15] = (200, 40, 40)
    write_lerobot(tmp_path / "set", [make_episode(frames=frames)])
    info = json.loads((tmp_path / "set" / "meta" / "info.json").read_text())
    assert info["features"][CAMERA]["info"]["video.pix_fmt"] == kept
    back = next(read_lerobot(tmp_path / "set")).frames
    assert (np.abs(back.astype(int) - frames).max() < 12) == (kept == "yuv444p")


def test_odd_sides_grow(tmp_path: Path):
    write_lerobot(tmp_path / "set", [make_episode(frames=np.full((12, 25, 31, 3), 90, np.uint8))])
    assert next(read_lerobot(tmp_path / "set")).frames.shape == (12, 26, 32, 3)


def test_rates_that_are_no_whole_number(tmp_path: Path):
    write_lerobot(tmp_path / "set", [make_episode(0, fps=7.5), make_episode(20, fps=7.5)])
    assert describe_lerobot(tmp_path / "set").fps == 7.5
    assert [e.num_frames for e in read_lerobot(tmp_path / "set")] == [12, 12]


def test_video_without_actions(tmp_path: Path):
    write_lerobot(tmp_path / "set", [make_episode(spec=None, actions=None)])
    (got,) = read_lerobot(tmp_path / "set")
    assert (got.spec, got.actions) == (None, None)


def test_statistics_of_parts_are_those_of_the_whole():
    values = np.random.default_rng(0).normal(3.0, 2.0, (50, 2))
    whole = vector_stats(values)
    merged = merge_stats(vector_stats(values[:20]), vector_stats(values[20:]))
    for name in ("min", "max", "mean", "std", "count"):
        np.testing.assert_allclose(merged[name], whole[name])
    assert whole["q50"] == pytest.approx(np.median(values, axis=0))
    share = 0.4 * np.quantile(values[:20], 0.9, axis=0) + 0.6 * np.quantile(
        values[20:], 0.9, axis=0
    )
    np.testing.assert_allclose(merged["q90"], share)


def test_statistics_of_pictures_are_per_colour():
    frames = np.zeros((300, 200, 400, 3), np.uint8)
    frames[..., 0], frames[..., 2] = 255, 51
    stats = picture_stats(frames)
    np.testing.assert_allclose(np.ravel(stats["mean"]), [1.0, 0.0, 0.2])
    assert np.shape(stats["q99"]) == (3, 1, 1)
    assert stats["count"] == [100]


def test_the_spec_survives_as_written(tmp_path: Path):
    write_lerobot(tmp_path / "set", [make_episode()])
    assert describe_lerobot(tmp_path / "set").spec == ARM
