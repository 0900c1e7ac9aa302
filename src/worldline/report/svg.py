"""Drawings as inline SVG: world lines, timelines, curves and bars.

Every drawing stretches to the width it is given: shapes live in a box of `WIDTH` by the given
height, stretched without keeping its proportions, while strokes keep their thickness. Text would be
stretched too, so labels are HTML placed over the drawing in per cent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

from worldline.core import Event, Scene
from worldline.readout import line_color

__all__ = [
    "WIDTH",
    "Axis",
    "CurveStyle",
    "draw_curves",
    "draw_shares",
    "draw_timeline",
    "draw_world_lines",
    "nice_ticks",
    "path_data",
    "track_color",
]

WIDTH = 1000.0
_LEAST_TOP = 0.01


def track_color(object_id: int) -> str:
    """CSS colour of an object, the same as that of the line drawn on its video."""
    red, green, blue = line_color(object_id)
    return f"#{red:02x}{green:02x}{blue:02x}"


@dataclass(frozen=True)
class Axis:
    """Maps values from `low` to `high` onto coordinates from `start` to `stop`."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Coordinate of a value; an axis without extent puts everything in the middle."""
        if self.high == self.low:
            return (self.start + self.stop) / 2
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)

    def percent(self, value: float) -> float:
        """Where on the axis, from 0 at its start to 100 at its stop."""
        if self.high == self.low:
            return 50.0
        return 100 * (value - self.low) / (self.high - self.low)


