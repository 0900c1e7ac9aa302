"""`Imagined`: clips that a world made up from a sentence, with nothing seen before them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from worldline.core.provenance import Provenance
from worldline.core.scene import Scene
from worldline.core.verdict import Verdict

__all__ = ["Imagined"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Imagined:
    """S clips of H frames.

    Attributes:
        caption: the sentence that they were made from.
        frames: `[S, H, h, w, 3]`, at the world's resolution.
        time_s: `[H]` presentation times from 0.
        scenes: S scenes, one read from each clip.
        audit: verdict per law over all clips (the worst of them).
        trust: 0, because nothing was seen that could be a reason for trust.
        trust_reason: the same in words.
        provenance: says that the clips are generated, and keeps the caption.
    """

    caption: str
    frames: UInt8[np.ndarray, "s t h w 3"]
    time_s: Float[np.ndarray, " t"]
    scenes: tuple[Scene, ...]
    audit: tuple[Verdict, ...]
    trust: float
    trust_reason: str
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def num_samples(self) -> int:
        """S."""
        return len(self.frames)

    def to_json(self) -> dict[str, Any]:
        """Everything but the pixels."""
        return {
            "caption": self.caption,
            "samples": self.num_samples,
            "horizon": int(self.frames.shape[1]),
            "size": [int(self.frames.shape[3]), int(self.frames.shape[2])],
            "time_s": [round(float(x), 6) for x in self.time_s],
            "trust": round(float(self.trust), 4),
            "trust_reason": self.trust_reason,
            "audit": [v.to_json() for v in self.audit],
            "scenes": [scene.to_json() for scene in self.scenes],
            "provenance": self.provenance.to_json(),
        }
