"""How numbers of things, measured values and names of files are said in a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["counted", "describe_quantities", "describe_quantity", "plain", "printable"]

_UNITS = {
    "mps2": "m/s²",
    "mps": "m/s",
    "radps": "rad/s",
    "sizes_s2": "sizes/s²",
    "sizes_s": "sizes/s",
    "px_s2": "px/s²",
    "px_s": "px/s",
    "rad": "rad",
    "deg": "°",
    "px": "px",
    "kg": "kg",
    "ns": "N·s",
    "m": "m",
    "s": "s",
}

# Control characters, the marks that end a line or turn the direction of writing, and bytes of a
# file name that are no text: a terminal would obey the first, and be misled or fail by the others.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def counted(number: int, thing: str, things: str = "") -> str:
    """Such as "1 frame" or "3 frames"; `things` is the plural where it does not end in s."""
    return f"{number} {thing}" if number == 1 else f"{number} {things or thing + 's'}"


def printable(text: str, *, keep: str = "") -> str:
    r"""The same text with what a terminal must not see written out, such as `\x1b`.

    Args:
        text: to show.
        keep: characters that stay as they are, such as a line feed in a paragraph.
    """
    return _UNPRINTABLE.sub(lambda found: _written(found[0], keep), text)


def _written(character: str, keep: str) -> str:
    return character if character in keep else character.encode("unicode_escape").decode()


def plain(name: str) -> str:
    """A name from the program as words: "near_miss" becomes "near miss"."""
    return name.replace("_", " ").strip()


def describe_quantity(name: str, value: Any) -> str:
    """A measured value with its unit, from a name such as "height_m"."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{plain(name)} {value}"
    if name == "needed_fps":
        return f"insufficient frame rate for metres, needed {value:.0f}\u202f/s"
    if name == "metres_per_px":
        return f"scale {value:.3g}\u202fm/px"
    number = f"{value:.3g}" if isinstance(value, float) else str(value)
    for suffix, unit in _UNITS.items():  # longer suffixes come first
        stem = name.removesuffix(f"_{suffix}")
        if stem and stem != name:
            gap = "" if suffix == "deg" else "\u202f"
            return f"{plain(stem)} {number}{gap}{unit}"
    return f"{plain(name).removeprefix('num ')} {number}"


def describe_quantities(quantities: Mapping[str, Any]) -> tuple[str, ...]:
    """Values with units; a standard error joins the value it belongs to."""
    out = []
    for name, value in quantities.items():
        if name.endswith("_std") and name.removesuffix("_std") in quantities:
            continue
        text = describe_quantity(name, value)
        error = quantities.get(f"{name}_std")
        if isinstance(error, int | float):
            text += f" ± {error:.2g}"
        out.append(text)
    return tuple(out)
