"""Batches of clips: the action beside a frame is the one that led to it."""

from dataclasses import replace

import numpy as np
import pytest
from tests.train.test_tasks import N, T, shards

from worldline.core import InputError
from worldline.train import step_generator
from worldline.train.draw import draw_clips


def driven():
    """Clip c takes action (c, t) after frame t."""
    taken = np.stack(np.meshgrid(np.arange(N), np.arange(T), indexing="ij"), axis=-1)
    return replace(
        shards(), actions=taken.astype(np.float32) + 1, has_actions=np.ones(N, dtype=bool)
    )


def draw(data, **options):
    return draw_clips(
        data, seed=3, step=2, batch=4, length=5, generator=step_generator(0, 2), **options
    )


def test_actions_lead_to_their_frames():
    data = driven()
    batch = draw(data, augmented=False)
    told = batch.frames[..., 0, 0, 2].numpy()  # 16 * clip + moment
    clip, moment = told // 16, told % 16
    actions = batch.controls.actions.numpy()
    later = moment > 0
    np.testing.assert_array_equal(actions[later], np.stack([clip, moment - 1], -1)[later] + 1)
    assert (actions[~later] == 0).all()


def test_clips_with_actions_are_never_mirrored():
    with pytest.raises(InputError, match="cannot be mirrored"):
        draw(driven())


def test_clips_without_actions_have_no_controls():
    batch = draw(shards())
    assert batch.controls.actions is None
    assert batch.controls.text is None
