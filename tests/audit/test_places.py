"""Where things are, in pixels of known environments."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.audit.places import LOST, OFFSETS
from worldline.audit.scripts import SANDBOX_COLORS, SCRIPTS
from worldline.sim.sandbox import COLORS, OPEN, SHUT
from worldline.sim.sandbox_scene import film_scene
from worldline.sim.sandbox_words import read_sentence


def sandbox(text: str) -> np.ndarray:
    return film_scene(read_sentence(text, 0), num_frames=1, size_px=64).frames[0]


def test_known_environments_are_the_same():
    assert OFFSETS.keys() == SCRIPTS.keys()


def test_the_colours_of_the_sandbox_are_those_that_it_is_painted_in():
    bodies = {name: (color,) for name, color in COLORS.items()}
    assert {**bodies, "hand": (OPEN, SHUT)} == SANDBOX_COLORS


def test_the_worst_thing_of_the_sandbox_counts():
    off = OFFSETS["worldline/Sandbox-v0"]
    frame = sandbox("the ball on the left, the hand at the top")
    assert off(frame, frame) == 0
    gone = frame.copy()
    gone[np.abs(frame.astype(int) - (70, 120, 220)).sum(-1) < 120] = (34, 36, 44)
    assert off(frame, gone) == LOST
    assert np.isnan(off(np.zeros_like(frame), frame))


def test_blocks_and_agents_of_pusht_are_followed():
    off = OFFSETS["gym_pusht/PushT-v0"]

    def draw(block: int, agent: int) -> np.ndarray:
        frame = np.full((64, 64, 3), 255, np.uint8)
        frame[20:30, block : block + 10] = (119, 136, 153)
        frame[45:50, agent : agent + 5] = (65, 105, 225)
        return frame

    assert off(draw(10, 30), draw(18, 33)) == pytest.approx(8 / 64)
    assert off(draw(10, 30), draw(10, 42)) == pytest.approx(12 / 64, abs=0.01)


def test_a_view_to_the_side_is_told():
    off = OFFSETS["VizdoomBasic-v1"]
    wall = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    assert off(wall, wall) == pytest.approx(0, abs=1e-3)
    assert off(wall, np.roll(wall, 6, axis=1)) == pytest.approx(6 / 64, abs=0.02)
