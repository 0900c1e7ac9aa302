"""Distance along what was seen, instead of straight through what was not.

Two places on either side of a wall can look alike and be far apart on foot. Latents of recorded
frames are landmarks; each is joined to those that lie next to it, and the length of the shortest
way along them is the distance to a goal (the geodesics of Isomap, Tenenbaum, de Silva and Langford
2000; planning over landmarks of experience, Eysenbach et al. 2019, arXiv 1906.05253).

Shape legend: B situations, S plans, H steps, M landmarks, D numbers of a latent, K neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.planning.imagination import Imagination, Rollout
from worldline.planning.objective import Over, one_each, over_time

__all__ = ["Landmarks", "PathGoal"]

_STRANDED = 4.0
"""Where no way is known: so many times the longest known one."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Places that were seen, and how far they are from each other.

    Attributes:
        latents: `[M, D]`.
        ways: `[M, M]` lengths of the shortest ways along neighbours.
        near: how far neighbours usually are: closer than this there is no need for a way.
    """

    latents: Float[Tensor, "m d"]
    ways: Float[Tensor, "m m"]
    near: float

    @classmethod
    def of_latents(
        cls, seen: Float[Tensor, "n d"], *, most: int = 600, neighbors: int = 6
    ) -> Landmarks:
        """Of latents of recorded frames, spread out as far as they go.

        Args:
            seen: latents.
            most: M; where there are more, those farthest from each other are kept.
            neighbors: each landmark is joined to so many.

        Raises:
            InputError: there are fewer latents than neighbours.
        """
        if not 1 <= neighbors < len(seen):
            raise InputError(
                f"{len(seen)} latents with {neighbors} neighbours each: at least 1, and fewer "
                "than there are latents"
            )
        kept = _spread_out(seen.float(), most)
        apart = torch.cdist(kept, kept)
        length, which = apart.topk(min(neighbors + 1, len(kept)), largest=False)
        rows = np.repeat(np.arange(len(kept)), length.shape[1])
        graph = csr_matrix(
            (length.double().numpy().ravel(), (rows, which.numpy().ravel())),
            shape=(len(kept), len(kept)),
        )
        ways = dijkstra(graph, directed=False)
        known = ways[np.isfinite(ways)]
        ways = np.where(np.isfinite(ways), ways, _STRANDED * known.max())
        near = float(length[:, -1].median())
        return cls(kept, torch.from_numpy(ways).float(), near)

    @classmethod
    def of_clips(
        cls, imagination: Imagination, clips: Sequence[Clip], *, most: int = 600
    ) -> Landmarks:
        """Of recorded clips of the world's size. Raises `InputError` if there are none."""
        if not clips:
            raise InputError("landmarks are what was seen: give some clips")
        seen = [
            imagination.encode(torch.from_numpy(imagination.world.look(clip).frames)[None])
            for clip in clips
        ]
        return cls.of_latents(torch.cat([x[0].flatten(1) for x in seen]), most=most)


@dataclass(frozen=True, eq=False)
class PathGoal:
    """Length of the way along landmarks to a goal image, in units of latents.

    A place is as far as its nearest landmarks are from the goal, and the step to these. What lies
    next to the goal is as far as it is.

    Attributes:
        landmarks: what the way leads along.
        goal: `[B, N, C]` latents, one per situation, or `[1, N, C]` for all.
        over: which moments of a rollout count.
    """

    landmarks: Landmarks
    goal: Float[Tensor, "b n c"]
    over: Over = Over.SUM

    def cost(self, rollout: Rollout) -> Float[Tensor, "b s"]:
        """See `Objective`. Raises `InputError` for goals of other situations."""
        marks = self.landmarks
        goal = one_each(self.goal, rollout).flatten(1)
        seen = rollout.latents.flatten(-2)
        away, first = _nearest(goal, marks.latents)
        field = (marks.ways[first] + away[..., None]).amin(dim=1)  # [B, M]
        flat = seen.flatten(1, 2)
        step, which = _nearest(flat.flatten(0, 1), marks.latents)
        size = len(flat), flat.shape[1] * step.shape[1]
        ahead = field.gather(1, which.reshape(size)).reshape(*flat.shape[:2], -1)
        along = (step.reshape(ahead.shape) + ahead).amin(dim=-1)
        straight = (flat - goal[:, None]).norm(dim=-1)
        found = torch.where(straight <= marks.near, straight, along.maximum(straight))
        return over_time(found.unflatten(1, seen.shape[1:3]), self.over)


def _nearest(
    x: Float[Tensor, "k d"], marks: Float[Tensor, "m d"], num: int = 3
) -> tuple[Float[Tensor, "k n"], Tensor]:
    """Distances and numbers of the nearest landmarks."""
    square = x.square().sum(-1, keepdim=True) - 2 * x @ marks.T + marks.square().sum(-1)
    away, which = square.topk(min(num, len(marks)), largest=False)
    return away.clamp_min(0).sqrt(), which


def _spread_out(x: Float[Tensor, "n d"], most: int) -> Float[Tensor, "m d"]:
    """Those farthest from all that are kept already, one after the other (Gonzalez 1985)."""
    if len(x) <= most:
        return x
    kept = [0]
    away = (x - x[0]).square().sum(-1)
    while len(kept) < most:
        kept.append(int(away.argmax()))
        away = away.minimum((x - x[kept[-1]]).square().sum(-1))
    return x[kept]
