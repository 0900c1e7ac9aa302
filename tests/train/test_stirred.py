"""What is set in motion beyond the actions is found, and drawn more often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from worldline.core import InputError
from worldline.data.shards import Shards
from worldline.train.draw import draw_clips
from worldline.train.loop import step_generator
from worldline.train.stirred import draw_stirred, measure_stirs, stirs_for

N, T, SIDE = 40, 16, 4
PUSHED, MOMENT = 7, 9


def pushed(seed: int = 0) -> Shards:
    """A hand goes as its actions say, late by half; in one clip of ten a body is pushed by it."""
    rng = np.random.default_rng(seed)
    acted = rng.uniform(-1, 1, (N, T, 1))
    speed, state = np.zeros(N), np.zeros((N, T, 2))
    for t in range(1, T):
        speed = 0.5 * speed + acted[:, t - 1, 0]
        state[:, t, 0] = state[:, t - 1, 0] + speed
    state[PUSHED::10, MOMENT:, 1] = 0.3 * np.arange(1, T - MOMENT + 1)
    slots = np.zeros((N, T, 1), np.float32)
    return Shards(
        frames=np.zeros((N, T, SIDE, SIDE, 3), np.uint8),
        moving=np.zeros((N, T, SIDE, SIDE), bool),
        center_px=np.zeros((N, T, 1, 2), np.float32),
        size_px=np.zeros((N, T, 1, 2), np.float32),
        depth_m=slots,
        color_rgb=np.zeros((N, 1, 3), np.float32),
        visible=slots > 0,
        actions=acted.astype(np.float32),
        has_actions=np.ones(N, bool),
        records=(),
        state=state.astype(np.float32),
        has_state=np.ones(state.shape, bool),
        state_names=("hand", "body"),
    )


def test_pushes_are_found_and_what_obeys_is_not():
    stirs = measure_stirs(pushed())
    found = np.argwhere(stirs > 0)
    assert found.tolist() == [[clip, MOMENT] for clip in range(PUSHED, N, 10)]


def test_readings_that_are_not_there_tell_nothing():
    known = pushed()
    assert known.has_state is not None
    blind = known.has_state.copy()
    blind[PUSHED, MOMENT, 1] = False
    stirs = measure_stirs(replace(known, has_state=blind))
    assert not stirs[PUSHED].any()
    assert stirs[PUSHED + 10, MOMENT] > 0


def test_clips_with_a_push_in_the_span_are_drawn_as_often_as_is_asked():
    stirs = measure_stirs(pushed())
    generator = torch.Generator().manual_seed(0)
    order = np.zeros(4000, np.int64)
    drawn = draw_stirred(order, stirs, slice(4, 12), 0.25, generator)
    assert set(np.unique(drawn)) == {0, *range(PUSHED, N, 10)}
    assert (drawn != 0).mean() == pytest.approx(0.25, abs=0.03)
    # within the span's first two frames it would not be seen what was at rest
    for span in (slice(MOMENT, T), slice(0, MOMENT)):
        assert (draw_stirred(order, stirs, span, 1.0, generator) == 0).all()


def test_batches_hold_more_of_it_and_repeat():
    shards = pushed()
    stirs = stirs_for(shards, 0.9)
    held = {}
    for share, given in ((0.0, None), (0.9, stirs)):
        options = {"batch": 8, "length": T, "augmented": False, "stirs": given}
        batches = [
            draw_clips(
                shards,
                seed=0,
                step=step,
                generator=step_generator(0, step),
                stirred_share=share,
                **options,
            )
            for step in (*range(5), 4)
        ]
        told = [batch.controls.actions for batch in batches]
        assert all(each is not None for each in told)
        assert torch.equal(told[-1], told[-2])  # type: ignore[arg-type]
        pushes = torch.from_numpy(shards.actions[PUSHED::10])
        held[share] = np.mean(
            [
                any(torch.equal(clip[1:], push[:-1]) for push in pushes)
                for each in told[:-1]
                for clip in each  # type: ignore[union-attr]
            ]
        )
    assert held[0.9] > 0.7
    assert held[0.0] == pytest.approx(0.1, abs=0.01)


def test_what_cannot_be_drawn_so():
    known = pushed()
    assert stirs_for(replace(known, state=None, has_state=None), 0.0) is None
    with pytest.raises(InputError, match="no recorded state"):
        stirs_for(replace(known, state=None, has_state=None), 0.5)
    still = replace(known, state=np.zeros_like(known.state))
    with pytest.raises(InputError, match="nothing is set in motion"):
        measure_stirs(still)
    with pytest.raises(ValueError, match="stirred_share is 2"):
        stirs_for(known, 2)
