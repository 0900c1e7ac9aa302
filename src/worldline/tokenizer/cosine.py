"""Initial weights that make an untrained video tokenizer a cosine transform, much as JPEG's is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Wave", "patch_waves", "start_as_cosines"]

_COLORS = ((1.0, 1.0, 1.0), (1.0, 0.0, -1.0), (-1.0, 2.0, -1.0))

_CHROMA_COST = 2
"""How many half waves a difference of colours counts for: pictures vary more in brightness."""

_LOWEST_GAIN, _GAIN_PER_RANK = 1.5, 10.0
"""Latents about as large as each other: a wave's amplitude in pictures falls with its frequency."""


@dataclass(frozen=True, order=True)
class Wave:
    """One function of the cosine transform of a patch: half waves over time, rows and columns.

    Attributes:
        rank: how fine it is; waves are kept from the lowest on.
        time, row, column: number of half waves over the patch.
        color: brightness (0) or one of two differences of colours.
    """

    rank: int
    time: int
    row: int
    column: int
    color: int


def half_waves(size: int) -> Float[Tensor, "size size"]:
    """Orthonormal cosine transform (Ahmed, Natarajan and Rao 1974, DCT-II), a function per row."""
    place = torch.arange(size) + 0.5
    waves = torch.cos(math.pi / size * torch.arange(size)[:, None] * place)
    return waves / waves.norm(dim=1, keepdim=True)


def patch_waves(num_frames: int, side: int) -> tuple[list[Wave], Float[Tensor, "n n"]]:
    """Waves of a patch, coarse to fine, and each as a row over (frame, row, column, RGB).

    The rows are orthonormal.
    """
    waves = sorted(
        Wave(t + y + x + _CHROMA_COST * (c > 0), t, y, x, c)
        for t, y, x, c in product(range(num_frames), range(side), range(side), range(3))
    )
    frames, places, colors = half_waves(num_frames), half_waves(side), torch.tensor(_COLORS)
    colors = colors / colors.norm(dim=1, keepdim=True)
    rows = [
        torch.einsum(
            "t,y,x,c->tyxc", frames[w.time], places[w.row], places[w.column], colors[w.color]
        ).flatten()
        for w in waves
    ]
    return waves, torch.stack(rows)


def block_waves(
    waves: list[Wave], block: int
) -> tuple[Float[Tensor, " m"], Float[Tensor, "m block_block_n"]]:
    """Waves of a block of patches, coarse to fine: ranks, and each as a row over (row, column, n).

    The n waves of a patch are put together over `block` by `block` patches by one more cosine
    transform; the rows are orthonormal.
    """
    places = half_waves(block)
    found = []
    for i, w in enumerate(waves):
        rank = w.time + block * (w.row + w.column) + _CHROMA_COST * (w.color > 0)
        found += [(rank + y + x, i, y, x) for y, x in product(range(block), repeat=2)]
    found.sort()
    rows = torch.zeros(len(found), block, block, len(waves))
    for row, (_, i, y, x) in zip(rows, found, strict=True):
        row[:, :, i] = places[y][:, None] * places[x]
    return torch.tensor([float(rank) for rank, *_ in found]), rows.flatten(1)


@torch.no_grad()
def start_as_cosines(
    way_in: tuple[nn.Conv2d, nn.Conv2d, nn.Conv2d],
    way_out: tuple[nn.Conv2d, nn.Conv2d, nn.Conv2d],
    *,
    num_frames: int,
    side: int,
    block: int,
) -> None:
    """Set six convolutions so that latents are the coarsest waves of their cell, and decode so.

    Residual blocks between them that start as the identity leave it at that, so an untrained
    tokenizer gives smooth pictures, and training adds what is fine or moves. Neighbouring taps
    start at zero; channels beyond the number of waves keep their weights.

    On the way in, numbers are large until the last layer, and on the way out small until then:
    Adam's first steps are of one size for all weights, and so disturb every layer little.

    Args:
        way_in: packed pixels to patches, packed patches to cells, cells to latents.
        way_out: the three back, latents first.
        num_frames, side: of a patch, packed as (frame, row, column, RGB).
        block: patches along a cell's side, packed as (row, column, channel).
    """
    waves, patch = patch_waves(num_frames, side)
    waves, patch = waves[: way_in[0].out_channels], patch[: way_in[0].out_channels]
    ranks, cell = block_waves(waves, block)
    ranks, cell = ranks[: way_in[1].out_channels], cell[: way_in[1].out_channels]
    num_latents = min(way_in[2].out_channels, len(ranks))
    size = num_frames * (side * block) ** 2
    gain = (_GAIN_PER_RANK * ranks).clamp_min(_LOWEST_GAIN)[:num_latents, None]
    latent = torch.eye(num_latents, len(ranks))
    _set_middle(way_in[0], patch)
    _set_middle(way_in[1], cell)
    _set_middle(way_in[2], gain * latent / math.sqrt(size))
    _set_middle(way_out[0], (latent / gain).T)
    _set_middle(way_out[1], block * cell.T)
    _set_middle(way_out[2], math.sqrt(num_frames * side**2) * patch.T)


def _set_middle(layer: nn.Conv2d, matrix: Float[Tensor, "o i"]) -> None:
    rows, columns = matrix.shape
    middle = layer.kernel_size[0] // 2
    layer.weight[:rows] = 0
    layer.weight[:rows, :columns, middle, middle] = matrix
    assert layer.bias is not None
    layer.bias.zero_()
