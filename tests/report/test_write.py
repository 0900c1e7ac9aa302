from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from worldline.report import ReportFacts, describe_report, write_report
from worldline.report.facts import finite
from worldline.report.words import state_findings


def refuse(name: str) -> float:
    raise AssertionError(f"{name} is not JSON")


def test_json_holds_the_same_facts(facts: ReportFacts, tmp_path: Path) -> None:
    page = write_report(tmp_path / "deep" / "folder", facts)
    assert page == tmp_path / "deep" / "folder" / "index.html"
    text = (page.parent / "report.json").read_text(encoding="utf-8")
    record = json.loads(text, parse_constant=refuse)
    assert record == describe_report(facts)
    assert record["findings"] == list(state_findings(facts))
    assert [s["seconds"] for s in record["stages"]] == [1.5, 2.5]
    assert record["total_s"] == 4.0
    assert sorted(p.name for p in page.parent.iterdir()) == ["index.html", "report.json"]


def test_tracks_are_as_seen(facts: ReportFacts) -> None:
    tracks = describe_report(facts)["clips"][0]["tracks"]
    assert [t["id"] for t in tracks] == [4, 7]
    assert tracks[0]["x"] == pytest.approx(np.linspace(0, 100, 11))
    assert len(tracks[1]["time_s"]) == 8  # three frames hidden
    assert tracks[1]["x_std"] == [1.5] * 8
    assert tracks[0]["w"] == [8.0] * 11


def test_forecast_is_told_without_pixels(facts: ReportFacts) -> None:
    first = describe_report(facts)["forecasts"][0]
    assert first["forecast"]["trust"] == 0.04
    assert first["psnr_db"]["constant velocity"] == [29.0, None, 24.0, 26.5]
    assert first["panels"][1]["film"]["provenance"]["origin"] == "generated"
    assert first["panels"][1]["film"]["num_frames"] == 6


def test_a_nan_becomes_null(facts: ReportFacts) -> None:
    events = describe_report(facts)["clips"][0]["events"]
    assert events[1]["quantities"] == {"height_m": None}
    value = finite({"a": [np.nan, np.float64(1.5), np.int64(2)], "b": np.array([1.0, np.inf])})
    assert value == {"a": [None, 1.5, 2], "b": [1.0, None]}
    assert type(value["a"][1]) is float


def test_an_empty_report_is_written(empty_facts: ReportFacts, tmp_path: Path) -> None:
    write_report(tmp_path, empty_facts)
    record = json.loads((tmp_path / "report.json").read_text())
    assert record["world"] is None
    assert record["clips"][0]["tracks"] == record["forecasts"] == record["searches"] == []


def test_writing_again_replaces(facts: ReportFacts, empty_facts: ReportFacts, tmp_path: Path):
    (tmp_path / "mine.txt").write_text("stays")
    write_report(tmp_path, facts)
    write_report(tmp_path, empty_facts)
    assert json.loads((tmp_path / "report.json").read_text())["searches"] == []
    assert (tmp_path / "mine.txt").read_text() == "stays"
