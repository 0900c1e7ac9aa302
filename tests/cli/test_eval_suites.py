"""Tables of suites on a console: nothing is cut off."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from worldline.audit.suites import Better, Cell, Report, Row, RowKind, Run, SuiteResult, Table
from worldline.audit.suites.runs import Attempt
from worldline.cli.eval_suites import show


@pytest.mark.parametrize("width", [70, 80, 100, 140])
@pytest.mark.parametrize("num_columns", [2, 5, 6, 9])
def test_wide_tables_lose_no_number(width: int, num_columns: int):
    columns = tuple(f"collision_out_{k}" for k in range(num_columns))
    cells = {c: Cell(0.011 + k / 1000, 0.00992, 0.0128, 9) for k, c in enumerate(columns)}
    rows = [Row("small", RowKind.SUBJECT, cells)]
    rows += [
        Row(f"constant velocity of the true state {k}", RowKind.BASELINE, cells) for k in range(6)
    ]
    table = Table("e", "error", Report.PHYSICAL, "units/s", Better.LOWER, columns, tuple(rows))
    result = SuiteResult("laws", "small", (table,), "00", 9, 0)
    text = io.StringIO()
    show(
        Run("small", (Attempt("laws", result),)).to_json(),
        Console(width=width, force_terminal=False, file=text),
    )
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    for k in range(num_columns):
        assert f"{0.011 + k / 1000:.3g}" in text.getvalue()
    assert text.getvalue().count("(") == text.getvalue().count(")")
