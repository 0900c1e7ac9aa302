"""Small pieces of the page: films, labels, meters, tables; functions from facts to HTML."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from worldline.core import Origin, Outcome, Provenance, Verdict
from worldline.core.wording import plain
from worldline.report.facts import Film, Still
from worldline.report.words import describe_provenance, describe_trust, sentence

__all__ = [
    "show_film",
    "show_folded",
    "show_laws",
    "show_list",
    "show_mark",
    "show_moment",
    "show_still",
    "show_table",
    "show_trust",
]

_OUTCOMES = {
    Outcome.PASS: ("✓", "holds"),
    Outcome.FAIL: ("✗", "violated"),
    Outcome.UNTESTABLE: ("\u2013", "cannot tell"),
}


def data_uri(content: bytes, media_type: str) -> str:
    """A file as an address that needs no request."""
    return f"data:{media_type};base64,{b64encode(content).decode('ascii')}"


def show_mark(provenance: Provenance) -> str:
    """Label that says whether pixels were recorded, simulated or generated."""
    kind = str(provenance.origin)
    return f'<span class="mark {escape(kind)}">{escape(describe_provenance(provenance))}</span>'


def show_film(film: Film, *, ident: str, caption: str = "", large: bool = False) -> str:
    """A playable video with its provenance and a caption (HTML)."""
    kind = "film" + (" pixelated" if film.pixelated else "") + (" large" if large else "")
    poster = f' poster="{data_uri(film.poster, "image/jpeg")}"' if film.poster else ""
    label = film.alt
    if film.provenance.origin is not Origin.RECORDED:
        label = f"{describe_provenance(film.provenance)}. {label}"
    return (
        f'<figure class="{kind}"><video id="{escape(ident)}" controls muted loop playsinline '
        f'preload="metadata" width="{film.width_px}" height="{film.height_px}" '
        f'data-start="{film.start_s:.6f}" data-length="{film.duration_s:.6f}" '
        f'aria-label="{escape(label)}"{poster} src="{data_uri(film.mp4, "video/mp4")}"></video>'
        f"<figcaption>{show_mark(film.provenance)} {caption}</figcaption></figure>"
    )


def show_still(still: Still, *, pixelated: bool = True) -> str:
    """A picture."""
    kind = ' class="pixelated"' if pixelated else ""
    return (
        f'<img{kind} src="{data_uri(still.png, "image/png")}" width="{still.width_px}" '
        f'height="{still.height_px}" alt="{escape(still.alt)}">'
    )


def show_trust(trust: float, reason: str) -> str:
    """Trust as a bar, a number and words."""
    share = min(max(trust, 0.0), 1.0) if trust == trust else 0.0
    word = describe_trust(trust)
    level = "low" if share < 0.4 else "middling" if share < 0.8 else "good"
    return (
        f'<div class="trust {level}"><p class="trust-word">{escape(word.capitalize())} trust '
        f"<b>{share:.2f}</b></p>"
        f'<div class="trust-bar" role="img" aria-label="trust {share:.2f} on a scale from 0 to 1">'
        f'<i style="width:{100 * share:.1f}%"></i></div>'
        f'<p class="trust-why">{escape(reason)}</p></div>'
    )


def show_list(items: Iterable[str], *, kind: str = "") -> str:
    """Items of plain text as a list; nothing for none."""
    rows = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f'<ul class="{escape(kind)}">{rows}</ul>' if rows else ""


def show_table(
    caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = ""
) -> str:
    """A table of cells that are HTML already; on a narrow screen each row becomes a card."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    body = []
    for row in rows:
        cells = [
            f'<td data-name="{escape(name)}">{cell}</td>'
            for name, cell in zip(header[1:], row[1:], strict=True)
        ]
        body.append(f'<tr><th scope="row">{row[0]}</th>{"".join(cells)}</tr>')
    return (
        f'<table class="{escape(kind)}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def show_folded(title: str, content: str) -> str:
    """HTML that is shown when its title is clicked."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def show_laws(verdicts: Sequence[Verdict], *, caption: str, film: str = "") -> str:
    """Table of laws. With `film`, moments are links that take that video there."""
    if not verdicts:
        return '<p class="nothing">No law was tested here.</p>'
    rows = []
    for verdict in verdicts:
        sign, words = _OUTCOMES[verdict.outcome]
        outcome = (
            f'<span class="outcome {escape(str(verdict.outcome))}">'
            f'<i aria-hidden="true">{sign}</i> {words}</span>'
        )
        rows.append(
            (
                escape(plain(verdict.law).capitalize()),
                outcome,
                _p_value(verdict.p_value),
                show_moment(verdict.moment_s, film=film),
                escape(sentence(verdict.reason)),
            )
        )
    header = ("Law", "Verdict", "p", "Moment", "Why")
    return show_table(caption, header, rows, kind="laws")


def _p_value(value: float | None) -> str:
    if value is None or value != value:
        return '<span class="none">none</span>'
    return "&lt; 0.001" if value < 0.001 else f"{value:.3f}"


def show_moment(moment_s: float | None, *, film: str = "") -> str:
    """A moment; with `film`, a link that takes that video there."""
    if moment_s is None or moment_s != moment_s:
        return '<span class="none">none</span>'
    text = f"{moment_s:.2f}\u202fs"
    if not film:
        return text
    return f'<a href="#{escape(film)}" data-seek="{moment_s:.4f}">{text}</a>'
