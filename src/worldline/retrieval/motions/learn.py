"""Contrastive training of the motion embedding."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from worldline.retrieval.motions.disturb import (
    align,
    disturb,
    disturb_moments,
    other_physics,
)
from worldline.retrieval.motions.features import Tracks, align_moments, measure, sum_up
from worldline.retrieval.motions.network import (
    MotionNetwork,
    MotionNetworkConfig,
    Vectors,
    late_interaction,
)
from worldline.retrieval.motions.tracks import MAX_TRACKS
from worldline.retrieval.motions.views import Views

__all__ = ["Learning", "contrast", "draw_pair", "learn", "start"]

_START_DYNAMICS = 500
_MEASURED_AMOUNT = 0.4
"""How much moments of measured flow are disturbed, at most; they have faults of their own."""


Seen = tuple[Tracks, Tensor]
"""Tracks as a tracker might have them, and the moments of motion in all."""


@dataclass(frozen=True)
class Learning:
    """How the network learns.

    Attributes:
        steps: of the optimiser.
        num_dynamics: of each batch; each comes once as it is and once with other physics.
        rate: highest learning rate; it rises over 5% of the steps and falls to 0 as a cosine.
        weight_decay: AdamW's.
        seed: of weights, batches and noise.
    """

    steps: int = 120
    num_dynamics: int = 80
    rate: float = 1e-3
    weight_decay: float = 0.02
    seed: int = 0


def learn(
    views: Views, learning: Learning, on_step: Callable[[int, float, MotionNetwork], None]
) -> MotionNetwork:
    """Train a network from scratch.

    Args:
        views: what to learn from.
        learning: how.
        on_step: called after each step with its number, the loss and the network.
    """
    torch.manual_seed(learning.seed)
    rng = torch.Generator().manual_seed(learning.seed)
    network = start(views, rng)
    sharpness = torch.nn.Parameter(torch.tensor(math.log(12.0)))
    optimiser = torch.optim.AdamW(
        [
            {"params": network.parameters(), "weight_decay": learning.weight_decay},
            {"params": [sharpness], "weight_decay": 0.0},
        ],
        lr=learning.rate,
        betas=(0.9, 0.98),
    )
    for step in range(learning.steps):
        done = step / learning.steps
        rate = min(done / 0.05, 1.0) * 0.5 * (1 + math.cos(math.pi * done))
        for group in optimiser.param_groups:
            group["lr"] = learning.rate * max(rate, 1e-3)
        first, second = draw_pair(views, learning.num_dynamics, rng)
        loss = contrast(network(measure(*first)), network(measure(*second)), sharpness)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            sharpness.clamp_(max=math.log(60.0))
        on_step(step, float(loss.detach()), network)
    return network.eval()


def start(views: Views, rng: torch.Generator) -> MotionNetwork:
    """A network that has learned nothing, but knows the principal components of what it reads."""
    network = MotionNetworkConfig().build()
    pairs = [draw_pair(views, _START_DYNAMICS, rng) for _ in range(2)]
    tracks, moments = zip(*(seen for pair in pairs for seen in pair), strict=True)
    box = [torch.cat([getattr(t, name) for t in tracks]) for name in ("center", "size", "seen")]
    network.start_from(measure(Tracks(*box), torch.cat(moments)))
    return network


def contrast(first: Vectors, second: Vectors, sharpness: Tensor) -> Tensor:
    """Symmetric InfoNCE (van den Oord et al. 2018, arXiv 1807.03748, eq. 4) of two views, with late
    interaction as similarity; row i of both is the same motion."""
    target = torch.arange(len(first.vector))
    scale = sharpness.exp()
    forth = late_interaction(first, second, MAX_TRACKS) * scale
    back = late_interaction(second, first, MAX_TRACKS) * scale
    return (F.cross_entropy(forth, target) + F.cross_entropy(back, target)) / 2


def draw_pair(views: Views, count: int, rng: torch.Generator) -> tuple[Seen, Seen]:
    """Two views each of `count` dynamics, half of them rendered if there are so many, and of each
    that was not rendered also with other physics. Row i of both is the same motion."""
    able = np.flatnonzero(views.usable.sum(axis=1) >= 2)
    filmed = np.isfinite(views.moments[able]).all(axis=(2, 3)).sum(axis=1) >= 2
    order = torch.randperm(len(able), generator=rng).numpy()
    films = able[order[filmed[order]]][: count // 2]
    glimpses = able[order[~filmed[order]]][: count - len(films)]
    variant = int(torch.randint(2**31, (1,), generator=rng))
    pair = []
    columns = _pick_two(views, glimpses, rng)
    for place in (0, 1):
        plain, _ = _take(views, glimpses, columns[:, place])
        both = join(plain, other_physics(plain, torch.Generator().manual_seed(variant)))
        film, measured = _take(views, films, np.full(len(films), place))
        strong = torch.rand(len(both.seen), generator=rng).sqrt()
        weak = _MEASURED_AMOUNT * torch.rand(len(films), generator=rng)
        moments = torch.cat(
            [
                disturb_moments(sum_up(both), strong, rng),
                disturb_moments(measured, weak, rng),
            ]
        )
        amount = torch.cat([strong, torch.rand(len(films), generator=rng).sqrt()])
        pair.append((disturb(align(join(both, film)), amount, rng), align_moments(moments)))
    return pair[0], pair[1]


def _pick_two(views: Views, chosen: np.ndarray, rng: torch.Generator) -> np.ndarray:
    keys = torch.rand((len(chosen), views.usable.shape[1]), generator=rng).numpy()
    return np.argsort(np.where(views.usable[chosen], keys, np.inf), axis=1)[:, :2]


def _take(views: Views, rows: np.ndarray, columns: np.ndarray) -> tuple[Tracks, Tensor]:
    box = torch.from_numpy(views.box[rows, columns])
    seen = torch.from_numpy(views.seen[rows, columns])
    moments = torch.from_numpy(views.moments[rows, columns]).float()
    return Tracks(box[..., :2], box[..., 2:], seen), moments


def join(first: Tracks, second: Tracks) -> Tracks:
    """Segments one after the other."""
    return Tracks(
        torch.cat([first.center, second.center]),
        torch.cat([first.size, second.size]),
        torch.cat([first.seen, second.seen]),
    )
