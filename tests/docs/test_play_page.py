"""What the page on playing says of the protocol is what server and page do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from worldline.core import InputError
from worldline.serve.play.config import PlayConfig
from worldline.serve.play.files import read_file
from worldline.serve.play.messages import parse
from worldline.serve.play.pictures import HEADER, VERSION

PAGE = (Path(__file__).parents[2] / "docs" / "play.md").read_text()


def test_the_types_on_the_page_are_those_that_are_understood():
    try:
        parse('{"type": ""}')
        raise AssertionError("there is no such type")
    except InputError as error:
        known = str(error).partition("there are ")[2].split(", ")
    listed = re.findall(r"^\| `(\w+)` \| (?:`|\|| )", PAGE, flags=re.MULTILINE)
    protocol = [name for name in listed if name not in ("stick", "pointer", "keys")]
    assert protocol == known


def test_the_header_is_of_one_size_everywhere():
    assert HEADER.size == 40
    assert f"| {HEADER.size} | float32 x A |" in PAGE
    assert f"HEADER_BYTES = {HEADER.size};" in read_file("wire.js")
    assert f"view.getUint8(0) !== {VERSION}" in read_file("wire.js")


def test_the_limits_on_the_page_are_the_defaults():
    config = PlayConfig("small")
    for text in (
        f"| {config.max_players} sessions |",
        f"| {config.idle_s / 60:g} minutes without a message |",
        f"| {config.max_s / 60:g} minutes |",
        f"| {config.resume_s:g} s for a lost connection",
        f"| {config.max_rewind} frames to go back, {config.rewind_mb} MiB",
        f"| a recording of {config.max_film} frames, {config.max_films} of them |",
    ):
        assert text in PAGE, text


def test_what_the_page_names_in_messages_can_be_sent():
    assert parse(json.dumps({"type": "fork", "other": "none"})).fields == {"other": "none"}


def test_an_environment_in_the_working_directory_is_recorded_as_typed(tmp_path: Path):
    (code,) = re.findall(r"In `lamp.py`.*?```python\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "lamp.py").write_text(code)
    (tmp_path / "ways.py").write_text("def right(rng):\n    return lambda seen: 2\n")
    (line,) = re.findall(r"^    worldline (record --env lamp.*)", PAGE, flags=re.MULTILINE)
    words = line.replace("--episodes 60", "--episodes 1 --policy ways:right").split()
    # As the installed script does it, -P keeps the working directory out of sys.path.
    done = subprocess.run(
        [sys.executable, "-P", "-m", "worldline.cli.main", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "1 episode, 60 frames at 10 frames/s, 64 pixels"


def test_the_code_on_the_page_runs_as_it_stands():
    (block,) = re.findall(r"^## In Python\n\n((?:    .*\n|\n)+)", PAGE, flags=re.MULTILINE)
    code = textwrap.dedent(block)
    found: dict[str, Any] = {}
    exec(compile(code, "play.md", "exec"), found)
    assert found["frame"].shape == (64, 64, 3)
    assert 0.0 <= found["trust"] <= 1.0
