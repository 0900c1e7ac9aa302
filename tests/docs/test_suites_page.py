"""The page on suites: its commands are understood, its code runs, the example is scored."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from worldline.audit.suites import load_subject
from worldline.audit.suites.runs import SUITES
from worldline.cli.main import main
from worldline.data import write_video
from worldline.sim import make_clip

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "suites.md").read_text()
MODEL = "examples/their_model.py:Adapter"
LINES = re.findall(r"^    (worldline .+)$", PAGE, re.MULTILINE)


def test_every_suite_is_on_the_page():
    for suite in SUITES:
        assert f"| `{suite}` |" in PAGE


def test_the_code_on_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    clip = make_clip("disc_uniform", 0, seed=4)
    write_video(tmp_path / "drop.mp4", clip.frames, time_s=clip.time_s, provenance=clip.provenance)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(code, "suites.md", "exec"), {"__name__": "page"})
    printed = capsys.readouterr().out
    assert printed.startswith("True  None None")
    assert "[True, False]" in printed


@pytest.mark.parametrize("line", LINES)
def test_the_commands_on_the_page_are_understood(line: str, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [word for word in line.split()[1:] if word != "diff"]
    if words[0] == "eval" and "diff" not in line:
        words[1] = "cooking"  # refused before anything is run
    words = words if "diff" not in line else ["eval", "diff", *words[1:]]
    assert main(words) == 2
    refused = capsys.readouterr().err
    assert "Unrecognized" not in refused
    reason = "no suite cooking" if "cooking" in words else "o such file"
    assert reason in refused


def test_the_example_is_thirty_lines_and_continues_frames():
    text = (ROOT / MODEL.partition(":")[0]).read_text()
    assert len(text.splitlines()) <= 35
    predict = load_subject(f"{ROOT}/{MODEL}").need("predict", "test")
    frames = np.full((3, 8, 8, 3), 100, dtype=np.uint8)
    frames[:, :, :, 0] += np.array([0, 10, 20], dtype=np.uint8)[:, None, None]
    ahead = predict(frames, 2, 0)
    assert ahead.shape == (2, 8, 8, 3)
    # The last change was 10 levels; four fifths of it are added each time, ever less.
    assert ahead[:, 0, 0].tolist() == [[128, 100, 100], [134, 100, 100]]


def test_the_example_is_scored_by_the_suite(tmp_path, capsys):
    out = tmp_path / "theirs"
    words = ["--model", f"{ROOT}/{MODEL}", "--quick", "--workers", "1", "--out", str(out)]
    assert main(["eval", "laws", *words]) == 0
    assert "physical report of their model" in capsys.readouterr().out
    assert "their model" in (out / "laws.html").read_text()
