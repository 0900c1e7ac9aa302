"""What every page has around its content: one HTML file that needs nothing else."""

from __future__ import annotations

from html import escape
from importlib.resources import files

__all__ = ["asset", "wrap_page"]

# A policy inside the page makes "no request leaves this page" a fact and not a promise.
_POLICY = (
    "default-src 'none'; img-src data:; media-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)


def asset(name: str) -> str:
    """A file of this room, as text."""
    return (files("worldline.report") / name).read_text(encoding="utf-8")


def wrap_page(body: str, *, title: str, made_by: str, style: str = "", script: str = "") -> str:
    """A whole page.

    Args:
        body: HTML.
        title: plain text, for the window.
        made_by: program and version.
        style: more CSS, after the house's.
        script: JavaScript.
    """
    ending = f"<script>\n{script}</script>\n" if script else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<meta name="generator" content="{escape(made_by)}">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>\n{asset('style.css')}{style}</style>\n</head>\n<body>\n"
        f"{body}\n{ending}</body>\n</html>\n"
    )
