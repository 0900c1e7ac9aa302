"""Quantities of guesses, rough ones, each with its standard error.

What no definition finds no definition measures. Where the spotter is right about when and who, laws
still tell something: a free fall of T seconds is one of g T^2 / 2, whatever the picture's scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from worldline.core.scene import Event, Scene
from worldline.physics.kinematics import STANDARD_GRAVITY_MPS2
from worldline.retrieval.spotting.keep import STEP_S

__all__ = ["measured"]

_TIME_STD_S = 0.7 * STEP_S
"""Of the length of a guess, whose ends are whole steps."""

_LENGTH_STD = 0.3
"""Relative error of the length of what lasts: it may be seen in part."""

_AROUND_S = 0.2
_LONGEST_S = 30.0
"""No time to collision beyond this is told."""

_SHARE_STD = 0.3
"""Relative error of a ratio of speeds, and of a time to collision."""


def measured(event: Event, scene: Scene) -> Event:
    """The guess with what can be said of it: its length, and more where its type has a law."""
    lasting_s = event.end_s - event.start_s
    error_s = max(_TIME_STD_S, _LENGTH_STD * lasting_s)
    quantities = {"duration_s": lasting_s, "duration_s_std": error_s}
    measure = _MEASURES.get(event.type)
    if measure is not None and event.roles:
        quantities |= measure(event, scene)
    return replace(event, quantities={**event.quantities, **quantities})


def _fall(event: Event, scene: Scene) -> dict[str, float]:
    lasting_s = event.end_s - event.start_s
    if lasting_s < STEP_S:
        return {}
    g = STANDARD_GRAVITY_MPS2
    return {
        "height_m": g * lasting_s**2 / 2,
        "height_m_std": g * lasting_s * _TIME_STD_S,
        "impact_speed_mps": g * lasting_s,
        "impact_speed_mps_std": g * _TIME_STD_S,
        "duration_s": lasting_s,
        "duration_s_std": _TIME_STD_S,
    }


def _bounce(event: Event, scene: Scene) -> dict[str, float]:
    row = scene.index(next(iter(event.roles.values())))
    middle_s = (event.start_s + event.end_s) / 2
    before, after = (
        _velocity(scene, row, middle_s + a, middle_s + b)
        for a, b in ((-_AROUND_S, -0.02), (0.02, _AROUND_S))
    )
    change = after - before
    length = float(np.linalg.norm(change))
    into = -float(before @ change) / length if length > 0 else math.nan
    out = float(after @ change) / length if length > 0 else math.nan
    if not (into > 0 and out > 0):
        return {}
    return {"restitution": out / into, "restitution_std": _SHARE_STD * out / into}


def _near_miss(event: Event, scene: Scene) -> dict[str, float]:
    rows = [scene.index(track) for track in event.roles.values() if track >= 0]
    if len(rows) < 2:
        return {}
    a, b = rows[:2]
    both = scene.present[a] & scene.present[b]
    both &= (scene.time_s >= event.start_s - 1.0) & (scene.time_s <= event.end_s + _AROUND_S)
    both &= np.isfinite(scene.center_px[[a, b]]).all(axis=(0, 2))
    if both.sum() < 5:
        return {}
    way = scene.center_px[b, both] - scene.center_px[a, both]
    reach = np.sqrt(scene.size_px[[a, b]][:, both].prod(axis=2)).sum(axis=0) / 2
    apart = np.linalg.norm(way, axis=1)
    closing = -np.gradient(apart, scene.time_s[both])
    gap = np.maximum(apart - reach, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ttc = np.where((closing > 0) & (gap > 0), gap / closing, math.inf)
    least = float(ttc.min())
    return {"ttc_s": least, "ttc_s_std": _SHARE_STD * least} if least < _LONGEST_S else {}


def _velocity(scene: Scene, row: int, from_s: float, to_s: float) -> np.ndarray:
    """Mean velocity in pixels per second; 0 where it is not known."""
    inside = scene.visible[row] & (scene.time_s >= from_s) & (scene.time_s <= to_s)
    if inside.sum() < 2:
        return np.zeros(2)
    return np.polyfit(scene.time_s[inside], scene.center_px[row, inside], 1)[0]


_MEASURES: dict[str, Callable[[Event, Scene], dict[str, float]]] = {
    "fall": _fall,
    "bounce": _bounce,
    "near_miss": _near_miss,
}
