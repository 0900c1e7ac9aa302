"""Figures of matplotlib as part of a page: text stays text, colours are the page's own.

Figures are made without `pyplot`, so that nothing global is kept. Colours are drawn as stand-ins
and replaced by the page's variables, so one drawing serves a light and a dark screen.
"""

from __future__ import annotations

import io
import re
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLORS", "show_figure"]

_NAMES = ("ink", "ink-2", "rule", "accent", "good", "bad", "warn", "base-a", "base-b", "base-c")

COLORS = {name: f"#{2 * f'0{k:x}'}0{k:x}" for k, name in enumerate(_NAMES, 1)}
"""The page's colours as those to draw with."""

_SETTINGS: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "worldline"}
_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_FONT = re.compile(r"font: ([\d.]+)px [^;\"]*")
_ID = re.compile(r' id="([^"]*)"')


def show_figure(figure: Figure, *, alt: str, kind: str) -> str:
    """A figure as an SVG element that stands in a page.

    Args:
        figure: drawn in `COLORS`.
        alt: what it shows, for those who do not see it.
        kind: CSS class.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    file = io.StringIO()
    with mpl.rc_context(_SETTINGS):
        FigureCanvasSVG(figure).print_svg(file, metadata=_METADATA)
    drawn = file.getvalue()
    body = drawn[drawn.index("<svg") :]
    body = body[body.index(">") + 1 :]
    for name, color in COLORS.items():
        body = body.replace(color, f"var(--{name})")
    body = _FONT.sub(r"font: \1px var(--sans)", body).replace("xlink:href", "href")
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"\s*\n\s*", " ", body).replace("> <", "><").strip()
    width, height = (72 * side for side in figure.get_size_inches())
    return (
        f'<svg class="figure {kind}" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(alt)}">{_own_names(body)}'
    )


def _own_names(body: str) -> str:
    """Names inside a drawing that no other one of the page has; those in no use are left out."""
    prefix = f"f{sha256(body.encode()).hexdigest()[:8]}"
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
    body = _ID.sub(lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", body)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}", body)
