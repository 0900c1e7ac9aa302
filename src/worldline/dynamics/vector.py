"""The network of worlds whose frames are one vector each: residual layers, no attention.

What such a network knows of the past is the frame before and its change, so a rollout costs one
small pass per step and no cache; thousands of plans can be imagined in the time of a camera's
frame.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from worldline.core.latents import Controls
from worldline.dynamics.controls import ControlEncoder
from worldline.dynamics.network import NetworkConfig
from worldline.nn import FeedForward, KeyValue
from worldline.scale import rowwise

__all__ = ["VectorNetwork"]


class VectorNetwork(nn.Module):
    """Reads a vector per frame and writes a vector per frame; untrained it writes zeros.

    It takes the place of `LatentNetwork` where there is one cell, with the same call.

    Args:
        shape: `width` and `depth` of the residual layers, and which controls there are; what
            attention and convolutions need is not used.
        in_channels, out_channels: numbers that come in and go out.
    """

    def __init__(self, shape: NetworkConfig, *, in_channels: int, out_channels: int) -> None:
        super().__init__()
        controls = shape.controls
        self.enter = nn.Linear(in_channels, shape.width)
        self.controls = ControlEncoder(controls, shape.width, 1) if controls.any else None
        self.norms = nn.ModuleList(
            nn.LayerNorm(shape.width, bias=False) for _ in range(shape.depth + 1)
        )
        self.layers = nn.ModuleList(FeedForward(shape.width, 2) for _ in range(shape.depth))
        self.leave = nn.Linear(shape.width, out_channels)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(
        self,
        x_BTNC: Float[Tensor, "b t 1 c"],
        controls: Controls,
        *,
        start: int | Int[Tensor, ""] = 0,
        past: tuple[KeyValue, ...] | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "b t 1 o"], tuple[KeyValue, ...]]:
        """Vectors out, and an empty cache.

        Args:
            x_BTNC: vectors in.
            controls: what drives these frames; what has a place is added up over its cells.
            start, past: not needed.
            generator: see `ControlEncoder`.
        """
        driven = None
        if self.controls is not None:
            shape = x_BTNC.shape[0], x_BTNC.shape[1]
            frame, cells, _ = self.controls(controls, shape, generator=generator)
            driven = frame if cells is None else frame + cells.mean(dim=2)
        return self._pass(x_BTNC, driven), ()

    @rowwise
    def _pass(
        self, x_BTNC: Float[Tensor, "b t 1 c"], driven: Float[Tensor, "b t d"] | None
    ) -> Float[Tensor, "b t 1 o"]:
        x = self.enter(x_BTNC[:, :, 0].to(self.leave.weight.dtype))
        if driven is not None:
            x = x + driven
        for norm, layer in zip(self.norms[:-1], self.layers, strict=True):
            x = x + layer(norm(x))
        return self.leave(self.norms[-1](x))[:, :, None]
