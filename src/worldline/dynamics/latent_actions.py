"""Actions that nobody recorded: what leads from one frame to the next, as a short code.

Genie (Bruce et al. 2024, arXiv 2402.15391, section 2.1) learns an inverse model without labels: it
sees a frame and the one before it and has to say, in a few discrete numbers, what a forward model
needs beside the past to make the later frame. There is room in the code for little more than what
was done. Codes here are those of finite scalar quantisation instead of a learned codebook, so that
they are numbers in [-1, 1] that a stick can give, and neighbours mean much the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.nn import FSQ, PairReader

__all__ = ["LatentActions"]


class LatentActions(nn.Module):
    """Inverse model from two successive frames to the latent action between them."""

    @register("dynamics/latent-actions")
    @dataclass(frozen=True)
    class Config(Config):
        """Sizes.

        Attributes:
            action_size: numbers per latent action.
            levels: values that each of them can have, an odd number: 0 is one of them.
            width: of the convolutions.
        """

        action_size: int = 3
        levels: int = 7
        width: int = 64

        def __post_init__(self) -> None:
            if self.action_size < 1 or self.levels < 3 or self.levels % 2 == 0:
                raise ValueError(
                    f"latent actions of {self.action_size} numbers with {self.levels} levels; give "
                    "at least one number, and an odd number of levels, 3 at least"
                )

        def build(self) -> LatentActions:
            """Make the untrained model."""
            return LatentActions(self)

    def __init__(self, config: LatentActions.Config) -> None:
        super().__init__()
        self.config = config
        self.reader = PairReader(config.action_size, config.width)
        self.codes = FSQ((config.levels,) * config.action_size)

    def raw(self, frames: UInt8[Tensor, "b t h w 3"]) -> Float[Tensor, "b s a"]:
        """Numbers before they are made codes, for each of the T - 1 steps."""
        dtype = self.reader.tell.weight.dtype
        pictures = rearrange(frames.to(dtype) / 127.5 - 1, "b t h w c -> b t c h w")
        before, after = (part.flatten(0, 1) for part in (pictures[:, :-1], pictures[:, 1:]))
        return self.reader(before, after).unflatten(0, (len(frames), -1))

    def forward(self, frames: UInt8[Tensor, "b t h w 3"]) -> Float[Tensor, "b s a"]:
        """Codes in [-1, 1] of the T - 1 steps between frames; gradients pass through the rounding.

        The code of a step depends on the two frames around it and on nothing else.
        """
        return self.codes(self.raw(frames))

    def leading(
        self, frames: UInt8[Tensor, "b t h w 3"]
    ) -> tuple[Float[Tensor, "b t a"], Bool[Tensor, "b t 1"]]:
        """The code that leads to each frame, and where it is known: not before the first one."""
        codes = self(frames)
        codes = torch.cat([torch.zeros_like(codes[:, :1]), codes], dim=1)
        known = torch.ones(*codes.shape[:2], 1, dtype=torch.bool, device=codes.device)
        known[:, 0] = False
        return codes, known

    @torch.no_grad()
    def read(self, frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, "s a"]:
        """Codes of the T - 1 steps of one clip."""
        return self(torch.from_numpy(np.ascontiguousarray(frames))[None])[0].double().numpy()
