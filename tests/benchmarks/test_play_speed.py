"""Worlds of other sizes have as many cells and play."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from tests.playing import block_clips, playable


def test_untrained_worlds_of_any_size_have_as_many_cells_and_move():
    speed = importlib.import_module("play_speed")
    known = playable()
    for size in (16, 24):
        world = speed.untrained(known, size)
        assert world.size_px == size
        assert world.tokenizer.grid == known.tokenizer.grid
        assert world.dynamics.config.depth == known.dynamics.config.depth
        clip = speed.resized(block_clips(1, 6)[0], size)
        assert clip.frames.shape[1:3] == (size, size)
        session = world.open(clip.slice(0, 4), seed=0)
        frame = session.step(np.zeros(world.action_size, np.float32))
        assert frame.shape == (size, size, 3)
        assert (frame != clip.frames[3]).any()


def test_pictures_that_cells_do_not_fill():
    speed = importlib.import_module("play_speed")
    with pytest.raises(ValueError, match="4 cells a side do not fill 18 pixels"):
        speed.untrained(playable(), 18)
