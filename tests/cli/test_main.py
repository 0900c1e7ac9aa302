"""The program as a whole: help, exit codes, one line for each mistake, strict JSON."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

import worldline
from worldline.cli.main import COMMANDS, Entry, help_text

from .conftest import BAD_FILES, run, start, strict_json

EACH_COMMAND = pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)


def test_help_lists_every_command_once_in_80_columns(call):
    done = call("--help")
    assert (done.code, done.err) == (0, "")
    assert done.out == help_text() + "\n"
    for entry in COMMANDS:
        (line,) = [s for s in done.out.splitlines() if s[2:].split("  ")[0] == entry.name]
        assert line.endswith(entry.summary)
    assert max(map(len, done.out.splitlines())) <= 80


def test_version(call):
    assert call("--version").out == f"worldline {worldline.__version__}\n"


@EACH_COMMAND
def test_command_is_a_frozen_dataclass_with_json_and_seed(entry: Entry):
    module, _, name = entry.home.partition(":")
    command = getattr(importlib.import_module(module), name)
    assert is_dataclass(command)
    assert command.__dataclass_params__.frozen
    assert {"json", "seed"} <= {field.name for field in fields(command)}


@EACH_COMMAND
def test_command_has_help(entry: Entry, call):
    done = call(*entry.name.split(), "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"usage: worldline {entry.name} ")
    assert "--json" in done.out
    assert "--seed" in done.out


def test_no_command_shows_the_help_and_fails(call):
    done = call()
    assert (done.code, done.out) == (2, "")
    assert done.err == help_text() + "\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["preceive", "a.mp4"], "no command `preceive`; did you mean `perceive`?"),
        (["xyzzy"], "no command `xyzzy`; see `worldline --help`"),
        (["--jsno"], "no command `--jsno`; see `worldline --help`"),
        (["sim"], "`sim` needs one more word: sim make; see `worldline --help`"),
        (["perceive", "--no-such-flag"], "Unrecognized options: --no-such-flag;"),
        (["perceive", "a.mp4", "--seed"], "Missing value for argument '--seed'."),
        (["perceive", "a.mp4", "--seed", "x"], "--seed is 'x'; it must be a whole number;"),
        (["perceive", "-a.mp4"], "-a.mp4 is read as an option; write ./-a.mp4 for the file"),
        (["predict", "a.mp4"], "--out"),
        (["perceive"], "no video given; name at least one file"),
        (["sim", "make", "--out", "x"], "no family given; `all`, or some of: drop, "),
        (
            ["sim", "make", "drip", "--out", "x"],
            "no family drip; did you mean drop? There are: drop, ",
        ),
        (["sim", "make", "drop", "--out", "x", "--clips", "0"], "--clips is 0; it must be"),
        (["sim", "make", "drop", "--out", "x", "--size-px", "63"], "--size-px is 63; it must be"),
        (["sim", "make", "drop", "--out", "x", "--split", "tain"], "--split"),
        (["info", "no-such-world"], "no world 'no-such-world'"),
        (["audit", "a.mp4", "--against", "nowhere.json"], "nowhere.json: No such file"),
    ],
)
def test_a_mistake_is_one_line_and_one_document(arguments: list[str], reason: str, call):
    plain = call(*arguments)
    assert (plain.code, plain.out) == (2, "")
    (line,) = plain.err.splitlines()
    assert line.startswith("worldline: error: ")
    assert reason in line
    as_json = call(*arguments, "--json")
    assert (as_json.code, as_json.err) == (2, plain.err)
    assert as_json.answer == {"error": line.removeprefix("worldline: error: ")}


def test_each_bad_file_fails_alone_and_the_batch_goes_on(videos: Path):
    """In a process of its own, as a script would call it."""
    good = str(videos / "ball.mp4")
    bad = [str(videos / name) for name in BAD_FILES]
    done = run("perceive", good, *bad, good, "--json")
    assert done.code == 2
    results = done.answer["results"]
    assert [result["source"] for result in results] == [good, *bad, good]
    assert results[0] == results[-1]
    assert "error" not in results[0]
    assert len(results[0]["tracks"]) == 1
    for path, result in zip(bad, results[1:-1], strict=True):
        assert result["error"].startswith(f"{path}: "), result
        assert "\n" not in result["error"]
        assert "bug" not in result, result
    assert done.error_lines == [f"worldline: error: {r['error']}" for r in results[1:-1]]
    assert done.err.splitlines() == done.error_lines


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("command", ["perceive", "audit"])
def test_a_bad_file_is_one_line(command: str, name: str, videos: Path, call):
    path = videos / name
    done = call(command, path)
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith(f"worldline: error: {path}: ")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_is_one_line(number: int, code: int, videos: Path, tmp_path: Path):
    many = [str(videos / "ball.mp4")] * 400
    process = start("perceive", *many, "--json", "--overlay", str(tmp_path))
    while not list(tmp_path.glob("*.mp4")):  # the first file is done: it is in the middle of it
        assert process.poll() is None, process.stderr and process.stderr.read()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert (out, err) == ("", "worldline: stopped\n")


def test_a_stopped_ingest_goes_on_and_says_so(videos: Path, tmp_path: Path, call):
    clips, library = tmp_path / "clips", tmp_path / "library"
    clips.mkdir()
    for number in range(60):
        shutil.copy(videos / "ball.mp4", clips / f"{number}.mp4")
    process = start("ingest", str(clips), "--library", str(library), "--json")
    while not (library / ".worldline.lock").exists():
        assert process.poll() is None, process.stderr and process.stderr.read()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (143, "")
    assert err == "worldline: stopped; the same command goes on where it was\n"
    done = call("ingest", clips, "--library", library, "--json")
    assert done.code == 0
    assert done.answer["added"] + done.answer["unchanged"] == 60


def test_a_reader_that_goes_away_is_no_error(videos: Path):
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = start("--help", stdout=write_end)
    os.close(write_end)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, "")


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_closed_streams_are_borne(closed: tuple[int, ...], videos: Path):
    """Without them the video would be opened in the place of standard output."""

    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    words = ["-m", "worldline.cli.main", "perceive", str(videos / "ball.mp4"), "missing", "--json"]
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, preexec_fn=close, check=False
    )
    assert done.returncode == 2
    assert (done.stdout == "") == (1 in closed)
    if 1 not in closed:
        assert len(strict_json(done.stdout)["results"]) == 2
    lines = [] if 2 in closed else ["worldline: error: missing: no such file"]
    assert done.stderr.splitlines() == lines


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_full_disk_behind_standard_output_is_named(options: list[str], videos: Path):
    with Path("/dev/full").open("w") as full:
        process = start("perceive", str(videos / "ball.mp4"), *options, stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    (line,) = err.splitlines()
    assert "standard output cannot be written (no space left on device)" in line


def test_the_installed_command_is_this_program():
    program = Path(sys.executable).with_name("worldline")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"worldline {worldline.__version__}\n"


def test_progress_bars_go_to_a_terminal_only(videos: Path, call):
    done = call("perceive", videos / "ball.mp4")
    assert done.err == ""
    assert "ball.mp4" in done.out


def test_strict_json_refuses_what_json_has_not():
    with pytest.raises(AssertionError, match="NaN"):
        strict_json('{"x": NaN}')
