import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.data.episodes import ARM, PAD, make_episode, number_of

from worldline.core import InputError, Origin, Provenance
from worldline.data.episode import EpisodeError, Quarantine
from worldline.data.lerobot import describe_lerobot, read_lerobot
from worldline.data.lerobot_write import CAMERA, write_lerobot

FIRST = (0, 12, 30)  # of the three episodes below, which have 12, 9 and 14 frames
DATA = "data/chunk-000/file-000.parquet"
INDEX = "meta/episodes/chunk-000/file-000.parquet"
VIDEO = f"videos/{CAMERA}/chunk-000/file-000.mp4"


def three_episodes():
    return [make_episode(f, n) for f, n in zip(FIRST, (12, 9, 14), strict=True)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lerobot") / "set"
    write_lerobot(folder, three_episodes())
    return folder


@pytest.fixture
def dataset(written: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(written, tmp_path / "set"))


def change_table(path: Path, name: str, change: Callable[[list], list], kind=None) -> None:
    table = pq.read_table(path)
    at = table.schema.names.index(name)
    values = pa.array(change(table.column(name).to_pylist()), type=kind or table.schema[at].type)
    pq.write_table(table.set_column(at, name, values), path)


def change_info(folder: Path, **changes) -> None:
    path = folder / "meta" / "info.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_episodes_come_back(written: Path):
    got = list(read_lerobot(written))
    for one, other in zip(three_episodes(), got, strict=True):
        np.testing.assert_array_equal(one.actions, other.actions)
        np.testing.assert_array_equal(one.rewards, other.rewards)
        np.testing.assert_array_equal(one.state, other.state)
        np.testing.assert_allclose(one.time_s, other.time_s)
        assert np.abs(one.frames.astype(int) - other.frames).max() <= 3
        for name in ("spec", "task", "provenance", "terminated", "truncated"):
            assert getattr(one, name) == getattr(other, name)


def test_what_the_dataset_says_of_itself(written: Path):
    info = describe_lerobot(written)
    assert (info.fps, info.num_episodes, info.num_frames) == (10.0, 3, 35)
    assert info.cameras == (CAMERA,)
    assert info.spec == ARM
    record = json.loads((written / "meta/info.json").read_text())
    assert record["codebase_version"] == "v3.0"
    assert record["splits"] == {"train": "0:3"}
    assert record["features"]["action"]["names"] == ["shoulder", "elbow"]
    assert record["features"][CAMERA]["shape"] == [24, 32, 3]
    stats = json.loads((written / "meta/stats.json").read_text())
    everything = np.concatenate([e.state for e in three_episodes()])
    np.testing.assert_allclose(stats["observation.state"]["mean"], everything.mean(0), rtol=1e-6)
    np.testing.assert_allclose(stats["observation.state"]["std"], everything.std(0), rtol=1e-6)
    assert stats["observation.state"]["max"] == [43.0, 0.0, 43.0**2]
    assert stats["action"]["count"] == [35]
    assert np.shape(stats[CAMERA]["mean"]) == (3, 1, 1)
    assert stats[CAMERA]["min"][0][0][0] == pytest.approx(20 / 255, abs=0.01)


def test_the_index_says_whose_rows_and_seconds_are_whose(written: Path):
    rows = pq.read_table(written / INDEX).to_pylist()
    assert [r["dataset_from_index"] for r in rows] == [0, 12, 21]
    assert [r["dataset_to_index"] for r in rows] == [12, 21, 35]
    starts = [r[f"videos/{CAMERA}/from_timestamp"] for r in rows]
    np.testing.assert_allclose(starts, [0.0, 1.2, 2.1])
    assert [r["tasks"] for r in rows] == [["from 0"], ["from 12"], ["from 30"]]
    data = pq.read_table(written / DATA)
    assert data.column("index").to_pylist() == list(range(35))
    assert data.column("next.truncated").to_pylist().count(True) == 3
    tasks = pq.read_table(written / "meta/tasks.parquet")
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["__index_level_0__"]


def test_choices_stay_whole_numbers(tmp_path: Path):
    actions = np.array([[0], [2], [1], [1], [0]])
    episode = make_episode(3, 5, spec=PAD, actions=actions, state=None, rewards=None)
    write_lerobot(tmp_path / "set", [episode])
    (got,) = read_lerobot(tmp_path / "set")
    assert got.spec == PAD
    assert got.actions is not None
    np.testing.assert_array_equal(got.actions, actions)
    assert got.actions.dtype == np.int64
    assert got.state is None
    assert got.rewards is None
    assert pq.read_table(tmp_path / "set" / DATA).schema.field("action").type == pa.int64()


def test_files_end_before_they_are_too_long_and_episodes_are_taken_one_at_a_time(tmp_path: Path):
    given: list[int] = []

    def episodes():
        for number in range(6):
            given.append(number)
            yield make_episode(10 * number, 8)

    done = write_lerobot(tmp_path / "set", episodes(), frames_per_file=20)
    assert done.num_episodes == 6
    assert [Path(name).name for name in done.files if name.endswith("mp4")] == [
        "file-000.mp4",
        "file-001.mp4",
        "file-002.mp4",
    ]
    reader = read_lerobot(tmp_path / "set")
    assert [number_of(e.frames[3]) for e in reader] == [3, 13, 23, 33, 43, 53]


def test_frames_can_be_shrunk(written: Path):
    assert next(read_lerobot(written, max_side_px=16)).frames.shape == (12, 12, 16, 3)


def test_a_dataset_as_others_write_it(written: Path, tmp_path: Path, numbered_frames, encode):
    """Lists of free length, names by the part of the robot, no word of ours, AV1, two cameras."""
    folder = tmp_path / "set"
    shutil.copytree(written, folder)
    info = json.loads((folder / "meta/info.json").read_text())
    features = info["features"]
    features["action"] = {
        "dtype": "float32",
        "shape": [2],
        "names": {"left": ["shoulder"], "right": ["elbow"]},
    }
    front = "observation.images.front"
    features[front] = {"dtype": "video", "shape": [48, 64, 3], "names": None}
    change_info(folder, features=features)
    change_table(folder / DATA, "action", lambda rows: rows, pa.list_(pa.float32()))
    index = pq.read_table(folder / INDEX)
    names = [n for n in index.schema.names if not n.startswith(("stats/", "worldline"))]
    index = index.select(names)
    for name in names:
        if name.startswith(f"videos/{CAMERA}/"):
            index = index.append_column(name.replace(CAMERA, front), index.column(name))
    pq.write_table(index, folder / INDEX)
    (folder / "videos" / front / "chunk-000").mkdir(parents=True)
    ticks = [100 * k for k in range(35)]
    video = folder / "videos" / front / "chunk-000/file-000.mp4"
    encode(video, numbered_frames(35), ticks=ticks, codec="libsvtav1")
    with pytest.raises(InputError, match=r"name one of its cameras: observation\.image, obs"):
        next(read_lerobot(folder))
    with pytest.raises(InputError, match="no camera wrist"):
        next(read_lerobot(folder, camera="wrist"))
    got = list(read_lerobot(folder, camera=front))
    assert [e.num_frames for e in got] == [12, 9, 14]
    assert got[1].spec is not None
    assert got[1].spec.names == ("shoulder", "elbow")
    brightness = got[1].frames[:, 30, 40].mean(axis=1)
    np.testing.assert_allclose(brightness, 20 + 5 * np.arange(12, 21), atol=4)
    assert got[2].provenance == Provenance(source=str(folder), details=(("episode", "2"),))


def test_choices_of_others_are_counted_by_their_statistics(tmp_path: Path):
    episode = make_episode(spec=PAD, actions=np.arange(12)[:, None] % 3)
    write_lerobot(tmp_path / "set", [episode])
    features = json.loads((tmp_path / "set/meta/info.json").read_text())["features"]
    del features["action"]["info"]
    change_info(tmp_path / "set", features=features)
    spec = describe_lerobot(tmp_path / "set").spec
    assert spec is not None
    assert spec.num_actions == (3,)
    (tmp_path / "set/meta/stats.json").unlink()
    with pytest.raises(InputError, match="no statistics say how many choices"):
        describe_lerobot(tmp_path / "set")


def lose_frames(folder: Path) -> None:
    from worldline.data import read_clip, write_video

    clip = read_clip(folder / VIDEO)
    write_video(folder / VIDEO, clip.frames[:25], fps=10, provenance=clip.provenance)


def twice_the_rate(folder: Path) -> None:
    from worldline.data import read_clip, write_video

    clip = read_clip(folder / VIDEO)
    frames = clip.frames.repeat(2, axis=0)
    write_video(folder / VIDEO, frames, fps=20, provenance=clip.provenance)


def not_a_number(folder: Path) -> None:
    change_table(folder / DATA, "action", lambda r: [*r[:30], [0.0, np.nan], *r[31:]])


def wider_action(folder: Path) -> None:
    kind = pa.list_(pa.float32())
    change_table(folder / DATA, "action", lambda r: [*r[:21], [1.0, 2.0, 3.0], *r[22:]], kind)


def stretched_times(folder: Path) -> None:
    change_table(folder / DATA, "timestamp", lambda r: [*r[:21], *(2 * t for t in r[21:])])


def wrong_length(folder: Path) -> None:
    change_table(folder / INDEX, "length", lambda r: [*r[:2], 13])


def wrong_span(folder: Path) -> None:
    change_table(folder / INDEX, f"videos/{CAMERA}/to_timestamp", lambda r: [*r[:2], 9.0])


def lost_row(folder: Path) -> None:
    table = pq.read_table(folder / DATA)
    pq.write_table(table.slice(0, 30), folder / DATA)


def shuffled_rows(folder: Path) -> None:
    change_table(folder / DATA, "frame_index", lambda r: [*r[:21], r[22], r[21], *r[23:]])


def no_reward(folder: Path) -> None:
    change_table(folder / DATA, "next.reward", lambda r: [*r[:34], None])


def empty_cell(folder: Path) -> None:
    change_table(folder / INDEX, "data/file_index", lambda r: [*r[:2], None])


def other_file(folder: Path) -> None:
    change_table(folder / INDEX, "data/file_index", lambda r: [*r[:2], 4])


def other_video(folder: Path) -> None:
    change_table(folder / INDEX, f"videos/{CAMERA}/file_index", lambda r: [*r[:2], 4])


def lost_index_row(folder: Path) -> None:
    pq.write_table(pq.read_table(folder / INDEX).slice(0, 2), folder / INDEX)


def garbled_provenance(folder: Path) -> None:
    change_table(folder / INDEX, "worldline.provenance", lambda r: [*r[:2], "{"])


@pytest.mark.parametrize(
    ("damage", "field", "reason"),
    [
        (lose_frames, CAMERA, "lacks the frame of row 4, at 2.500 s of file-000.mp4"),
        (not_a_number, "action", "not finite .* row 9"),
        (wider_action, "action", "3 columns at row 0, expected 2"),
        (stretched_times, "timestamp", "is 1.3 s from 1.3 s at row 13, which is not 10 frames/s"),
        (wrong_length, "length", "13 in meta/episodes, but .* has 14 rows"),
        (wrong_span, CAMERA, "lasts 6.900 s by meta/episodes, but 14 rows"),
        (lost_row, "length", "14 in meta/episodes, but .* has 9 rows"),
        (shuffled_rows, "frame_index", "is 1 at row 0"),
        (no_reward, "next.reward", "missing in 1 rows"),
        (empty_cell, "data/file_index", "is empty in meta/episodes"),
        (other_file, "data/chunk-000/file-004.parquet", "is missing"),
        (other_video, CAMERA, r"cannot be read from file-004.mp4 \(no such file\)"),
        (lost_index_row, "meta/episodes", "is missing; meta/info.json announces 3"),
        (garbled_provenance, "worldline.provenance", "cannot be read"),
    ],
)
def test_a_fault_costs_one_episode_and_is_named(dataset: Path, damage, field: str, reason: str):
    damage(dataset)
    quarantine = Quarantine()
    got = list(read_lerobot(dataset, strict=False, on_reject=quarantine))
    assert [number_of(e.frames[0]) for e in got] == [0, 12]
    (error,) = quarantine.errors
    assert (error.source, error.episode, error.field) == (str(dataset), "2", field)
    with pytest.raises(EpisodeError, match=reason):
        list(read_lerobot(dataset))


def test_a_video_of_another_rate_is_found(dataset: Path):
    twice_the_rate(dataset)
    with pytest.raises(EpisodeError, match=r"episode 0: observation\.image .*mixed frame rates"):
        list(read_lerobot(dataset))


def test_a_generated_video_stays_generated(dataset: Path):
    from worldline.data import read_clip, write_video

    clip = read_clip(dataset / VIDEO)
    mark = Provenance(origin=Origin.GENERATED, producer="a world")
    write_video(dataset / VIDEO, clip.frames, fps=10, provenance=mark)
    assert {e.provenance.origin for e in read_lerobot(dataset)} == {Origin.GENERATED}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"codebase_version": "v2.1"}, "codebase_version is v2.1, this program reads v3.0"),
        ({"fps": 0}, "fps is 0"),
        ({"fps": None}, "info.json lacks or garbles"),
        ({"data_path": "data/{episode_chunk}.parquet"}, "lacks or garbles 'episode_chunk'"),
        ({"video_path": "{0}.mp4"}, "info.json lacks or garbles"),
        ({"features": {}}, "no feature of type video"),
        (
            {"features": {CAMERA: {"dtype": "video"}, "action": {"dtype": "float32", "shape": []}}},
            "actions has shape",
        ),
    ],
)
def test_a_dataset_that_cannot_be_read_at_all(dataset: Path, changes, reason: str):
    change_info(dataset, **changes)
    with pytest.raises(InputError, match=reason):
        next(read_lerobot(dataset, strict=False))


def test_an_unfinished_dataset_is_refused(dataset: Path):
    (dataset / "meta/info.json").unlink()
    with pytest.raises(InputError, match="not finished"):
        describe_lerobot(dataset)
    with pytest.raises(InputError, match="no such folder"):
        describe_lerobot(dataset / "nowhere")
    (dataset / "meta/info.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        describe_lerobot(dataset)