def nice_ticks(low: float, high: float, most: int = 6) -> tuple[float, ...]:
    """Round numbers between `low` and `high`, at most `most`, evenly spaced by 1, 2 or 5 times ten
    to some power."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return (low,) if math.isfinite(low) else ()
    raw = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10, 20) if power * m >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return tuple(round((first + k) * step, 10) for k in range(count))


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def path_data(points: Sequence[tuple[float, float]]) -> str:
    """The `d` attribute of a line through points; a point that is not finite interrupts it."""
    parts, pen_down = [], False
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            pen_down = False
            continue
        parts.append(f"{'L' if pen_down else 'M'}{_number(x)} {_number(y)}")
        pen_down = True
    return "".join(parts)


def _line(points: Sequence[tuple[float, float]], color: str, kind: str) -> str:
    data = path_data(points)
    return f'<path class="{kind}" d="{data}" style="--c:{color}"/>' if data else ""


def _dot(x: float, y: float, color: str = "", kind: str = "dot") -> str:
    style = f' style="--c:{color}"' if color else ""
    return f'<path class="{kind}" d="M{_number(x)} {_number(y)}h0"{style}/>'


def _svg(body: str, height: float, alt: str, *, kind: str) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {_number(WIDTH)} {_number(height)}" '
        f'preserveAspectRatio="none" role="img" aria-label="{escape(alt)}">{body}</svg>'
    )


def _tick(text: str, kind: str, side: str, percent: float) -> str:
    return f'<span class="tick {kind}" style="{side}:{_number(percent)}%">{escape(text)}</span>'


def _seconds(value: float) -> str:
    return f"{_number(value)} s"


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Stretches of true values as (first, past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def draw_world_lines(
    scene: Scene, *, cuts_s: Sequence[float] = (), film: str = "", height: float = 420.0
) -> str:
    """Space-time diagram of a scene: horizontal position to the right, time downwards.

    The band around a line is two standard deviations wide to each side; a line is dotted between
    sightings of the same object; dots mark contacts, dashed lines across are cuts. With `film` the
    drawing has a cursor that follows that video. The horizontal axis is the picture's, so that the
    drawing can hang under the picture.
    """
    if scene.num_objects == 0 or scene.num_frames < 2:
        return '<p class="nothing">No object was followed here, so there is no world line.</p>'
    x_axis = Axis(0.0, float(scene.width_px), 0.0, WIDTH)
    y_axis = Axis(float(scene.time_s[0]), float(scene.time_s[-1]), 0.0, height)
    ticks = nice_ticks(y_axis.low, y_axis.high)
    body = [f'<path class="grid" d="M0 {_number(y_axis(t))}H{_number(WIDTH)}"/>' for t in ticks]
    body += [f'<path class="cut" d="M0 {_number(y_axis(t))}H{_number(WIDTH)}"/>' for t in cuts_s]
    for row in range(scene.num_objects):
        body.append(_world_line(scene, row, x_axis, y_axis))
    for contact in scene.contacts:
        if contact.point_px is not None:
            middle_s = (contact.start_s + contact.end_s) / 2
            body.append(_dot(x_axis(contact.point_px[0]), y_axis(middle_s), kind="ring"))
    alt = (
        f"World lines of {scene.num_objects} objects: position across the picture to the right, "
        f"time from {_seconds(y_axis.low)} at the top to {_seconds(y_axis.high)} at the bottom."
    )
    labels = "".join(_tick(_seconds(t), "left", "top", y_axis.percent(t)) for t in ticks)
    cursor = f'<i class="cursor down" data-film="{escape(film)}"></i>' if film else ""
    return (
        f'<div class="plot lines">{_svg("".join(body), height, alt, kind="chart")}{labels}{cursor}'
        "</div>"
    )


def _world_line(scene: Scene, row: int, x_axis: Axis, y_axis: Axis) -> str:
    color, seen = track_color(int(scene.ids[row])), scene.visible[row]
    x, std = scene.center_px[row, :, 0], scene.center_px_std[row, :, 0]
    place = [(x_axis(a), y_axis(t)) for a, t in zip(x, scene.time_s, strict=True)]
    parts, runs = [], _runs(seen)
    for start, stop in runs:
        left = [(x_axis(x[k] - 2 * std[k]), place[k][1]) for k in range(start, stop)]
        right = [(x_axis(x[k] + 2 * std[k]), place[k][1]) for k in reversed(range(start, stop))]
        parts.append(f'<path class="band" d="{path_data(left + right)}Z" style="--c:{color}"/>')
        parts.append(_line(place[start:stop], color, "line"))
    for (_, stop), (start, _) in pairwise(runs):
        parts.append(_line([place[stop - 1], place[start]], color, "line hidden"))
    if runs:
        parts.append(_dot(*place[runs[0][0]], color))
    return "".join(parts)


def draw_timeline(scene: Scene, events: Sequence[Event], *, film: str = "") -> str:
    """Some of a scene's events as bars over its time, one row per type of event."""
    if not events:
        return '<p class="nothing">No event was found.</p>'
    axis = Axis(float(scene.time_s[0]), float(scene.time_s[-1]), 0.0, WIDTH)
    rows: dict[str, list[Event]] = {}
    for event in events:
        rows.setdefault(event.type, []).append(event)
    lines = []
    for name, members in rows.items():
        bars = "".join(_event_bar(scene, event, axis) for event in members)
        lines.append(
            f'<div class="lane"><span class="lane-name">{escape(_words(name))}</span>'
            f'<span class="lane-bars" role="img" aria-label="{escape(_lane_alt(name, members))}">'
            f"{bars}</span></div>"
        )
    ticks = "".join(
        _tick(_seconds(t), "below", "left", axis.percent(t))
        for t in nice_ticks(axis.low, axis.high)
    )
    cursor = f'<i class="cursor across" data-film="{escape(film)}"></i>' if film else ""
    return (
        f'<div class="timeline">{"".join(lines)}'
        f'<div class="lane axis"><span class="lane-name"></span>'
        f'<span class="lane-bars">{ticks}{cursor}</span></div></div>'
    )


