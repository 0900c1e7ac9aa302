"""Sections of the page: one function each, from facts to HTML."""

from __future__ import annotations

from html import escape

from worldline.core import Origin
from worldline.report.elements import (
    show_film,
    show_folded,
    show_laws,
    show_list,
    show_still,
    show_table,
    show_trust,
)
from worldline.report.facts import (
    ClipFacts,
    ForecastFacts,
    ReportFacts,
    WorldFacts,
)
from worldline.report.happenings import show_events, show_tracks
from worldline.report.svg import (
    CurveStyle,
    draw_curves,
    draw_shares,
    draw_world_lines,
)
from worldline.report.words import (
    count,
    count_outcomes,
)

__all__ = ["show_clip", "show_forecast", "show_limits", "show_timings"]

_CURVES = ("world", "baseline-a", "baseline-b", "baseline-c")


def show_clip(clip: ClipFacts, *, ident: str) -> str:
    """A video: world lines, events, laws."""
    film = f"{ident}-film" if clip.film else ""
    footage, scene = clip.footage, clip.scene
    picture = (
        show_film(
            clip.film,
            ident=film,
            large=True,
            caption="World lines are drawn on it: where each object has been.",
        )
        if clip.film
        else '<p class="nothing">The video could not be drawn.</p>'
    )
    objects = count(scene.num_objects, "world line")
    diagram = draw_world_lines(scene, cuts_s=clip.cuts_s, film=film)
    note = (
        "The same motion as world lines: across the picture from left to right, time downwards. "
        "The band is ± 2 standard deviations; dotted where the object was not seen; grey dots "
        "are contacts."
    ) + (" Dashed lines across are cuts." if clip.cuts_s else "")
    return (
        f'<section id="{escape(ident)}"><h2>{escape(footage.name)}: {objects}</h2>'
        f'<p class="lead">{escape(_footage_words(clip))}</p>'
        f'<div class="stack">{picture}<figure class="diagram">{diagram}'
        f"<figcaption>{note}</figcaption></figure></div>"
        f"{show_events(clip, film=film)}{show_tracks(clip)}"
        f"<h3>Is it physics?</h3><p>{escape(count_outcomes(clip.verdicts))}. "
        "A law is tested only where the picture allows it; “cannot tell” is an answer.</p>"
        f"{show_laws(clip.verdicts, caption='Laws, tested on what was seen', film=film)}"
        "</section>"
    )


def _footage_words(clip: ClipFacts) -> str:
    footage = clip.footage
    start_s, end_s = footage.looked_at_s
    words = (
        f"{footage.width_px} \u00d7 {footage.height_px} pixels, {footage.fps:.3g} frames a second"
        f"{'' if footage.steady_rate else ' on average (uneven)'}, {footage.codec}; "
        f"{count(footage.num_frames, 'frame')} looked at, {start_s:.1f} to {end_s:.1f} s"
    )
    if footage.duration_s is not None and footage.duration_s > end_s + 0.5:
        words += f" of {footage.duration_s:.1f} s"
    if footage.rotation_deg:
        words += f"; stored turned by {footage.rotation_deg}°"
    if clip.cuts_s:
        cuts = ", ".join(f"{cut_s:.1f}" for cut_s in clip.cuts_s)
        words += f"; the picture cuts at {cuts} s"
    return words + (f". Damaged: {clip.damage}." if clip.damage else ".")


def show_forecast(facts: ForecastFacts, *, ident: str) -> str:
    """A forecast beside what happened and the baselines."""
    forecast = facts.forecast
    last_s = float(forecast.time_s[-1]) - facts.start_s
    share = 100 * facts.context_s / max(facts.context_s + last_s, 1e-9)
    panels = "".join(
        f'<div class="panel"><h4>{escape(panel.name)}</h4>'
        f"{show_film(panel.film, ident=f'{ident}-panel-{k}', caption=escape(panel.note))}</div>"
        for k, panel in enumerate(facts.panels)
    )
    spread = (
        '<div class="panel"><h4>Where the futures differ</h4>'
        f"{show_film(facts.spread_film, ident=f'{ident}-spread', caption=_spread_words(facts))}"
        "</div>"
    )
    lead = (
        f"{forecast.num_samples} futures of {len(forecast.time_s)} frames ({last_s:.2f} s) from "
        f"{count(len(forecast.context_frames), 'context frame')} ending at {facts.start_s:.2f} s "
        f"of {facts.source}, predicted in {facts.predict_s:.1f} s. {facts.why_here}"
    )
    return (
        f'<section id="{escape(ident)}"><h2>{escape(facts.title)}</h2>'
        f'<p class="lead">{escape(lead)}</p>'
        f"{show_trust(forecast.trust, forecast.trust_reason)}"
        f'<div class="group" data-group><div class="panels">{panels}{spread}</div>'
        f'<div class="progress" style="--seen:{share:.1f}%" aria-hidden="true">'
        f"<span>given</span><span>continued</span><i></i></div></div>"
        f"{_strips(facts)}{_graphs(facts)}"
        "<h3>Do the futures obey physics?</h3>"
        f"<p>{escape(count_outcomes(forecast.audit))}; the worst of "
        f"{count(forecast.num_samples, 'future')} counts.</p>"
        f"{show_laws(forecast.audit, caption='Laws, tested on the generated futures')}</section>"
    )


