"""Goals in words."""

from __future__ import annotations

from worldline.audit.suites import Better, Cell, Report, Row, RowKind, SuiteResult, Table
from worldline.audit.suites.telling import goals_of, tell_goal


def goal_beside(own: Cell, *baselines: float) -> str:
    rows = [Row("small", RowKind.SUBJECT, {"+8": own})]
    rows += [
        Row(f"trivial {k}", RowKind.BASELINE, {"+8": Cell(value)})
        for k, value in enumerate(baselines)
    ]
    rows.append(Row("truth", RowKind.CEILING, {"+8": Cell(0.0)}))
    table = Table(
        "e", "error", Report.PHYSICAL, "px", Better.LOWER, ("+8",), tuple(rows), {"+8": 0.5}
    )
    (goal,) = goals_of(SuiteResult("laws", "small", (table,), "00", 9, 0))
    return tell_goal(goal)


def test_a_goal_that_baselines_reach_too_says_so():
    assert goal_beside(Cell(0.1), 0.9).endswith("reached with 0.1")
    assert goal_beside(Cell(0.1), 0.4, 0.9).endswith("0.1 (trivial 0 reaches it too)")
    assert goal_beside(Cell(0.1), 0.4, 0.2).endswith("(trivial 0 and trivial 1 reach it too)")
    assert goal_beside(Cell(0.1), 0.4, 0.2, 0.3).endswith(
        "(trivial 0, trivial 1 and trivial 2 reach it too)"
    )
    assert "too" not in goal_beside(Cell(0.7), 0.4)


def test_an_interval_that_is_not_there_leaves_nothing_open():
    assert "open" not in goal_beside(Cell(0.1), 0.9)
    assert goal_beside(Cell(0.4, 0.3, 0.6), 0.9).endswith("which the interval leaves open")


def test_a_goal_at_the_end_of_the_scale_is_open_while_the_interval_reaches_below():
    whole = {"50": 1.0}
    rows = tuple(
        Row(name, RowKind.SUBJECT, {"50": cell})
        for name, cell in (("rooms", Cell(1.0, 0.72, 1.0)), ("by itself", Cell(0.6, 0.3, 0.8)))
    )
    table = Table("s", "reached", Report.PHYSICAL, "", Better.HIGHER, ("50",), rows, whole)
    told = [tell_goal(g) for g in goals_of(SuiteResult("planning", "rooms", (table,), "0", 9, 0))]
    assert told == [
        "rooms, 50: goal of at least 1 reached with 1 (0.72 to 1), which the interval leaves open",
        "by itself, 50: goal of at least 1 missed with 0.6 (0.3 to 0.8)",
    ]
