"""Drawing of a suite's table: every number with its interval, one lane for each column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from worldline.audit.suites import Better, Cell, Row, RowKind, Table
from worldline.audit.suites.telling import tell_cell, tell_direction
from worldline.core.wording import plain, write_number
from worldline.report.svg import WIDTH, Axis, nice_ticks

__all__ = ["draw_table"]

_SLOT = 12.0
_TALL = 4.0
_LOG_RATIO = 30.0
_MOST_LOG_RATIO = 1e5
"""What is smaller by more, such as a rounding error, stands at the edge."""
_MOST_TICKS = 6


def draw_table(table: Table) -> str:
    """A drawing for a table as HTML; a sentence where there is nothing to draw.

    Each column is a lane and each system a mark in it with its 95 % interval, in the same order
    everywhere; a dashed line is the goal. The axis is logarithmic where the numbers, all above
    zero, span more than a factor of thirty.
    """
    rows = [row for row in table.rows if any(_known(cell) for cell in row.cells.values())]
    if not rows:
        return '<p class="nothing">Nothing could be measured here.</p>'
    scale = _Scale(table, rows)
    kinds = _styles(rows)
    lanes = "".join(_lane(table, column, rows, kinds, scale) for column in table.columns)
    legend = "".join(
        f'<li><svg class="key" viewBox="0 0 24 12" aria-hidden="true">'
        f'<path class="whisker {kind}" d="M2 6H22"/>{_mark(row, kind, 12, 6)}</svg>'
        f"{escape(row.name)}</li>"
        for row, kind in zip(rows, kinds, strict=True)
    )
    if any(column in table.goals for column in table.columns):
        legend += (
            '<li><svg class="key" viewBox="0 0 24 12" aria-hidden="true">'
            '<path class="goal" d="M12 0V12"/></svg>goal</li>'
        )
    unit = f" in {table.unit}" if table.unit else ""
    log = ", logarithmic" if scale.log else ""
    log += " (next to nothing at the left edge)" if scale.clipped else ""
    return (
        f'<figure class="dots"><ul class="legend">{legend}</ul>{lanes}'
        f'<div class="dot-lane axis"><span></span><span class="dot-plot">{scale.ticks()}</span>'
        f"</div><figcaption>{escape(table.title.capitalize())}{escape(unit)}{log}; "
        f"{tell_direction(table.better)}. Lines are 95 % intervals; systems are in the order of "
        "the legend.</figcaption></figure>"
    )


class _Scale:
    """Where a number lies, in per cent of the drawing's width."""

    def __init__(self, table: Table, rows: Sequence[Row]) -> None:
        cells = [cell for row in rows for cell in row.cells.values() if _known(cell)]
        values = [cell.value for cell in cells]
        ends = [end for cell in cells for end in (cell.low, cell.high) if math.isfinite(end)]
        every = [*values, *ends, *table.goals.values()]
        low, high = min(every), max(every)
        self.clipped = False
        self.log = min(values) > 0 and max(values) > _LOG_RATIO * min(values)
        if self.log:
            least = max(values) / _MOST_LOG_RATIO
            self.clipped = min(values) < least
            low = max(low, least)
            low, high = math.log10(low), math.log10(high)
        elif 0 < low < 0.5 * high:
            low = 0.0
        margin = 0.04 * (high - low) or 0.1 * max(abs(high), 1e-6)
        self._axis = Axis(low if low == 0 else low - margin, high + margin, 0.0, WIDTH)

    def __call__(self, value: float) -> float:
        if not self.log:
            return self._axis(value)
        return self._axis(max(self._axis.low, math.log10(value) if value > 0 else -math.inf))

    def ticks(self) -> str:
        """Labels below the lanes."""
        at = self._powers() if self.log else nice_ticks(self._axis.low, self._axis.high, 5)
        return "".join(
            f'<span class="tick below" style="left:{self(t) / WIDTH:.2%}">{_tick(t)}</span>'
            for t in at
        )

    def grid(self) -> Sequence[float]:
        """Coordinates of the lines behind the lanes."""
        at = self._powers() if self.log else nice_ticks(self._axis.low, self._axis.high, 5)
        return [self(t) for t in at]

    def _powers(self) -> tuple[float, ...]:
        first, last = math.floor(self._axis.low), math.ceil(self._axis.high)
        for steps in ((1, 2, 5), (1, 3), (1,)):
            every = [m * 10.0**k for k in range(first, last + 1) for m in steps]
            inside = [t for t in every if self._axis.low <= math.log10(t) <= self._axis.high]
            if len(inside) <= _MOST_TICKS:
                break
        return tuple(inside[:: max(1, len(inside) // _MOST_TICKS)])


def _tick(value: float) -> str:
    """Short enough to stand beside others on a narrow screen."""
    return f"{value:.0e}".replace("e-0", "e-") if 0 < value < 1e-4 else write_number(value)


def _known(cell: Cell) -> bool:
    return math.isfinite(cell.value)


def _styles(rows: Sequence[Row]) -> list[str]:
    """CSS classes: the subject, then baselines in turn, then what is a mark to go by."""
    found, num_baselines, num_subjects = [], 0, 0
    for row in rows:
        if row.kind is RowKind.SUBJECT:
            found.append(f"subject n{num_subjects % 2}")
            num_subjects += 1
        elif row.kind is RowKind.BASELINE:
            found.append(f"baseline n{num_baselines % 4}")
            num_baselines += 1
        else:
            found.append(str(row.kind))
    return found


def _lane(
    table: Table, column: str, rows: Sequence[Row], kinds: Sequence[str], scale: _Scale
) -> str:
    height = _SLOT * len(rows)
    body = [f'<path class="grid" d="M{x:.1f} 0V{height:.0f}"/>' for x in scale.grid()]
    words = []
    if column in table.goals:
        x = scale(table.goals[column])
        body.append(f'<path class="goal" d="M{x:.1f} 0V{height:.0f}"/>')
        limit = "at most" if table.better is Better.LOWER else "at least"
        words.append(f"goal {limit} {write_number(table.goals[column])}")
    for slot, (row, kind) in enumerate(zip(rows, kinds, strict=True)):
        cell = row.cells.get(column)
        if cell is None or not _known(cell):
            continue
        y = _SLOT * (slot + 0.5)
        if math.isfinite(cell.low) and math.isfinite(cell.high):
            ends = f"M{scale(cell.low):.1f} {y:.1f}H{scale(cell.high):.1f}"
            body.append(f'<path class="whisker {kind}" d="{ends}"/>')
        body.append(_mark(row, kind, scale(cell.value), y))
        words.append(f"{row.name} {tell_cell(cell)}")
    alt = f"{plain(column)}: {'; '.join(words) or 'nothing measured'}"
    return (
        f'<div class="dot-lane"><span class="lane-name">{escape(plain(column))}</span>'
        f'<span class="dot-plot"><svg style="height:{height:.0f}px" '
        f'viewBox="0 0 {WIDTH:.0f} {height:.0f}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(alt)}">{"".join(body)}</svg></span></div>'
    )


def _mark(row: Row, kind: str, x: float, y: float) -> str:
    """A dot; an upright stroke for what no system under test is."""
    if row.kind in (RowKind.SUBJECT, RowKind.BASELINE):
        return f'<path class="at {kind}" d="M{x:.1f} {y:.1f}h0"/>'
    return f'<path class="at upright {kind}" d="M{x:.1f} {y - _TALL:.1f}v{2 * _TALL:.0f}"/>'
