"""The page's own files, and what it may load: these and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["FILES", "POLICY", "read_file"]

FILES: Mapping[str, str] = {
    "play.css": "text/css",
    "play.js": "text/javascript",
    "pad.js": "text/javascript",
    "stage.js": "text/javascript",
    "wire.js": "text/javascript",
}
"""Served below `/play/`, with their types."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content security policy of the page: its own scripts, no inline ones, nothing from elsewhere."""


@cache
def read_file(name: str) -> str:
    """The text of a file of the page; the style sheet begins with that of all pages here."""
    text = (files("worldline.serve.play") / "page" / name).read_text(encoding="utf-8")
    if name == "play.css":
        return (files("worldline.report") / "style.css").read_text(encoding="utf-8") + text
    return text
