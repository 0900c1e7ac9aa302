"""Going back is exact, whatever memory there is for it."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.serve.play.past import Past, count_bytes


def play(session, past: Past, num: int) -> list[np.ndarray]:
    """Steps with actions that differ, and the frames."""
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(num):
        action = rng.uniform(-1, 1, 3)
        frames.append(session.step(action))
        past.add(action, session.snapshot())
    return frames


@pytest.mark.parametrize("most_snapshots", [1000, 5])
def test_one_gets_back_to_every_frame_and_goes_on_alike(world, openings, most_snapshots):
    session = world.open(openings[0], seed=1)
    size = count_bytes(session.snapshot())
    assert size > 1000
    past = Past(session.snapshot(), 100, most_snapshots * size)
    frames = play(session, past, 12)
    assert past.oldest == 0
    undone = past.return_to(session, 5)
    assert session.num_steps == 5
    np.testing.assert_array_equal(session.snapshot().recent[-1].frame, frames[4])
    assert len(undone) == 7
    for action, frame in zip(undone, frames[5:], strict=True):
        np.testing.assert_array_equal(session.step(action), frame)
        past.add(action, session.snapshot())
    past.return_to(session, 12)
    past.return_to(session, 0)
    np.testing.assert_array_equal(session.snapshot().recent[-1].frame, openings[0].frames[-1])


def test_memory_and_length_are_bounded(world, openings):
    session = world.open(openings[0], seed=1)
    size = count_bytes(session.snapshot())
    past = Past(session.snapshot(), 10, 1000 * size)
    play(session, past, 30)
    assert 10 <= 30 - past.oldest <= 11
    small = Past(session.snapshot(), 1000, 4 * size)
    play(session, small, 100)
    assert small.num_bytes <= 4 * size * 1.5  # a window that fills makes later snapshots larger
    assert small.oldest > 30
    assert len(small.return_to(session, small.oldest)) == 130 - small.oldest
