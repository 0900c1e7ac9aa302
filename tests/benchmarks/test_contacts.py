"""Ways of bodies are told from pictures, and of those that are pushed alone."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from tests.playing import playable

from worldline.core.clip import Clip
from worldline.core.readings import Readings
from worldline.sim.sandbox import COLORS


def _clip(way_m: float) -> Clip:
    """The ball lies still for 8 frames and goes to the right for 24; box and plank stay."""
    places = np.zeros((32, 3, 2))
    places[:] = (1.0, 0.4), (2.0, 1.4), (3.0, 2.4)
    places[:, 0, 0] += np.clip(np.arange(32) - 7, 0, 24) * way_m / 24
    frames = np.full((32, 64, 64, 3), 30, np.uint8)
    for frame, now in zip(frames, places, strict=True):
        for color, (x, z) in zip(COLORS.values(), now, strict=True):
            column, row = round(16 * x), 64 - round(16 * z)
            frame[row - 3 : row + 3, column - 3 : column + 3] = color
    state = np.zeros((32, 15))
    state[:, :9] = np.concatenate([places, np.zeros((32, 3, 1))], axis=-1).reshape(32, 9)
    names = tuple(f"state_{i}" for i in range(15))
    readings = Readings(names, state, np.ones(state.shape, bool))
    return Clip(frames=frames, time_s=np.arange(32) / 15, state=readings)


def test_the_truth_goes_all_the_way_and_copying_none():
    contacts = importlib.import_module("contacts")
    clips = [_clip(1.0), _clip(2.0)]
    films = [clip.frames[7:] for clip in clips]
    true = np.stack([clip.frames[8:] for clip in clips])
    told = contacts.judge(clips, films, true, 8)["+24"]
    assert told["pushed"] == 2
    assert told["still"] == 4
    assert told["way"] == told["true_way"] == pytest.approx(1.5 / 4, abs=0.02)
    assert told["error"] == told["still_way"] == 0
    assert told["correlation_right"] == pytest.approx(1)
    copied = contacts.judge(clips, films, np.repeat(true[:, :1] * 0 + films[0][:1], 24, 1), 8)
    assert copied["+24"]["way"] == 0
    assert copied["+24"]["error"] == told["true_way"]
    assert copied["+24"]["correlation_right"] is None


def test_thresholds_are_told_as_pairs():
    contacts = importlib.import_module("contacts")
    world = playable()
    assert contacts.sampled(world, "own") is world
    config = contacts.sampled(world, "0.1:0.4").dynamics.config
    assert (config.shrinkage, config.onset) == (0.1, 0.4)
