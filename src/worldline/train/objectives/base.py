"""What every training objective does: turn a batch and the parts of a world into a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from worldline.core.latents import Latents
from worldline.train.draw import ClipBatch

__all__ = ["Follower", "Objective", "Parts"]

Parts = Mapping[str, nn.Module]
"""Parts of a world by name: those in training and, frozen, the others."""


class Objective(nn.Module, ABC):
    """One term of a loss. Several, each with its weight, are mixed in one loop.

    Its own parameters (a predictor, a projection) are trained along and left behind afterwards.

    Attributes:
        weight: factor of its total.
    """

    weight: float

    @abstractmethod
    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Scalars by name; "total" is the one to minimise.

        Args:
            parts: of the world.
            batch: clips.
            latents: of the batch by the tokenizer, with gradients if that is in training.
            generator: of all noise.
        """


@runtime_checkable
class Follower(Protocol):
    """An objective that keeps up with the parts after each step, such as a moving average."""

    def follow(self, parts: Mapping[str, Any]) -> None:
        """Take note of the parts as they are now."""
        ...
