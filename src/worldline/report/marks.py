"""What drawings of tables share: sizes, the scale of the numbers, marks, the legend."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worldline.audit.suites import Cell, Row, RowKind, Table
from worldline.audit.suites.telling import tell_direction, tell_kind
from worldline.core.wording import write_number
from worldline.report.plots import COLORS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "GOAL",
    "LAYOUTS",
    "LINE_IN",
    "Layout",
    "Scale",
    "add_legend",
    "axis_title",
    "known",
    "legend_size",
    "styles_of",
    "tick",
]

LINE_IN = 0.19
"""Inches for a line of text."""

_LOG_RATIO = 30.0
_MOST_LOG_RATIO = 1e5
"""What is smaller by more, such as a rounding error, stands at the edge."""

_BASELINES = (("o", "base-a"), ("s", "base-b"), ("^", "base-c"), ("D", "warn"))
_OTHERS = {RowKind.CEILING: "good", RowKind.FLOOR: "bad", RowKind.PUBLISHED: "ink"}


@dataclass(frozen=True)
class Layout:
    """A drawing for a wide or a narrow screen; inches and points."""

    kind: str
    width: float
    font: float
    beside: bool
    """Names of lanes stand beside them, not above."""

    @property
    def letter(self) -> float:
        """Inches that a letter is wide, on average."""
        return 0.56 * self.font / 72


LAYOUTS = (Layout("broad", 9.0, 9.0, True), Layout("slim", 4.3, 10.0, False))


class Scale:
    """Limits of the axis, and whether it is logarithmic."""

    def __init__(self, table: Table, rows: Sequence[Row]) -> None:
        cells = [cell for row in rows for cell in row.cells.values() if known(cell)]
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


def axis_title(table: Table, scale: Scale, width: int) -> list[str]:
    """What is measured, its unit and direction, in lines of so many letters."""
    unit = f" in {table.unit}" if table.unit else ""
    log = ", logarithmic" if scale.log else ""
    text = f"{table.title[:1].upper()}{table.title[1:]}{unit}{log}; {tell_direction(table.better)}"
    return textwrap.wrap(text, width)


GOAL: dict[str, Any] = {"color": COLORS["good"], "linewidth": 1.5, "linestyle": (0, (4, 2.5))}


def styles_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
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


def legend_size(
    rows: Sequence[Row], layout: Layout, *, with_goal: bool
) -> tuple[list[str], int, float]:
    """Entries of the legend, how many stand side by side, and its height in inches."""
    labels = [_legend(row) for row in rows] + ["goal"] * with_goal
    longest = max(map(len, labels)) * layout.letter + 0.55
    num_columns = max(1, min(len(labels), int((layout.width - 0.1) / longest)))
    return labels, num_columns, LINE_IN * -(-len(labels) // num_columns) + 0.15


def add_legend(
    figure: Figure, rows: Sequence[Row], labels: Sequence[str], num_columns: int, layout: Layout
) -> None:
    """Put the legend on top of a figure; see `legend_size`."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], linewidth=1.4, **style) for style in styles_of(rows)]
    if len(labels) > len(rows):
        handles.append(Line2D([], [], **GOAL))
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


def tick(value: float) -> str:
    """Short enough to stand beside others on a narrow screen."""
    return f"{value:.0e}".replace("e-0", "e-") if 0 < value < 1e-4 else write_number(value)


def known(cell: Cell) -> bool:
    """Whether there is a number."""
    return math.isfinite(cell.value)
