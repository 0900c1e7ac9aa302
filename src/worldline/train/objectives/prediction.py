"""Objectives that hand the work to a part of the world: reconstruct, predict, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.core.latents import Latents
from worldline.dynamics import Dynamics, LatentActions
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import Tokenizer
from worldline.train.draw import ClipBatch
from worldline.train.objectives.base import Objective, Parts
from worldline.world import World

__all__ = ["NextFrame", "Reading", "Reconstruction", "blurred"]


class Reconstruction(Objective):
    """The tokenizer's own losses: its pictures beside the true ones, objects weighted up."""

    @register("objective/reconstruction")
    @dataclass(frozen=True)
    class Config(Config):
        """Weights.

        Attributes:
            weight: of the whole.
            object_weight: extra weight of moving objects' pixels.
        """

        weight: float = 1.0
        object_weight: float = 3.0

        def build(self, world: World) -> Reconstruction:
            """Make the objective."""
            return Reconstruction(self)

    def __init__(self, config: Reconstruction.Config) -> None:
        super().__init__()
        self.weight, self.object_weight = config.weight, config.object_weight

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """See `Tokenizer.loss`."""
        tokenizer = parts["tokenizer"]
        assert isinstance(tokenizer, Tokenizer)
        return tokenizer.loss(
            batch.frames, 1.0 + self.object_weight * batch.moving.float(), generator
        )


class NextFrame(Objective):
    """The dynamics' own losses: each frame from those before it."""

    @register("objective/next-frame", version=2, upgrades={1: {"inferred": False}})
    @dataclass(frozen=True)
    class Config(Config):
        """Weight, and whose actions.

        Attributes:
            weight: of the whole.
            inferred: actions are those that the world's inverse model reads off the frames, instead
                of recorded ones.
        """

        weight: float = 1.0
        inferred: bool = False

        def build(self, world: World) -> NextFrame:
            """Make the objective. Raises `InputError` if there is nothing to infer actions by."""
            if self.inferred and world.inverse is None:
                raise InputError(f"the world {world.name} has no inverse model to infer actions by")
            return NextFrame(self)

    def __init__(self, config: NextFrame.Config) -> None:
        super().__init__()
        self.weight, self.inferred = config.weight, config.inferred

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """See `Dynamics.loss`."""
        dynamics, controls = parts["dynamics"], batch.controls
        assert isinstance(dynamics, Dynamics)
        if self.inferred:
            inverse = parts["inverse"]
            assert isinstance(inverse, LatentActions)
            with torch.no_grad():
                codes, known = inverse.leading(batch.frames)
            known = {**(controls.known or {}), "actions": known}
            controls = replace(controls, actions=codes, known=known)
        return dynamics.loss(latents, controls, generator)


class Reading(Objective):
    """The readout's own losses: objects, with place, size, depth and colour, from latents."""

    @register("objective/reading")
    @dataclass(frozen=True)
    class Config(Config):
        """Weight and noise.

        Attributes:
            weight: of the whole.
            noise: largest noise on the latents; predicted ones are not perfect either.
        """

        weight: float = 1.0
        noise: float = 0.0

        def build(self, world: World) -> Reading:
            """Make the objective."""
            return Reading(self)

    def __init__(self, config: Reading.Config) -> None:
        super().__init__()
        self.weight, self.noise = config.weight, config.noise

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """See `LatentReadout.loss`."""
        readout = parts["readout"]
        assert isinstance(readout, LatentReadout)
        seen = blurred(latents, self.noise, generator)
        return readout.loss(seen, batch.objects, batch.camera)


def blurred(latents: Latents, most: float, generator: torch.Generator) -> Latents:
    """Latents with noise, of a standard deviation up to `most`, drawn for each clip."""
    tokens, device = latents.tokens, generator.device
    noise = torch.randn(tokens.shape, generator=generator, device=device)
    scale = torch.rand(len(tokens), 1, 1, 1, generator=generator, device=device)
    return Latents(tokens + (most * scale * noise).to(tokens), latents.grid)
