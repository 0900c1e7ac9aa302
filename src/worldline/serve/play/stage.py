"""Opening a world to play in: weights, openings, and a first step that is not a player's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.serve.play.config import PlayConfig
from worldline.serve.play.player import Player
from worldline.world import World
from worldline.world.openings import as_clip, load_openings

__all__ = ["clips_of", "open_stage"]

_MOST_FRAMES = 900
"""Of a video that sessions begin with."""

_WARM_STEPS = 3

_NUM_TOLD = 4
"""Openings that are made of a sentence, which leaves much open."""


def open_stage(config: PlayConfig) -> tuple[World, list[Clip]]:
    """The world, and the clips that its sessions begin with.

    A few steps are taken, because the first ones in a process take much longer than all others.

    Raises:
        InputError: the world, or what it is to begin with, cannot be opened or used.
    """
    given = (config.clip, config.scene, config.text)
    openings = load_openings(config.world) if given == (None, None, None) else []
    world = World.from_pretrained(config.world)
    if config.clip is not None:
        openings = clips_of(world, config.clip)
    elif config.scene is not None:
        openings = [as_clip(world, config.scene, world.context, config.seed)]
    elif config.text is not None:
        seeds = range(config.seed, config.seed + _NUM_TOLD)
        openings = [as_clip(world, config.text, world.context, seed) for seed in seeds]
    player = Player(world, openings, config, config.seed)
    for _ in range(_WARM_STEPS):
        player.advance()
    player.close()
    return world, openings


def clips_of(world: World, video: Path) -> list[Clip]:
    """Pieces of a video, each as long as the world's context, as the world sees it.

    Raises:
        InputError: the video cannot be read or used, or the world wants more than pictures.
    """
    clip = Clip.read(video, max_frames=_MOST_FRAMES)
    view = world.look(clip)
    length = min(world.context, len(view.frames))
    if length < 2:
        raise InputError(f"--clip {video}: one frame does not show how things move; give more")
    starts = range(0, len(view.frames) - length + 1, length)
    return [
        Clip(
            frames=view.frames[start : start + length],
            time_s=world.step_s * np.arange(length),
            provenance=clip.provenance,
        )
        for start in starts
    ]
