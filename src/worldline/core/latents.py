"""`Latents` and `Controls`: what a tokenizer gives and what drives a world."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

__all__ = ["Controls", "Latents"]


@dataclass(frozen=True, eq=False)
class Latents:
    """Tokens of a clip.

    Shape legend: B batch, T frames, N tokens a frame, C channels.

    Attributes:
        tokens: `[B, T, N, C]`, about unit variance.
        grid: (rows, columns) with rows * columns = N.
    """

    tokens: Float[Tensor, "b t n c"]
    grid: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Controls:
    """What is known to act on the world; every part may be absent.

    Attributes:
        actions: `[B, T, A]` action that leads to frame t.
    """

    actions: Float[Tensor, "b t a"] | None = None
