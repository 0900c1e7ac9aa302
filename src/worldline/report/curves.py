"""Drawing of a table whose columns are numbers of frames ahead: a curve for each system."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from worldline.audit.suites import Cell, Row, RowKind, Table
from worldline.report.marks import (
    GOAL,
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
from worldline.report.plots import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_curves", "moments_of"]

_LEAST = 3
_AHEAD = re.compile(r"\+(\d+)")
_HEIGHT_IN = 2.4
_APART = 1.018
"""Systems stand this much further right one after the other, so that intervals can be seen."""


def moments_of(table: Table) -> tuple[int, ...] | None:
    """Frames ahead of a table's columns; None where they are something else, or too few."""
    found = [_AHEAD.fullmatch(column) for column in table.columns]
    moments = tuple(int(match[1]) for match in found if match)
    rising = all(a < b for a, b in itertools.pairwise(moments))
    whole = len(moments) == len(found) >= _LEAST
    return moments if whole and rising and moments[0] > 0 else None


def draw_curves(
    table: Table, rows: Sequence[Row], scale: Scale, moments: Sequence[int], layout: Layout
) -> Figure:
    """The curves: frames ahead to the right, logarithmic, and upward what was measured.

    Args:
        table, rows: what to draw, and those of its rows that have a number.
        scale: of the numbers.
        moments: see `moments_of`.
        layout: for a wide or a narrow screen.
    """
    from matplotlib.figure import Figure

    has_goals = any(column in table.goals for column in table.columns)
    labels, num_columns, legend_in = legend_size(rows, layout, with_goal=has_goals)
    title = axis_title(table, scale, int((layout.width - 0.2) / layout.letter))
    title_in = LINE_IN * len(title) + 0.1
    height = legend_in + title_in + _HEIGHT_IN + 0.6
    figure = Figure(figsize=(layout.width, height))
    figure.patch.set_visible(False)
    left = 0.75
    box = (left / layout.width, 0.55 / height, 1 - (left + 0.2) / layout.width)
    axes = figure.add_axes((*box, _HEIGHT_IN / height))
    _set_axes(axes, scale, moments, layout)
    figure.text(
        0.1 / layout.width,
        1 - (legend_in + 0.02) / height,
        "\n".join(title),
        va="top",
        color=COLORS["ink-2"],
        fontsize=layout.font,
    )
    for number, (row, style) in enumerate(zip(rows, styles_of(rows), strict=True)):
        cells = [row.cells.get(column) for column in table.columns]
        at = [moment * _APART ** (number - (len(rows) - 1) / 2) for moment in moments]
        _draw_row(axes, at, cells, row, style, scale)
    if has_goals:
        goals = [table.goals.get(column, math.nan) for column in table.columns]
        axes.plot(moments, [scale(g) if math.isfinite(g) else g for g in goals], **GOAL, zorder=1)
    add_legend(figure, rows, labels, num_columns, layout)
    return figure


def _draw_row(
    axes: Axes,
    at: Sequence[float],
    cells: Sequence[Cell | None],
    row: Row,
    style: dict[str, Any],
    scale: Scale,
) -> None:
    wide = 2.2 if row.kind is RowKind.SUBJECT else 1.2
    values = [scale(c.value) if c is not None and known(c) else math.nan for c in cells]
    level = row.kind in (RowKind.CEILING, RowKind.FLOOR, RowKind.PUBLISHED)
    dash = (0, (1, 1.5)) if level else "-"
    axes.plot(at, values, linewidth=wide, linestyle=dash, clip_on=False, zorder=3, **style)
    for x, cell in zip(at, cells, strict=True):
        if cell is not None and math.isfinite(cell.low) and math.isfinite(cell.high):
            ends = [scale(cell.low), scale(cell.high)]
            axes.plot([x, x], ends, color=style["color"], linewidth=wide, alpha=0.6)


def _set_axes(axes: Axes, scale: Scale, moments: Sequence[int], layout: Layout) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(moments[0] / 1.15, moments[-1] * 1.15)
    axes.xaxis.set_major_locator(FixedLocator(list(moments)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"+{value:.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("frames ahead, logarithmic", color=COLORS["ink-2"], fontsize=layout.font)
    if scale.log:
        axes.set_yscale("log")
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    axes.set_ylim(scale.low, scale.high)
    axes.patch.set_visible(False)
    axes.grid(axis="y", color=COLORS["rule"], linewidth=0.8)
    axes.set_axisbelow(True)
    for name, spine in axes.spines.items():
        spine.set_visible(name == "bottom")
        spine.set_color(COLORS["ink-2"])
    axes.tick_params(color=COLORS["ink-2"], labelcolor=COLORS["ink-2"], labelsize=layout.font)
