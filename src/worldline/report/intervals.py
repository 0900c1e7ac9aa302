"""Drawing of a suite's table: every number with its interval, one lane for each column."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from worldline.audit.suites import Better, Row, RowKind, Table
from worldline.audit.suites.telling import tell_cell
from worldline.core.wording import plain, write_number
from worldline.report.curves import draw_curves, moments_of
from worldline.report.marks import (
    GOAL,
    LAYOUTS,
    LINE_IN,
    Layout,
    Scale,
    add_legend,
    axis_title,
    known,
    legend_size,
    styles_of,
    tick,
)
from worldline.report.plots import COLORS, show_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_table"]

_SLOT, _GAP = 0.16, 0.1
"""Inches for a system, and between lanes."""


def draw_table(table: Table) -> str:
    """A drawing for a table as HTML, twice: for wide and for narrow screens.

    Columns that are numbers of frames ahead make curves (`curves`). Else each column is a lane and
    each system a mark in it with its 95 % interval, in the same order everywhere; a dashed line is
    the goal. The axis is logarithmic where the numbers, all above
    zero, span more than a factor of thirty. Where there is nothing to draw it is a sentence.
    """
    return _draw(json.dumps(table.to_json()))


@lru_cache(maxsize=256)
def _draw(record: str) -> str:
    """A page is written after each suite, and drawing takes its time."""
    table = Table.from_json(json.loads(record))
    rows = [row for row in table.rows if any(known(cell) for cell in row.cells.values())]
    if not rows:
        return '<p class="nothing">Nothing could be measured here.</p>'
    scale = Scale(table, rows)
    alt = ". ".join(_tell_lane(table, column, rows) for column in table.columns)
    moments = moments_of(table)
    figures = {
        layout.kind: _figure(table, rows, scale, layout)
        if moments is None
        else draw_curves(table, rows, scale, moments, layout)
        for layout in LAYOUTS
    }
    drawings = "".join(show_figure(figure, alt=alt, kind=kind) for kind, figure in figures.items())
    edge = " What is next to nothing stands at the left edge." if scale.clipped else ""
    return (
        f'<figure class="dots">{drawings}<figcaption>Lines are 95 % intervals; systems are in the '
        f"order of the legend.{edge}</figcaption></figure>"
    )


def _figure(table: Table, rows: Sequence[Row], scale: Scale, layout: Layout) -> Figure:
    from matplotlib.figure import Figure

    has_goals = any(column in table.goals for column in table.columns)
    labels, num_columns, legend_in = legend_size(rows, layout, with_goal=has_goals)
    most = int(2.3 / layout.letter) if layout.beside else int((layout.width - 0.3) / layout.letter)
    names = [textwrap.wrap(plain(column), most) or [""] for column in table.columns]
    widest = max(len(line) for lines in names for line in lines) * layout.letter
    left = widest + 0.27 if layout.beside else 0.12
    lanes = [_lane_in(lines, len(rows), layout) for lines in names]
    title = axis_title(table, scale, int((layout.width - left) / layout.letter))
    below_in = 0.42 + LINE_IN * len(title)
    height = legend_in + sum(lanes) + below_in
    figure = Figure(figsize=(layout.width, height))
    figure.patch.set_visible(False)
    box = (left / layout.width, below_in / height, 1 - (left + 0.2) / layout.width)
    axes = figure.add_axes((*box, sum(lanes) / height))
    _set_axes(axes, scale, layout, sum(lanes))
    axes.set_xlabel("\n".join(title), color=COLORS["ink-2"], fontsize=layout.font)
    top = 0.0
    for column, lines, lane_in in zip(table.columns, names, lanes, strict=True):
        _draw_lane(axes, table, column, rows, scale, (top, lane_in))
        across = axes.get_yaxis_transform()
        if layout.beside:
            place = {
                "x": -0.1 / (layout.width - left - 0.2),
                "y": top + lane_in / 2,
                "va": "center",
            }
        else:
            place = {"x": 0.0, "y": top + 0.05, "va": "top"}
        axes.text(
            s="\n".join(lines),
            ha="right" if layout.beside else "left",
            transform=across,
            color=COLORS["ink"],
            fontsize=layout.font,
            **place,
        )
        top += lane_in
        axes.axhline(top, color=COLORS["rule"], linewidth=0.8, zorder=0)
    add_legend(figure, rows, labels, num_columns, layout)
    return figure


def _lane_in(lines: Sequence[str], num_rows: int, layout: Layout) -> float:
    marks = _SLOT * num_rows + _GAP
    text = LINE_IN * len(lines)
    return max(marks, text + _GAP) if layout.beside else marks + text


def _set_axes(axes: Axes, scale: Scale, layout: Layout, height: float) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    if scale.log:
        axes.set_xscale("log")
        decades = math.log10(scale.high / scale.low)
        steps = (1.0, 2.0, 5.0) if decades < 1.8 else (1.0, 3.0) if decades < 3 else (1.0,)
        axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=8))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6 if layout.beside else 4))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    axes.set_xlim(scale.low, scale.high)
    axes.set_ylim(height, 0.0)
    axes.yaxis.set_major_locator(NullLocator())
    axes.patch.set_visible(False)
    axes.grid(axis="x", color=COLORS["rule"], linewidth=0.8)
    axes.set_axisbelow(True)
    for name, spine in axes.spines.items():
        spine.set_visible(name == "bottom")
        spine.set_color(COLORS["ink-2"])
    axes.tick_params(
        axis="x", color=COLORS["ink-2"], labelcolor=COLORS["ink-2"], labelsize=layout.font
    )


def _draw_lane(
    axes: Axes,
    table: Table,
    column: str,
    rows: Sequence[Row],
    scale: Scale,
    lane: tuple[float, float],
) -> None:
    top, height = lane
    if column in table.goals:
        goal = scale(table.goals[column])
        axes.plot([goal, goal], [top, top + height], **GOAL, zorder=1)
    first = top + height - _GAP / 2 - _SLOT * (len(rows) - 0.5)
    if height > _SLOT * len(rows) + _GAP + 2 * LINE_IN:  # the name is taller than the marks
        first = top + (height - _SLOT * (len(rows) - 1)) / 2
    for slot, (row, style) in enumerate(zip(rows, styles_of(rows), strict=True)):
        cell = row.cells.get(column)
        if cell is None or not known(cell):
            continue
        y = first + _SLOT * slot
        if math.isfinite(cell.low) and math.isfinite(cell.high):
            ends = [scale(cell.low), scale(cell.high)]
            wide = 2.2 if row.kind is RowKind.SUBJECT else 1.4
            axes.plot(ends, [y, y], color=style["color"], linewidth=wide, marker="|", markersize=5)
        axes.plot([scale(cell.value)], [y], linestyle="none", clip_on=False, zorder=3, **style)


def _tell_lane(table: Table, column: str, rows: Sequence[Row]) -> str:
    words = []
    if column in table.goals:
        limit = "at most" if table.better is Better.LOWER else "at least"
        words.append(f"goal {limit} {write_number(table.goals[column])}")
    for row in rows:
        cell = row.cells.get(column)
        if cell is not None and known(cell):
            words.append(f"{row.name} {tell_cell(cell)}")
    return f"{plain(column)}: {'; '.join(words) or 'nothing measured'}"
