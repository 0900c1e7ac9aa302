"""What things look like: colours with their names, floors, skies, lights."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np

from worldline.sim.splits import Split
from worldline.sim.stage import Floor, Light, Pattern, Shape, Sky, Vector

__all__ = [
    "HELD_OUT_PAIRS",
    "HUES",
    "draw_body_colors",
    "draw_floor",
    "draw_light",
    "draw_plain_colors",
    "draw_sky",
]

HUES: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "red": ((-0.02, 0.015), (0.7, 1.0), (0.65, 1.0)),
    "orange": ((0.055, 0.09), (0.75, 1.0), (0.8, 1.0)),
    "yellow": ((0.135, 0.165), (0.65, 1.0), (0.8, 1.0)),
    "green": ((0.28, 0.40), (0.5, 1.0), (0.45, 0.85)),
    "cyan": ((0.48, 0.53), (0.5, 1.0), (0.65, 0.95)),
    "blue": ((0.58, 0.66), (0.6, 1.0), (0.6, 1.0)),
    "purple": ((0.73, 0.80), (0.45, 0.9), (0.5, 0.9)),
    "pink": ((0.88, 0.94), (0.35, 0.7), (0.85, 1.0)),
    "brown": ((0.04, 0.08), (0.5, 0.75), (0.3, 0.45)),
    "olive": ((0.16, 0.22), (0.4, 0.7), (0.35, 0.5)),
    "slate": ((0.55, 0.65), (0.2, 0.35), (0.4, 0.6)),
    "grey": ((0.0, 1.0), (0.0, 0.06), (0.4, 0.65)),
    "white": ((0.0, 1.0), (0.0, 0.05), (0.9, 1.0)),
    "black": ((0.0, 1.0), (0.0, 0.2), (0.04, 0.14)),
}
"""Colour name to ranges of hue, saturation and value."""

HELD_OUT_PAIRS: frozenset[tuple[str, Shape]] = frozenset(
    {
        ("purple", Shape.BALL),
        ("green", Shape.BOX),
        ("red", Shape.CYLINDER),
        ("blue", Shape.CAPSULE),
        ("cyan", Shape.BALL),
        ("orange", Shape.BOX),
        ("yellow", Shape.CUP),
        ("pink", Shape.BIN),
    }
)
"""Colour and shape that only COMBINATORIAL shows together."""

MIN_CONTRAST = 0.3
_BODY_PATTERNS = (Pattern.PLAIN, Pattern.HALVES, Pattern.STRIPES, Pattern.CHECKER)
_FLOOR_PATTERNS = (
    Pattern.PLAIN,
    Pattern.CHECKER,
    Pattern.STRIPES,
    Pattern.NOISE,
    Pattern.GRADIENT,
)


def _hsv(hue: float, saturation: float, value: float) -> Vector:
    return colorsys.hsv_to_rgb(hue % 1.0, saturation, value)


def _color(name: str, rng: np.random.Generator) -> Vector:
    return _hsv(*(float(rng.uniform(low, high)) for low, high in HUES[name]))


def _distance(a: Vector, b: Vector) -> float:
    return float(np.linalg.norm(np.subtract(a, b)))


def draw_body_colors(
    shape: Shape, split: Split, rng: np.random.Generator, taken: Sequence[str] = ()
) -> tuple[str, Vector, Vector, Pattern]:
    """Colour name, colour, second colour and pattern of one body.

    Names in `taken` are avoided, so that the bodies of a clip can be told apart by colour, and
    colour and shape are paired as the split demands.
    """
    held_out = sorted(name for name, of in HELD_OUT_PAIRS if of is shape)
    if split is Split.COMBINATORIAL and held_out:
        names = held_out
    else:
        names = [name for name in HUES if (name, shape) not in HELD_OUT_PAIRS]
    free = [name for name in names if name not in taken] or names
    name = free[int(rng.integers(len(free)))]
    color = _color(name, rng)
    bright = 0.95 if sum(color) < 1.6 else 0.15
    second = tuple(float(0.35 * c + 0.65 * bright) for c in color)
    pattern = _BODY_PATTERNS[int(rng.choice(4, p=[0.4, 0.25, 0.2, 0.15]))]
    return name, color, (second[0], second[1], second[2]), pattern


def draw_floor(avoid: Sequence[Vector], rng: np.random.Generator) -> Floor:
    """A floor whose colours stand out from those in `avoid` as far as that is possible."""
    best, best_contrast = None, -1.0
    for _ in range(12):
        base = _hsv(float(rng.random()), float(rng.uniform(0, 0.45)), float(rng.uniform(0.25, 0.9)))
        shift = float(rng.choice([-1, 1]) * rng.uniform(0.06, 0.2))
        second = tuple(float(np.clip(c + shift, 0.05, 0.97)) for c in base)
        contrast = min((_distance(base, color) for color in avoid), default=1.0)
        if contrast > best_contrast:
            best, best_contrast = (base, second), contrast
        if contrast >= MIN_CONTRAST:
            break
    assert best is not None
    first, second = best
    return Floor(
        color=first,
        second_color=(second[0], second[1], second[2]),
        pattern=_FLOOR_PATTERNS[int(rng.integers(len(_FLOOR_PATTERNS)))],
        scale_m=float(rng.uniform(0.8, 2.2)),
        angle_rad=float(rng.uniform(0, np.pi)),
        seed=int(rng.integers(2**31)),
    )


def draw_plain_colors(
    count: int, rng: np.random.Generator
) -> tuple[tuple[str, ...], tuple[Vector, ...], Vector]:
    """Names and colours of flat things and a plain ground that they stand out from."""
    names: list[str] = []
    while len(names) < count:
        name = list(HUES)[int(rng.integers(len(HUES)))]
        if name not in names:
            names.append(name)
    colors = tuple(_color(name, rng) for name in names)
    return tuple(names), colors, draw_floor(colors, rng).color


def draw_sky(rng: np.random.Generator) -> Sky:
    """A pale or dark sky of any hue."""
    hue, value = float(rng.random()), float(rng.uniform(0.35, 1.0))
    saturation = float(rng.uniform(0.0, 0.4))
    return Sky(
        horizon=_hsv(hue, 0.5 * saturation, value),
        zenith=_hsv(hue, saturation, value * float(rng.uniform(0.5, 0.95))),
    )


def draw_light(rng: np.random.Generator) -> Light:
    """A lamp high above the scene, at any side, and ambient light."""
    azimuth, elevation = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 1.35)
    distance = rng.uniform(14, 26)
    ambient = float(rng.uniform(0.32, 0.55))
    return Light(
        position_m=(
            float(distance * np.cos(elevation) * np.cos(azimuth)),
            float(distance * np.cos(elevation) * np.sin(azimuth)),
            float(distance * np.sin(elevation)),
        ),
        ambient=ambient,
        strength=float(rng.uniform(0.85, 1.15) - ambient),
    )
