"""The page as a whole: one HTML file that needs nothing else."""

from __future__ import annotations

from html import escape

from worldline.report.elements import show_list
from worldline.report.facts import ReportFacts
from worldline.report.results import show_searches
from worldline.report.sections import (
    show_clip,
    show_forecast,
    show_limits,
    show_timings,
)
from worldline.report.shell import asset, wrap_page
from worldline.report.svg import WIDTH, Axis, path_data, track_color
from worldline.report.words import join, state_findings

__all__ = ["build_page"]

_TITLE = "What moved, what may follow, and whether it is physics"


def build_page(facts: ReportFacts) -> str:
    """The report as HTML; styles, script, pictures and videos are inside."""
    parts = [
        (f"clip-{k}", clip.footage.name, show_clip(clip, ident=f"clip-{k}"))
        for k, clip in enumerate(facts.clips)
    ]
    parts += [
        (f"forecast-{k}", forecast.title, show_forecast(forecast, ident=f"forecast-{k}"))
        for k, forecast in enumerate(facts.forecasts)
    ]
    parts += [
        ("search", "Search", show_searches(facts, ident="search")),
        ("time", "Time", show_timings(facts, ident="time")),
        ("limits", "Limits", show_limits(facts, ident="limits")),
    ]
    links = "".join(f'<li><a href="#{i}">{escape(name)}</a></li>' for i, name, _ in parts)
    body = (
        f"{_header(facts)}\n<main>\n"
        f'<section id="findings" class="findings"><h2>In short</h2>'
        f"{show_list(state_findings(facts))}</section>\n"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n'
        f"{chr(10).join(html for _, _, html in parts)}\n</main>\n{_footer(facts)}"
    )
    title = f"Worldline: {_sources(facts)}"
    return wrap_page(body, title=title, made_by=facts.made_by, script=asset("sync.js"))


def _sources(facts: ReportFacts) -> str:
    return join(clip.footage.name for clip in facts.clips) or "no video"


def _header(facts: ReportFacts) -> str:
    return (
        f'<header>{_motif(facts)}<div class="title"><p class="brand">Worldline</p>'
        f"<h1>{_TITLE}</h1>"
        f"<p>A report on {escape(_sources(facts))}: objects followed through space and time, "
        "futures imagined by a world model, both checked against the laws of motion, and clips "
        "found by what happens in them.</p></div></header>"
    )


def _motif(facts: ReportFacts, height: float = 200.0) -> str:
    """The report's own world lines, time to the right, as the header's ornament."""
    lines = []
    for clip in facts.clips:
        scene = clip.scene
        if scene.num_frames < 2:
            continue
        along = Axis(float(scene.time_s[0]), float(scene.time_s[-1]), 0.0, WIDTH)
        across = Axis(0.0, float(scene.width_px), 0.06 * height, 0.94 * height)
        for row in range(scene.num_objects):
            seen = scene.visible[row]
            points = [
                (along(t), across(x))
                for t, x in zip(scene.time_s[seen], scene.center_px[row, seen, 0], strict=True)
            ]
            lines.append(
                f'<path d="{path_data(points)}" style="--c:{track_color(int(scene.ids[row]))}"/>'
            )
    return (
        f'<svg class="motif" viewBox="0 0 {WIDTH:.0f} {height:.0f}" preserveAspectRatio="none" '
        f'aria-hidden="true">{"".join(lines)}</svg>'
    )


def _footer(facts: ReportFacts) -> str:
    return (
        f"<footer><p>Made by {escape(facts.made_by)} on {escape(facts.made_at)}, seed "
        f"{facts.seed}. The same facts as data: report.json, beside this page.</p></footer>"
    )
