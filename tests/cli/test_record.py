"""Recording from the command line: a dataset that can be read back, mistakes in one line."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_env import TinyEnv

from worldline.data.lerobot import read_lerobot

ENV = "tests.tiny_env:worldline-tests/Tiny-v0"


@pytest.fixture(autouse=True)
def _count_anew(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(TinyEnv, "num_resets", 0)


def test_a_recording_is_a_dataset(tmp_path: Path, call):
    arguments = ("record", "--env", ENV, "--episodes", 3, "--size", 32, "--seed", 4, "--json")
    done = call(*arguments, "--out", tmp_path / "a")
    assert (done.code, done.err) == (0, "")
    answer = done.answer
    assert {k: answer[k] for k in ("env", "episodes", "frames", "fps", "size_px", "seed")} == {
        "env": ENV,
        "episodes": 3,
        "frames": 24,
        "fps": 10,
        "size_px": 32,
        "seed": 4,
    }
    assert answer["actions"]["num_actions"] == [3]
    assert answer["quarantined"] == {"num": 0, "fields": {}, "episodes": []}
    episodes = list(read_lerobot(tmp_path / "a"))
    assert [e.frames.shape for e in episodes] == [(8, 32, 32, 3)] * 3
    call(*arguments, "--out", tmp_path / "b")
    for one, other in zip(episodes, read_lerobot(tmp_path / "b"), strict=True):
        np.testing.assert_array_equal(one.actions, other.actions)
        np.testing.assert_array_equal(one.frames, other.frames)
    assert (tmp_path / "a" / answer["files"][0]).is_file()


def test_what_a_person_reads(tmp_path: Path, call):
    out = tmp_path / "set"
    done = call("record", "--env", ENV, "--every", 2, "--max-frames", 3, "--out", out)
    assert done.out.splitlines() == [
        "1 episode, 3 frames at 5 frames/s, 64 pixels",
        "actions: action_0, action_1, action_2",
        f"dataset: {out}",
    ]


def test_a_broken_episode_is_told_and_counted(tmp_path: Path, call, monkeypatch):
    step = TinyEnv.step

    def fall(self: TinyEnv, action):
        self.broken = (1,)
        return step(self, action)

    monkeypatch.setattr(TinyEnv, "step", fall)
    done = call("record", "--env", ENV, "--episodes", 2, "--out", tmp_path / "set")
    assert done.code == 0
    assert "worldline: left out: " in done.err
    assert "episode 1: environment failed in step 3 (RuntimeError: the block fell off)" in done.err
    assert "left out: 1 episode\n" in done.out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--episodes", "0"], "--episodes and --every must be at least 1"),
        (["--size", "63"], "--size is 63; it must be even"),
        (["--max-frames", "1"], "--max-frames is 1"),
        (["--fps", "nan"], "--fps is nan"),
        (["--env", "No/Such-v0"], "No/Such-v0: cannot be made"),
        (["--env", "worldline-tests/Blind-v0"], "cannot draw its frames"),
        (["--env", "worldline-tests/Timeless-v0"], "name one with fps"),
    ],
)
def test_mistakes_take_one_line(tmp_path: Path, call, arguments: list[str], reason: str):
    done = call("record", "--env", ENV, "--out", tmp_path / "set", *arguments)
    assert (done.code, done.out) == (2, "")
    assert len(done.error_lines) == 1
    assert reason in done.err


def test_a_full_folder_is_left_alone(tmp_path: Path, call):
    (tmp_path / "mine.txt").write_text("mine")
    done = call("record", "--env", ENV, "--out", tmp_path)
    assert done.code == 2
    assert "is not an empty folder" in done.err
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


@pytest.fixture
def heard():
    """Stops from the keyboard are heard, also where the tests run in a shell's background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _stopping_after(resets: int, monkeypatch: pytest.MonkeyPatch):
    """An environment that is interrupted in an episode, as by Ctrl-C."""
    step = TinyEnv.step

    def stopped(self: TinyEnv, action):
        if self.number == resets and self.steps == 2:
            signal.raise_signal(signal.SIGINT)
        return step(self, action)

    monkeypatch.setattr(TinyEnv, "step", stopped)


@pytest.mark.usefixtures("heard")
def test_a_stopped_recording_keeps_whole_episodes(tmp_path: Path, call, monkeypatch):
    _stopping_after(3, monkeypatch)
    done = call("record", "--env", ENV, "--episodes", 50, "--out", tmp_path / "set")
    assert (done.code, done.out) == (130, "")
    assert done.err.splitlines() == [
        f"worldline: {tmp_path / 'set'} is a dataset of 3 episodes, of 50",
        "worldline: stopped",
    ]
    assert [e.num_frames for e in read_lerobot(tmp_path / "set")] == [8] * 3


def test_a_recording_that_is_stopped_while_it_writes_ends_after_that(
    tmp_path: Path, call, monkeypatch
):
    from worldline.data import lerobot_write

    real = lerobot_write.layout.picture_stats

    def stopped(frames):
        signal.raise_signal(signal.SIGTERM)
        return real(frames)

    monkeypatch.setattr(lerobot_write.layout, "picture_stats", stopped)
    done = call("record", "--env", ENV, "--episodes", 50, "--out", tmp_path / "set")
    assert done.code == 143
    assert "is a dataset of 1 episode, of 50" in done.err
    assert [e.num_frames for e in read_lerobot(tmp_path / "set")] == [8]


@pytest.mark.usefixtures("heard")
def test_a_recording_that_is_stopped_in_its_first_episode_leaves_nothing(
    tmp_path: Path, call, monkeypatch
):
    _stopping_after(0, monkeypatch)
    done = call("record", "--env", ENV, "--episodes", 50, "--out", tmp_path / "set")
    assert (done.code, done.err) == (130, "worldline: stopped\n")
    assert not (tmp_path / "set").exists()


def test_half_a_dataset_is_said_to_be_one(tmp_path: Path, call):
    (tmp_path / "set" / "meta" / "episodes" / "chunk-000").mkdir(parents=True)
    for command in (
        ("record", "--env", ENV, "--out", tmp_path / "set"),
        ("train", "play", "--data", tmp_path / "set", "--out", tmp_path / "run"),
    ):
        done = call(*command)
        assert done.code == 2
        assert "broken off and cannot be read; delete it and record again" in done.error_lines[0]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise KeyError('no model')", "the policy failed (KeyError: 'no model')"),
        ("return 3", "the policy gave a int; it must give a function"),
        ("return lambda seen: 1 / 0", "failed to choose an action (ZeroDivisionError"),
        ("return lambda seen: 'up'", "the policy chose 'up', which is not in Discrete(3"),
    ],
)
def test_a_policy_that_fails_takes_one_line(
    tmp_path: Path, call, monkeypatch, body: str, reason: str
):
    name = f"wrong_{abs(hash(body))}"
    (tmp_path / f"{name}.py").write_text(f"def play(generator):\n    {body}\n")
    monkeypatch.chdir(tmp_path)
    done = call("record", "--env", ENV, "--policy", f"{name}:play", "--out", tmp_path / "set")
    assert (done.code, done.out) == (2, "")
    assert len(done.error_lines) == 1
    assert reason in done.err
