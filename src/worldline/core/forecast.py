"""`Forecast`: what a world says may happen next, and how far to believe it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from worldline.core.monitor import Monitor
from worldline.core.provenance import Provenance
from worldline.core.scene import Scene
from worldline.core.verdict import Verdict

__all__ = ["Forecast"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Forecast:
    """S sampled futures of H frames.

    Attributes:
        frames: `[S, H, h, w, 3]` sampled futures, at the world's resolution.
        time_s: `[H]` presentation times, continuing the context's.
        uncertainty: `[H]` per frame: root mean square error to be expected, judged by the spread
            between samples and what such a spread meant on held-out clips, in [0, 1] intensity.
        uncertainty_px: `[H, h, w]` the same per pixel.
        scenes: S scenes, one read from each future.
        audit: verdict per law over all futures (the worst of them).
        trust: calibrated probability in [0, 1] that this forecast is as good as on the data that
            the world was trained on.
        trust_reason: the same in words.
        context_frames: `[K, h, w, 3]` what the world saw, as it saw it.
        crop_px: (x, y, w, h) of the part of the input that the world saw.
        monitor: what speaks against each frame, and how likely it is wrong; None for a forecast
            that was not made by `World.predict`.
    """

    frames: UInt8[np.ndarray, "s t h w 3"]
    time_s: Float[np.ndarray, " t"]
    uncertainty: Float[np.ndarray, " t"]
    uncertainty_px: Float[np.ndarray, "t h w"]
    scenes: tuple[Scene, ...]
    audit: tuple[Verdict, ...]
    trust: float
    trust_reason: str
    context_frames: UInt8[np.ndarray, "k h w 3"]
    crop_px: tuple[int, int, int, int]
    provenance: Provenance = field(default_factory=Provenance)
    monitor: Monitor | None = None

    @property
    def num_samples(self) -> int:
        """S."""
        return len(self.frames)

    @property
    def scene(self) -> Scene:
        """Scene of the first future."""
        return self.scenes[0]

    @property
    def mean(self) -> UInt8[np.ndarray, "t h w 3"]:
        """Mean over the sampled futures: a summary to look at, not a possible future."""
        return self.frames.astype(np.float32).mean(0).round().astype(np.uint8)

    def to_json(self) -> dict[str, Any]:
        """Everything but the pixels."""
        return {
            "samples": self.num_samples,
            "horizon": int(self.frames.shape[1]),
            "size": [int(self.frames.shape[3]), int(self.frames.shape[2])],
            "time_s": [round(float(x), 6) for x in self.time_s],
            "uncertainty": [round(float(x), 6) for x in self.uncertainty],
            "trust": round(float(self.trust), 4),
            "trust_reason": self.trust_reason,
            "audit": [v.to_json() for v in self.audit],
            "monitor": None if self.monitor is None else self.monitor.to_json(),
            "scene": self.scene.to_json(),
            "crop_px": list(self.crop_px),
            "provenance": self.provenance.to_json(),
        }
