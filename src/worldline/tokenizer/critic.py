"""A small patch critic and the hinge game that it plays with a decoder, in one backward pass."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from worldline.nn import pack
from worldline.scale import rowwise

__all__ = ["PatchCritic", "play"]


class PatchCritic(nn.Module):
    """Says of each patch of a picture how real it looks (Isola et al. 2017, section 3.2.2).

    Three convolutions on pixels packed 4x4: one number per 8x8 pixels, each of which sees 36x36.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.enter = nn.Conv2d(48, width, 3, padding=1)
        self.narrow = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.judge = nn.Conv2d(2 * width, 1, 3, padding=1)

    @rowwise
    def forward(self, x: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b y x"]:
        """Score of each patch of pictures in [-1, 1]; above 0 means real."""
        hidden = F.leaky_relu(self.enter(pack(x, 4)), 0.2)
        return self.judge(F.leaky_relu(self.narrow(hidden), 0.2))[:, 0]


def play(
    critic: PatchCritic, real: Float[Tensor, "b 3 h w"], fake: Float[Tensor, "b 3 h w"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Losses of the critic and of the maker of `fake`, whose sum trains both at once.

    The hinge game of Lim and Ye (2017, Geometric GAN, arXiv 1705.02894), D being the critic:

        critic: mean max(0, 1 - D(real)) + mean max(0, 1 + D(fake))        maker: -mean D(fake)

    One loop with one optimiser minimises one sum, so each loss may teach its own player only: the
    critic's sees a detached `fake`, and the maker's a critic with detached parameters. Reversing
    the gradient between maker and critic (Ganin and Lempitsky 2015) needs one pass fewer, but gives
    the maker no gradient at all wherever the critic is sure of itself (D(fake) < -1).
    """
    caught = F.relu(1 + critic(fake.detach()).float()).mean()
    missed = F.relu(1 - critic(real.detach()).float()).mean()
    frozen = {name: p.detach() for name, p in critic.named_parameters()}
    return missed + caught, -functional_call(critic, frozen, (fake,)).float().mean()
