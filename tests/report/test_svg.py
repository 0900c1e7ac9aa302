from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from worldline.core import Event, Provenance, Scene
from worldline.readout import line_color
from worldline.report.svg import (
    Axis,
    CurveStyle,
    draw_curves,
    draw_shares,
    draw_timeline,
    draw_world_lines,
    nice_ticks,
    path_data,
    track_color,
)


def test_axis_maps_ends_and_middle() -> None:
    axis = Axis(2.0, 4.0, 100.0, 0.0)
    assert [axis(v) for v in (2.0, 3.0, 4.0, 5.0)] == [100.0, 50.0, 0.0, -50.0]
    assert axis.percent(2.5) == 25.0
    assert Axis(1.0, 1.0, 0.0, 10.0)(1.0) == 5.0
    assert Axis(1.0, 1.0, 0.0, 10.0).percent(7.0) == 50.0


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0.0, 10.0, 6, (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)),
        (0.0, 1.0, 6, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        (-1.0, 1.0, 5, (-1.0, -0.5, 0.0, 0.5, 1.0)),
        (0.3, 0.95, 4, (0.5,)),
        (21.4, 31.2, 5, (25.0, 30.0)),
        (3.0, 3.0, 5, (3.0,)),
        (math.nan, 1.0, 5, ()),
    ],
)
def test_ticks_are_round(low: float, high: float, most: int, ticks: tuple[float, ...]) -> None:
    assert nice_ticks(low, high, most) == ticks


def test_ticks_are_never_too_many_and_never_outside() -> None:
    rng = np.random.default_rng(0)
    for low, span in zip(rng.normal(0, 50, 200), 10 ** rng.uniform(-6, 6, 200), strict=True):
        ticks = nice_ticks(low, low + span, 6)
        assert 1 <= len(ticks) <= 6
        assert all(low - 1e-6 * span <= t <= low + span * (1 + 1e-6) for t in ticks)


def test_path_lifts_its_pen_where_nothing_is_known() -> None:
    nan = math.nan
    assert path_data([(0, 0), (1, 2.5)]) == "M0 0L1 2.5"
    assert path_data([(0, 0), (nan, 1), (2, 2), (3, 3.333)]) == "M0 0M2 2L3 3.33"
    assert path_data([(nan, nan)]) == ""
    assert path_data([(-0.001, 0.0)]) == "M0 0"


def test_world_lines_lie_where_the_objects_were(scene: Scene) -> None:
    html = draw_world_lines(scene, height=100.0)
    lines = re.findall(r'<path class="line" d="([^"]*)"', html)
    # The first object crosses the whole picture from the first moment to the last.
    assert (
        lines[0] == "M0 0L100 10L200 20L300 30L400 40L500 50L600 60L700 70L800 80L900 90L1000 100"
    )
    # The second one stays in the middle and is hidden from frame 4 to 6.
    assert lines[1:] == ["M500 0L500 10L500 20L500 30", "M500 70L500 80L500 90L500 100"]
    assert re.findall(r'class="line hidden" d="([^"]*)"', html) == ["M500 30L500 70"]
    # Two standard deviations of 1.5 px in a picture of 100 px are 30 of 1000.
    bands = re.findall(r'class="band" d="M(-?[\d.]+) ([\d.]+)', html)
    assert [(float(x), float(y)) for x, y in bands] == [(-30, 0), (470, 0), (470, 70)]
    # The contact lies at half the width and half the time.
    assert 'class="ring" d="M500 50h0"' in html
    assert f"--c:{track_color(4)}" in html
    assert "World lines of 2 objects" in html


def test_world_lines_show_cuts(scene: Scene) -> None:
    assert 'class="cut" d="M0 50H1000"' in draw_world_lines(scene, cuts_s=(0.5,), height=100.0)


def test_colors_are_those_drawn_on_the_video() -> None:
    red, green, blue = line_color(7)
    assert track_color(7) == f"#{red:02x}{green:02x}{blue:02x}"


def test_a_scene_without_objects_has_no_diagram() -> None:
    empty = Scene.empty(np.arange(3) * 0.1, 10, 10, Provenance())
    assert "<svg" not in draw_world_lines(empty)
    assert "No object" in draw_world_lines(empty)


def test_timeline_bars_lie_where_the_events_were(scene: Scene) -> None:
    html = draw_timeline(scene, scene.events, film="film")
    bars = re.findall(r"left:([\d.]+)%;width:([\d.]+)%;--c:([^;]*);opacity:([\d.]+)", html)
    assert [(float(a), float(b)) for a, b, _, _ in bars] == [(20.0, 30.0), (0.0, 100.0)]
    assert bars[0][2] == track_color(4)
    assert "near miss: 0.20 to 0.50 s" in html
    assert 'data-film="film"' in html


def test_timeline_survives_events_outside_the_scene(scene: Scene) -> None:
    event = Event("<x>", -5.0, 9.0, {"a": 99}, confidence=0.0)
    html = draw_timeline(replace(scene, events=(event,)), (event,))
    assert "left:0%;width:100%;--c:var(--ink-2);opacity:0.35" in html
    assert "&lt;x&gt;" in html
    assert draw_timeline(scene, ()) == '<p class="nothing">No event was found.</p>'


def test_curves_reach_the_edges() -> None:
    world = CurveStyle("world", "small & co")
    other = CurveStyle("baseline-a", "copy")
    html = draw_curves(
        [0.0, 1.0, 2.0],
        [(world, [0.0, 5.0, 10.0]), (other, [10.0, None, 0.0])],
        alt="rises",
        x_label="s",
        y_label="dB",
        from_zero=True,
        height=106.0,
    )
    # The axis runs from 0 to 10 and 6 % more; heights count from the top.
    assert 'class="curve world" d="M0 106L500 56L1000 6"' in html
    assert 'class="curve baseline-a" d="M0 6M1000 106"' in html
    assert "small &amp; co" in html
    assert 'aria-label="rises"' in html


def test_curves_without_any_value_say_so() -> None:
    style = CurveStyle("world", "small")
    html = draw_curves([1.0], [(style, [None])], alt="", x_label="", y_label="")
    assert "Nothing could be measured" in html
    flat = draw_curves([1.0, 2.0], [(style, [3.0, 3.0])], alt="", x_label="", y_label="")
    assert "nan" not in flat
    assert 'd="M0 150L1000 150"' in flat


def test_shares_add_up() -> None:
    html = draw_shares([("a", 1.0), ("b", 3.0)])
    assert re.findall(r"width:([\d.]+)%", html) == ["25", "75"]
    assert "a 25 %, b 75 %" in html
    assert draw_shares([("a", 0.0)]) == ""
