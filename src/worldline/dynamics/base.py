"""What every dynamics model does: learn, start from a context, step, be surprised."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from worldline.core.latents import Controls, Latents

__all__ = ["Dynamics", "Losses"]

Losses = Mapping[str, Tensor]
"""Scalars by name; "total" is the one to minimise."""

CarryT = TypeVar("CarryT")


class Dynamics(nn.Module, ABC, Generic[CarryT]):
    """A model of how latents follow one another.

    All state of a rollout (cache, past latents, noise generator) lies in an explicit carry that
    `init` makes and `step` returns anew: keeping an old carry keeps that moment, and two carries
    never influence each other.

    Attributes:
        config: what the model was built from; has `channels`, `rows` and `controls`.
        is_random: whether rollouts from the same context differ by their seed.
    """

    config: Any
    is_random: bool

    @abstractmethod
    def loss(self, latents: Latents, controls: Controls, generator: torch.Generator) -> Losses:
        """Training losses of clips `[B, T, N, C]`."""

    @abstractmethod
    def init(self, context: Latents, controls: Controls, generator: torch.Generator) -> CarryT:
        """Carry after having seen a context of at least one frame."""

    @abstractmethod
    def step(self, carry: CarryT, controls: Controls) -> tuple[CarryT, Latents]:
        """Sample the next frame `[B, 1, N, C]`."""

    @abstractmethod
    def observe(self, carry: CarryT, observed: Latents, controls: Controls) -> CarryT:
        """Carry after the next frame was seen instead of sampled."""

    @abstractmethod
    def surprise(self, carry: CarryT, observed: Latents, controls: Controls) -> Float[Tensor, " b"]:
        """How badly the next frame `[B, 1, N, C]` fits what was expected; the carry is kept."""

    @torch.no_grad()
    def rollout(
        self, context: Latents, controls: Controls, generator: torch.Generator, *, horizon: int
    ) -> Latents:
        """Sample `horizon` frames `[B, H, N, C]` that follow a context of K frames.

        Controls are given for K + H frames; a part that ends earlier is absent from there on.
        """
        num = context.tokens.shape[1]
        carry = self.init(context, controls.frames(0, num), generator)
        frames = []
        for t in range(num, num + horizon):
            carry, frame = self.step(carry, controls.frames(t, t + 1))
            frames.append(frame.tokens)
        return Latents(torch.cat(frames, dim=1), context.grid)

    @torch.no_grad()
    def surprises(
        self, latents: Latents, controls: Controls, generator: torch.Generator
    ) -> Float[Tensor, "b t"]:
        """Surprise at every frame of clips `[B, T, N, C]`; 0 for the first, which opens them."""
        frames = [
            Latents(latents.tokens[:, t : t + 1], latents.grid)
            for t in range(latents.tokens.shape[1])
        ]
        carry = self.init(frames[0], controls.frames(0, 1), generator)
        found = [torch.zeros(len(latents.tokens))]
        for t, frame in enumerate(frames[1:], start=1):
            now = controls.frames(t, t + 1)
            found.append(self.surprise(carry, frame, now))
            carry = self.observe(carry, frame, now)
        return torch.stack(found, dim=1)
