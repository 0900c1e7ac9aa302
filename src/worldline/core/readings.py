"""`Readings`: what sensors beside a camera said, column by column, and what they did not say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["Readings"]


@dataclass(frozen=True, eq=False)
class Readings:
    """T readings of S columns.

    Attributes:
        names: of the columns, with units.
        values: `[T, S]`; of no meaning, but finite, where not known.
        known: `[T, S]` the reading is there.
    """

    names: tuple[str, ...]
    values: Float[np.ndarray, "t s"]
    known: Bool[np.ndarray, "t s"]

    def __post_init__(self) -> None:
        shape = self.values.shape
        if len(shape) != 2 or shape != self.known.shape or shape[1] != len(self.names):
            raise ValueError(
                f"readings are {shape}, known {self.known.shape}, for {len(self.names)} columns"
            )
        if len(set(self.names)) != len(self.names):
            raise ValueError("readings have two columns of one name")
        bad = ~np.isfinite(self.values).all(axis=1)
        if bad.any():
            raise ValueError(f"readings are not finite (NaN or infinite) at row {bad.argmax()}")

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.values)

    def at(self, frames: Any) -> Readings:
        """Those of some frames, by slice or numbers."""
        return Readings(self.names, self.values[frames], self.known[frames])

    def columns(self, names: Sequence[str]) -> Readings:
        """These columns in this order; one that there is not is known in no frame."""
        values = np.zeros((self.num_frames, len(names)))
        known = np.zeros(values.shape, dtype=bool)
        for i, name in enumerate(names):
            if name in self.names:
                at = self.names.index(name)
                values[:, i], known[:, i] = self.values[:, at], self.known[:, at]
        return Readings(tuple(names), values, known)
