"""A suite's table on the page: drawing, numbers, what could be detected, how to read it."""

from __future__ import annotations

import math
from html import escape

from worldline.audit.suites import Cell, Row, RowKind, Table
from worldline.audit.suites.telling import tell_direction, tell_kind
from worldline.core.wording import plain, write_number
from worldline.report.intervals import draw_table

__all__ = ["show_numbers"]


def show_numbers(table: Table) -> str:
    """Title, drawing, numbers and notes of a table as HTML."""
    unit = f" in {table.unit}" if table.unit else ""
    title = table.title[:1].upper() + table.title[1:]
    caption = f"The numbers, with their 95 % intervals; {tell_direction(table.better)}"
    return (
        f"<h4>{escape(title)}{escape(unit)}</h4>{draw_table(table)}"
        f'<div class="wide">{_grid(table, caption)}</div>'
        + (f'<div class="notes"><p>{escape(table.note)}</p></div>' if table.note else "")
    )


def _grid(table: Table, caption: str) -> str:
    """The numbers, systems in rows; in columns where there are more columns than systems."""
    names = [_name(row) for row in table.rows]
    kinds = [str(row.kind) for row in table.rows]
    cells = [[_cell(table, row, column) for column in table.columns] for row in table.rows]
    subjects = [row for row in table.rows if row.kind is RowKind.SUBJECT]
    least = [_detectable(subjects[0].cells.get(c)) if subjects else "" for c in table.columns]
    if any(least):
        names.append("detectable difference")
        kinds.append("detectable")
        cells.append(least)
    heads = [escape(plain(column)) for column in table.columns]
    if len(table.columns) > len(table.rows):
        cells = [list(column) for column in zip(*cells, strict=True)]
        names, heads, kinds = heads, names, [""] * len(heads)
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = []
    for name, kind, row in zip(names, kinds, cells, strict=True):
        # A head may hold markup of ours, an attribute may not.
        inner = "".join(
            f'<td data-name="{_bare(head)}">{cell}</td>'
            for head, cell in zip(heads, row, strict=True)
        )
        body.append(f'<tr class="{kind}"><th scope="row">{name}</th>{inner}</tr>')
    return (
        f'<table class="numbers"><caption>{escape(caption)}</caption><thead><tr><td></td>{head}'
        f"</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _name(row: Row) -> str:
    kind = tell_kind(row.kind)
    more = f" <small>{escape(kind)}</small>" if kind and kind != row.name else ""
    return f"{escape(row.name)}{more}"


def _bare(html: str) -> str:
    return html.partition(" <small>")[0]


def _cell(table: Table, row: Row, column: str) -> str:
    cell = row.cells.get(column)
    if cell is None or not math.isfinite(cell.value):
        return '<span class="none">none</span>'
    text = write_number(cell.value)
    if row.kind is RowKind.SUBJECT and (reached := table.reaches(column, cell)) is not None:
        kind, sign, word = ("reached", "✓", "reached") if reached else ("missed", "✗", "missed")
        goal = write_number(table.goals[column])
        text += (
            f' <i class="sign {kind}" title="goal {goal} {word}" role="img" '
            f'aria-label="goal {goal} {word}">{sign}</i>'
        )
    if math.isfinite(cell.low) and math.isfinite(cell.high):
        text += f" <small>{write_number(cell.low)} to {write_number(cell.high)}</small>"
    return text


def _detectable(cell: Cell | None) -> str:
    # Scenarios that all give the same number say nothing of how they vary.
    if cell is None or not math.isfinite(cell.detectable) or cell.detectable == 0:
        return ""
    return write_number(cell.detectable, 2)
