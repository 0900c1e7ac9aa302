"""The icon of the pages."""

from __future__ import annotations

__all__ = ["ICON"]

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" '
    'rx="7" fill="#11161d"/><path d="M6 25C12 25 13 7 18 7s4 18 9 18" fill="none" '
    'stroke="#74c6d8" stroke-width="3" stroke-linecap="round"/></svg>'
)
"""A world line that jumps, as SVG."""
