"""`Monitor`: what speaks against a forecast, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = ["Alarm", "Monitor"]


@dataclass(frozen=True)
class Alarm:
    """A signal that is larger than on nearly all held-out forecasts.

    Attributes:
        signal: its name.
        frame: first frame of the forecast for which it is, from 0.
        time_s: of that frame.
        p_value: its least p-value, over all frames.
        reason: in words.
    """

    signal: str
    frame: int
    time_s: float
    p_value: float
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "signal": self.signal,
            "frame": self.frame,
            "time_s": round(self.time_s, 6),
            "p_value": round(self.p_value, 5),
            "reason": self.reason,
        }


@dataclass(frozen=True, eq=False)
class Monitor:
    """How far each frame of a forecast can be believed, judged without knowing what comes.

    Attributes:
        limit_px: position error that counts as a failure, in pixels of the world.
        risk: `[H]` probability that the position of a moving object is wrong by more than that in
            this frame or before it; None for a world whose monitor was not calibrated.
        signals: `[H]` each, by name: what was measured.
        p_values: `[H]` each, by name: share of held-out forecasts with at least as large a signal
            at the same frame (conformal p-value); empty without calibration.
        alarms: signals that are out of the ordinary, the first to speak first.
        radius_px: `[N, H]` for each object of the forecast's first scene and each frame: within so
            many pixels of the place given there the object is, with probability `coverage`. NaN
            where the scene does not see it, infinite where too little was known to say.
        coverage: of the radii; each frame for itself.
        note: one sentence for a reader.
    """

    limit_px: float
    risk: Float[np.ndarray, " h"] | None
    signals: Mapping[str, Float[np.ndarray, " h"]]
    p_values: Mapping[str, Float[np.ndarray, " h"]] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()
    radius_px: Float[np.ndarray, "n h"] | None = None
    coverage: float = 0.9
    note: str = ""

    @property
    def calibrated(self) -> bool:
        """Whether there is a risk at all."""
        return self.risk is not None

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON; NaN and infinity become null."""
        return {
            "calibrated": self.calibrated,
            "limit_px": self.limit_px,
            "risk": None if self.risk is None else _rounded(self.risk, 4),
            "signals": {name: _rounded(values, 5) for name, values in self.signals.items()},
            "p_values": {name: _rounded(values, 5) for name, values in self.p_values.items()},
            "alarms": [alarm.to_json() for alarm in self.alarms],
            "radius_px": None
            if self.radius_px is None
            else [_rounded(row, 3) for row in self.radius_px],
            "coverage": self.coverage,
            "note": self.note,
        }


def _rounded(values: Float[np.ndarray, " h"], digits: int) -> list[float | None]:
    return [round(float(v), digits) if np.isfinite(v) else None for v in values]
