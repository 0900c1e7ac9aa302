"""The page of suites: two reports, every number, nothing from outside."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from tests.report.test_page import Reader

from worldline.audit.suites import (
    Better,
    Cell,
    Report,
    Row,
    RowKind,
    Run,
    RunSettings,
    SuiteResult,
    Table,
    mean_cell,
    share_cell,
)
from worldline.audit.suites.runs import Attempt
from worldline.report.suites import build_suites, write_suites

COLUMNS = ("+1", "+8")


def around(value: float, seed: int) -> Cell:
    rng = np.random.default_rng(seed)
    return mean_cell(value * np.abs(1 + 0.2 * rng.normal(size=12)))


@pytest.fixture(scope="module")
def run() -> Run:
    places = Table(
        "place_error",
        "error of <places>",
        Report.PHYSICAL,
        "px",
        Better.LOWER,
        COLUMNS,
        (
            Row("small", RowKind.SUBJECT, {"+1": around(0.2, 1), "+8": around(3.0, 2)}),
            Row("copy-last", RowKind.BASELINE, {"+1": around(1.0, 3), "+8": around(9.0, 4)}),
            Row("a paper's", RowKind.PUBLISHED, {"+8": Cell(2.0)}),
        ),
        {"+1": 0.5, "+8": 1.0},
        "How to read <it>.",
    )
    shares = Table(
        "found",
        "share found again",
        Report.VISUAL,
        "",
        Better.HIGHER,
        ("drop", "roll", "throw"),
        (
            Row("small", RowKind.SUBJECT, {"drop": share_cell([1, 1, 0, 1])}),
            Row("truth", RowKind.CEILING, {"drop": share_cell([1, 1, 1, 1])}),
        ),
    )
    result = SuiteResult(
        "laws", "small", (places, shares), "0123456789abcdef", 12, 7, {"horizon": 8}, ("A note.",)
    )
    attempts = (
        Attempt("laws", result, wall_s=12.3, processor_s=45.6),
        Attempt("probes", left_out="small has no function encode"),
        Attempt("monitor", error="it broke & stopped"),
    )
    return Run(
        "small",
        attempts,
        RunSettings(7, True, 2),
        ("transfer",),
        "worldline 1.2.3",
        "2026-01-02T03:04:05+00:00",
        "a machine",
    )


def read(run: Run) -> Reader:
    reader = Reader()
    reader.feed(build_suites(run))
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_is_whole_and_asks_for_nothing(run: Run):
    page = read(run)
    html = build_suites(run)
    assert "http://" not in html
    assert "https://" not in html
    assert "default-src 'none'" in html
    wanted = {value[1:] for value in page.values("href", tag="a")}
    assert wanted == {"physical", "visual", "made"}
    assert wanted <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    drawings = [v for t, n, v in page.attributes if t == "svg" and n in ("role", "aria-hidden")]
    assert len(drawings) == page.tags["svg"]


def test_everything_a_reader_asks_is_said(run: Run):
    text = " ".join("".join(read(run).text).split())
    for words in (
        "1 suite on 12 scenarios",
        "1 of 2 goals reached",
        "A quick run",
        "Not finished: transfer still to come",
        "monitor failed: it broke & stopped",
        "probes was left out: small has no function encode",
        "hash 0123456789abcdef, seed 7",
        "Error of <places> in px",
        "measured elsewhere",
        "How to read <it>.",
        "A note.",
        "45.6\u202fs".replace("\u202f", " "),
        "worldline 1.2.3; a machine; 2 workers",
        "laws: horizon 8",
        "detectable difference",
    ):
        assert words in text.replace("\u202f", " "), words


def test_numbers_stand_with_intervals_and_goals(run: Run):
    page = read(run)
    cell = run.results[0].table("place_error").row("small").cells["+8"]
    text = "".join(page.text)
    assert f"{cell.value:.3g}" in text
    assert f"{cell.low:.3g} to {cell.high:.3g}" in text
    labels = page.values("aria-label")
    assert "goal 0.5 reached" in labels
    assert "goal 1 missed" in labels
    wide, narrow = (label for label in labels if label.startswith("+1: "))
    assert wide == narrow
    assert "+8: goal at most 1; small" in wide
    assert "a paper's 2" in wide


def test_drawings_are_text_in_the_colours_of_the_page(run: Run):
    html = build_suites(run)
    assert html.count('class="figure broad"') == html.count('class="figure slim"') == 2
    drawing = html.split('class="figure broad"')[1].split("</svg>")[0]
    words = re.sub("<[^>]*>", "\n", drawing)
    for told in ("+8", "small", "copy-last (baseline)", "goal", "of &lt;places&gt; in px"):
        assert told in words
    assert "var(--accent)" in drawing
    assert not re.findall(r"(?:fill|stroke): #\w+", drawing)
    assert build_suites(run) == html  # the same to the letter


def test_the_reports_hold_their_own_tables(run: Run):
    html = build_suites(run)
    physical, visual = html.split('<section id="visual">')
    assert "found again" not in physical.split('<section id="physical">')[1]
    assert "&lt;places&gt;" not in visual.split('<section id="made">')[0]


def test_an_empty_run_still_reads(tmp_path):
    path = write_suites(tmp_path / "new", Run("nobody", pending=("laws",)), "laws")
    assert path.name == "laws.html"
    assert "What nobody gets right of physics" in path.read_text()


def test_a_visual_run_says_nothing_of_physics(run: Run):
    visual = [
        replace(
            a,
            result=replace(
                a.result, tables=(next(t for t in a.result.tables if t.report == "visual"),)
            ),
        )
        for a in run.attempts
        if a.result and any(t.report == "visual" for t in a.result.tables)
    ]
    assert visual
    html = build_suites(replace(run, attempts=tuple(visual)))
    assert "gets right</h1>" in html
    assert "gets right of physics</h1>" in build_suites(run)


def test_a_table_without_numbers_says_so(run: Run):
    (done, *_) = run.attempts
    assert done.result is not None
    (places, _) = done.result.tables
    nothing = replace(places, rows=(Row("small", RowKind.SUBJECT, {"+1": Cell(float("nan"))}),))
    bare = replace(done, result=replace(done.result, tables=(nothing,)))
    text = "".join(read(replace(run, attempts=(bare,))).text)
    assert "Nothing could be measured here." in text


def test_rounding_errors_do_not_stretch_a_logarithmic_axis(run: Run):
    (done, *_) = run.attempts
    assert done.result is not None
    (places, _) = done.result.tables
    exact = Row("exact", RowKind.CEILING, {"+1": Cell(1e-15, 0.0, 2e-15), "+8": Cell(2e-15)})
    wide = replace(places, rows=(*places.rows, exact))
    html = build_suites(
        replace(run, attempts=(replace(done, result=replace(done.result, tables=(wide,))),))
    )
    assert "next to nothing stands at the left edge" in html
    drawings = "".join(re.findall(r"<text[^>]*>[^<]*|<path[^>]*>", html))
    assert "nan" not in drawings
    assert "1e-15" not in drawings
