"""A world in somebody else's evaluator: the costs of stable-worldmodel's solvers.

stable-worldmodel (0.1.1) plans with any object that has `get_cost(info, candidates)`, and runs its
own solvers in its own environments. `OutsideCost` is such an object around a Worldline world; it
imports nothing of that package.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from worldline.core.errors import InputError
from worldline.planning.agents import toward
from worldline.planning.imagination import Imagination
from worldline.planning.objective import Over
from worldline.planning.paths import Landmarks
from worldline.planning.reading import Reading
from worldline.world import World

__all__ = ["OutsideCost"]


class OutsideCost:
    """What plans cost in a world, asked as stable-worldmodel asks.

    Actions come in blocks: as many of the environment's as a frame of the world takes lie side by
    side, and the world, which holds one action for as long, is given their mean.

    Args:
        world: whose actions are those of the environment.
        block: actions of the environment in one of a plan.
        over: which moments of a plan are compared with the goal.
        guide: the goal is as far as the way along landmarks, or as what is read off latents;
            straight through latents if absent.
    """

    def __init__(
        self,
        world: World,
        *,
        block: int = 1,
        over: Over = Over.SUM,
        guide: Landmarks | Reading | None = None,
    ) -> None:
        if block < 1:
            raise InputError(f"block is {block}; it must be at least 1")
        self.imagination = Imagination(world)
        self.block, self.over, self.guide = block, over, guide

    @torch.no_grad()
    def get_cost(
        self, info: Mapping[str, Any], candidates: Float[Tensor, "b s h d"]
    ) -> Float[Tensor, "b s"]:
        """Costs of S plans of H blocks in B environments.

        Args:
            info: "pixels" and "goal", each `[B, S, T, h, w, 3]` in 0 to 255, the same for all plans
                of an environment; of several moments the newest counts.
            candidates: plans, in the environment's own range of [-1, 1] beyond which it cuts them
                off.

        Raises:
            InputError: pictures are missing, or plans are of another width.
        """
        width = self.imagination.space.width
        if candidates.shape[-1] != width * self.block:
            raise InputError(
                f"plans have {candidates.shape[-1]} numbers per step, expected {self.block} "
                f"actions of {width}"
            )
        seen, goal = (self._picture(info, name) for name in ("pixels", "goal"))
        situation = self.imagination.begin(seen[:, None])
        blocks = candidates.float().clamp(-1, 1).unflatten(-1, (self.block, width))
        rollout = self.imagination.imagine(situation, blocks.mean(dim=-2))
        wanted = self.imagination.encode(goal[:, None])[:, 0]
        return toward(wanted, self.guide, self.over).cost(rollout)

    criterion = get_cost

    def _picture(self, info: Mapping[str, Any], name: str) -> UInt8[Tensor, "b s s 3"]:
        """One per environment, as large as the world sees."""
        if name not in info:
            raise InputError(f"info has no {name}; there are: {', '.join(map(str, info))}")
        every = np.asarray(info[name])
        if every.ndim != 6 or every.shape[-1] != 3:
            raise InputError(f"{name} is {every.shape}, expected [B, S, T, h, w, 3]")
        size_px = self.imagination.world.size_px
        shrunk = [
            cv2.resize(
                np.ascontiguousarray(picture.astype(np.uint8)),
                (size_px, size_px),
                interpolation=cv2.INTER_AREA,
            )
            for picture in every[:, 0, -1]
        ]
        return torch.from_numpy(np.stack(shrunk))
