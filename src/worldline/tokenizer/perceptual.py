"""Distance between pictures in the features of a fixed network that was never trained."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from worldline.scale import rowwise

__all__ = ["RandomFeatures"]

_WIDTHS = (3, 16, 32, 64)
_SIDE = 4
_SEED = 0
_FLOOR = 1e-3


class RandomFeatures(nn.Module):
    """How differently two pictures look to three layers of random convolutions.

    Trained features make good perceptual distances (Zhang et al. 2018, LPIPS, eq. 1), but their
    weights would have to be downloaded. Much of what they do comes from the architecture: those of
    an untrained network still tell structure and texture apart (Ustyuzhaninov et al. 2016,
    arXiv 1606.00021; He, Wang and Hopcroft 2016, arXiv 1606.04801). So this is LPIPS' distance with
    drawn weights: features f of each layer, scaled to unit length per place, and

        d = mean over layers and places of |f(image) - f(truth)|^2

    A layer is a 4x4 convolution of stride 2 with He et al.'s (2015, eq. 10) initial weights, drawn
    once with a fixed seed, and a ReLU. There is nothing to train and nothing to store.
    """

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(_SEED)
        for i, (before, after) in enumerate(pairwise(_WIDTHS)):
            scale = math.sqrt(2 / (before * _SIDE**2))
            weight = scale * torch.randn(after, before, _SIDE, _SIDE, generator=generator)
            self.register_buffer(f"weight_{i}", weight, persistent=False)

    def forward(
        self,
        image: Float[Tensor, "b 3 h w"],
        truth: Float[Tensor, "b 3 h w"],
        weight: Float[Tensor, "b h w"],
    ) -> Float[Tensor, ""]:
        """Distance, from 0, of pictures in about [-1, 1] whose sides are multiples of 8.

        Args:
            image, truth: to be compared.
            weight: how much each pixel counts; coarser places count with the mean of their pixels.
        """
        total = torch.zeros((), device=image.device)
        gaps = self._compare(image, truth, weight)
        for gap in gaps:
            total = total + gap.mean()
        return total / len(gaps)

    @rowwise
    def _compare(self, image: Tensor, truth: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
        """Weighted squared difference of each layer's features, per place."""
        x, mass = torch.cat([image, truth]), weight[:, None]
        gaps: list[Tensor] = []
        for kernel in self.buffers():
            x = F.relu(F.conv2d(x.to(kernel.dtype), kernel, stride=2, padding=1))
            length = (x.float().square().sum(dim=1, keepdim=True) + _FLOOR).sqrt()
            one, other = (x.float() / length).chunk(2)
            mass = F.avg_pool2d(mass, 2)
            gaps.append((one - other).square().sum(dim=1, keepdim=True) * mass)
        return tuple(gaps)
