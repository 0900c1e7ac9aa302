"""Tracks of light: what is followed and is, all the while, the ground in other light.

`light.py` judges pixels and patches of one frame, and leaves what may be either to the tracker. A
track tells more. In a shadow's middle the picture is the background times one factor, per channel
and nearly to the noise (Horprasert, Harwood and Davis 1999), in every frame and wherever it goes:
the factor stays as the ground changes, and the ground's detail and course of brightness go on under
it. A body keeps its own colour instead, is shaded, and hides what lies behind it. Where the
background holds a shadow that has gone the same is seen the other way round.

What the frames of a track say (`shade.Shade`) becomes traits, and one logistic regression, learned
from simulated films whose light is known (`python -m worldline.audit.shading`), says how likely it
is light. What casts a shadow is something: a track is light only beside another one that is not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np
from jaxtyping import Float

from worldline.physics.chances import Chances
from worldline.readout.shade import Shade
from worldline.readout.tracker import Track

__all__ = [
    "LIGHT",
    "LIKELY",
    "bundled_light_chances",
    "is_shaded",
    "traits_of_track",
    "without_light",
]

LIGHT = "light"
"""The kind of claim: a track is light."""

LIKELY = 0.7
"""From this probability on a track is taken for light."""

_MIN_SAMPLES = 2
_MOSTLY = 0.75  # share of them in which it may be light at all
_ALIKE = 0.15  # of the usual level: frames in which nothing else is mixed in
_EVEN_PX = 1.2  # grey levels of spread that are noise
_DARK, _BRIGHT = 1.05, 0.3  # logarithms of factors beyond which light is seldom
_PLAIN = 0.015  # of colour
_STEADY = 0.02  # of level from frame to frame
_SMALL_PX = 40.0
_GRAIN_PX = 6.0  # pixels of a smoothed picture that say as much as one
_GRIT = 0.6  # variance in grey levels of a background that was seen for a short time
_SURE = 2.0  # times three standard errors
_SHADED = 0.1  # spread of brightness, of its mean
_CASTS = 0.5  # share of a track's time in which something beside it could have cast it


def without_light(tracks: Sequence[Track], moving: Sequence[bool]) -> list[Track]:
    """The tracks that are no light.

    Args:
        tracks: of one shot.
        moving: whether each goes somewhere; what does not casts nothing that moves.
    """
    chances = bundled_light_chances()
    likely = []
    for track in tracks:
        traits = traits_of_track(track)
        likely.append(traits is not None and chances.of(LIGHT, traits) >= LIKELY)
    casters = [
        set(track.frames)
        for track, moves, light in zip(tracks, moving, likely, strict=True)
        if moves and not light and is_shaded(track)
    ]
    return [
        track
        for track, light in zip(tracks, likely, strict=True)
        if not light or not _has_caster(track, casters)
    ]


def is_shaded(track: Track) -> bool:
    """Whether a body shows any light and shade, or pattern: what is drawn flat knows no light."""
    own = [shade.own for shade in track.shades if shade is not None]
    return bool(own) and float(np.median(own)) > _SHADED


def _has_caster(track: Track, casters: Sequence[set[int]]) -> bool:
    accompanied = sum(any(frame in own for own in casters) for frame in track.frames)
    return accompanied >= _CASTS * len(track.frames)


def traits_of_track(track: Track) -> dict[str, float] | None:
    """What speaks for and against a track's being light; None where too little was measured, or
    where it cannot be light for most of the time."""
    shades = [shade for shade in track.shades if shade is not None]
    maybe = [shade for shade in shades if shade.possible]
    if len(maybe) < max(_MIN_SAMPLES, _MOSTLY * len(shades)):
        return None
    level, chroma, spread, num, rest, noise = np.array(
        [(s.level, s.chroma, s.spread, s.num, s.rest, s.noise) for s in maybe]
    ).T
    usual, grain = float(np.median(level)), np.sqrt(noise)
    alike = (np.abs(level - usual) < _ALIKE) & (spread <= 1.2 * np.median(spread))
    uneven = [_beyond(part / grain, _EVEN_PX) for part in (spread, np.sqrt(rest))]
    return {
        "impossible": 1.0 - len(maybe) / len(shades),
        "dark": max(0.0, -usual - _DARK),
        "bright": max(0.0, usual - _BRIGHT),
        "lamp": float(usual > 0),
        "tinted": _beyond(chroma, _PLAIN),
        "uneven": max(uneven),
        "unsteady": _beyond(1.4826 * np.abs(level - usual), _STEADY),
        "kept": _kept([shade for shade, same in zip(maybe, alike, strict=True) if same]),
        "small": _beyond(_SMALL_PX / num, 1.0),
    }


def _beyond(values: Float[np.ndarray, " n"], least: float) -> float:
    """Logarithm of how often the median holds what is nothing; 0 below."""
    return math.log(max(1.0, float(np.median(values)) / least))


def _kept(shades: Sequence[Shade]) -> float:
    """How surely the ground's detail and course of brightness are found in the picture, in three
    standard errors: the log-likelihood ratio of slopes 1 and 0, less what of the background's
    variation is noise; 0 if they are not found, which a background that was hardly seen can do."""
    if not shades:
        return 0.0
    grain = np.array([shade.noise for shade in shades])
    rest = np.array([shade.rest for shade in shades])
    error = math.sqrt(_GRAIN_PX * float(np.mean(grain + np.minimum(rest, 4.0 * grain))))
    grit = _GRIT * sum(shade.num * math.exp(-2.0 * shade.then) for shade in shades)
    found = []
    for energy, product in (
        (sum(s.course for s in shades), sum(s.course_kept for s in shades)),
        (sum(s.detail for s in shades), sum(s.detail_kept for s in shades)),
    ):
        surplus = product - max(0.0, energy - grit) / 2.0
        found.append(surplus / (3.0 * error * math.sqrt(max(energy, 1e-12))))
    return float(np.clip(min(found), 0.0, _SURE))


@cache
def bundled_light_chances() -> Chances:
    """Those that come with the package."""
    text = resources.files("worldline.readout").joinpath("light_chances.json").read_text()
    return Chances.from_json(json.loads(text))
