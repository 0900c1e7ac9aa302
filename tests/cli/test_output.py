"""What every command shares."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from worldline.cli import output
from worldline.core import InputError, MediaError


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Fake:
    """A command that does what a test wants."""

    answer: Any
    json: bool = True
    seed: int = 0

    def run(self) -> dict[str, Any]:
        print("chatter of a library")
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def show(self, answer: dict[str, Any], console: Any) -> None:
        console.print(f"found {sorted(answer)}")


def test_strict_json():
    value = {
        "nan": float("nan"),
        "inf": [1.5, -np.inf],
        "array": np.array([[1.0, np.nan]]),
        "float32": np.float32(0.5),
        "int": np.int64(3),
        "bool": np.bool_(True),
        "path": Path("a") / "b",
        "enum": Colour.RED,
        "tuple": (1, "x", None, True),
        3: "number as a key",
    }
    assert json.loads(output.to_text(value)) == {
        "nan": None,
        "inf": [1.5, None],
        "array": [[1.0, None]],
        "float32": 0.5,
        "int": 3,
        "bool": True,
        "path": str(Path("a") / "b"),
        "enum": "red",
        "tuple": [1, "x", None, True],
        "3": "number as a key",
    }


def test_what_json_has_not_is_a_bug():
    with pytest.raises(TypeError, match="object cannot be written as JSON"):
        output.to_text({"x": object()})


def test_chatter_stays_out_of_the_document(capsys: pytest.CaptureFixture[str]):
    assert output.execute(Fake({"x": 1})) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"x": 1}
    assert captured.err == "chatter of a library\n"


def test_answers_are_shown_to_a_person(capsys: pytest.CaptureFixture[str]):
    assert output.execute(Fake({"x": 1}, json=False)) == 0
    assert capsys.readouterr().out == "found ['x']\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("two\nlines"), "two lines"),
        (MediaError("a.mp4", "is empty"), "a.mp4: is empty"),
        (FileNotFoundError(2, "No such file", "out"), "out: No such file"),
        (OSError("disk on fire"), "disk on fire"),
    ],
)
def test_bad_input_is_one_line(error: Exception, line: str, capsys: pytest.CaptureFixture[str]):
    assert output.execute(Fake(error)) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"error": line}
    assert captured.err.splitlines()[1:] == [f"worldline: error: {line}"]


def test_a_bug_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        output.execute(Fake(ZeroDivisionError()))


def test_batch_keeps_the_order_and_tells_bad_input_from_bugs(capsys: pytest.CaptureFixture[str]):
    parts: list[float] = []

    def work(path: str, report: Any) -> dict[str, Any]:
        report(0.5)
        parts.append(0.5)
        match path:
            case "bad":
                raise InputError("cannot be used")
            case "bug":
                raise ZeroDivisionError("oh")
            case "damaged":
                return {"tracks": [], "error": "bad: its end is missing"}
        return {"length": len(path)}

    def batch(*paths: str) -> dict[str, Any]:
        return output.for_each_file(paths, work, doing="testing")

    assert batch("good", "bad", "damaged", "fine") == {
        "results": [
            {"source": "good", "length": 4},
            {"source": "bad", "error": "bad: cannot be used"},
            {"source": "damaged", "tracks": [], "error": "damaged: bad: its end is missing"},
            {"source": "fine", "length": 4},
        ]
    }
    assert len(parts) == 4
    assert capsys.readouterr().err.splitlines() == [
        "worldline: error: bad: cannot be used",
        "worldline: error: damaged: bad: its end is missing",
    ]
    answer = batch("bug", "good")
    assert answer["results"][0]["error"].startswith("bug: unexpected ZeroDivisionError: oh")
    assert answer["results"][1] == {"source": "good", "length": 4}
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert output.execute(Fake(batch("good"))) == 0
    assert output.execute(Fake(batch("good", "bad"))) == 2
    assert output.execute(Fake(batch("bad", "bug"))) == 1


def test_an_empty_batch_is_bad_input():
    with pytest.raises(InputError, match="no video given"):
        output.for_each_file((), lambda path, report: {}, doing="testing")


def test_track_yields_all_and_draws_on_terminals_only(monkeypatch, capsys):
    assert list(output.track(iter("abc"), "testing", total=3)) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert list(output.track([1, 2], "testing")) == [1, 2]
    assert "testing" in capsys.readouterr().err


def test_progress_is_told_in_lines_where_there_is_no_terminal(capsys):
    with output.progress("evaluating tiny", 40, lines=True) as set_done:
        assert capsys.readouterr().err == ""
        for done in (0.1, 0.2, 3, 4, 3, 39.9, 40, 41):
            set_done(done)
    told = [line.removeprefix("evaluating tiny: ") for line in capsys.readouterr().err.splitlines()]
    assert told == ["0 %", "5 %", "10 %", "95 %", "100 %"]
    for total, lines in ((40, False), (None, True)):
        with output.progress("evaluating tiny", total, lines=lines) as set_done:
            set_done(40)
        assert capsys.readouterr().err == ""
