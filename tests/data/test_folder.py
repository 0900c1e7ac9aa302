from pathlib import Path

import numpy as np
import pytest

from worldline.core import InputError, Provenance
from worldline.data import write_video
from worldline.data.episode import EpisodeError, Quarantine
from worldline.data.folder import read_folder


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """10 frames at 10 frames/s of brightness 20, 30, ..."""
    frames = np.empty((10, 16, 24, 3), np.uint8)
    frames[:] = (20 + 10 * np.arange(10))[:, None, None, None]
    write_video(tmp_path / "take.mp4", frames, fps=10, provenance=Provenance(source="me"))
    return tmp_path


def write_table(folder: Path, *lines: str) -> None:
    (folder / "take.csv").write_text("\n".join(lines) + "\n")


def by_frame(num: int) -> list[str]:
    return ["frame,throttle,steering", *(f"{k},{k / 10},{-k}" for k in range(num))]


def test_video_alone_comes_in_parts(take: Path):
    parts = list(read_folder(take, max_frames=4))
    assert [p.num_frames for p in parts] == [4, 4, 2]
    assert [dict(p.provenance.details)["part"] for p in parts] == ["0", "1", "2"]
    assert dict(parts[0].provenance.details)["file"] == "take.mp4"
    assert parts[1].time_s[0] == pytest.approx(0.4)
    assert parts[1].frames[0].mean() == pytest.approx(60, abs=2)
    assert parts[0].actions is None
    (whole,) = read_folder(take / "take.mp4", max_side_px=12)
    assert whole.frames.shape == (10, 8, 12, 3)


@pytest.mark.parametrize("num", [10, 9])
def test_a_row_for_each_frame(take: Path, num: int):
    write_table(take, *by_frame(num))
    parts = list(read_folder(take, max_frames=6))
    assert [p.num_frames for p in parts] == [6, num - 6]
    assert parts[0].spec is not None
    assert parts[0].spec.names == ("throttle", "steering")
    actions = np.concatenate([p.actions for p in parts])
    np.testing.assert_allclose(actions, [[k / 10, -k] for k in range(num)], rtol=1e-6)
    assert actions.dtype == np.float32


def test_rows_by_time_are_averaged_until_the_next_frame(take: Path):
    # Rows at 0, .05, .1, ... with values 0, 1, 2, ...: in frame k, 2k and 2k + 1 for .05 s each.
    write_table(take, "push,time_s", *(f"{k},{k * 0.05:.3f}" for k in range(20)))
    (episode,) = read_folder(take)
    np.testing.assert_allclose(episode.actions[:, 0], 2 * np.arange(10) + 0.5, atol=1e-3)


def test_rows_at_a_slower_rate_hold(take: Path):
    write_table(take, "time_s,push", "-1,5", "0.25,7", "0.8,9")
    (episode,) = read_folder(take)
    # From 0.2 to 0.3 s half 5, half 7.
    expected = [5, 5, 6, 7, 7, 7, 7, 7, 9, 9]
    np.testing.assert_allclose(episode.actions[:, 0], expected, atol=1e-3)


def test_choices_are_what_holds_when_the_frame_is_seen(take: Path):
    write_table(take, "time_s,button", "0,0", "0.15,2", "0.3,1", "0.9,0")
    (episode,) = read_folder(take, num_actions=(3,))
    np.testing.assert_array_equal(episode.actions[:, 0], [0, 0, 2, 1, 1, 1, 1, 1, 1, 0])
    assert episode.spec is not None
    assert episode.spec.names == ("button_0", "button_1", "button_2")


