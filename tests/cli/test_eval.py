"""`worldline eval` on suites of physics: subjects, files, tables, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from worldline.audit.suites import runs as runs_module
from worldline.cli import eval as eval_module

MODEL = """
import numpy as np

def copy(frames, n):
    return np.repeat(frames[-1:], n, axis=0)

def fail(frames, n):
    raise RuntimeError("out of ideas")

class Knows:
    def encode(self, frames):
        return np.zeros((len(frames), 2))
"""


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    suites = {"tiny": "worldline.cli.eval_suites", "all": "worldline.cli.eval_suites"}
    monkeypatch.setattr(eval_module, "SUITES", suites)
    monkeypatch.setattr(runs_module, "SUITES", {"tiny": "tests.tiny_suite"})


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "theirs.py"
    path.write_text(MODEL)
    return str(path)


def test_the_suites_of_the_command_are_those_that_exist(monkeypatch):
    monkeypatch.undo()
    physics = {n for n, home in eval_module.SUITES.items() if home.endswith("eval_suites")}
    assert set(runs_module.SUITES) == physics - {"all"}


def test_somebodys_function_is_scored_with_page_and_record(call, model, tmp_path):
    out = tmp_path / "out"
    done = call("eval", "tiny", "--model", f"{model}:copy", "--quick", "--out", out, "--json")
    assert done.code == 0
    (result,) = done.answer["results"]
    assert result["subject"] == "copy"
    assert result["num_scenarios"] == 4
    assert json.loads((out / "tiny.json").read_text()) == done.answer
    page = (out / "tiny.html").read_text()
    assert "What copy gets right of physics" in page
    assert result["scenarios"] in page


def test_the_two_reports_are_printed_apart(call, model):
    done = call("eval", "tiny", "--model", f"{model}:copy", "--quick", "--seed", "1")
    assert done.code == 0
    physical, visual = done.out.split("visual report of copy")
    assert "physical report of copy" in physical
    assert "error of the middle, px; lower is better" in physical
    assert "goal of at most 0.5 px missed with" in physical
    assert "error of the pixels" in visual
    assert "copy-last" in visual
    assert "(baseline)" in visual
    assert "A quick run" in physical
    assert done.err.splitlines()[-1] == "evaluating tiny: 100 %"


def test_all_names_what_was_left_out_and_still_succeeds(call, model):
    done = call("eval", "all", "--model", f"{model}:Knows", "--quick")
    assert done.code == 0
    assert "tiny: left out; Knows has no function predict" in " ".join(done.out.split())


def test_one_suite_that_a_model_cannot_take_part_in_is_refused(call, model):
    done = call("eval", "tiny", "--model", f"{model}:Knows", "--quick")
    assert done.code == 2
    assert "error: Knows has no function predict" in done.err


def test_a_failing_suite_ends_with_its_reason(call, model, tmp_path):
    done = call("eval", "all", "--model", f"{model}:fail", "--out", tmp_path / "out", "--json")
    assert done.code == 2
    (result,) = done.answer["results"]
    assert result["error"].endswith("RuntimeError: out of ideas")
    assert "out of ideas" in (tmp_path / "out" / "index.html").read_text()


def test_a_folder_of_videos_is_written_and_scored(call, tmp_path):
    folder = tmp_path / "theirs"
    done = call("eval", "tiny", "--contexts", folder, "--quick", "--size-px", "32")
    assert done.code == 0
    assert "4 videos to be continued are in" in done.out
    done = call("eval", "tiny", "--videos", folder, "--quick")
    assert done.code == 2
    assert "4 of 4 continuations cannot be used" in done.error_lines[0]
    for path in (folder / "contexts").glob("*.npz"):
        last = np.load(path)["frames"][-1:]
        np.savez(folder / "continuations" / path.name, frames=last.repeat(3, axis=0))
    done = call("eval", "tiny", "--videos", folder, "--quick", "--json")
    assert done.code == 0
    rows = done.answer["results"][0]["tables"][0]["rows"]
    assert rows[0]["name"] == "theirs"
    assert rows[0]["cells"] == rows[1]["cells"]  # copy-last
    done = call("eval", "tiny", "--videos", folder)
    assert done.code == 2
    assert "were written for `eval tiny --seed 0 --quick`" in done.error_lines[0]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("cooking",), "no suite cooking; there are: tiny, all"),
        (("tiny", "--model", "missing.py:f"), "missing.py: there is no such file"),
        (("tiny", "--model", "nothing"), "name a model as FILE.py:NAME"),
        (("tiny", "--model", "a.py:f", "--world", "small"), "one thing is tested at a time"),
        (("tiny", "--contexts", "x", "--videos", "x"), "--contexts and --videos: one thing"),
        (("tiny", "--contexts", "x", "--size-px", "3"), "--size-px is 3"),
        (("tiny", "--videos", "nowhere"), "write contexts first, with --contexts"),
        (("tiny", "--calibrate"), "--calibrate: is for the suite retrieval"),
        (("tiny", "--workers", "0"), "--workers is 0"),
        (("tiny", "--world", "nowhere"), "nowhere"),
    ],
)
def test_bad_input_is_told_in_a_line(call, words, reason):
    done = call("eval", *words)
    assert done.code == 2
    (line,) = done.error_lines
    assert reason in line
