"""Drawing of a suite's table: every number with its interval, one lane for each column."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from worldline.audit.suites import Better, Cell, Row, RowKind, Table
from worldline.audit.suites.telling import tell_cell, tell_direction, tell_kind
from worldline.core.wording import plain, write_number
from worldline.report.plots import COLORS, show_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_table"]

_SLOT, _GAP, _LINE = 0.16, 0.1, 0.19
"""Inches for a system, between lanes, and for a line of text."""

_LOG_RATIO = 30.0
_MOST_LOG_RATIO = 1e5
"""What is smaller by more, such as a rounding error, stands at the edge."""

_BASELINES = (("o", "base-a"), ("s", "base-b"), ("^", "base-c"), ("D", "warn"))
_OTHERS = {RowKind.CEILING: "good", RowKind.FLOOR: "bad", RowKind.PUBLISHED: "ink"}


@dataclass(frozen=True)
class _Layout:
    """A drawing for a wide or a narrow screen; inches and points."""

    kind: str
    width: float
    font: float
    beside: bool
    """Names of lanes stand beside them, not above."""

    @property
    def letter(self) -> float:
        return 0.56 * self.font / 72


_LAYOUTS = (_Layout("broad", 9.0, 9.0, True), _Layout("slim", 4.3, 10.0, False))


def draw_table(table: Table) -> str:
    """A drawing for a table as HTML, twice: for wide and for narrow screens.

    Each column is a lane and each system a mark in it with its 95 % interval, in the same order
    everywhere; a dashed line is the goal. The axis is logarithmic where the numbers, all above
    zero, span more than a factor of thirty. Where there is nothing to draw it is a sentence.
    """
    return _draw(json.dumps(table.to_json()))


@lru_cache(maxsize=256)
def _draw(record: str) -> str:
    """A page is written after each suite, and drawing takes its time."""
    table = Table.from_json(json.loads(record))
    rows = [row for row in table.rows if any(_known(cell) for cell in row.cells.values())]
    if not rows:
        return '<p class="nothing">Nothing could be measured here.</p>'
    scale = _Scale(table, rows)
    alt = ". ".join(_tell_lane(table, column, rows) for column in table.columns)
    drawings = "".join(
        show_figure(_figure(table, rows, scale, layout), alt=alt, kind=layout.kind)
        for layout in _LAYOUTS
    )
    edge = " What is next to nothing stands at the left edge." if scale.clipped else ""
    return (
        f'<figure class="dots">{drawings}<figcaption>Lines are 95 % intervals; systems are in the '
        f"order of the legend.{edge}</figcaption></figure>"
    )


class _Scale:
    """Limits of the axis, and whether it is logarithmic."""

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
            positive = [value for value in every if value > 0]
            low = max(min(positive), least)
            margin = (high / low) ** 0.04
            self.low, self.high = low / margin, high * margin
            return
        if 0 < low < 0.5 * high:
            low = 0.0
        margin = 0.04 * (high - low) or 0.1 * max(abs(high), 1e-6)
        self.low, self.high = low - margin, high + margin

    def __call__(self, value: float) -> float:
        """Where a number stands."""
        return min(max(value, self.low), self.high)


def _figure(table: Table, rows: Sequence[Row], scale: _Scale, layout: _Layout) -> Figure:
    from matplotlib.figure import Figure

    has_goals = any(column in table.goals for column in table.columns)
    labels = [_legend(row) for row in rows] + ["goal"] * has_goals
    longest = max(map(len, labels)) * layout.letter + 0.55
    num_columns = max(1, min(len(labels), int((layout.width - 0.1) / longest)))
    legend_in = _LINE * -(-len(labels) // num_columns) + 0.15
    most = int(2.3 / layout.letter) if layout.beside else int((layout.width - 0.3) / layout.letter)
    names = [textwrap.wrap(plain(column), most) or [""] for column in table.columns]
    widest = max(len(line) for lines in names for line in lines) * layout.letter
    left = widest + 0.27 if layout.beside else 0.12
    lanes = [_lane_in(lines, len(rows), layout) for lines in names]
    title = textwrap.wrap(_axis_title(table, scale), int((layout.width - left) / layout.letter))
    below_in = 0.42 + _LINE * len(title)
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
    _add_legend(figure, rows, labels, num_columns, layout)
    return figure


def _lane_in(lines: Sequence[str], num_rows: int, layout: _Layout) -> float:
    marks = _SLOT * num_rows + _GAP
    text = _LINE * len(lines)
    return max(marks, text + _GAP) if layout.beside else marks + text


def _axis_title(table: Table, scale: _Scale) -> str:
    unit = f" in {table.unit}" if table.unit else ""
    log = ", logarithmic" if scale.log else ""
    return f"{table.title.capitalize()}{unit}{log}; {tell_direction(table.better)}"


def _set_axes(axes: Axes, scale: _Scale, layout: _Layout, height: float) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    if scale.log:
        axes.set_xscale("log")
        decades = math.log10(scale.high / scale.low)
        steps = (1.0, 2.0, 5.0) if decades < 1.8 else (1.0, 3.0) if decades < 3 else (1.0,)
        axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=8))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6 if layout.beside else 4))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
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
    scale: _Scale,
    lane: tuple[float, float],
) -> None:
    top, height = lane
    if column in table.goals:
        goal = scale(table.goals[column])
        axes.plot([goal, goal], [top, top + height], **_GOAL, zorder=1)
    first = top + height - _GAP / 2 - _SLOT * (len(rows) - 0.5)
    if height > _SLOT * len(rows) + _GAP + 2 * _LINE:  # the name is taller than the marks
        first = top + (height - _SLOT * (len(rows) - 1)) / 2
    for slot, (row, style) in enumerate(zip(rows, _styles(rows), strict=True)):
        cell = row.cells.get(column)
        if cell is None or not _known(cell):
            continue
        y = first + _SLOT * slot
        if math.isfinite(cell.low) and math.isfinite(cell.high):
            ends = [scale(cell.low), scale(cell.high)]
            wide = 2.2 if row.kind is RowKind.SUBJECT else 1.4
            axes.plot(ends, [y, y], color=style["color"], linewidth=wide, marker="|", markersize=5)
        axes.plot([scale(cell.value)], [y], linestyle="none", clip_on=False, zorder=3, **style)


_GOAL: dict[str, Any] = {"color": COLORS["good"], "linewidth": 1.5, "linestyle": (0, (4, 2.5))}


def _styles(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Marks: large for the subject, one shape for each baseline, an upright stroke for the rest."""
    found: list[dict[str, Any]] = []
    num_baselines = num_subjects = 0
    for row in rows:
        if row.kind is RowKind.SUBJECT:
            color = COLORS["accent" if num_subjects % 2 == 0 else "ink"]
            found.append({"marker": "o", "color": color, "markersize": 7.5})
            num_subjects += 1
        elif row.kind is RowKind.BASELINE:
            shape, name = _BASELINES[num_baselines % len(_BASELINES)]
            found.append({"marker": shape, "color": COLORS[name], "markersize": 5})
            num_baselines += 1
        else:
            color = COLORS[_OTHERS[row.kind]]
            found.append({"marker": "|", "color": color, "markersize": 9, "markeredgewidth": 2.2})
    return found


