"""Several suites on one subject: one that fails costs no other; the record is read again."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from worldline.audit.suites import Run, RunSettings, Subject, of_baseline, read_run, run_suites
from worldline.audit.suites import runs as runs_module
from worldline.audit.suites.runs import QUESTIONS, SUITES
from worldline.core import InputError

QUICK = RunSettings(seed=3, quick=True)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    known = {"tiny": "tests.tiny_suite", "twin": "tests.tiny_suite"}
    monkeypatch.setattr(runs_module, "SUITES", known)


def test_a_suite_runs_and_its_record_is_read_again(tmp_path):
    run = run_suites(of_baseline("flow-warp"), ("tiny",), QUICK)
    (result,) = run.results
    assert result.num_scenarios == 4
    assert result.seed == 3
    place = result.table("place_error")
    # Squares go on; warping follows them, and copying stays behind by the way of three frames.
    assert place.row("copy-last").cells["+3"].value >= 3
    assert place.row("flow-warp").cells["+3"].value < place.row("copy-last").cells["+3"].value / 2
    path = tmp_path / "all.json"
    path.write_text(json.dumps(run.to_json(), allow_nan=False))
    again = read_run(path)
    assert again.to_json() == run.to_json()
    assert again.attempts[0].processor_s > 0


def test_a_suite_that_fails_costs_no_other():
    calls = 0

    def predict(frames, horizon, seed):
        nonlocal calls
        calls += 1
        if calls == 1:
            raise InputError("frames.npz: no such file")
        return np.repeat(frames[-1:], horizon, axis=0)

    grown: list[Run] = []
    done: list[float] = []
    names = ("tiny", "twin")
    run = run_suites(
        Subject("unsteady", predict=predict),
        names,
        QUICK,
        on_progress=done.append,
        on_suite=grown.append,
    )
    assert run.attempts[0].error == "frames.npz: no such file"
    assert not run.attempts[0].bug
    assert [result.suite for result in run.results] == ["tiny"]
    assert [one.pending for one in grown] == [("twin",), ()]
    assert done == sorted(done)
    assert done[-1] == 1.0
    assert Run.from_json(run.to_json()).attempts[0].error == run.attempts[0].error


def test_what_cannot_take_part_is_told_apart_from_what_fails(capsys):
    (blind,) = run_suites(Subject("blind"), ("tiny",), QUICK).attempts
    assert "blind has no function predict" in blind.left_out
    assert not blind.error

    def predict(frames, horizon, seed):
        raise ZeroDivisionError("by nothing")

    (broken,) = run_suites(Subject("broken", predict=predict), ("tiny",), QUICK).attempts
    assert broken.bug
    assert "ZeroDivisionError: by nothing" in broken.error
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_an_unknown_suite_is_refused_before_any_runs():
    with pytest.raises(InputError, match="no suite cooking; there are: tiny, twin"):
        run_suites(of_baseline("copy-last"), ("tiny", "cooking"), QUICK)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is no JSON"),
        ("[]", "holds no results"),
        ('{"systems": {}}', "holds no results"),
        ('{"kind": "worldline/suites", "version": 99}', "version 99"),
        ('{"kind": "worldline/suites", "version": 1}', "holds no results"),
        ('{"kind": "worldline/suites", "version": 1, "seed": "x"}', "holds no results"),
        ('{"tables": [], "suite": "laws"}', "holds no results|version None"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, text, reason):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"other\.json: .*({reason})"):
        read_run(path)
    with pytest.raises(InputError, match=r"missing\.json: no such file"):
        read_run(tmp_path / "missing.json")


def test_a_single_result_reads_as_a_run_of_one(tmp_path):
    (result,) = run_suites(of_baseline("copy-last"), ("tiny",), QUICK).results
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(result.to_json()))
    (again,) = read_run(path).results
    assert again.to_json() == result.to_json()


@pytest.mark.parametrize("home", list(runs_module.SUITES.values()))
def test_every_suite_has_what_a_run_needs(home):
    module = importlib.import_module(home)
    settings = module.Settings(seed=2, quick=True, num_workers=1)
    assert (settings.seed, settings.quick, settings.num_workers) == (2, True, 1)
    assert callable(module.run)


def test_the_page_on_suites_asks_what_their_own_pages_ask():
    page = (Path(__file__).parents[3] / "docs" / "suites.md").read_text()
    for name in SUITES:
        assert f"| `{name}` | {QUESTIONS[name]} |" in page


def test_suites_side_by_side_say_the_same_and_keep_their_order():
    subject, names = of_baseline("flow-warp"), ("tiny", "twin")
    grown: list[Run] = []
    two = run_suites(subject, names, RunSettings(3, True, 2), on_suite=grown.append)
    one = run_suites(subject, names, RunSettings(3, True, 1))
    assert [a.suite for a in two.attempts] == [a.suite for a in one.attempts] == list(names)
    assert [r.to_json() for r in two.results] == [r.to_json() for r in one.results]
    assert sorted(len(run.pending) for run in grown) == [0, 1]
    assert all(a.processor_s > 0 for a in two.attempts)


def test_a_subject_of_this_process_is_asked_here_however_many_workers():
    here = Subject("here", predict=lambda frames, n, seed: np.repeat(frames[-1:], n, axis=0))
    run = run_suites(here, ("tiny", "twin"), RunSettings(3, True, 2))
    assert [a.error for a in run.attempts] == ["", ""]
