"""Where plans are drawn from: a distribution over each step, refitted to those that did well.

Shape legend: B situations, S plans, H steps, A numbers of an action, D numbers drawn for it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.planning.space import ActionSpace

__all__ = ["Categorical", "Gaussian", "Proposal", "colored_noise", "propose"]

_LEAST_CHANCE = 0.02
"""Of all choices together, in any refitted distribution, so that none is ever ruled out."""


class Proposal(ABC):
    """A distribution over plans, independent between situations."""

    @abstractmethod
    def sample(self, noise: Float[Tensor, "b s h d"]) -> Float[Tensor, "b s h a"]:
        """Plans from standard normal noise; what is alike from step to step stays so."""

    @abstractmethod
    def refit(
        self,
        plans: Float[Tensor, "b s h a"],
        weight: Float[Tensor, "b s"],
        *,
        keep: float,
        width: bool = True,
    ) -> Proposal:
        """The distribution that fits weighted plans.

        Args:
            plans: that were drawn.
            weight: of each, adding up to 1.
            keep: share of the old parameters that is kept.
            width: fit how far plans spread too, and not only where they lie.
        """

    @property
    @abstractmethod
    def center(self) -> Float[Tensor, "b h a"]:
        """Mean, or probabilities of choices."""

    @property
    @abstractmethod
    def likely(self) -> Float[Tensor, "b h a"]:
        """The one plan that stands for all."""


@dataclass(frozen=True, eq=False)
class Gaussian(Proposal):
    """Independent normal numbers, cut off at -1 and 1."""

    mean: Float[Tensor, "b h a"]
    std: Float[Tensor, "b h a"]
    least_std: float

    def sample(self, noise: Float[Tensor, "b s h d"]) -> Float[Tensor, "b s h a"]:
        """See `Proposal`."""
        return (self.mean[:, None] + self.std[:, None] * noise).clamp(-1, 1)

    def refit(
        self,
        plans: Float[Tensor, "b s h a"],
        weight: Float[Tensor, "b s"],
        *,
        keep: float,
        width: bool = True,
    ) -> Gaussian:
        """See `Proposal`."""
        share = weight[..., None, None]
        mean = (share * plans).sum(dim=1)
        std = (share * (plans - mean[:, None]).square()).sum(dim=1).sqrt()
        std = std.clamp_min(self.least_std)
        return Gaussian(
            keep * self.mean + (1 - keep) * mean,
            keep * self.std + (1 - keep) * std if width else self.std,
            self.least_std,
        )

    @property
    def center(self) -> Float[Tensor, "b h a"]:
        """Mean."""
        return self.mean

    @property
    def likely(self) -> Float[Tensor, "b h a"]:
        """Mean."""
        return self.mean


@dataclass(frozen=True, eq=False)
class Categorical(Proposal):
    """Independent choices, each with its probabilities; `chance` has those of all side by side."""

    chance: Float[Tensor, "b h a"]
    num_actions: tuple[int, ...]

    def sample(self, noise: Float[Tensor, "b s h d"]) -> Float[Tensor, "b s h a"]:
        """See `Proposal`; by the inverse of the cumulative distribution."""
        place = 0.5 * (1 + torch.erf(noise / math.sqrt(2)))
        parts = []
        for i, chance in enumerate(self.chance.split(self.num_actions, dim=-1)):
            edge = chance.cumsum(dim=-1)[:, None, :, :-1]
            chosen = (place[..., i : i + 1] > edge).sum(dim=-1)
            parts.append(torch.nn.functional.one_hot(chosen, chance.shape[-1]))
        return torch.cat(parts, dim=-1).float()

    def refit(
        self,
        plans: Float[Tensor, "b s h a"],
        weight: Float[Tensor, "b s"],
        *,
        keep: float,
        width: bool = True,
    ) -> Categorical:
        """See `Proposal`; where choices lie and how far they spread is the same thing."""
        found = (weight[..., None, None] * plans).sum(dim=1)
        mixed = keep * self.chance + (1 - keep) * found
        even = torch.cat([torch.full((n,), 1 / n) for n in self.num_actions])
        return Categorical((1 - _LEAST_CHANCE) * mixed + _LEAST_CHANCE * even, self.num_actions)

    @property
    def center(self) -> Float[Tensor, "b h a"]:
        """Probabilities."""
        return self.chance

    @property
    def likely(self) -> Float[Tensor, "b h a"]:
        """The most probable choices."""
        parts = self.chance.split(self.num_actions, dim=-1)
        hot = [torch.nn.functional.one_hot(p.argmax(-1), p.shape[-1]) for p in parts]
        return torch.cat(hot, dim=-1).float()


def propose(
    space: ActionSpace, center: Float[Tensor, "b h a"], std: float, least_std: float
) -> Proposal:
    """A distribution about the center of the last one, wide enough to look round."""
    if not space.is_discrete:
        return Gaussian(center, torch.full_like(center, std), least_std)
    # as far from sure as a Gaussian of this width is from a point
    wide = min(1.0, std)
    even = space.rest(len(center), center.shape[1])
    return Categorical((1 - wide) * center + wide * even, space.num_actions)


def colored_noise(
    shape: tuple[int, int, int, int], exponent: float, generator: torch.Generator
) -> Float[Tensor, "b s h d"]:
    """Standard normal noise whose power falls with frequency along H, as 1 / f^exponent.

    0 is white; the larger, the longer a plan holds on to what it does (Pinneri et al. 2020, iCEM,
    arXiv 2008.06389, section 3.1; the synthesis is Timmer and König's of 1995). Unit variance at
    every exponent.
    """
    num, plans, steps, columns = shape
    if exponent == 0 or steps == 1:
        return torch.randn(shape, generator=generator)
    frequency = torch.fft.rfftfreq(steps)
    frequency[0] = frequency[1]
    scale = frequency.pow(-exponent / 2)
    size = num, plans, columns, len(scale)
    real, imaginary = (torch.randn(size, generator=generator) * scale for _ in range(2))
    imaginary[..., 0] = 0
    real[..., 0] *= math.sqrt(2)
    if steps % 2 == 0:
        imaginary[..., -1] = 0
        real[..., -1] *= math.sqrt(2)
    wave = torch.fft.irfft(torch.complex(real, imaginary), n=steps)
    twice = torch.full_like(scale, 2.0)
    twice[0] = 1.0
    if steps % 2 == 0:
        twice[-1] = 1.0
    # of a sample's variance a bin makes 4 scale^2 / H^2, and half of it if it is its own conjugate
    power = (2 * twice * scale.square()).sum()
    return (wave * (steps / power.sqrt())).transpose(2, 3)
