"""Finite scalar quantisation: a fixed product grid of codes instead of a learned codebook."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

__all__ = ["FSQ"]

_MOST_LEVELS = 256
"""More would not survive bfloat16, whose neighbouring numbers near 1 are 1/128 apart."""

_MARGIN = 1e-3
"""How far the bound stays inside the outermost levels, as a share of their distance."""


class FSQ(nn.Module):
    """Finite scalar quantisation (Mentzer et al. 2023, arXiv 2309.15505, section 3.1).

    Each channel i is squashed and rounded to one of L_i integers:

        bound(z) = h tanh(z + s) - o,    h = (L - 1) (1 - 0.001) / 2
        value = round(bound(z)) / (L // 2)

    with o = 0 for odd L and o = 1/2 for even L, so that rounding gives exactly L integers
    -(L // 2) .. (L - 1) // 2. The shift s = artanh(o / h) makes bound(0) = 0; with two levels there
    is no such shift, and s = 0 puts the border between both codes at z = 0. The gradient passes
    through the rounding unchanged (straight through). There are no parameters.

    Rounding is done in float32 whatever the number type of z, so bfloat16 gives the bins of the
    same numbers in float32, and `digits` finds them again in values that were cast to bfloat16.

    Shape legend: d channels, as many as there are levels.
    """

    levels: Tensor

    def __init__(self, levels: tuple[int, ...]) -> None:
        super().__init__()
        if not levels or not all(2 <= level <= _MOST_LEVELS for level in levels):
            raise ValueError(
                f"levels {levels} must be one or more whole numbers from 2 to {_MOST_LEVELS}"
            )
        self.num_codes = math.prod(levels)
        if self.num_codes > 2**62:
            raise ValueError(
                f"levels {levels} make more codes than a 64-bit index holds; take fewer or smaller"
            )
        radix = [math.prod(levels[:i]) for i in range(len(levels))]
        self.register_buffer("levels", torch.tensor(levels), persistent=False)
        self.register_buffer("radix", torch.tensor(radix), persistent=False)
        self.radix: Tensor

    def forward(self, z: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """Quantised values in [-1, 1] of any real numbers, in their number type."""
        half = (self.levels - 1).float() * ((1 - _MARGIN) / 2)
        offset = torch.where(self.levels % 2 == 0, 0.5, 0.0)
        shift = torch.where(self.levels > 2, offset / half, 0.0).atanh()
        bounded = (z.float() + shift).tanh() * half - offset
        # Rounded plus exactly zero: the other order would leave a rounding error in the value.
        rounded = bounded.detach().round() + (bounded - bounded.detach())
        return (rounded / (self.levels // 2)).to(z.dtype)

    def digits(self, values: Float[Tensor, "*b d"]) -> Int[Tensor, "*b d"]:
        """Number of each channel's level, from 0 (value -1), of quantised values."""
        half = self.levels // 2
        return (values.float() * half).round().long() + half

    def values(self, digits: Int[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """Quantised values (float32) of level numbers, the inverse of `digits`."""
        half = self.levels // 2
        return (digits - half).float() / half

    def index(self, digits: Int[Tensor, "*b d"]) -> Int[Tensor, "*b"]:
        """One number per code, 0 .. `num_codes` - 1: mixed radix, the first channel fastest."""
        return (digits * self.radix).sum(dim=-1)

    def from_index(self, index: Int[Tensor, "*b"]) -> Int[Tensor, "*b d"]:
        """Level numbers of codes, the inverse of `index`.

        Raises:
            ValueError: a code lies outside 0 .. `num_codes` - 1.
        """
        if index.numel() and not 0 <= int(index.min()) <= int(index.max()) < self.num_codes:
            raise ValueError(
                f"codes from {int(index.min())} to {int(index.max())} were given, but they must "
                f"lie in 0 .. {self.num_codes - 1}"
            )
        return index[..., None] // self.radix % self.levels
