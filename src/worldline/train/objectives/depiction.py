"""Pictures have to be told by the latents, so that nothing that is seen is left out of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.tokenizer.base import to_unit
from worldline.train.draw import ClipBatch
from worldline.train.objectives.base import Objective, Parts
from worldline.world import World

__all__ = ["Depiction"]


class Depiction(Objective):
    """Two matrix products draw each frame from its latents, and learn along with the encoder.

    What predicts latents and what acts asks only for what moves and for what is acted on; what
    stands still and decides where one may go, such as a door, may then be missing. The error is a
    share of what the pictures of the batch differ by, so that its weight means the same for a dot
    on white and for a street (the reconstruction term of Dreamer, Hafner et al. 2020, arXiv
    1912.01603, section 4, with a Gaussian of the batch's own width).
    """

    @register("objective/depiction")
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes.

        Attributes:
            weight: of the loss.
            width: of its hidden layer.
        """

        weight: float = 1.0
        width: int = 256

        def build(self, world: World) -> Depiction:
            """Make the objective."""
            rows, columns = world.tokenizer.grid
            size = rows * columns * world.tokenizer.channels
            return Depiction(self, size, 3 * world.size_px**2)

    def __init__(self, config: Depiction.Config, size: int, num_values: int) -> None:
        super().__init__()
        self.config, self.weight = config, config.weight
        self.draw = nn.Sequential(
            nn.Linear(size, config.width), nn.SiLU(), nn.Linear(config.width, num_values)
        )

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Squared error over the variance of each pixel within the batch, both summed over all; of
        latents that stand for several frames the last of these is drawn."""
        x = latents.tokens.flatten(2).flatten(0, 1)
        steps = latents.tokens.shape[1]
        stride = max(1, (batch.frames.shape[1] - 1) // max(1, steps - 1))
        last = batch.frames[:, ::stride][:, :steps].flatten(0, 1)
        true = to_unit(last, x.dtype).flatten(1)
        error = (self.draw(x) - true).float().square().mean()
        differs = (true - true.mean(dim=0)).float().square().mean().clamp_min(1e-6)
        return {"total": error / differs}
