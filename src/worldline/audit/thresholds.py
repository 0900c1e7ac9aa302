"""Below which change a cell of a flow world stays as it was, chosen on rollouts of held-out clips.

A high threshold keeps the ground clean over a long rollout, and freezes bodies that are pushed
slowly. PSNR of whole pictures asks for a high one: nine tenths of the pixels stand still, and a
decibel of a clip in which next to nothing happens counts as much as one of a clip in which bodies
move. So pixels are asked that change in truth, all clips together:

    score = sum (made - truth)^2 / sum (last given - truth)^2

over those of every frame whose true colour is not that of the last frame given. Copying scores 1,
and what a body leaves behind counts as well as where it comes to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from worldline.audit.control import HORIZONS
from worldline.audit.long_play import actions_after, play_together
from worldline.core.clip import Clip
from worldline.dynamics import FlowDynamics
from worldline.world import World

__all__ = ["THRESHOLDS", "choose_thresholds", "score_rollouts"]

THRESHOLDS = (
    *((threshold, 0.0) for threshold in (0.0, 0.05, 0.1, 0.2, 0.3, 0.45)),
    *((threshold, onset) for onset in (0.4, 0.6) for threshold in (0.1, 0.2)),
)
"""Pairs of `FlowDynamics.Config.shrinkage` and `onset` that are tried."""


_CHANGED = 300.0
"""Squared difference of colours (levels of 255) from which on a pixel has changed: 10 a channel."""


def choose_thresholds(
    world: World,
    clips: Sequence[Clip],
    *,
    seed: int,
    on_progress: Callable[[float], None] = lambda share: None,
) -> World:
    """The world with those of `THRESHOLDS` whose frames under the clips' own actions, as many as
    the longest of the horizons, have the lowest score; itself where its dynamics are of another
    family than flow.

    Args:
        world: trained.
        clips: that it did not learn from, `world.context` frames and that many more.
        seed: of noise.
        on_progress: told the share of the pairs that is done.
    """
    dynamics = world.dynamics
    if not isinstance(dynamics, FlowDynamics):
        return world
    scores = []
    for pair in THRESHOLDS:
        scores.append(score_rollouts(_sampled(world, dynamics, pair), clips, seed))
        on_progress(len(scores) / len(THRESHOLDS))
    return _sampled(world, dynamics, THRESHOLDS[int(np.argmin(scores))])


def score_rollouts(world: World, clips: Sequence[Clip], seed: int) -> float:
    """Squared error of rollouts over that of copying, both summed over the pixels that change, of
    all clips and frames; 1 where none does."""
    horizon, context = max(HORIZONS), world.context
    cut = [clip.slice(0, context + horizon) for clip in clips]
    truth = np.stack([clip.frames[context:] for clip in cut]).astype(np.float32)
    last = np.stack([clip.frames[context - 1] for clip in cut]).astype(np.float32)
    error = copying = 0.0
    for number, made in enumerate(play_together(world, cut, actions_after(cut, context), seed)):
        change = np.square(last - truth[:, number]).sum(axis=-1)
        moved = change > _CHANGED
        error += float(np.square(made - truth[:, number]).sum(axis=-1)[moved].sum())
        copying += float(change[moved].sum())
    return error / copying if copying else 1.0


def _sampled(world: World, dynamics: FlowDynamics, pair: tuple[float, float]) -> World:
    shrinkage, onset = pair
    twin = dynamics.sampled(shrinkage=shrinkage, onset=onset)
    config = replace(world.config, dynamics=twin.config)
    return World(config, replace(world.whole, dynamics=twin), world.calibration, world.card)
