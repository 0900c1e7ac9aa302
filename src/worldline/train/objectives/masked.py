"""Masked video modelling in representation space, as V-JEPA does it."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Bool, Float
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.latents import Latents
from worldline.nn import Backbone
from worldline.scale import rowwise
from worldline.tokenizer import RepresentationTokenizer
from worldline.train.draw import ClipBatch
from worldline.train.objectives.base import Objective, Parts
from worldline.world import World

__all__ = ["MaskedVideo", "draw_blocks"]


class MaskedVideo(Objective):
    """Features of hidden blocks from visible ones (Bardes et al. 2024, arXiv 2404.08471, eq. 1).

    Blocks of patches are hidden through all frames of a clip, so that they cannot be copied from a
    neighbouring frame: many small blocks or few large ones, by turns. The encoder sees the visible
    patches alone; a narrow predictor gets their features and, for each hidden patch, a learned
    token; the target is the moving average of the encoder, which sees everything. The loss is the
    mean absolute difference to the target's features, normalised per patch.

    Unlike V-JEPA's, the predictor looks back in time only, as everything in a world does.
    """

    @register("objective/masked-video")
    @dataclass(frozen=True)
    class Config(Config):
        """Masks, predictor and target.

        Attributes:
            weight: of the loss.
            small_blocks, small_scale: number of small blocks and the share of the frame of each.
            large_blocks, large_scale: the same for large ones.
            width, depth, heads: of the predictor.
            decay: of the target's moving average.
        """

        weight: float = 1.0
        small_blocks: int = 8
        small_scale: float = 0.15
        large_blocks: int = 2
        large_scale: float = 0.7
        width: int = 96
        depth: int = 3
        heads: int = 2
        decay: float = 0.996

        def build(self, world: World) -> MaskedVideo:
            """Make the objective. Raises `ValueError` if the world has no representation."""
            if not isinstance(world.tokenizer, RepresentationTokenizer):
                raise ValueError("masked video modelling needs a representation tokenizer")
            return MaskedVideo(self, world.tokenizer)

    def __init__(self, config: MaskedVideo.Config, encoder: RepresentationTokenizer) -> None:
        super().__init__()
        self.config, self.weight = config, config.weight
        num = encoder.grid[0] * encoder.grid[1]
        self.target = copy.deepcopy(encoder).requires_grad_(False)
        self.enter = nn.Linear(encoder.channels, config.width)
        self.hidden = nn.Parameter(0.02 * torch.randn(config.width))
        self.place = nn.Parameter(0.02 * torch.randn(num, config.width))
        self.blocks = Backbone(
            width=config.width, depth=config.depth, heads=config.heads, window=64
        )
        self.final_norm = nn.LayerNorm(config.width, bias=False)
        self.leave = nn.Linear(config.width, encoder.channels)

    def loss(
        self, parts: Parts, batch: ClipBatch, latents: Latents, generator: torch.Generator
    ) -> Mapping[str, Tensor]:
        """Mean absolute error over hidden patches, of the frames of whole clips."""
        encoder = parts["tokenizer"]
        assert isinstance(encoder, RepresentationTokenizer)
        batch_size, num_frames = batch.frames.shape[:2]
        hidden_BN = draw_blocks(batch_size, encoder.grid, self.config, generator)
        hidden_BTN = hidden_BN[:, None].expand(-1, num_frames, -1)
        seen = encoder.features(batch.frames, ~hidden_BTN)
        predicted = self._predict(seen, hidden_BTN)
        with torch.no_grad():
            target = self.target.features(batch.frames)
            target = F.layer_norm(target.float(), target.shape[-1:])
        error = (predicted.float() - target).abs().mean(dim=-1)
        total = error[hidden_BTN].mean()
        return {"total": total, "target_spread": target.std(dim=0).mean()}

    @rowwise
    def _predict(self, seen: Float[Tensor, "b t n c"], hidden: Tensor) -> Tensor:
        tokens = torch.where(hidden[..., None], self.hidden, self.enter(seen)) + self.place
        return self.leave(self.final_norm(self.blocks(tokens)[0]))

    @torch.no_grad()
    def follow(self, parts: Mapping[str, Any]) -> None:
        """Move the target a little towards the encoder."""
        own, other = self.target.state_dict(), parts["tokenizer"].state_dict()
        for name, value in own.items():
            if value.is_floating_point():
                value.lerp_(other[name], 1 - self.config.decay)


def draw_blocks(
    batch: int, grid: tuple[int, int], config: MaskedVideo.Config, generator: torch.Generator
) -> Bool[Tensor, "b n"]:
    """Hidden patches of each clip: the union of small blocks, or of large ones, by turns.

    Blocks have an aspect ratio between 3/4 and 3/2, as in V-JEPA. At least one patch stays visible
    and one hidden.
    """
    rows, columns = grid
    hidden = torch.zeros(batch, rows, columns, dtype=torch.bool)
    for b in range(batch):
        few = b % 2 == 1
        num = config.large_blocks if few else config.small_blocks
        scale = config.large_scale if few else config.small_scale
        draws = torch.rand(num, 3, generator=generator, device=generator.device).tolist()
        for aspect_draw, top_draw, left_draw in draws:
            aspect = 0.75 + 0.75 * aspect_draw
            area = scale * rows * columns
            height = min(max(round(math.sqrt(area * aspect)), 1), rows)
            width = min(max(round(math.sqrt(area / aspect)), 1), columns)
            top = math.floor(top_draw * (rows - height + 1))
            left = math.floor(left_draw * (columns - width + 1))
            hidden[b, top : top + height, left : left + width] = True
    flat = hidden.flatten(1)
    whole = flat.all(dim=1)
    flat[whole, 0] = False
    return flat.to(generator.device)
