"""One scene that keeps each law and one that breaks it, in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np

from worldline.core import STATIC, Contact, Origin, Provenance, Scene

__all__ = ["EXAMPLES"]

RADIUS_M = 0.2
G = 9.81
STEP_S = 0.05


def _scene(ways: list[np.ndarray], **fields: Any) -> Scene:
    """Balls of 0.2 m and 1 kg on the ways `[T, 3]`, seen from the side at 40 px/m."""
    position = np.stack(ways).astype(np.float64)
    n, t = position.shape[:2]
    center = np.stack([320 + 40 * position[..., 0], 400 - 40 * position[..., 2]], axis=-1)
    values: dict[str, Any] = {
        "time_s": STEP_S * np.arange(t),
        "width_px": 640,
        "height_px": 480,
        "ids": np.arange(n),
        "labels": ("ball",) * n,
        "present": np.ones((n, t), dtype=bool),
        "visible": np.ones((n, t), dtype=bool),
        "center_px": center,
        "size_px": np.full((n, t, 2), 80 * RADIUS_M),
        "center_px_std": np.zeros((n, t, 2)),
        "position_m": position,
        "angular_velocity_radps": np.zeros((n, t, 3)),
        "extent_m": np.full((n, 3), 2 * RADIUS_M),
        "mass_kg": np.ones(n),
        "gravity_mps2": np.array([0.0, 0.0, -G]),
        "provenance": Provenance(origin=Origin.SIMULATED, source="example"),
    }
    return Scene(**(values | fields))


def _way(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.stack([x, 0 * x, z], axis=1)


_T = STEP_S * np.arange(24)
_THROWN = _way(-2 + 3 * _T, 0.5 + 5 * _T - G * _T**2 / 2)
_NO_WEIGHT = {"gravity_mps2": np.zeros(3)}
_ON_THE_GROUND = (Contact(0, STATIC, 0.0, 2.0), Contact(1, STATIC, 0.0, 2.0))


def _turned() -> Scene:
    way = _THROWN.copy()
    way[12:, 0] = way[11, 0] - 3 * (_T[12:] - _T[11])
    return _scene([way])


def _hung() -> Scene:
    way = _THROWN.copy()
    way[13:] = way[12]
    return _scene([way])


def _meeting(after_one: float, after_two: float, **fields: Any) -> Scene:
    """Two balls that meet at 0.61 s with 2 and -1 m/s, without gravity."""
    t = _T - 0.61
    ways = [
        _way(np.where(t < 0, before * t, after * t) + place, 0 * t + 1)
        for before, after, place in ((2.0, after_one, -RADIUS_M), (-1.0, after_two, RADIUS_M))
    ]
    contacts = (Contact(0, 1, 0.61, 0.611),)
    return _scene(ways, **(_NO_WEIGHT | {"contacts": contacts} | fields))


def _swing(growth: float) -> Scene:
    t = STEP_S * np.arange(48)
    angle = 0.5 * np.exp(growth * t) * np.cos(np.sqrt(G / 1.5) * t)
    return _scene([_way(1.5 * np.sin(angle), 2.5 - 1.5 * np.cos(angle))])


def _bounce(coefficient: float) -> Scene:
    """A ball that falls 1.2 m and bounces once."""
    t = STEP_S * np.arange(20)
    land = float(np.sqrt(2 * 1.2 / G))
    later = t - land
    up = coefficient * G * land
    z = np.where(t < land, 1.2 - G * t**2 / 2, up * later - G * later**2 / 2)
    contact = Contact(0, STATIC, land, land + 1e-3)
    return _scene([_way(-1 + 1.5 * t, RADIUS_M + z)], contacts=(contact,))


def _rolling(**fields: Any) -> Scene:
    return _scene([_way(-2 + 3 * _T, 0 * _T + RADIUS_M)], contacts=_ON_THE_GROUND[:1], **fields)


def _growing() -> Scene:
    size = 80 * RADIUS_M * np.where(_T > 0.6, 1.6, 1.0)
    return _rolling(size_px=np.tile(size[None, :, None], (1, 1, 2)), depth_m=np.full((1, 24), 5.0))


def _vanishing() -> Scene:
    there = (np.arange(24) < 14)[None]
    return _rolling(present=there, visible=there)


def _leaping() -> Scene:
    way = _way(-2 + 3 * _T, 0 * _T + RADIUS_M)
    way[14:, 0] += 1.2
    return _scene([way], contacts=_ON_THE_GROUND[:1])


def _hit(starts_s: float) -> Scene:
    """A ball at rest is touched at 0.81 s and rolls from some time on."""
    one = _way(np.where(_T < 0.81, 2 * (_T - 0.81), 0) - RADIUS_M, 0 * _T + RADIUS_M)
    two = _way(1.9 * np.maximum(_T - starts_s, 0) + RADIUS_M, 0 * _T + RADIUS_M)
    return _scene([one, two], contacts=(*_ON_THE_GROUND, Contact(0, 1, 0.81, 0.811)))


def _grains(num_last: int) -> Scene:
    t = STEP_S * np.arange(12)
    ways = [_way(-1 + 0.4 * k + 0.5 * t, 2.2 + 0.1 * (k % 2) - G * t**2 / 2) for k in range(6)]
    there = np.ones((6, 12), dtype=bool)
    there[num_last:, 7:] = False
    return _scene(ways, present=there, visible=there, labels=("grain",) * 6)


EXAMPLES: dict[str, tuple[Scene, Scene]] = {
    "inertia": (_scene([_THROWN]), _turned()),
    "gravity_form": (_scene([_THROWN]), _hung()),
    "gravity_parameter": (
        _scene([_THROWN]),
        _scene([_way(-2 + 3 * _T, 0.5 + 5 * _T - 0.6 * G * _T**2 / 2)]),
    ),
    "momentum": (_meeting(-1.0, 2.0), _meeting(-0.5, 0.2)),
    "energy": (_swing(0.0), _swing(0.35)),
    "restitution": (_bounce(0.7), _bounce(1.3)),
    "rigidity": (_rolling(depth_m=np.full((1, 24), 5.0)), _growing()),
    "permanence": (_rolling(), _vanishing()),
    "continuity": (_rolling(), _leaping()),
    "interpenetration": (_meeting(-1.0, 2.0), _meeting(2.0, -1.0, contacts=())),
    "support": (_scene([_THROWN]), _hung()),
    "causality": (_hit(0.81), _hit(0.45)),
    "fluid_volume": (_grains(6), _grains(4)),
}
"""Law to a scene that keeps it and one that breaks it."""
