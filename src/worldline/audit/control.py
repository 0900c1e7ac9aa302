"""How well a world follows actions: what its forecasts gain by them.

Clips of recorded episodes are continued under their own actions and, beside that, under those of
another clip. The difference of quality between the two is how much the actions matter (delta-PSNR,
Bruce et al. 2024, Genie, arXiv 2402.15391, section 3.1); an inverse model that was fitted to true
frames alone says which action a forecast looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


_FILMED = ("truth", "true actions", "untrained", "persistence")
"""Rows whose films are kept."""


@dataclass(frozen=True, eq=False)
class Followed:
    """What was measured on C clips, at each of the horizons.

    Attributes:
        psnr_db: by name of a row, `[C, H]`.
        action_score: by name of a row, `[C]` mean over a clip's steps of what the inverse model
            reads off the frames; see `InverseModel.hits`.
        films: by name of a row, and "truth": `[C, N + 1, y, x, 3]`, the last frame of the
            context and the N of the longest horizon; not of all rows.
        actions: `[C, N, A]` the true ones.
        told: of every action what it earned and whether it ended the episode, `[C, N + 1, 2]`, the
            last one in the last frame, which is where episodes end: "true", by the world's "own
            frames" and by "true frames"; without a key where nothing is told.
        horizons: frames ahead.
    """

    psnr_db: Mapping[str, Float[np.ndarray, "c h"]]
    action_score: Mapping[str, Float[np.ndarray, " c"]]
    films: Mapping[str, UInt8[np.ndarray, "c t y x 3"]]
    actions: Float[np.ndarray, "c n a"]
    told: Mapping[str, Float[np.ndarray, "c m 2"]]
    horizons: tuple[int, ...] = HORIZONS


def follow_actions(
    world: World,
    clips: Sequence[Clip],
    *,
    untrained: World,
    inverse: InverseModel | None,
    seed: int,
    horizons: tuple[int, ...] = HORIZONS,
    on_progress: Callable[[float], None] = lambda share: None,
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
        on_progress: told the share of the clips that is done.

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
    films: dict[str, list[np.ndarray]] = {name: [] for name in _FILMED}
    told: dict[str, list[np.ndarray]] = {}
    tells = world.reward is not None and all(clip.rewards is not None for clip in clips)
    ahead = slice(world.context - 1, need - 1)
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
        made, own = _play(world, clip, given, seed + i, max(horizons) + 1)
        drawn["true actions"] = made[:-1]
        drawn["another's actions"], _ = _play(world, clip, swapped, seed + i, max(horizons))
        drawn["no actions"], _ = _play(world, clip, None, seed + i, max(horizons))
        drawn["untrained"], _ = _play(untrained, clip, given, seed + i, max(horizons))
        drawn["persistence"] = np.repeat(seen[-1:], len(truth), axis=0)
        drawn["flow warp"] = ConstantVelocityWarp().predict(seen, len(truth), seed)[0]
        for name, frames in drawn.items():
            quality[name].append(psnr(frames, truth)[at])
        drawn["truth"] = truth
        for name in films:
            films[name].append(np.concatenate([seen[-1:], drawn[name]]))
        if inverse is not None:
            wanted = given[ahead]
            for name in scores:
                film = np.concatenate([seen[-1:], drawn[name]])
                scores[name].append(float(inverse.hits(film, wanted).mean()))
        if tells:
            assert clip.rewards is not None
            taken = clip.rewards.at(slice(world.context - 1, need))
            true = np.stack([taken.earned, taken.ended], axis=-1).astype(np.float64)
            for name, each in (("true", true), ("own frames", own)):
                told.setdefault(name, []).append(each)
            if world.tokenizer.time_stride == 1:
                seen_by = _read_true(world, clip, need)
                told.setdefault("true frames", []).append(seen_by)
        on_progress((i + 1) / len(clips))
    return Followed(
        {name: np.stack(rows) for name, rows in quality.items()},
        {name: np.array(rows) for name, rows in scores.items()} if inverse is not None else {},
        {name: np.stack(rows) for name, rows in films.items()},
        np.stack([clip.actions[ahead] for clip in clips if clip.actions is not None]),
        {name: np.stack(rows) for name, rows in told.items()},
        horizons,
    )


def _play(
    world: World, clip: Clip, actions: np.ndarray | None, seed: int, horizon: int
) -> tuple[UInt8[np.ndarray, "h y x 3"], Float[np.ndarray, "h 2"]]:
    """Frames of a session under these actions, and what it says of what each earned and ended."""
    opening = clip.slice(0, world.context)
    if actions is None:
        opening = replace(opening, actions=None)
    session = world.open(opening, seed=seed)
    frames, told = [], []
    for t in range(horizon):
        action = None if actions is None else actions[world.context - 1 + t]
        frames.append(session.step(action))
        told.append((session.reward, session.end))
    return np.stack(frames), np.array(told)


@torch.no_grad()
def _read_true(world: World, clip: Clip, need: int) -> Float[np.ndarray, "m 2"]:
    """What the readout says where it is shown the true frames."""
    assert world.reward is not None
    assert clip.actions is not None
    first = max(world.context - 2, 0)
    tokens = world.encode_frames(clip.frames[first : need + 1]).tokens[0]
    if first == world.context - 1:
        tokens = torch.cat([tokens[:1], tokens])
    if clip.num_frames == need:  # what the last action led to is not kept
        tokens = torch.cat([tokens, tokens[-1:]])
    actions = torch.as_tensor(clip.actions[world.context - 1 : need], dtype=torch.float32)
    told = world.reward.read(*world.reward.pair(tokens[:-2], tokens[1:-1], tokens[2:]), actions)
    return torch.stack(told, dim=-1).double().numpy()


def play_clip(world: World, clip: Clip, seed: int, horizon: int) -> UInt8[np.ndarray, "t h w 3"]:
    """Frames that follow a clip's first `world.context` under its own actions."""
    return _play(world, clip, clip.actions, seed, horizon)[0]


def seeded_untrained(world: World, seed: int) -> World:
    """The world's config with fresh weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return world.config.build()