def _event_bar(scene: Scene, event: Event, axis: Axis) -> str:
    known = [int(i) for i in event.roles.values() if i in scene.ids]
    color = track_color(known[0]) if known else "var(--ink-2)"
    left = min(max(axis.percent(event.start_s), 0.0), 100.0)
    right = min(max(axis.percent(event.end_s), left), 100.0)
    return (
        f'<i style="left:{_number(left)}%;width:{_number(right - left)}%;--c:{color};'
        f'opacity:{_number(0.35 + 0.65 * min(max(event.confidence, 0.0), 1.0))}"></i>'
    )


def _lane_alt(name: str, events: Sequence[Event]) -> str:
    spans = ", ".join(f"{e.start_s:.2f} to {e.end_s:.2f} s" for e in events[:8])
    more = f" and {len(events) - 8} more" if len(events) > 8 else ""
    return f"{_words(name)}: {spans}{more}"


def _words(name: str) -> str:
    return name.replace("_", " ")


@dataclass(frozen=True)
class CurveStyle:
    """How a curve looks: a CSS class that sets colour and dash, and the legend's text."""

    kind: str
    name: str


def draw_curves(
    x: Sequence[float],
    curves: Sequence[tuple[CurveStyle, Sequence[float | None]]],
    *,
    alt: str,
    x_label: str,
    y_label: str,
    from_zero: bool = False,
    height: float = 300.0,
) -> str:
    """Curves over a common x, with ticks, labels and a legend where there are several."""
    values = [v for _, ys in curves for v in ys if v is not None and math.isfinite(v)]
    if not values or len(x) == 0:
        return '<p class="nothing">Nothing could be measured here.</p>'
    low, high = min(values), max(values)
    if from_zero:  # rounding errors must not fill the drawing
        low, high = min(low, 0.0), max(high, _LEAST_TOP)
    margin = 0.06 * (high - low) or max(abs(high), 1e-6) * 0.1
    y_axis = Axis(low if from_zero else low - margin, high + margin, height, 0.0)
    x_axis = Axis(min(x), max(x), 0.0, WIDTH)
    y_ticks, x_ticks = nice_ticks(y_axis.low, y_axis.high, 5), nice_ticks(x_axis.low, x_axis.high)
    body = [f'<path class="grid" d="M0 {_number(y_axis(t))}H{_number(WIDTH)}"/>' for t in y_ticks]
    for style, ys in curves:
        points = [
            (x_axis(a), y_axis(math.nan if b is None else b)) for a, b in zip(x, ys, strict=True)
        ]
        body.append(f'<path class="curve {style.kind}" d="{path_data(points)}"/>')
    ticks = [_tick(_plain(t), "left outside", "bottom", y_axis.percent(t)) for t in y_ticks]
    ticks += [_tick(_plain(t), "below", "left", x_axis.percent(t)) for t in x_ticks]
    legend = "".join(
        f'<li><svg class="key" viewBox="0 0 24 8" aria-hidden="true"><path class="curve '
        f'{style.kind}" d="M1 4H23"/></svg>{escape(style.name)}</li>'
        for style, _ in curves
    )
    return (
        f'<div class="graph"><p class="y-label">{escape(y_label)}</p>'
        f'<div class="plot framed">{_svg("".join(body), height, alt, kind="chart")}'
        f"{''.join(ticks)}</div>"
        f'<p class="x-label">{escape(x_label)}</p>'
        + (f'<ul class="legend">{legend}</ul>' if len(curves) > 1 else "")
        + "</div>"
    )


def _plain(value: float) -> str:
    return f"{value:.6g}"


def draw_shares(parts: Sequence[tuple[str, float]]) -> str:
    """One bar divided in proportion to the parts' values; nothing if they add up to nothing."""
    total = sum(value for _, value in parts)
    if total <= 0:
        return ""
    pieces = "".join(
        f'<i class="share s{k % 8}" style="width:{_number(100 * value / total)}%"></i>'
        for k, (_, value) in enumerate(parts)
    )
    alt = ", ".join(f"{name} {100 * value / total:.0f} %" for name, value in parts)
    return f'<div class="shares" role="img" aria-label="{escape(alt)}">{pieces}</div>'
