"""Learning from the model's own rollouts, so that it goes on well from what it made itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.core.latents import Latents
from worldline.dynamics import FlowDynamics
from worldline.train.draw import ClipBatch
from worldline.train.objectives.base import Objective, Parts
from worldline.world import World

__all__ = ["SelfForcing"]


class SelfForcing(Objective):
    """Clips begin with true frames and go on with the model's own, made with its cache as a session
    makes them; from these it has to come to the true next ones.

    Self forcing (Huang et al. 2025, arXiv 2506.08009, algorithm 1) without its critic: the truth
    under the same actions is known here, and the past is not differentiated through, so that one
    pass with gradients learns from a whole rollout. How many frames are true is drawn for each
    batch; the loss counts those as well, which are ordinary training.
    """

    @register("objective/self-forcing")
    @dataclass(frozen=True)
    class Config(Config):
        """Weight, and how the clips begin.

        Attributes:
            weight: of the whole.
            context: least number of true frames; at most half of a clip is true, or these.
        """

        weight: float = 1.0
        context: int = 3

        def __post_init__(self) -> None:
            if self.context < 1:
                raise ValueError(f"context is {self.context}, must be at least 1")

        def build(self, world: World) -> SelfForcing:
            """Make the objective. Raises `InputError` for dynamics of another family than flow."""
            if not isinstance(world.dynamics, FlowDynamics):
                raise InputError(f"the world {world.name} has no flow dynamics to force")
            return SelfForcing(self)

    def __init__(self, config: SelfForcing.Config) -> None:
        super().__init__()
        self.weight, self.context = config.weight, config.context

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """See `FlowDynamics.forced_loss`. Raises `InputError` where clips are all context."""
        dynamics, true = parts["dynamics"], latents.tokens
        assert isinstance(dynamics, FlowDynamics)
        num = true.shape[1]
        if num <= self.context:
            raise InputError(
                f"clips have {num} frames and {self.context} of them are true; longer ones are "
                "needed to go on from"
            )
        most = max(num // 2, self.context)
        begun = int(torch.randint(self.context, most + 1, (), generator=generator))
        start = Latents(true[:, :begun].detach(), latents.grid)
        own = dynamics.rollout(start, batch.controls, generator, horizon=num - begun)
        seen = torch.cat([true[:, :begun], own.tokens.to(true.dtype)], dim=1)
        return dynamics.forced_loss(latents, seen, batch.controls, generator)
