"""Training of the spotter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Int8
from torch import Tensor

from worldline.physics import ONTOLOGY
from worldline.retrieval.colors import COLORS
from worldline.retrieval.spotting.batching import collate, pile
from worldline.retrieval.spotting.network import (
    Batch,
    Odds,
    SpotterNetwork,
    SpotterNetworkConfig,
)
from worldline.retrieval.spotting.tokens import GAPS, RIGHTWARD, Tokens

__all__ = [
    "UNCLEAR",
    "Answers",
    "Learning",
    "Lesson",
    "collate_lessons",
    "learn",
    "loss_of",
    "mirror",
]

UNCLEAR = 2
"""Neither yes (1) nor no (0): what happens cannot be seen well."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """A window and the answers to it: 0, 1, or 2 where the truth is not plain to see.

    Attributes:
        tokens: the window.
        track, step, window, again: as in `Odds`.
        color: `[N]` number of the track's colour, -1 where it is not known.
    """

    tokens: Tokens
    track: Int8[np.ndarray, "n s k2"]
    step: Int8[np.ndarray, "s k"]
    window: Int8[np.ndarray, " k"]
    again: Int8[np.ndarray, " k"]
    color: Int8[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to a batch, 0, 1 or `UNCLEAR`, see `Odds`."""

    track: Int8[Tensor, "b n s k2"]
    step: Int8[Tensor, "b s k"]
    window: Int8[Tensor, "b k"]
    again: Int8[Tensor, "b k"]
    color: Int8[Tensor, "b n"]


@dataclass(frozen=True)
class Learning:
    """How the network learns.

    Attributes:
        epochs: times that each window is seen.
        batch: windows at a time.
        rate: highest learning rate; it rises over 5% of the steps and falls to 0 as a cosine.
        weight_decay: AdamW's.
        seed: of weights, batches and what is varied.
    """

    epochs: int = 16
    batch: int = 32
    rate: float = 1e-3
    weight_decay: float = 0.05
    seed: int = 0


def learn(
    lessons: Sequence[Lesson],
    learning: Learning,
    on_step: Callable[[int, int, float], None],
    network: SpotterNetwork | None = None,
) -> SpotterNetwork:
    """Train a network from scratch, in bfloat16 where the processor has it.

    Args:
        lessons: what to learn from.
        learning: how.
        on_step: called after each step with its number, the number of all, and the loss.
        network: one to begin with, instead of an untrained one.
    """
    torch.manual_seed(learning.seed)
    rng = np.random.default_rng(learning.seed)
    network = (
        SpotterNetworkConfig(types=tuple(ONTOLOGY), colors=COLORS).build()
        if network is None
        else network
    )
    network.train()
    optimiser = torch.optim.AdamW(
        network.parameters(), learning.rate, (0.9, 0.98), weight_decay=learning.weight_decay
    )
    per_epoch = math.ceil(len(lessons) / learning.batch)
    total = learning.epochs * per_epoch
    step = 0
    for _ in range(learning.epochs):
        for rows in _batches(lessons, learning.batch, rng):
            done = step / total
            rate = min(done / 0.05, 1.0) * 0.5 * (1 + math.cos(math.pi * done))
            for group in optimiser.param_groups:
                group["lr"] = learning.rate * max(rate, 1e-3)
            batch, answers = collate_lessons([lessons[i] for i in rows])
            batch = vary(batch, rng)
            with torch.autocast("cpu", torch.bfloat16, enabled=_has_bfloat16()):
                odds = network(batch)
            loss = loss_of(odds, answers, batch)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            step += 1
            on_step(step, total, float(loss.detach()))
    return network.eval()


def _has_bfloat16() -> bool:
    return torch.cpu._is_avx512_bf16_supported()


def _batches(lessons: Sequence[Lesson], size: int, rng: np.random.Generator) -> list[list[int]]:
    """Windows with about as many tracks come together, so that little is padded."""
    num = np.array([len(lesson.tokens.tracks) for lesson in lessons])
    order = np.lexsort((rng.random(len(num)), num + rng.uniform(0, 1.5, len(num))))
    parts = [order[i : i + size].tolist() for i in range(0, len(order), size)]
    return [parts[i] for i in rng.permutation(len(parts))]


def collate_lessons(lessons: Sequence[Lesson]) -> tuple[Batch, Answers]:
    """Windows side by side, with their answers as numbers."""
    batch = collate([lesson.tokens for lesson in lessons])
    lead = tuple(batch.seen.shape[1:])
    answers = Answers(
        track=pile([lesson.track for lesson in lessons], lead, UNCLEAR),
        step=pile([lesson.step for lesson in lessons], lead[1:], UNCLEAR),
        window=torch.from_numpy(np.stack([lesson.window for lesson in lessons])),
        again=torch.from_numpy(np.stack([lesson.again for lesson in lessons])),
        color=pile([lesson.color for lesson in lessons], lead[:1], -1),
    )
    return batch, answers


def vary(batch: Batch, rng: np.random.Generator) -> Batch:
    """The same, perhaps in a mirror, in other colours, and with tracks lost."""
    if rng.random() < 0.5:
        batch = mirror(batch)
    channels = torch.from_numpy(rng.permutation(3))
    gain = torch.from_numpy(rng.uniform(0.7, 1.3, (len(batch.seen), 1, 1, 1, 1, 1, 3)))
    crop = ((batch.crop[..., channels].float() - 128) * gain.float() + 128).clamp(0, 255)
    crop = crop.to(torch.uint8)
    if rng.random() < 0.3:
        crop = 255 - crop
    lost = torch.from_numpy(rng.random(batch.seen.shape[:2]) < 0.06)
    blind = torch.from_numpy(rng.random(batch.seen.shape[:2]) < 0.15)
    noise = torch.from_numpy(rng.standard_normal(batch.motion.shape).astype(np.float32))
    return replace(
        batch,
        seen=batch.seen & ~lost[..., None],
        motion=batch.motion + 0.02 * noise,
        found=batch.found & ~blind[..., None, None],
        crop=crop,
    )


def mirror(batch: Batch) -> Batch:
    """The same with left and right exchanged."""
    motion = batch.motion.clone()
    motion[..., RIGHTWARD] *= -1
    left, right = GAPS
    motion[..., [left, right]] = motion[..., [right, left]]
    flow, field = batch.flow.flip(-2), batch.field.flip(-1)
    flow[..., 0] *= -1
    field[:, :, 2] *= -1
    return replace(batch, motion=motion, flow=flow, crop=batch.crop.flip(-2), field=field)


def loss_of(odds: Odds, answers: Answers, batch: Batch) -> Tensor:
    """Cross-entropy of all answers, where they are known."""
    on = batch.seen & batch.there[:, None]
    track = _entropy(odds.track, answers.track, on[..., None])
    step = _entropy(odds.step, answers.step, batch.there[..., None])
    window = _entropy(odds.window, answers.window, torch.ones((), dtype=torch.bool))
    again = _entropy(odds.again, answers.again, torch.ones((), dtype=torch.bool))
    known = answers.color >= 0
    color = F.cross_entropy(odds.color[known].float(), answers.color[known].long(), reduction="sum")
    color = color / known.sum().clamp_min(1)
    return 4 * track + 2 * step + window + again + 0.2 * color


def _entropy(odds: Tensor, answer: Tensor, where: Tensor) -> Tensor:
    known = (answer != UNCLEAR) & where
    loss = F.binary_cross_entropy_with_logits(odds.float(), (answer == 1).float(), reduction="none")
    return (loss * known).sum() / known.sum().clamp_min(1)
