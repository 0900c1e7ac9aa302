"""How well a world follows actions: what its forecasts gain by them.

Clips of recorded episodes are continued under their own actions and, beside that, under those of
another clip. The difference of quality between the two is how much the actions matter (delta-PSNR,
Bruce et al. 2024, Genie, arXiv 2402.15391, section 3.1); an inverse model that was fitted to true
frames alone says which action a forecast looks like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, UInt8

from worldline.audit.baselines import ConstantVelocityWarp
from worldline.audit.inverse import InverseModel
from worldline.audit.visual import psnr
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.world import World

__all__ = [
    "HORIZONS",
    "Followed",
    "follow_actions",
    "play_clip",
    "seeded_untrained",
]

HORIZONS = (1, 8, 24)

_ROWS = (
    "true actions",
    "another's actions",
    "no actions",
    "untrained",
    "persistence",
    "flow warp",
)


@dataclass(frozen=True, eq=False)
class Followed:
    """What was measured on C clips, at each of the horizons.

    Attributes:
        psnr_db: by name of a row, `[C, H]`.
        action_score: by name of a row, `[C]` mean over a clip's steps of what the inverse model
            reads off the frames; see `InverseModel.hits`.
        earned: true and told reward over the horizon, `[C, 2]`; NaN where none is told.
        horizons: frames ahead.
    """

    psnr_db: Mapping[str, Float[np.ndarray, "c h"]]
    action_score: Mapping[str, Float[np.ndarray, " c"]]
    earned: Float[np.ndarray, "c 2"]
    horizons: tuple[int, ...] = HORIZONS


def follow_actions(
    world: World,
    clips: Sequence[Clip],
    *,
    untrained: World,
    inverse: InverseModel | None,
    seed: int,
    horizons: tuple[int, ...] = HORIZONS,
) -> Followed:
    """Continue every clip under true, shuffled and absent actions, and by the baselines.

    Args:
        world: that takes actions.
        clips: with actions as the world takes them, `world.context + max(horizons)` frames each, of
            episodes that were not trained on; two at least.
        untrained: the same world before training.
        inverse: reads actions off frames; None leaves that out.
        seed: of the world's noise. Clip i is continued under the actions of clip i + 1 as well.
        horizons: frames ahead at which quality is measured.

    Raises:
        InputError: fewer than two clips, or one that is too short or lacks actions.
    """
    need = world.context + max(horizons)
    if len(clips) < 2:
        raise InputError(f"{len(clips)} clips; actions are shuffled among at least 2")
    for i, clip in enumerate(clips):
        if clip.actions is None or clip.actions.shape[1] != world.action_size:
            width = 0 if clip.actions is None else clip.actions.shape[1]
            raise InputError(
                f"clip {i} has actions of {width} numbers, {world.name} takes {world.action_size}"
            )
        if clip.num_frames < need:
            raise InputError(f"clip {i} has {clip.num_frames} frames, {need} are needed")
    quality: dict[str, list[np.ndarray]] = {name: [] for name in _ROWS}
    scores: dict[str, list[float]] = {name: [] for name in ("truth", *_ROWS[:5])}
    earned = []
    at = np.array(horizons) - 1
    for i, clip in enumerate(clips):
        assert clip.actions is not None
        other = clips[(i + 1) % len(clips)].actions
        assert other is not None
        seen, truth = clip.frames[: world.context], clip.frames[world.context : need]
        given = clip.actions[:need].astype(np.float32)
        swapped = given.copy()
        swapped[world.context - 1 :] = other[world.context - 1 : need]
        drawn: dict[str, np.ndarray] = {}
        drawn["true actions"], told = _play(world, clip, given, seed + i, max(horizons))
        drawn["another's actions"], _ = _play(world, clip, swapped, seed + i, max(horizons))
        drawn["no actions"], _ = _play(world, clip, None, seed + i, max(horizons))
        drawn["untrained"], _ = _play(untrained, clip, given, seed + i, max(horizons))
        drawn["persistence"] = np.repeat(seen[-1:], len(truth), axis=0)
        drawn["flow warp"] = ConstantVelocityWarp().predict(seen, len(truth), seed)[0]
        for name, frames in drawn.items():
            quality[name].append(psnr(frames, truth)[at])
        if inverse is not None:
            wanted = given[world.context - 1 : need - 1]
            drawn["truth"] = truth
            for name in scores:
                film = np.concatenate([seen[-1:], drawn[name]])
                scores[name].append(float(inverse.hits(film, wanted).mean()))
        true_reward = np.nan
        if clip.rewards is not None and world.reward is not None:
            true_reward = float(clip.rewards.earned[world.context - 1 : need - 1].sum())
        earned.append((true_reward, told))
    return Followed(
        {name: np.stack(rows) for name, rows in quality.items()},
        {name: np.array(rows) for name, rows in scores.items()} if inverse is not None else {},
        np.array(earned),
        horizons,
    )


def _play(
    world: World, clip: Clip, actions: np.ndarray | None, seed: int, horizon: int
) -> tuple[UInt8[np.ndarray, "h y x 3"], float]:
    """Frames of a session under these actions, and what it says that they earned."""
    opening = clip.slice(0, world.context)
    if actions is None:
        opening = replace(opening, actions=None)
    session = world.open(opening, seed=seed)
    frames, earned = [], 0.0
    for t in range(horizon):
        action = None if actions is None else actions[world.context - 1 + t]
        frames.append(session.step(action))
        earned += session.reward
    return np.stack(frames), earned


def play_clip(world: World, clip: Clip, seed: int, horizon: int) -> UInt8[np.ndarray, "t h w 3"]:
    """Frames that follow a clip's first `world.context` under its own actions."""
    return _play(world, clip, clip.actions, seed, horizon)[0]


def seeded_untrained(world: World, seed: int) -> World:
    """The world's config with fresh weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return world.config.build()
