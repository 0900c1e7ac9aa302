"""A world of nano size that takes the actions of the tiny environment, and clips of that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from worldline.core import Clip
from worldline.core.rewards import Rewards
from worldline.data.actions import ActionSpec
from worldline.data.episode import Quarantine
from worldline.data.recorded import Recorded, Recording
from worldline.data.shards import Shards, write_shards
from worldline.data.windows import mark_changes
from worldline.dynamics import ControlEncoder, FlowDynamics, LatentActions
from worldline.readout.latent import LatentReadout
from worldline.readout.reward import RewardReadout
from worldline.tokenizer import PatchTokenizer
from worldline.world import World

STICK = ActionSpec(names=("right", "down"), low=(-2.0, -2.0), high=(2.0, 2.0))
PAD = ActionSpec(names=("NOOP", "LEFT", "RIGHT"), num_actions=(3,))


def playable(spec: ActionSpec = STICK) -> World:
    """Untrained, its zero-initialised outputs shaken so that all parts matter."""
    config = World.Config(
        name="tiny",
        tokenizer=PatchTokenizer.Config(size_px=16, patch_px=4),
        dynamics=FlowDynamics.Config(
            channels=48,
            rows=4,
            stem_width=8,
            width=16,
            depth=3,
            heads=1,
            window=8,
            controls=ControlEncoder.Config(action_size=spec.width, everywhere=True),
        ),
        readout=LatentReadout.Config(channels=48, rows=4, width=8, depth=1),
        reward=RewardReadout.Config(channels=48, rows=4, action_size=spec.width, width=8, depth=1),
        trajectory=None,
        step_min_s=0.1,
        step_max_s=0.1,
        context=4,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        world = config.build()
        with torch.no_grad():
            for part in world.parts.values():
                for parameter in part.parameters():
                    parameter.add_(0.05 * torch.randn_like(parameter))
    return world.finished({"actions": spec.to_json()}, "")


def with_hindsight(world: World) -> World:
    """The same, but rewards are read off what an action led to."""
    assert world.config.reward is not None
    told = replace(world.config.reward, hindsight=True)
    config = replace(world.config, reward=told)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        reward = told.build()
        with torch.no_grad():
            for parameter in reward.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
    parts = replace(world.whole, reward=reward.eval())
    return World(config, parts, world.calibration, world.card)


def block_clips(num: int, num_frames: int, spec: ActionSpec = STICK) -> list[Clip]:
    """A bright block that goes where it is told; reaching the right half earns 1."""
    clips = []
    for i in range(num):
        rng = np.random.default_rng(i)
        if spec.is_discrete:
            chosen = rng.integers(0, 3, (num_frames, 1))
            moves = np.array([0, -1, 1])[chosen[:, 0]]
            actions = spec.vectors(chosen)
        else:
            actions = rng.uniform(-1, 1, (num_frames, 2)).astype(np.float32)
            moves = np.round(2 * actions[:, 0]).astype(int)
        frames = np.full((num_frames, 16, 16, 3), 30, np.uint8)
        column, earned = 6, np.zeros(num_frames, np.float32)
        for t in range(num_frames):
            frames[t, 6:10, column : column + 4] = (250, 200, 40)
            before, column = column, int(np.clip(column + moves[t], 0, 12))
            earned[t] = float(column > 6 >= before)
        clips.append(
            Clip(
                frames=frames,
                time_s=0.1 * np.arange(num_frames),
                actions=actions,
                rewards=Rewards(earned, np.zeros(num_frames, bool)),
            )
        )
    return clips


def as_other(world: World, name: str) -> World:
    """The same world under another name."""
    return World(replace(world.config, name=name), world.whole, world.calibration, world.card)


def guessing(spec: ActionSpec = STICK) -> World:
    """The tiny world with latent actions, as many numbers as `spec` has, and an inverse model."""
    known = playable(spec).config
    hidden = LatentActions.Config(action_size=spec.width, levels=5, width=8)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        world = replace(known, inverse=hidden, reward=None).build()
        with torch.no_grad():
            for part in world.parts.values():
                for parameter in part.parameters():
                    parameter.add_(0.05 * torch.randn_like(parameter))
    return world


def as_shards(clips: list[Clip], folder: Path) -> Shards:
    """Clips to train on."""
    marked = [mark_changes(clip) for clip in clips]
    return write_shards(folder, iter(marked), num_clips=len(marked), recipe={"blocks": len(clips)})


def recorded(*, num_episodes: int, num_held_out: int) -> Recording:
    """A recording of which nothing is there but what it says of itself."""
    return Recording(
        config=Recorded(folder="films"),
        spec=None,
        fps=10.0,
        num_episodes=num_episodes,
        num_held_out=num_held_out,
        has_rewards=False,
        most_reward=0.0,
        left_out=Quarantine(),
        times_s=(),
        places=(),
    )
