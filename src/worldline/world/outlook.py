"""Forecasts that wait for what really comes, and radii that learn from it while a session runs.

A session gives forecasts and is shown true frames afterwards. Each forecast waits with the places
and radii that it gave. When a true frame comes, the readout says where its bodies are; a body of
a waiting forecast that is outside its radius is missed at so many frames ahead, and the
level of that lead follows by adaptive conformal inference (Gibbs and Candes 2021, eq. 2; see
`worldline.world.monitor.AdaptiveRadius`). The truth is as good as the readout: what it does not
see in a true frame says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from worldline.core.errors import InputError
from worldline.core.forecast import Forecast
from worldline.core.provenance import Provenance
from worldline.core.scene import Scene
from worldline.readout.latent import Detection
from worldline.readout.link import link_detections
from worldline.world.monitor import AdaptiveRadius, Watch, difficulty
from worldline.world.signals import Evidence

__all__ = ["Outlook", "match_places"]

_SAME_PX = 4.0
_BEFORE = 3
"""True frames before a forecast that are kept, since tracks begin with three detections."""


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A forecast's places `[N, H, 2]`, where they are seen `[N, H]`, radii `[N, H]`, and the number
    of true frames since it was made."""

    center_px: Float[np.ndarray, "n h 2"]
    visible: Bool[np.ndarray, "n h"]
    radius_px: Float[np.ndarray, "n h"]
    age: int = 0


@dataclass(frozen=True, eq=False)
class Outlook:
    """What a session still waits for, and what it has learned. A value: both ways give a new one.

    Attributes:
        levels: one for each number of frames ahead, from 1; later ones share the last.
        waiting: forecasts whose frames have not all come true yet, the oldest first.
        seen: what the readout saw in the true frames since the oldest of them was made, and in
            three before.
    """

    levels: tuple[AdaptiveRadius, ...] = ()
    waiting: tuple[_Waiting, ...] = ()
    seen: tuple[tuple[Detection, ...], ...] = ()

    @classmethod
    def begin(cls, calibration: Mapping[str, Any]) -> Outlook:
        """Nothing seen yet; a lead for each frame that the monitor was calibrated for."""
        record = calibration.get("monitor")
        return cls((AdaptiveRadius(),) * (0 if record is None else len(record["radii"])))

    def with_levels(self, levels: Sequence[AdaptiveRadius]) -> Outlook:
        """Go on with what another session learned. Raises `InputError` for another number."""
        if len(levels) != len(self.levels):
            raise InputError(
                f"{len(levels)} levels, expected {len(self.levels)}, one for each lead"
            )
        return replace(self, levels=tuple(levels))

    def expect(
        self,
        forecast: Forecast,
        evidence: Evidence,
        known: Watch,
        found: Sequence[Sequence[Detection]],
    ) -> tuple[Outlook, Forecast]:
        """Take in a forecast from the newest true frame on.

        Args:
            forecast, evidence: what is told, and what the monitor goes by.
            known: the calibrated monitor.
            found: what the readout sees in the frames that the forecast starts from.

        Returns:
            the outlook that waits for it, and the forecast with radii at the present levels.
        """
        scene = forecast.scene
        factors = [
            self.levels[min(h, len(self.levels) - 1)].factor(known, h)
            for h in range(scene.visible.shape[1])
        ]
        radius = np.where(scene.visible, difficulty(evidence) * np.array(factors), np.nan)
        assert forecast.monitor is not None
        told = replace(forecast, monitor=replace(forecast.monitor, radius_px=radius))
        waiting = _Waiting(scene.center_px, scene.visible, radius)
        seen = self.seen if self.waiting else tuple(tuple(some) for some in found[-_BEFORE:])
        return Outlook(self.levels, (*self.waiting, waiting), seen), told

    def blind(self) -> Outlook:
        """A frame was made instead of seen: no later frame can be compared with any forecast."""
        return Outlook(self.levels)

    def see(self, found: Sequence[Detection], size_px: int) -> Outlook:
        """A true frame has come.

        Args:
            found: what the readout sees in it.
            size_px: side of the world's frames.
        """
        if not self.waiting:
            return self
        seen = (*self.seen, tuple(found))
        time = np.arange(len(seen), dtype=np.float64)
        truth = link_detections(seen, time, size_px=size_px, provenance=Provenance(), touches=())
        levels = list(self.levels)
        kept: list[_Waiting] = []
        for old in self.waiting:
            now = replace(old, age=old.age + 1)
            missed = _share_missed(now, truth)
            if missed is not None:
                row = min(old.age, len(levels) - 1)
                levels[row] = levels[row].seen(missed)
            if now.age < now.visible.shape[1]:
                kept.append(now)
        needed = _BEFORE + max((waiting.age for waiting in kept), default=0)
        return Outlook(tuple(levels), tuple(kept), seen[-needed:])


def match_places(
    center_px: Float[np.ndarray, "n h 2"],
    visible: Bool[np.ndarray, "n h"],
    true_px: Float[np.ndarray, "m h 2"],
    shown: Bool[np.ndarray, "m h"],
) -> Float[np.ndarray, "n h"]:
    """Distance of each forecast body from the true one, in pixels.

    It is the true one that is nearest where the forecast first shows it, which has to be within 4
    px and in the first two frames; others are no body's and say nothing (NaN), nor do frames in
    which either is out of sight.
    """
    found = np.full(visible.shape, np.nan)
    if not len(true_px) or not visible.shape[1]:
        return found
    for n, first in enumerate(visible.argmax(axis=1).tolist()):
        if first > 1 or not visible[n, first]:
            continue
        away = np.linalg.norm(true_px[:, first] - center_px[n, first], axis=-1)
        away = np.where(shown[:, first], away, np.inf)
        k = int(away.argmin())
        if away[k] <= _SAME_PX:
            error = np.linalg.norm(true_px[k] - center_px[n], axis=-1)
            found[n] = np.where(visible[n] & shown[k], error, np.nan)
    return found


def _share_missed(waiting: _Waiting, truth: Scene) -> float | None:
    """Share of the bodies outside their radii in the newest frame; None if none can be judged."""
    age = waiting.age
    error = match_places(
        waiting.center_px[:, :age],
        waiting.visible[:, :age],
        truth.center_px[:, -age:],
        truth.visible[:, -age:],
    )[:, -1]
    known = np.isfinite(error)
    if not known.any():
        return None
    return float((error[known] > waiting.radius_px[known, age - 1]).mean())
