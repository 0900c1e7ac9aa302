"""The page of real footage: its pictures, its counts and its commands."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

from worldline.cli.main import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "footage.md").read_text()


def test_the_pictures_are_there_and_small():
    pictures = [ROOT / "docs" / name for name in re.findall(r"!\[[^]]+\]\(([^)]+)\)", PAGE)]
    assert len(pictures) == 2
    assert sum(picture.stat().st_size for picture in pictures) < 400_000


@pytest.mark.parametrize("video", ["demo.mp4", "bikes.mp4"])
def test_the_counts_are_those_of_the_benchmark(video, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    counted = runpy.run_path(str(ROOT / "benchmarks" / "real_footage.py"))["BY_EYE"][video]
    part = next(text for text in PAGE.split("## ") if f"({video}," in text)
    told = [int(number) for number in re.findall(r"^\|[^|]+\| (\d+) \|$", part, re.MULTILINE)]
    assert told == [counted["things"], *counted["tracks"].values()]


def test_the_commands_are_understood(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (line,) = [line for line in PAGE.splitlines() if line.startswith("    worldline ")]
    assert main(line.split()[1:]) == 2
    assert "footage/demo.mp4: no such file" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["draw_footage.py", "--help"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(str(ROOT / "tools" / "draw_footage.py"), run_name="__main__")
    for name in re.findall(r"python (tools/\S+)", PAGE):
        assert (ROOT / name).is_file()
