"""How the digits of a frame are drawn: cell after cell, or many at once in a few rounds."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from worldline.core.config import Config, register
from worldline.dynamics.tokens import TokenNetwork

__all__ = ["Decoder", "MaskedParallel", "NextToken"]

Ask = Callable[[Tensor, Tensor], Tensor]
"""Logits `[B, N, V]` from digits `[B, N, d]` and which of them are known `[B, N]`."""


class Decoder(ABC):
    """Draws the cells of one frame.

    Attributes:
        in_order: the network is asked in its causal order.
    """

    in_order: bool

    @abstractmethod
    def draw(
        self, network: TokenNetwork, ask: Ask, shape: tuple[int, int], generator: torch.Generator
    ) -> Int[Tensor, "b n d"]:
        """Digits of all cells; `shape` is (batch, cells)."""


class NextToken(Decoder):
    """One cell after the other, row by row, each given all before it."""

    in_order = True

    @register("dynamics/next-token")
    @dataclass(frozen=True)
    class Config(Config):
        """Sampling.

        Attributes:
            temperature: divides the logits; 0 takes the most probable digit.
        """

        temperature: float = 1.0

        def build(self) -> NextToken:
            """Make the decoder."""
            return NextToken(self)

    def __init__(self, config: NextToken.Config) -> None:
        self.config = config

    def draw(
        self, network: TokenNetwork, ask: Ask, shape: tuple[int, int], generator: torch.Generator
    ) -> Int[Tensor, "b n d"]:
        """Digits of all cells, in as many rounds as there are cells."""
        digits, known = _nothing(network, shape, generator.device)
        for n in range(shape[1]):
            logits = ask(digits, known)[:, n]
            digits[:, n] = _sample(network, logits, self.config.temperature, generator)
            known[:, n] = True
        return digits


class MaskedParallel(Decoder):
    """All cells at once in a few rounds, each keeping the surest (MaskGIT).

    Chang et al. 2022, arXiv 2202.04200, section 3.2: after round k of K, the share
    cos(pi k / 2 K) of the cells that is least probable is forgotten and drawn anew, with Gumbel
    noise on the log-probabilities that fades from round to round.
    """

    in_order = False

    @register("dynamics/masked-parallel")
    @dataclass(frozen=True)
    class Config(Config):
        """Sampling.

        Attributes:
            num_steps: rounds.
            temperature: divides the logits; 0 takes the most probable digit.
            choice_noise: scale of the noise on the choice of what to keep, in the first round.
        """

        num_steps: int = 4
        temperature: float = 1.0
        choice_noise: float = 1.0

        def build(self) -> MaskedParallel:
            """Make the decoder. Raises `ValueError` for less than one round."""
            if self.num_steps < 1:
                raise ValueError(f"num_steps is {self.num_steps}, must be at least 1")
            return MaskedParallel(self)

    def __init__(self, config: MaskedParallel.Config) -> None:
        self.config = config

    def draw(
        self, network: TokenNetwork, ask: Ask, shape: tuple[int, int], generator: torch.Generator
    ) -> Int[Tensor, "b n d"]:
        """Digits of all cells, in `num_steps` rounds."""
        config = self.config
        digits, known = _nothing(network, shape, generator.device)
        for k in range(1, config.num_steps + 1):
            logits = ask(digits, known)
            fresh = _sample(network, logits, config.temperature, generator)
            digits = torch.where(known[..., None], digits, fresh)
            num_hidden = math.floor(shape[1] * math.cos(math.pi / 2 * k / config.num_steps))
            if num_hidden == 0:
                break
            sure = network.likelihood(logits, digits)
            noise = config.choice_noise * (1 - k / config.num_steps)
            sure = sure + noise * _gumbel(sure.shape, generator)
            sure = sure.masked_fill(known, float("inf"))
            known = sure.argsort(dim=-1).argsort(dim=-1) >= num_hidden
        return digits


def _nothing(
    network: TokenNetwork, shape: tuple[int, int], device: torch.device
) -> tuple[Int[Tensor, "b n d"], Bool[Tensor, "b n"]]:
    size = len(network.quantiser.levels)
    return (
        torch.zeros(*shape, size, dtype=torch.long, device=device),
        torch.zeros(shape, dtype=torch.bool, device=device),
    )


def _sample(
    network: TokenNetwork,
    logits: Float[Tensor, "*b v"],
    temperature: float,
    generator: torch.Generator,
) -> Int[Tensor, "*b d"]:
    """Digits by the Gumbel-max trick, so that one draw of noise serves any shape."""
    noisy = logits
    if temperature > 0:
        noisy = logits + temperature * _gumbel(logits.shape, generator)
    return torch.stack([part.argmax(dim=-1) for part in network.split(noisy)], dim=-1)


def _gumbel(shape: torch.Size, generator: torch.Generator) -> Tensor:
    uniform = torch.rand(shape, generator=generator, device=generator.device)
    return -(-uniform.clamp(1e-9, 1 - 1e-6).log()).log()
