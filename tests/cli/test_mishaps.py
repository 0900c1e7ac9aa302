"""What people do by accident: nothing of theirs is lost, and one line says what to do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def test_an_overlay_never_overwrites_its_source(videos: Path, tmp_path: Path, call):
    mine = tmp_path / "mine.mp4"
    shutil.copy(videos / "ball.mp4", mine)
    before = mine.read_bytes()
    done = call("perceive", mine, "--overlay", tmp_path)
    assert done.code == 2
    assert len(done.error_lines) == 1
    assert "would overwrite" in done.err
    assert mine.read_bytes() == before


def test_a_name_that_is_no_text_fails_alone(videos: Path, tmp_path: Path, call):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.mp4")
    shutil.copy(videos / "ball.mp4", odd)
    done = call("perceive", odd, videos / "ball.mp4", "--json")
    bad, good = done.answer["results"]
    assert done.code == 2
    assert "not valid UTF-8; rename it" in bad["error"]
    assert "error" not in good
    ingested = call("ingest", odd, videos / "ball.mp4", "--library", tmp_path / "lib", "--json")
    assert [r["status"] for r in ingested.answer["results"]] == ["failed", "added"]


def test_special_files_are_not_waited_for(videos: Path, tmp_path: Path, call):
    os.mkfifo(tmp_path / "pipe.mp4")
    done = call("ingest", tmp_path / "pipe.mp4", "--library", tmp_path / "lib")
    assert done.code == 2
    assert "is not a regular file" in done.err
    done = call("audit", videos / "ball.mp4", "--against", tmp_path / "pipe.mp4")
    assert done.code == 2
    assert "is not a regular file" in done.err


def test_a_tilde_is_a_name_like_any_other(videos: Path, tmp_path: Path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(videos / "ball.mp4", "~ball.mp4")
    done = call("ingest", "~ball.mp4", "~nobody/x.mp4", "--library", "lib", "--json")
    assert [r["status"] for r in done.answer["results"]] == ["added", "failed"]


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        ("surprise", "--seed", str(2**70)),
        ("surprise", "--seed", "-1"),
        ("surprise", "--start-s", "inf"),
        ("surprise", "--end-s", "nan"),
        ("perceive", "--seed", str(2**64)),
    ],
)
def test_numbers_out_of_range_name_their_option(
    command: str, option: str, value: str, videos: Path, call
):
    done = call(command, videos / "ball.mp4", option, value)
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith(f"worldline: error: {option} is ")


def test_a_forecast_that_fits_no_memory_is_refused_at_once(videos: Path, tmp_path: Path, call):
    done = call("predict", videos / "ball.mp4", "--out", tmp_path, "--horizon", "100000")
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert "too many for the memory; ask for at most 4096 frames in all" in done.err


def test_too_few_held_out_clips_are_refused_before_training(tmp_path: Path, call):
    done = call("train", "small", "--out", tmp_path / "run", "--held-out", "1")
    assert done.code == 2
    assert "--held-out is 1; trust is calibrated on 2 clips or more" in done.err
    assert not (tmp_path / "run").exists()


def test_a_group_of_commands_has_help(call):
    done = call("sim", "--help")
    assert done.code == 0
    assert "sim make" in done.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def recipe(:\n", "cannot be run (SyntaxError"),
        ("import nothing_of_that_name\n", "cannot be run (ModuleNotFoundError"),
        ("def recipe():\n    raise SystemExit(0)\n", "cannot be run (SystemExit"),
        ("def recipe():\n    return 5\n", "must define recipe()"),
    ],
)
def test_a_broken_recipe_is_named(text: str, words: str, tmp_path: Path, call):
    (tmp_path / "r.py").write_text(text)
    done = call("train", tmp_path / "r.py", "--out", tmp_path / "run")
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert words in done.err
    assert not (tmp_path / "run").exists()


def test_a_device_that_is_not_there_is_refused_at_once(tmp_path: Path, call):
    done = call("train", "small", "--out", tmp_path / "run", "--device", "banana")
    assert done.code == 2
    assert "--device is banana" in done.err
    assert not (tmp_path / "run").exists()
