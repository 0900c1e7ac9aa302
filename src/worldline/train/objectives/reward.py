"""What actions earn and end, from latents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.core.latents import Latents
from worldline.readout.reward import RewardReadout
from worldline.train.draw import ClipBatch
from worldline.train.objectives.base import Objective, Parts
from worldline.train.objectives.prediction import blurred
from worldline.world import World

__all__ = ["Earning"]


class Earning(Objective):
    """The reward readout's own losses."""

    @register("objective/earning")
    @dataclass(frozen=True)
    class Config(Config):
        """Weight and noise.

        Attributes:
            weight: of the whole.
            noise: largest noise on the latents; predicted ones are not perfect either.
        """

        weight: float = 1.0
        noise: float = 0.0

        def build(self, world: World) -> Earning:
            """Make the objective. Raises `InputError` if the world tells no rewards."""
            if world.reward is None:
                raise InputError(f"the world {world.name} tells no rewards to be trained")
            return Earning(self)

    def __init__(self, config: Earning.Config) -> None:
        super().__init__()
        self.weight, self.noise = config.weight, config.noise

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """See `RewardReadout.loss`. Raises `InputError` if no clip tells what it earned."""
        readout = parts["reward"]
        assert isinstance(readout, RewardReadout)
        if batch.rewards is None:
            raise InputError("these clips do not tell what their actions earned")
        return readout.loss(blurred(latents, self.noise, generator), batch.rewards)
