"""Tracks of light: what is followed and is, all the while, the ground in other light.

`light.py` judges pixels and patches of one frame, and leaves what may be either to the tracker. A
track tells more. In a shadow's middle the picture is the background times one factor, per channel
and nearly to the noise (Horprasert, Harwood and Davis 1999), in every frame and wherever it goes:
the factor stays as the ground changes, and the ground's detail and course of brightness go on under
it. A body keeps its own colour instead, is shaded, and hides what lies behind it. Where the
background holds a shadow that has gone the same is seen the other way round.

What the frames of a track say (`shade.Shade`) becomes traits, and one logistic regression, learned
from simulated films whose light is known (`python -m worldline.audit.shading`), says how likely it
is light. What casts a shadow is something: a track is light only beside another one that is not,
unless it shows itself: the ground's detail is there wherever it passes, fine (`Shade.through`) or
coarse (`Shade.follows`), or its edge is wider than those of bodies (`Shade.soft`), as that of a
lamp's pool is. Where the ground is surely seen through it, the regression is not asked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
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
_EVEN_PX = 0.8  # grey levels of spread that are noise
_DARK = 1.05  # logarithm of factors beyond which shadows are seldom
_PLAIN = 0.015  # of colour
_STEADY = 0.02  # of level from frame to frame
_FEW_CELLS, _FEW_PLACES = 3, 2.0
_FOLLOWS = (1.5, 3.0)  # variation of the ground over that of the factor: on bodies, under light
_APART = 0.1  # of a region's size, from place to place
_SHADED = 0.1  # spread of brightness, of its mean
_SHADING = (0.9, 1.9)  # logarithm of unevenness from which no shadow has it, and no ghost of one
_CLEAR = 0.5  # of the ground seen through, or of softness, from which light shows itself,
_SURE = 0.6  # and of the ground seen through, from which it surely is; small bodies can be soft
_CASTS = 0.5  # share of a track's time in which something beside it could have cast it


def without_light(tracks: Sequence[Track], moving: Sequence[bool]) -> list[Track]:
    """The tracks that are no light.

    Args:
        tracks: of one shot.
        moving: whether each goes somewhere; what does not casts nothing that moves.
    """
    chances = bundled_light_chances()
    found = [traits_of_track(track) for track in tracks]
    likely = [
        own is not None
        and (
            own["through"] >= _SURE
            or (
                (own["uneven"] < _SHADING[own["lamp"] > 0] or _shows_itself(own))
                and chances.of(LIGHT, own) >= LIKELY
            )
        )
        for own in found
    ]
    casters = [
        set(track.frames)
        for track, moves, light in zip(tracks, moving, likely, strict=True)
        if moves and not light and is_shaded(track)
    ]
    return [
        track
        for track, light, traits in zip(tracks, likely, found, strict=True)
        if not light or not (_shows_itself(traits or {}) or _has_caster(track, casters))
    ]


def _shows_itself(traits: Mapping[str, float]) -> bool:
    """Whether light is seen to be light without what casts it, and however uneven it is: the ground
    shows through it, or it begins softly all around."""
    return any(traits.get(name, 0.0) >= _CLEAR for name in ("through", "soft"))


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
    level, chroma, spread, rest, noise = np.array(
        [(s.level, s.chroma, s.spread, s.rest, s.noise) for s in maybe]
    ).T
    usual, grain = float(np.median(level)), np.sqrt(noise)
    uneven = [_beyond(part / grain, _EVEN_PX) for part in (spread, np.sqrt(rest))]
    return {
        "dark": max(0.0, -usual - _DARK),
        "lamp": float(usual > 0),
        "tinted": _beyond(chroma, _PLAIN),
        "uneven": max(uneven),
        "unsteady": _beyond(1.4826 * np.abs(level - usual), _STEADY),
        "through": _share_through(track),
        "soft": _softness(maybe),
    }


def _share_through(track: Track) -> float:
    """Share of the places that it passed in which the ground's fine detail was seen; drawn towards
    none where they are few. In one place alone the background may hold the very body."""
    shares, last = [], np.full(2, np.inf)
    for box, shade in zip(track.boxes, track.shades, strict=True):
        share = None if shade is None else _seen_through(shade)
        if share is None:
            continue
        center, size = (box[:2] + box[2:]) / 2, math.sqrt(float(np.prod(box[2:] - box[:2])))
        if math.dist(center, last) > _APART * size:
            shares.append(share)
            last = center
    return sum(shares) / (len(shares) + _FEW_PLACES)


def _seen_through(shade: Shade) -> float | None:
    """Share of a region through which the ground is seen; None where the ground cannot tell."""
    told = []
    if shade.through + shade.hidden >= _FEW_CELLS:
        told.append(shade.through / (shade.through + shade.hidden))
    if shade.follows > _FOLLOWS[1] or (shade.follows < _FOLLOWS[0] and not told):
        told.append(float(shade.follows > _FOLLOWS[1]))
    return sum(told) / len(told) if told else None


def _softness(shades: Sequence[Shade]) -> float:
    """1 for what begins softly all around, 0 for what is as sharp as the picture."""
    soft = [shade.soft for shade in shades if shade.soft == shade.soft]
    if 2 * len(soft) < len(shades):
        return 0.0
    return max(0.0, 1.0 - float(np.median(soft)))


def _beyond(values: Float[np.ndarray, " n"], least: float) -> float:
    """Logarithm of how often the median holds what is nothing; 0 below."""
    return math.log(max(1.0, float(np.median(values)) / least))


@cache
def bundled_light_chances() -> Chances:
    """Those that come with the package."""
    text = resources.files("worldline.readout").joinpath("light_chances.json").read_text()
    return Chances.from_json(json.loads(text))
