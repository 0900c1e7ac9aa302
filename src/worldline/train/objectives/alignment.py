"""Contrastive alignment of latents with the physical state that they show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.readout.latent import ObjectTargets
from worldline.train.draw import ClipBatch
from worldline.train.objectives.base import Objective, Parts
from worldline.world import World

__all__ = ["StateAlignment", "describe_state"]

_STATE_SIZE = 7


class StateAlignment(Objective):
    """Pictures and states of the same moment are drawn together, all others apart.

    InfoNCE in both directions (van den Oord et al. 2018, eq. 4; Radford et al. 2021, figure 3),
    between moments of a batch. Other moments of the same clip are among the others, so that looks
    alone do not suffice: place and velocity have to be told apart.
    """

    @register("objective/state-alignment")
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes.

        Attributes:
            weight: of the loss.
            width: of both encoders and of the common space.
            num_moments: moments compared at most.
        """

        weight: float = 0.1
        width: int = 128
        num_moments: int = 256

        def build(self, world: World) -> StateAlignment:
            """Make the objective."""
            grid = world.tokenizer.grid
            return StateAlignment(self, world.tokenizer.channels, grid[0] * grid[1])

    def __init__(self, config: StateAlignment.Config, channels: int, num_cells: int) -> None:
        super().__init__()
        self.config, self.weight = config, config.weight
        width = config.width
        self.look = nn.Linear(2 * channels, width)
        self.place = nn.Parameter(0.02 * torch.randn(num_cells, width))
        self.picture = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.each = nn.Sequential(nn.Linear(_STATE_SIZE, width), nn.ReLU(), nn.Linear(width, width))
        self.state = nn.Sequential(nn.ReLU(), nn.Linear(width, width))
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Cross-entropy in nats, and how often the right state is the nearest."""
        size_px = batch.frames.shape[2]
        state, there = describe_state(batch.objects, size_px)
        stride = (state.shape[1] - 1) // max(latents.tokens.shape[1] - 1, 1) or 1
        state, there = state[:, ::stride], there[:, ::stride]  # of the last frame of each step
        picture = self._see(latents)[:, 1:].flatten(0, 1)
        state, there = state[:, 1:].flatten(0, 1), there[:, 1:].flatten(0, 1)
        usable = there.any(dim=-1).nonzero()[:, 0]
        if len(usable) < 2:
            return {"total": picture.sum() * 0.0}
        order = torch.randperm(len(usable), generator=generator, device=generator.device)
        picked = usable[order.to(usable.device)[: self.config.num_moments]]
        a = F.normalize(picture[picked].float(), dim=-1)
        b = F.normalize(self._know(state[picked], there[picked]).float(), dim=-1)
        logits = self.log_scale.float().clamp(max=math.log(100)).exp() * a @ b.T
        right = torch.arange(len(picked), device=logits.device)
        total = (F.cross_entropy(logits, right) + F.cross_entropy(logits.T, right)) / 2
        return {"total": total, "found": (logits.argmax(dim=-1) == right).float().mean()}

    def _see(self, latents: Latents) -> Float[Tensor, "b t d"]:
        x = latents.tokens.to(self.place.dtype)
        change = x - torch.cat([x[:, :1], x[:, :-1]], dim=1)
        cells = F.relu(self.look(torch.cat([x, change], dim=-1)) + self.place)
        return self.picture(cells.mean(dim=2) + cells.amax(dim=2))

    def _know(self, state: Tensor, there: Tensor) -> Float[Tensor, "s d"]:
        each = self.each(state.to(self.place.dtype)) * there[..., None].to(self.place.dtype)
        return self.state(each.sum(dim=1))


def describe_state(
    objects: ObjectTargets, size_px: int
) -> tuple[Float[Tensor, "b t m 7"], Bool[Tensor, "b t m"]]:
    """State of each object, and whether it can be seen.

    Centre and size as shares of the frame, velocity in tenths of the frame per frame (0 where it
    was not seen before), inverse depth in 1/m (0 where unknown).
    """
    there = objects.visible & torch.isfinite(objects.center_px).all(dim=-1)
    center = torch.nan_to_num(objects.center_px) / size_px
    size = torch.nan_to_num(objects.size_px) / size_px
    moved = center - torch.cat([center[:, :1], center[:, :-1]], dim=1)
    known = there & torch.cat([there[:, :1], there[:, :-1]], dim=1)
    velocity = 10 * moved * known[..., None]
    near = torch.nan_to_num(1 / objects.depth_m, nan=0.0, posinf=0.0)[..., None]
    return torch.cat([center, size, velocity, near], dim=-1).float(), there
