"""The monitor of a forecast: calibrated risk, conformal p-values and radii out of its signals.

What is measured is in `worldline.world.signals`. Everything that turns it into probabilities was
found on held-out clips after training (`worldline.audit.monitoring`) and lies in the world's
calibration under `monitor`:

1. each signal becomes a conformal p-value (Vovk, Gammerman and Shafer 2005, section 2.3; Laxhammar
   and Falkman 2010): the share of held-out forecasts with at least as large a value at the same
   frame, (1 + n (1 - F(x))) / (n + 1);
2. their normal scores, clipped, go into one logistic regression whose weights change slowly along
   the horizon, fitted to whether a moving object of the forecast was out of place by more than the
   limit; the risk is made monotone, since it is about "by then";
3. radii around the objects' places are locally weighted split conformal (Lei et al. 2018, section
   5.2), frame by frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import expit, ndtri

from worldline.core.errors import InputError
from worldline.core.monitor import Alarm, Monitor
from worldline.world.signals import (
    SIGNALS,
    Evidence,
    measure_moved,
    measure_parting,
    pool,
    read_signals,
)

__all__ = ["AdaptiveRadius", "Watch", "design", "difficulty", "watch"]

LIMIT_PX = 4.0
"""Position error that counts as a failure, of 64 pixels: a sixteenth of the picture."""
COVERAGE = 0.9
ALARM = 0.01
"""p-value at which a signal is an alarm."""

_SILENT = ("bodies", "reach")
"""Signals that tell how hard a forecast is, but are no fault of it."""
_CLIP = 2.5
_SMALLEST_PX = 0.5
_PER_MOVED = 0.1


@dataclass(frozen=True, eq=False)
class Watch:
    """A calibrated monitor.

    Attributes:
        limit_px: see `LIMIT_PX`; scaled with the size of the world's frames.
        num_clips: held-out clips behind the tables.
        context, forecast: (mean, precision) of pooled latents.
        tables: `[H, S, Q]` quantiles of each signal at each frame, from the least to the largest.
        weights: `[4 + 2 S]` of the logistic regression; see `design`.
        radii: `[H, R]` quantiles of position error over `difficulty`, from 0 to 1.
        num_tracks: `[H]` objects behind them.
    """

    limit_px: float
    num_clips: int
    context: tuple[Float[np.ndarray, " d"], Float[np.ndarray, "d d"]]
    forecast: tuple[Float[np.ndarray, " d"], Float[np.ndarray, "d d"]]
    tables: Float[np.ndarray, "h s q"]
    weights: Float[np.ndarray, " w"]
    radii: Float[np.ndarray, "h r"]
    num_tracks: Float[np.ndarray, " h"]

    def distances(self, evidence: Evidence) -> tuple[float, Float[np.ndarray, " h"]]:
        """Log Mahalanobis distance of the context, and of each frame of the first future."""
        context = pool(evidence.context).mean(axis=0)
        ahead = pool(evidence.futures[0])
        return _distance(context[None], self.context)[0], _distance(ahead, self.forecast)

    def p_values(self, signals: Float[np.ndarray, "h s"]) -> Float[np.ndarray, "h s"]:
        """Share of held-out forecasts with at least such a signal; NaN where there is none."""
        found = np.full(signals.shape, np.nan)
        n, last = self.num_clips, len(self.tables) - 1
        for h, row in enumerate(signals):
            for s, value in enumerate(row):
                if np.isfinite(value):
                    table = self.tables[min(h, last), s]
                    below = _share_below(table, value)
                    found[h, s] = (1 + n * (1 - below)) / (n + 1)
        return found

    def risk(self, p_values: Float[np.ndarray, "h s"]) -> Float[np.ndarray, " h"]:
        """Probability of a failure by each frame."""
        return np.maximum.accumulate(expit(design(p_values, len(self.tables)) @ self.weights))

    def radius(
        self, hardness: Float[np.ndarray, "n h"], coverage: float = COVERAGE
    ) -> Float[np.ndarray, "n h"]:
        """Radii that cover so large a share, for objects of such `difficulty`."""
        return hardness * np.array([self.factor(h, coverage) for h in range(hardness.shape[1])])

    def factor(self, frame: int, coverage: float) -> float:
        """By what `difficulty` has to be multiplied to cover so large a share in that frame."""
        row = min(frame, len(self.radii) - 1)
        n = float(self.num_tracks[row])
        level = np.ceil(round((n + 1) * coverage, 9)) / max(n, 1.0)
        if level > 1 or n < 1:
            return float("inf")
        grid = np.linspace(0, 1, self.radii.shape[1])
        return float(np.interp(max(level, 0.0), grid, self.radii[row]))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON, numbers to four digits where no more matter."""
        return {
            "signals": list(SIGNALS),
            "limit_px": self.limit_px,
            "num_clips": self.num_clips,
            "context": {
                "mean": _short(self.context[0], 6),
                "precision": _short(self.context[1], 6),
            },
            "forecast": {
                "mean": _short(self.forecast[0], 6),
                "precision": _short(self.forecast[1], 6),
            },
            "tables": _short(self.tables, 4),
            "weights": _short(self.weights, 6),
            "radii": _short(self.radii, 4),
            "num_tracks": _short(self.num_tracks, 6),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Watch:
        """Inverse of `to_json`. Raises `InputError` for a record of other signals."""
        if tuple(record["signals"]) != tuple(SIGNALS):
            raise InputError("the monitor was calibrated for other signals; calibrate it again")

        def pair(name: str) -> tuple[np.ndarray, np.ndarray]:
            part = record[name]
            return np.array(part["mean"], float), np.array(part["precision"], float)

        return cls(
            limit_px=float(record["limit_px"]),
            num_clips=int(record["num_clips"]),
            context=pair("context"),
            forecast=pair("forecast"),
            tables=np.array(record["tables"], float),
            weights=np.array(record["weights"], float),
            radii=np.array(record["radii"], float),
            num_tracks=np.array(record["num_tracks"], float),
        )


def watch(calibration: Mapping[str, Any], evidence: Evidence, size_px: int) -> Monitor:
    """The monitor of a forecast; without calibration only its signals.

    Args:
        calibration: of the world.
        evidence: of the forecast.
        size_px: side of the world's frames.
    """
    limit_px = LIMIT_PX * size_px / 64
    horizon = len(evidence.time_s)
    if "monitor" not in calibration:
        signals = read_signals(evidence, (np.nan, np.full(horizon, np.nan)))
        return Monitor(
            limit_px=limit_px,
            risk=None,
            signals=_named(signals),
            coverage=COVERAGE,
            note="The monitor of this world has not been calibrated: it gives no risk.",
        )
    known = Watch.from_json(calibration["monitor"])
    signals = read_signals(evidence, known.distances(evidence))
    p_values = known.p_values(signals)
    risk = known.risk(p_values)
    alarms = _alarms(p_values, evidence.time_s)
    hardness = difficulty(evidence)
    radius = np.where(evidence.scenes[0].visible, known.radius(hardness), np.nan)
    note = (
        f"By the last of {horizon} frames a moving object is out of place by more than "
        f"{known.limit_px:g} px with probability {risk[-1]:.2f}."
    )
    if horizon > len(known.tables):
        note += f" Beyond frame {len(known.tables)} the numbers are those of that frame."
    return Monitor(
        limit_px=known.limit_px,
        risk=risk,
        signals=_named(signals),
        p_values=_named(p_values),
        alarms=alarms,
        radius_px=radius,
        coverage=COVERAGE,
        note=note,
    )


def design(p_values: Float[np.ndarray, "h s"], horizon: int) -> Float[np.ndarray, "h w"]:
    """Columns of the logistic regression for each frame.

    A cubic in the frame, then normal scores of the p-values, then the same times the frame, which
    runs from -1 to 1 over `horizon` frames and stays at 1 beyond. What is missing counts as usual.
    """
    scores = np.clip(np.nan_to_num(-ndtri(np.clip(p_values, 1e-6, 1 - 1e-6))), -_CLIP, _CLIP)
    rows = np.minimum(np.arange(len(p_values)), horizon - 1)
    tau = (2 * rows / max(horizon - 1, 1) - 1)[:, None]
    return np.concatenate([tau**0, tau, tau**2, tau**3, scores, scores * tau], axis=1)


def difficulty(evidence: Evidence) -> Float[np.ndarray, "n h"]:
    """How far off the place of each object of the first scene may be, but for a factor, in pixels.

    Half a pixel, and how far the futures part, and a tenth of its way so far.
    """
    parting = measure_parting(evidence.scenes)
    return _SMALLEST_PX + parting + _PER_MOVED * measure_moved(evidence.scenes[0])


@dataclass(frozen=True)
class AdaptiveRadius:
    """Coverage that is kept up when the world changes, from outcomes as they come true.

    Adaptive conformal inference (Gibbs and Candes 2021, eq. 2): after each outcome
    `level <- level + rate (miscoverage - missed)`, so that in the long run the share of misses is
    the promised one whatever the data are. It is a value: `seen` gives the next one.

    Attributes:
        coverage: promised.
        level: miscoverage that is asked of the tables now; beyond 0 nothing is wide enough, beyond
            1 nothing has to be covered.
        rate: how fast it follows.
        num_seen: outcomes so far.
    """

    coverage: float = COVERAGE
    level: float = 1 - COVERAGE
    rate: float = 0.02
    num_seen: int = 0

    def radius(self, known: Watch, hardness: Float[np.ndarray, "n h"]) -> Float[np.ndarray, "n h"]:
        """Radii at the present level; infinite where it has fallen to 0 or below."""
        factors = [self.factor(known, h) for h in range(hardness.shape[1])]
        return hardness * np.array(factors)

    def factor(self, known: Watch, frame: int) -> float:
        """By what `difficulty` has to be multiplied in that frame, at the present level."""
        return np.inf if self.level <= 0 else known.factor(frame, max(1 - self.level, 0.0))

    def seen(self, share_missed: float) -> AdaptiveRadius:
        """After an outcome: 1 if the object was outside, 0 inside, or the share of several."""
        if not 0 <= share_missed <= 1:
            raise InputError(f"share_missed is {share_missed}, expected 0 to 1")
        level = self.level + self.rate * (1 - self.coverage - share_missed)
        return AdaptiveRadius(self.coverage, level, self.rate, self.num_seen + 1)


def _distance(
    rows: Float[np.ndarray, "n d"], known: tuple[Float[np.ndarray, " d"], Float[np.ndarray, "d d"]]
) -> Float[np.ndarray, " n"]:
    away = rows - known[0]
    square = np.einsum("nd,de,ne->n", away, known[1], away)
    return 0.5 * np.log(np.maximum(square, 1e-6))


def _share_below(table: Float[np.ndarray, " q"], value: float) -> float:
    """Share of held-out values that are smaller."""
    if value <= table[0]:
        return 0.0
    if value > table[-1]:
        return 1.0
    k = int(np.searchsorted(table, value, side="left"))  # table[k - 1] < value <= table[k]
    return float((k - 1 + (value - table[k - 1]) / (table[k] - table[k - 1])) / (len(table) - 1))


def _alarms(
    p_values: Float[np.ndarray, "h s"], time_s: Float[np.ndarray, " h"]
) -> tuple[Alarm, ...]:
    found = []
    for (name, reason), column in zip(SIGNALS.items(), p_values.T, strict=True):
        late = np.flatnonzero(column <= ALARM)
        if len(late) and name not in _SILENT:
            frame, least = int(late[0]), float(np.nanmin(column))
            found.append(Alarm(name, frame, float(time_s[frame]), least, reason))
    return tuple(sorted(found, key=lambda alarm: (alarm.frame, alarm.p_value)))


def _named(values: Float[np.ndarray, "h s"]) -> dict[str, Float[np.ndarray, " h"]]:
    return dict(zip(SIGNALS, values.T, strict=True))


def _short(values: Float[np.ndarray, "*n"], digits: int) -> Any:
    """Nested lists with so many digits."""
    if values.ndim == 1:
        return [float(f"{value:.{digits}g}") for value in values.tolist()]
    return [_short(row, digits) for row in values]
