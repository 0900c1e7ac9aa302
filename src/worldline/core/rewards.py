"""`Rewards`: what each action of a clip earned, and whether it ended the episode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["Rewards"]


@dataclass(frozen=True, eq=False)
class Rewards:
    """Of T actions, action t being taken between frame t and t + 1.

    Attributes:
        earned: `[T]` reward of action t.
        ended: `[T]` action t ended the episode; being cut off is no end.
    """

    earned: Float[np.ndarray, " t"]
    ended: Bool[np.ndarray, " t"]

    def __post_init__(self) -> None:
        if self.earned.shape != self.ended.shape or self.earned.ndim != 1:
            raise ValueError(
                f"rewards are {self.earned.shape} and ends {self.ended.shape}, expected [T] each"
            )
        if not np.isfinite(self.earned).all():
            row = int((~np.isfinite(self.earned)).argmax())
            raise ValueError(f"rewards are not finite (NaN or infinite) at row {row}")

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.earned)

    def at(self, frames: Any) -> Rewards:
        """Those of some frames, by slice or numbers."""
        return Rewards(self.earned[frames], self.ended[frames])
