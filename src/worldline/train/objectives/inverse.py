"""Inverse model: what was done, from what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.core.latents import Latents
from worldline.train.draw import ClipBatch
from worldline.train.objectives.base import Objective, Parts
from worldline.world import World

__all__ = ["InverseModel"]


class InverseModel(Objective):
    """The action between two frames has to be readable off their latents.

    Keeps what actions change in the latents (Pathak et al. 2017, arXiv 1705.05363, eq. 2, and the
    regulariser of PLDM, Sobal et al. 2025, arXiv 2502.14819): without it a representation may
    leave out what is small in the picture and decisive for control.
    """

    @register("objective/inverse-model")
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes.

        Attributes:
            weight: of the loss.
            width: of its hidden layer.
        """

        weight: float = 1.0
        width: int = 128

        def build(self, world: World) -> InverseModel:
            """Make the objective. Raises `InputError` if the world takes no actions."""
            if not world.action_size:
                raise InputError(f"the world {world.name} takes no actions to be read off")
            rows, columns = world.tokenizer.grid
            size = rows * columns * world.tokenizer.channels
            return InverseModel(self, size, world.dynamics.config.controls.action_size)

    def __init__(self, config: InverseModel.Config, size: int, action_size: int) -> None:
        super().__init__()
        self.config, self.weight = config, config.weight
        self.think = nn.Sequential(
            nn.Linear(2 * size, config.width), nn.SiLU(), nn.Linear(config.width, action_size)
        )

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Mean squared error of the actions that are known, in a world's own units."""
        actions = batch.controls.actions
        if actions is None:
            raise InputError("these clips have no actions to be read off")
        x = latents.tokens.flatten(2)
        told = self.think(torch.cat([x[:, 1:], x[:, 1:] - x[:, :-1]], dim=-1)).float()
        error = (told - actions[:, 1:].to(told)).square().mean(dim=-1)
        masks = batch.controls.known or {}
        known = masks["actions"][:, 1:, 0].float() if "actions" in masks else torch.ones_like(error)
        return {"total": (error * known).sum() / known.sum().clamp_min(1.0)}
