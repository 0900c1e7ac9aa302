"""Distance in what can be read off latents, instead of in latents themselves.

Latents spread what is seen as their training made them: a pusher's place may take most of the
room, a block's turn very little of it. Where states were recorded beside frames, a linear map says
which differences count; the goal is still a picture.

Shape legend: B situations, S plans, H steps, D numbers of a latent, R of what is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.planning.imagination import Rollout
from worldline.planning.objective import Over, one_each, over_time

__all__ = ["ReadGoal", "Reading"]

_NEAR = 0.25
"""Sum of squares below which it hardly counts any more how near a goal is."""


@dataclass(frozen=True, eq=False)
class Reading:
    """A linear map from latents to numbers that are known for some frames.

    Attributes:
        weight: `[D + 1, R]`, the last row the constant.
        error: root mean square of each number where it was fitted.
    """

    weight: Float[Tensor, "d r"]
    error: Float[Tensor, " r"]

    @classmethod
    def fit(cls, latents: Float[Tensor, "n d"], values: Float[np.ndarray, "m r"]) -> Reading:
        """By least squares with a light ridge.

        Raises:
            InputError: there are no more latents than numbers of each, or not as many values as
                latents, or something is not a finite number.
        """
        if len(values) != len(latents):
            raise InputError(f"{len(latents)} latents, but values of {len(values)}: one each")
        if not (np.isfinite(values).all() and latents.isfinite().all()):
            raise InputError("latents or values are not finite numbers, so nothing can be fitted")
        if len(latents) <= latents.shape[1]:
            raise InputError(
                f"{len(latents)} latents of {latents.shape[1]} numbers: more latents are needed"
            )
        x = torch.cat([latents.double(), torch.ones(len(latents), 1)], dim=1)
        y = torch.from_numpy(values).double()
        ridge = 1e-6 * len(x) * torch.eye(x.shape[1], dtype=torch.float64)
        weight = torch.linalg.solve(x.T @ x + ridge, x.T @ y)
        error = (x @ weight - y).square().mean(dim=0).sqrt()
        return cls(weight.float(), error.float())

    def read(self, latents: Float[Tensor, "*n d"]) -> Float[Tensor, "*n r"]:
        """What is told of latents."""
        return latents @ self.weight[:-1] + self.weight[-1]


@dataclass(frozen=True, eq=False)
class ReadGoal:
    """Mean squared distance of what is read off imagined latents and off a goal image.

    Attributes:
        reading: in units that count alike.
        goal: `[B, N, C]` latents, one per situation, or `[1, N, C]` for all.
        over: which moments of a rollout count.
        closely: what counts is the logarithm of the sum of squares, down to a quarter of what
            counts as reached (a sum of about 1), so that the last stretch is worth as much as a
            long way before it.
    """

    reading: Reading
    goal: Float[Tensor, "b n c"]
    over: Over = Over.SUM
    closely: bool = False

    def cost(self, rollout: Rollout) -> Float[Tensor, "b s"]:
        """See `Objective`. Raises `InputError` for goals of other situations."""
        wanted = self.reading.read(one_each(self.goal, rollout).flatten(1))
        told = self.reading.read(rollout.latents.flatten(3))
        away = (told - wanted[:, None, None]).square()
        away = (away.sum(dim=-1) / _NEAR).log1p() if self.closely else away.mean(dim=-1)
        return over_time(away, self.over)