def _spread_words(facts: ForecastFacts) -> str:
    return (
        "Bright: the sampled futures disagree, and errors are to be expected, up to "
        f"{facts.spread_scale:.2f} of full intensity."
    )


def _strips(facts: ForecastFacts) -> str:
    times = [float(facts.forecast.time_s[k - 1]) - facts.start_s for k in facts.strip_steps]
    head = "".join(f"<span>+{t:.2f} s</span>" for t in times)
    rows = [(panel.name, panel.film.provenance, panel.strip) for panel in facts.panels]
    rows.append(("Difference", facts.spread_film.provenance, facts.spread_strip))
    body = "".join(
        f'<div class="strip-row"><span class="strip-name">{escape(name)}'
        f"{'' if mark.origin is Origin.RECORDED else f'<small>{escape(str(mark.origin))}</small>'}"
        f"</span>{show_still(still)}</div>"
        for name, mark, still in rows
    )
    return (
        '<figure class="strips"><div class="strip-row strip-head"><span class="strip-name"></span>'
        f'<div class="strip-times">{head}</div></div>{body}'
        "<figcaption>The continuations frame by frame, at the same moments.</figcaption></figure>"
    )


def _graphs(facts: ForecastFacts) -> str:
    forecast = facts.forecast
    after = [float(t) - facts.start_s for t in forecast.time_s]
    spread = [float(u) for u in forecast.uncertainty]
    graphs = [
        "<figure><h4>Uncertainty per frame</h4>"
        + draw_curves(
            after,
            [(CurveStyle("world", "expected error"), spread)],
            alt=f"Uncertainty from {spread[0]:.3f} in the first to {spread[-1]:.3f} in the last "
            "forecast frame.",
            x_label="seconds after the last frame given",
            y_label="expected error, share of full intensity",
            from_zero=True,
        )
        + "</figure>"
    ]
    if facts.errors:
        styles = [
            (CurveStyle(_CURVES[min(k, len(_CURVES) - 1)], curve.name), curve.values)
            for k, curve in enumerate(facts.errors)
        ]
        ends = ", ".join(
            f"{curve.name} {curve.values[-1]:.1f} dB"
            for curve in facts.errors
            if curve.values and curve.values[-1] is not None
        )
        graphs.append(
            "<figure><h4>Closeness to what happened</h4>"
            + draw_curves(
                after,
                styles,
                alt=f"Picture quality in the last frame: {ends}.",
                x_label="seconds after the last frame given",
                y_label="PSNR in dB, higher is closer",
            )
            + "</figure>"
        )
    return f'<div class="graphs">{"".join(graphs)}</div>'


def show_timings(facts: ReportFacts, *, ident: str) -> str:
    """Where the time went."""
    total_s = max(facts.total_s, 1e-9)
    rows = [
        (
            f'<i class="swatch s{k % 8}"></i>{escape(stage.name)}',
            f"{stage.seconds:.1f}\u202fs",
            f"{100 * stage.seconds / total_s:.0f}\u202f%",
            escape(stage.what),
        )
        for k, stage in enumerate(facts.stages)
    ]
    shares = draw_shares([(stage.name, stage.seconds) for stage in facts.stages])
    header = ("Stage", "Time", "Share", "What it did")
    return (
        f'<section id="{escape(ident)}"><h2>Where {facts.total_s:.0f} seconds went</h2>{shares}'
        f"{show_table('Time per stage', header, rows)}</section>"
    )


def show_limits(facts: ReportFacts, *, ident: str) -> str:
    """What not to conclude, and the world's own card."""
    return (
        f'<section id="{escape(ident)}"><h2>Limits</h2>{show_list(facts.limits, kind="limits")}'
        f"{_failures(facts)}"
        f"{_card(facts.world)}</section>"
    )


def _failures(facts: ReportFacts) -> str:
    if not facts.failures:
        return ""
    return f"<h3>Files that could not be used</h3>{show_list(facts.failures)}"


def _card(world: WorldFacts | None) -> str:
    if world is None:
        return ""
    text = (
        f"{world.name}: {world.num_parameters / 1e6:.1f} million parameters, "
        f"{world.size_px} \u00d7 {world.size_px} pixels, one frame every {world.step_s:.3f} s"
    )
    body = f'<pre class="card">{escape(world.card)}</pre>' if world.card else ""
    return f"<p>{escape(text)}.</p>" + (show_folded(f"Card of {world.name}", body) if body else "")
