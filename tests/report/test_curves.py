"""Curves over frames ahead."""

from __future__ import annotations

import pytest

from worldline.audit.suites import Better, Cell, Report, Row, RowKind, Table
from worldline.report.curves import draw_curves, moments_of
from worldline.report.intervals import draw_table
from worldline.report.marks import LAYOUTS, Scale


def table(columns: tuple[str, ...], goals: dict[str, float] | None = None) -> Table:
    cells = {c: Cell(1.0 + k, 0.5 + k, 1.5 + k, 9) for k, c in enumerate(columns)}
    rows = (
        Row("small", RowKind.SUBJECT, cells),
        Row("copy-last", RowKind.BASELINE, {columns[0]: Cell(7.0)}),
    )
    better = Better.LOWER
    return Table("e", "error", Report.VISUAL, "px", better, columns, rows, goals or {})


@pytest.mark.parametrize(
    ("columns", "moments"),
    [
        (("+1", "+8", "+24"), (1, 8, 24)),
        (("+1", "+8"), None),
        (("+8", "+1", "+24"), None),
        (("+1", "+8", "all"), None),
        (("+0", "+8", "+24"), None),
    ],
)
def test_columns_of_frames_ahead_are_known(columns, moments):
    assert moments_of(table(columns)) == moments


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.kind)
def test_each_system_has_a_curve_through_its_numbers(layout):
    drawn = table(("+1", "+8", "+24"), {"+24": 2.0})
    scale = Scale(drawn, drawn.rows)
    (axes,) = draw_curves(drawn, drawn.rows, scale, (1, 8, 24), layout).axes
    curves = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 3]
    assert list(curves[0]) == [1.0, 2.0, 3.0]
    assert list(curves[1][:1]) == [7.0]
    assert list(curves[-1][2:]) == [2.0]  # the goal
    assert axes.get_xscale() == "log"


def test_the_page_draws_curves_for_them_alone():
    assert "frames ahead" in draw_table(table(("+1", "+8", "+24")))
    assert "frames ahead" not in draw_table(table(("uniform", "collision", "parabola")))
