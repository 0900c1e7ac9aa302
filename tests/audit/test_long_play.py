"""Playing on in many sessions at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.playing import block_clips, playable

from worldline.audit.long_play import actions_after, play_together, resampled


def test_sessions_together_are_as_each_alone():
    """Up to the noise, of which a world that has learned nothing of it is told nothing here."""
    world, clips = playable(), block_clips(3, 12)
    network = world.dynamics.network
    network.enter.weight.data[:, :48] = 0.0  # deaf to what is to be denoised
    actions = actions_after(clips, world.context)
    together = np.stack(list(play_together(world, clips, actions, seed=1)), axis=1)
    assert together.shape == (3, 8, 16, 16, 3)
    for clip, film in zip(clips, together, strict=True):
        session = world.open(clip.slice(0, world.context), seed=5)
        alone = [session.step(clip.actions[t - 1]) for t in range(4, 12)]
        np.testing.assert_allclose(film.astype(int), np.array(alone).astype(int), atol=1)
    assert not np.array_equal(together[0], together[1])


def test_worlds_that_make_no_batches_open_sessions(monkeypatch):
    world, clips = playable(), block_clips(2, 8)
    wanted = [
        np.stack([s.step(np.zeros(2)) for s in sessions])
        for sessions in [[world.open(c.slice(0, 4), seed=3 + i) for i, c in enumerate(clips)]]
        for _ in range(2)
    ]
    monkeypatch.setattr("worldline.audit.long_play.FlowDynamics", int)
    found = list(play_together(world, clips, np.zeros((2, 2, 2)), seed=3))
    np.testing.assert_array_equal(found, wanted)


def test_actions_follow_one_another():
    clips = block_clips(3, 6)
    found = resampled(clips, 2, 10, seed=4)
    assert found.shape == (2, 10, 2)
    rng = np.random.default_rng(5)
    first, second = (clips[int(rng.integers(3))].actions for _ in range(2))
    np.testing.assert_array_equal(found[1], np.concatenate([first, second])[:10])
    bare = [replace(clip, actions=None) for clip in clips]
    assert resampled(bare, 2, 10, seed=4).shape == (2, 10, 0)
    assert actions_after(bare, 4).shape == (3, 2, 0)
