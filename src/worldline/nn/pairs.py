"""What leads from one picture to the next, as a few numbers."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["PairReader"]

_STRESS = 4.0
"""Of what changes, which is little of most pictures."""


class PairReader(nn.Module):
    """Strided convolutions over two pictures and their stressed difference, then two linear maps.

    Args:
        size: numbers that are read off a pair.
        width: of the later convolutions.
    """

    def __init__(self, size: int, width: int = 64) -> None:
        super().__init__()
        widths = (9, width // 2, width, width, width)
        self.see = nn.Sequential(
            *(
                layer
                for before, after in pairwise(widths)
                for layer in (nn.Conv2d(before, after, 5, stride=2, padding=2), nn.ReLU())
            )
        )
        self.think = nn.Linear(16 * width, 4 * width)
        self.tell = nn.Linear(4 * width, size)

    def forward(
        self, before: Float[Tensor, "b 3 h w"], after: Float[Tensor, "b 3 h w"]
    ) -> Float[Tensor, "b n"]:
        """Numbers of pairs of pictures in [-1, 1]."""
        x = self.see(torch.cat([before, after, _STRESS * (after - before)], dim=1))
        x = F.adaptive_avg_pool2d(x, 4)
        return self.tell(F.relu(self.think(x.flatten(1))))
