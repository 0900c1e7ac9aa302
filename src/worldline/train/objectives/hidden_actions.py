"""Latent actions without labels: an inverse and a forward model that learn together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.core.latents import Latents
from worldline.dynamics import LatentActions
from worldline.dynamics.blank import relative_error
from worldline.nn import ConvBlock
from worldline.train.draw import ClipBatch
from worldline.train.objectives.base import Objective, Parts
from worldline.world import World

__all__ = ["HiddenActions"]


class HiddenActions(Objective):
    """The inverse model says in a code what a small forward model lacks to make the next frame.

    Genie's latent action model (Bruce et al. 2024, arXiv 2402.15391, section 2.1). The forward
    model sees the two frames before and the code, adds its output to the last frame, and is left
    behind when the codes are learned: the world's own dynamics learn from the codes afterwards.

    Codes are of use only while they differ. What the inverse model says before it is rounded is
    therefore held near mean 0, variance 1 and no correlation over a batch; a fresh one says nearly
    the same of all frames, would be rounded to a single code, and would learn nothing from there.
    Batches of many short clips serve it best: steps of one clip are alike.
    """

    @register("objective/hidden-actions", version=2, upgrades={1: {"blind_share": 0.0}})
    @dataclass(frozen=True)
    class Config(Config):
        """Weights and the forward model's size.

        Attributes:
            weight: of the whole.
            spread: weight of mean 0, variance 1 and no correlation.
            width, depth: channels and residual blocks of the forward model.
            blind_share: of the clips, those whose forward model does not see how things moved
                before. Who holds a key moves on as before, and nothing would have to be said of it.
        """

        weight: float = 1.0
        spread: float = 0.02
        width: int = 48
        depth: int = 3
        blind_share: float = 0.0

        def __post_init__(self) -> None:
            if not 0 <= self.blind_share <= 1:
                raise ValueError(f"blind_share is {self.blind_share}, must lie between 0 and 1")

        def build(self, world: World) -> HiddenActions:
            """Make the objective.

            Raises:
                InputError: the world reads no latent actions off frames, or folds several frames
                    into a step.
            """
            if world.inverse is None or world.tokenizer.time_stride > 1:
                raise InputError(
                    f"the world {world.name} has no inverse model of single frames to be trained"
                )
            return HiddenActions(self, world.tokenizer.channels, world.inverse.config.action_size)

    def __init__(self, config: HiddenActions.Config, channels: int, action_size: int) -> None:
        super().__init__()
        self.weight, self.spread = config.weight, config.spread
        self.blind_share = config.blind_share
        width = config.width
        self.enter = nn.Conv2d(2 * channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(ConvBlock(width) for _ in range(config.depth))
        self.tell = nn.ModuleList(nn.Linear(action_size, 2 * width) for _ in range(config.depth))
        self.leave = nn.Conv2d(width, channels, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)

    def forward(
        self, earlier: Float[Tensor, "b c y x"], last: Float[Tensor, "b c y x"], code: Tensor
    ) -> Float[Tensor, "b c y x"]:
        """Cells of the frame after `last`, as a code `[B, A]` has it."""
        cells = self.enter(torch.cat([last, last - earlier], dim=1))
        for block, tell in zip(self.blocks, self.tell, strict=True):
            gain, shift = tell(code)[:, :, None, None].chunk(2, dim=1)
            cells = block(cells * (1 + gain) + shift)
        return last + self.leave(cells)

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Weighted error of frames 2 .. T-1 over that of copying, and how codes are spread.

        "error_over_copying" is unweighted; "variance" is that of the numbers before rounding.
        """
        inverse = parts["inverse"]
        assert isinstance(inverse, LatentActions)
        raw = inverse.raw(batch.frames[:, 1:])
        code = inverse.codes(raw)
        x = latents.tokens
        rows = latents.grid[0]
        cells = rearrange(x, "b t (y x) c -> b t c y x", y=rows)
        num = x.shape[1] - 2
        earlier, last = cells[:, :-2], cells[:, 1:-1]
        blind = round(self.blind_share * len(x))
        earlier = torch.cat([last[:blind], earlier[blind:]])
        told = self(earlier.flatten(0, 1), last.flatten(0, 1), code.flatten(0, 1))
        predicted = rearrange(told, "(b t) c y x -> b t (y x) c", t=num)
        predicted = torch.cat([x[:, 1:2], predicted], dim=1)
        losses = relative_error(predicted, x[:, 1:], x[:, 1:], x[:, 1:], None, bounds=(0.1, 10.0))
        apart, variance = _apart(raw.float().flatten(0, 1))
        return {**losses, "total": losses["total"] + self.spread * apart, "variance": variance}


def _apart(raw: Float[Tensor, "n a"]) -> tuple[Tensor, Tensor]:
    """How far numbers are from mean 0, variance 1 and no correlation, and their mean variance."""
    mean = raw.mean(dim=0)
    away = raw - mean
    variance = away.square().mean(dim=0).clamp_min(1e-8)
    scaled = away / variance.sqrt()
    size = raw.shape[1]
    correlation = scaled.T @ scaled / len(raw) - torch.eye(size, device=raw.device)
    alike = correlation.square().sum() / max(1, size * (size - 1))
    return (mean.square() + variance.log().square()).mean() + alike, variance.mean()