def _add_legend(
    figure: Figure, rows: Sequence[Row], labels: Sequence[str], num_columns: int, layout: _Layout
) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], linewidth=1.4, **style) for style in _styles(rows)]
    if len(labels) > len(rows):
        handles.append(Line2D([], [], **_GOAL))
    figure.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=num_columns,
        frameon=False,
        fontsize=layout.font,
        labelcolor=COLORS["ink"],
        borderaxespad=0.1,
        borderpad=0.0,
        labelspacing=0.35,
        handlelength=1.9,
        columnspacing=1.2,
    )


def _legend(row: Row) -> str:
    kind = tell_kind(row.kind)
    return f"{row.name} ({kind})" if kind and kind != row.name else row.name


def _tick(value: float) -> str:
    """Short enough to stand beside others on a narrow screen."""
    return f"{value:.0e}".replace("e-0", "e-") if 0 < value < 1e-4 else write_number(value)


def _known(cell: Cell) -> bool:
    return math.isfinite(cell.value)


def _tell_lane(table: Table, column: str, rows: Sequence[Row]) -> str:
    words = []
    if column in table.goals:
        limit = "at most" if table.better is Better.LOWER else "at least"
        words.append(f"goal {limit} {write_number(table.goals[column])}")
    for row in rows:
        cell = row.cells.get(column)
        if cell is not None and _known(cell):
            words.append(f"{row.name} {tell_cell(cell)}")
    return f"{plain(column)}: {'; '.join(words) or 'nothing measured'}"
