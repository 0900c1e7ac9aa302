"""Mixing over time that never looks ahead, with an explicit past so that clips can come in pieces.

Shape legend: B batch, T steps, P past steps, C channels, Y and X rows and columns of cells.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["CausalMix"]


class CausalMix(nn.Module):
    """Residual causal convolution over time: each cell sees its own last `reach` steps.

    Past and present lie side by side as channels, so that the convolution is one matrix product
    and keeps the images' memory layout. Before the first step there are zeros. The second map
    starts at zero, as in `ConvBlock`.
    """

    def __init__(self, channels: int, reach: int = 3) -> None:
        super().__init__()
        if reach < 2:
            raise ValueError(f"reach {reach} must be at least 2 steps, the present one included")
        self.reach = reach
        self.gather = nn.Conv2d(reach * channels, channels, 1)
        self.second = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.second.weight)
        assert self.second.bias is not None
        nn.init.zeros_(self.second.bias)

    def forward(
        self, x_BTCYX: Float[Tensor, "b t c y x"], past: Float[Tensor, "b p c y x"] | None
    ) -> tuple[Float[Tensor, "b t c y x"], Float[Tensor, "b p2 c y x"]]:
        """Add a correction to the T steps that follow a past.

        Args:
            x_BTCYX: the steps.
            past: what the call for the steps before returned, or None if these are the first.

        Returns:
            the steps, and the past (`reach` - 1 steps) for the call that follows.
        """
        batch, num_steps, channels, rows, columns = x_BTCYX.shape
        if past is None:
            past = x_BTCYX.new_zeros(batch, self.reach - 1, channels, rows, columns)
        # Channels last and as matrix products: PyTorch's 1x1 convolutions of few cells are slow.
        active = F.silu(x_BTCYX.movedim(2, -1))
        whole = torch.cat([past.movedim(2, -1), active], dim=1)
        window = torch.cat([whole[:, i : i + num_steps] for i in range(self.reach)], dim=-1)
        mixed = _each_cell(self.second, F.silu(_each_cell(self.gather, window)))
        return x_BTCYX + mixed.movedim(-1, 2), whole[:, num_steps:].movedim(-1, 2)


def _each_cell(layer: nn.Conv2d, x: Float[Tensor, "*b c"]) -> Float[Tensor, "*b d"]:
    """A 1x1 convolution of cells whose channels are their last axis."""
    return F.linear(x, layer.weight.flatten(1), layer.bias)
