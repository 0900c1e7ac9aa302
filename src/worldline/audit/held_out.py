"""Clips of held-out episodes, which calibrate and judge a world that learned from recordings."""

from __future__ import annotations

import math

import numpy as np

from worldline.audit.suites.control import HORIZONS
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.wording import counted
from worldline.data.recorded import Recording
from worldline.world import World
from worldline.world.controller import infer_actions

__all__ = ["calibration_clips", "divided_clips", "held_out_clips"]

_MOST_CALIBRATION = 48
_FEWEST_CLIPS = 4


def calibration_clips(world: World, recording: Recording, *, seed: int) -> list[Clip]:
    """Those of the held-out clips that a world is calibrated on after training.

    Raises:
        InputError: the held-out episodes give fewer than four clips of the length that is needed.
    """
    clips, half = divided_clips(world, recording, seed)
    return clips[:half]


def divided_clips(world: World, recording: Recording, seed: int) -> tuple[list[Clip], int]:
    """Held-out clips with their actions, and how many of the first of them calibrate.

    Raises:
        InputError: there are fewer than four.
    """
    clips = held_out_clips(recording, size_px=world.size_px, context=world.context, seed=seed)
    if world.inverse is not None:
        # nothing was recorded, or it was not used: the frames say what was done
        clips = [infer_actions(world, clip) for clip in clips]
    return clips, min(len(clips) // 2, _MOST_CALIBRATION)


def held_out_clips(recording: Recording, *, size_px: int, context: int, seed: int) -> list[Clip]:
    """Clips of the held-out episodes that are long enough to be judged by, in random order.

    Raises:
        InputError: there are fewer than four.
    """
    length = context + max(HORIZONS)
    clips = list(recording.clips(size_px, held_out=True, num_frames=length))
    if len(clips) < _FEWEST_CLIPS:
        share = recording.config.held_out
        enough = math.ceil(_FEWEST_CLIPS / share)
        given = counted(len(clips), "clip")
        held_out = counted(recording.num_held_out, "held-out episode")
        raise InputError(
            f"{recording.config.folder}: the {held_out} of {recording.num_episodes} (the last "
            f"{share:.0%} are held out) give {given} of {length} frames, and {_FEWEST_CLIPS} are "
            f"needed: {enough} episodes of at least {length} frames are enough, or half as many of "
            "twice that length"
        )
    order = np.random.default_rng(seed).permutation(len(clips))
    return [clips[k] for k in order]