@pytest.mark.parametrize(
    ("lines", "field", "reason"),
    [
        (by_frame(8), "actions", "8 rows in take.csv, but the video 10 frames"),
        (by_frame(11), "actions", "11 rows"),
        ([*by_frame(4), "5,0,0"], "frame", "is 5 in row 5 of take.csv, expected 4"),
        ([*by_frame(9), "9,nan,0"], "throttle", "is 'nan' in row 10 of take.csv"),
        ([*by_frame(9), "9,,0"], "throttle", "is '' in row 10"),
        ([*by_frame(9), "9,1"], "actions", "has 2 cells in row 10 of take.csv, expected 3"),
        ([*by_frame(9), "8,1,1"], "frame", "does not increase in row 10"),
        (["time_s,a", "0.2,1", "0.9,1"], "actions", "begin at 0.2 s, the video at 0 s"),
        (["time_s,a", "0,1", "0.1,1", "0.5,1"], "actions", "end at 0.5 s, the video at 0.9 s"),
        (["time_s,a", "0,1", "100,1", "900,1"], "time_s", "goes on to 900; it must be in seconds"),
        ([*by_frame(9), "9,1e39,0"], "throttle", "is '1e39' in row 10 of take.csv"),
        (["time,a", "0,1"], "actions", "need one column frame or time_s"),
        (["time_s,frame,a", "0,0,1"], "actions", "need one column frame or time_s"),
        (["frame,a,a", "0,0,1"], "actions", "each name once"),
        (["frame", "0"], "actions", "no column or no row"),
        (["frame,a"], "actions", "no column or no row"),
        ([""], "actions", "need one column"),
    ],
)
def test_a_table_that_does_not_fit_costs_its_video(take: Path, lines, field: str, reason: str):
    write_table(take, *lines)
    (take / "plain").mkdir()
    (take / "plain/zoo.mp4").write_bytes((take / "take.mp4").read_bytes())
    quarantine = Quarantine()
    got = list(read_folder(take, strict=False, on_reject=quarantine))
    assert [dict(e.provenance.details)["file"] for e in got] == ["zoo.mp4"]
    assert [(e.episode, e.field) for e in quarantine.errors] == [("take.mp4", field)]
    with pytest.raises(EpisodeError, match=reason):
        list(read_folder(take))


def test_choices_that_are_none(take: Path):
    lines = ["frame,a", *(f"{k},{k % 3}" for k in range(10))]
    write_table(take, *lines)
    with pytest.raises(EpisodeError, match=r"a is 2 in row 3 .* from 0 to 1"):
        list(read_folder(take, num_actions=(2,)))
    with pytest.raises(EpisodeError, match="1 columns, expected 2"):
        list(read_folder(take, num_actions=(3, 3)))
    write_table(take, *lines[:10], "9,0.5")
    with pytest.raises(EpisodeError, match=r"a is 0.5 in row 10"):
        list(read_folder(take, num_actions=(3,)))


def test_actions_can_be_required(take: Path):
    with pytest.raises(EpisodeError, match=r"take.mp4: actions are missing; there is no take.csv"):
        list(read_folder(take, need_actions=True))


def test_a_file_that_is_no_video_fails_alone(take: Path):
    (take / "a.mp4").write_bytes(b"")
    quarantine = Quarantine()
    got = list(read_folder(take, strict=False, on_reject=quarantine))
    assert len(got) == 1
    assert str(quarantine.errors[0]).endswith("episode a.mp4: video is empty (0 bytes)")


def test_a_damaged_video_is_told(take: Path, numbered_frames, encode):
    front = {"movflags": "faststart"}
    whole = encode(take / "b.mp4", numbered_frames(50), options={"g": "5"}, container_options=front)
    data = whole.read_bytes()
    whole.write_bytes(data[: int(len(data) * 0.7)])
    quarantine = Quarantine()
    list(read_folder(take, strict=False, on_reject=quarantine))
    assert [e.episode for e in quarantine.errors] == ["b.mp4"]
    assert "frames are truncated: the last" in str(quarantine.errors[0])


def test_nothing_to_read(tmp_path: Path):
    with pytest.raises(InputError, match="no video files"):
        next(read_folder(tmp_path))
    with pytest.raises(InputError, match="no such file or folder"):
        next(read_folder(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="max_frames is 1"):
        next(read_folder(tmp_path, max_frames=1))
