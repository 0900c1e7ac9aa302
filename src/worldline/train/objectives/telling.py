"""Recorded states as a teacher: what is known of a frame has to be linear in its latents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.core.latents import Latents
from worldline.data.shards import Shards
from worldline.train.draw import ClipBatch
from worldline.train.drive import measure_state
from worldline.train.objectives.base import Objective, Parts
from worldline.world import World

__all__ = ["StateTelling", "told_scale"]


class StateTelling(Objective):
    """Numbers that were recorded beside frames have to be linear in the latents of these.

    Next latents, a spread and an inverse model are content with latents that hold the actor alone:
    what it hardly ever moves is hardly ever missed. A state that is known, as in a simulator or a
    robot's log, says what else counts. The linear map is left behind; planning fits its own
    (`worldline.planning.Reading`), and sees pictures only.
    """

    @register("objective/state-telling", version=2, upgrades={1: {"plainly": False}})
    @dataclass(frozen=True)
    class Config(Config):
        """What is told.

        Attributes:
            names: of the recorded columns.
            weight: of the loss.
            plainly: latents have to be these numbers themselves, in standard deviations, as many
                as there are of them, instead of holding them linearly. Then all that is told has
                the same size in what a predictor of latents learns.
        """

        names: tuple[str, ...] = ()
        weight: float = 1.0
        plainly: bool = False

        def build(self, world: World) -> StateTelling:
            """Make the objective.

            Raises:
                InputError: no column is named, or latents that are to be the columns themselves
                    have another number of them.
            """
            if not self.names:
                raise InputError("no column of the state is named that latents are to tell")
            rows, columns = world.tokenizer.grid
            size = rows * columns * world.tokenizer.channels
            if self.plainly and size != len(self.names):
                raise InputError(
                    f"latents of {size} numbers cannot be the {len(self.names)} columns that are "
                    "told themselves; give the tokenizer as many channels, or leave plainly off"
                )
            return StateTelling(self, size)

    def __init__(self, config: StateTelling.Config, size: int) -> None:
        super().__init__()
        self.config, self.weight = config, config.weight
        self.tell = nn.Identity() if config.plainly else nn.Linear(size, len(config.names))

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Mean squared error of what is known, in standard deviations of each column.

        Raises:
            InputError: the clips lack a column.
        """
        missing = [name for name in self.config.names if name not in batch.told]
        if missing:
            have = ", ".join(batch.told) or "none"
            raise InputError(f"the clips have no state {', '.join(missing)}; they have: {have}")
        wanted, known = (
            torch.stack([batch.told[name][i] for name in self.config.names], dim=-1) for i in (0, 1)
        )
        told = self.tell(latents.tokens.flatten(2)).float()
        error = (told - wanted.to(told)).square() * known.to(told)
        return {"total": error.sum() / known.sum().clamp_min(1)}


def told_scale(objectives: Iterable[Config], shards: Shards) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of each column that objectives ask for and shards have."""
    wanted = {
        name for each in objectives if isinstance(each, StateTelling.Config) for name in each.names
    }
    named = tuple(name for name in shards.state_names if name in wanted)
    mean, std = measure_state(shards, named)
    scale = zip(mean.tolist(), std.tolist(), strict=True)
    return dict(zip(named, scale, strict=True))
