"""`worldline eval diff` on files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from worldline.audit.suites import (
    Better,
    Report,
    Row,
    RowKind,
    Run,
    SuiteResult,
    Table,
    mean_cell,
)
from worldline.audit.suites.runs import Attempt


def write(path: Path, subject: str, shift: float, num: int = 16) -> Path:
    errors = np.random.default_rng(0).exponential(1.0, size=num) + shift
    row = Row(subject, RowKind.SUBJECT, {"+8": mean_cell(errors)})
    copy = Row("copy-last", RowKind.BASELINE, {"+8": mean_cell(errors + 1)})
    table = Table("place_error", "error", Report.PHYSICAL, "px", Better.LOWER, ("+8",), (row, copy))
    result = SuiteResult("laws", subject, (table,), "ab", num, 0)
    path.write_text(json.dumps(Run(subject, (Attempt("laws", result),)).to_json()))
    return path


def test_a_better_model_is_called_better(call, tmp_path):
    a, b = write(tmp_path / "a.json", "old", 1.0), write(tmp_path / "b.json", "new", 0.5)
    done = call("eval", "diff", a, b)
    assert done.code == 0
    assert "A: old   B: new" in done.out
    assert "better" in done.out
    assert "1 of 1 numbers compared scenario by scenario" in done.out
    assert "the baseline copy-last differs too" in " ".join(done.out.split())
    answer = call("eval", "diff", a, b, "--json").answer
    assert answer["differences"][0]["judgement"] == "better"
    assert answer["differences"][0]["difference"] == pytest.approx(-0.5, abs=1e-3)


def test_scenarios_that_are_too_few_are_said(call, tmp_path):
    a = write(tmp_path / "a.json", "old", 1.0, num=3)
    b = write(tmp_path / "b.json", "new", 0.5, num=3)
    told = " ".join(call("eval", "diff", a, b).out.split())
    assert "1 of the numbers: 3 scenarios or fewer" in told
    assert "Ask both without --quick" in told
    assert "or fewer" not in call("eval", "diff", a, a).out


def test_a_file_that_is_none_is_named(call, tmp_path):
    a = write(tmp_path / "a.json", "old", 1.0)
    other = tmp_path / "other.json"
    other.write_text('{"systems": {}}')
    done = call("eval", "diff", a, other)
    assert done.code == 2
    assert done.error_lines == [f"worldline: error: {other}: holds no results of suites"]
    done = call("eval", "diff", a, tmp_path / "missing.json", "--json")
    assert done.code == 2
    assert "missing.json: no such file" in done.answer["error"]


def test_the_help_of_eval_is_its_own(call):
    assert "SUITE" in call("eval", "--help").out
    assert "A.json" in call("eval", "diff", "--help").out
