"""Numbers of suites in words: cells with their intervals, and goals that were reached or missed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from worldline.audit.suites.result import Better, Cell, Row, RowKind, SuiteResult, Table
from worldline.core.wording import plain, write_number

__all__ = ["Goal", "goals_of", "tell_cell", "tell_direction", "tell_goal", "tell_kind"]

_KINDS = {
    RowKind.SUBJECT: "",
    RowKind.BASELINE: "baseline",
    RowKind.CEILING: "ceiling",
    RowKind.FLOOR: "floor",
    RowKind.PUBLISHED: "measured elsewhere",
}
_DIRECTIONS = {
    Better.LOWER: "lower is better",
    Better.HIGHER: "higher is better",
    Better.NEITHER: "neither way is better",
}


@dataclass(frozen=True)
class Goal:
    """A goal, and what was measured of it.

    Attributes:
        suite, table, column: where; `table` is the title.
        unit: of the numbers.
        better: direction.
        goal: the number to reach.
        row: of the subject; empty where the table has but one of it.
        cell: what the subject reached.
        reached: by the estimate.
        sure: the whole interval is on the same side of the goal.
        baselines: those that reach the goal as well, which then says little.
    """

    suite: str
    table: str
    column: str
    unit: str
    better: Better
    goal: float
    row: str
    cell: Cell
    reached: bool
    sure: bool
    baselines: tuple[str, ...] = ()


def goals_of(result: SuiteResult) -> tuple[Goal, ...]:
    """The goals of a suite for which its subject has a number."""
    found = []
    for table in result.tables:
        for row in table.rows:
            if row.kind is RowKind.SUBJECT:
                found += _goals_in(result.suite, table, row)
    return tuple(found)


def _goals_in(suite: str, table: Table, row: Row) -> list[Goal]:
    found = []
    for column in table.columns:
        cell = row.cells.get(column)
        reached = None if cell is None else table.reaches(column, cell)
        if cell is None or reached is None:
            continue
        goal = table.goals[column]
        where = (suite, table.title, column, table.unit, table.better, goal)
        name = "" if sum(each.kind is RowKind.SUBJECT for each in table.rows) == 1 else row.name
        sure = _is_sure(cell, goal, higher=reached == (table.better is Better.HIGHER))
        found.append(Goal(*where, name, cell, reached, sure, _reached_by(table, column)))
    return found


def _is_sure(cell: Cell, goal: float, *, higher: bool) -> bool:
    """Whether the interval lies as a whole on the side of a goal that the number is on."""
    if not math.isfinite(cell.low):
        return False
    return cell.low >= goal if higher else cell.high <= goal


def _reached_by(table: Table, column: str) -> tuple[str, ...]:
    """Baselines that reach a column's goal."""
    rows = (row for row in table.rows if row.kind is RowKind.BASELINE and column in row.cells)
    return tuple(row.name for row in rows if table.reaches(column, row.cells[column]))


def tell_goal(goal: Goal) -> str:
    """A goal in a line, such as "at +8: goal at most 0.2 reached with 0.15 (0.1 to 0.19)"."""
    limit = "at most" if goal.better is Better.LOWER else "at least"
    unit = f" {goal.unit}" if goal.unit else ""
    words = "reached" if goal.reached else "missed"
    words += f" with {tell_cell(goal.cell)}"
    if not goal.sure and math.isfinite(goal.cell.low):
        words += ", which the interval leaves open"
    if goal.reached and goal.baselines:
        verb = "reaches" if len(goal.baselines) == 1 else "reach"
        *first, last = goal.baselines
        names = f"{', '.join(first)} and {last}" if first else last
        words += f" ({names} {verb} it too)"
    where = ", ".join(plain(name) for name in (goal.row, goal.column) if name)
    return f"{where}: goal of {limit} {write_number(goal.goal)}{unit} {words}"


def tell_cell(cell: Cell | None) -> str:
    """A number with its interval; a dash for none."""
    if cell is None or not math.isfinite(cell.value):
        return "\u2013"
    text = write_number(cell.value)
    if math.isfinite(cell.low) and math.isfinite(cell.high):
        text += f" ({write_number(cell.low)} to {write_number(cell.high)})"
    return text


def tell_direction(better: Better) -> str:
    """Which way is better."""
    return _DIRECTIONS[better]


def tell_kind(kind: RowKind) -> str:
    """What a row stands for; "" for the subject."""
    return _KINDS[kind]
