"""Colours by their everyday words, and which of them shade and blur turn into which."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Float

__all__ = ["COLORS", "LOOKS_LIKE", "SHADED", "color_name", "seen_as"]

_HUES = (
    (15, "red"),
    (42, "orange"),
    (70, "yellow"),
    (165, "green"),
    (200, "cyan"),
    (260, "blue"),
    (292, "purple"),
    (340, "pink"),
    (361, "red"),
)
COLORS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink")
COLORS += ("brown", "white", "gray", "black")

LOOKS_LIKE: Mapping[str, tuple[str, ...]] = {
    "red": ("brown", "pink", "orange", "gray"),
    "orange": ("brown", "red", "yellow", "gray"),
    "yellow": ("brown", "orange", "green", "gray"),
    "green": ("cyan", "yellow", "gray"),
    "cyan": ("blue", "green", "gray"),
    "blue": ("cyan", "purple", "gray"),
    "purple": ("blue", "pink", "gray"),
    "pink": ("purple", "red", "gray"),
    "brown": ("red", "orange", "gray", "black"),
    "white": ("gray",),
    "gray": ("black", "white", "brown"),
    "black": ("gray", "brown"),
}
"""Colour to what it was taken for in pixels: of 363 perceived tracks of simulated clips a quarter
had another name than the body itself, nearly all one of these."""


SHADED: Mapping[str, tuple[str, ...]] = {"white": ("gray",), "gray": ("black",)}
"""Colour to what shade makes of it: a known body is as bright as the light on it."""


def color_name(rgb: Float[np.ndarray, " 3"]) -> str:
    """The basic colour word for a mean colour in [0, 1]; "" where it is unknown.

    Hue decides above a saturation of 0.25, lightness below it; dark orange is brown. The limits are
    those between the everyday words on the HSV hue circle, in degrees.
    """
    if not np.isfinite(rgb).all():
        return ""
    hue, saturation, value = colorsys.rgb_to_hsv(*(float(np.clip(c, 0, 1)) for c in rgb))
    if value < 0.15:
        return "black"
    if saturation < 0.25:
        return "white" if value > 0.8 else "gray"
    name = next(word for limit, word in _HUES if hue * 360 < limit)
    return "brown" if name == "orange" and value < 0.55 else name


def seen_as(
    colors: Iterable[str], mistaken: Mapping[str, tuple[str, ...]] = LOOKS_LIKE
) -> tuple[str, ...]:
    """Colours, and all that they may be taken for."""
    every = [name for color in colors for name in (color, *mistaken.get(color, ()))]
    return tuple(dict.fromkeys(every))
