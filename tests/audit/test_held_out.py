"""Clips of held-out episodes."""

from __future__ import annotations

import pytest
from tests.playing import recorded

from worldline.audit.held_out import held_out_clips
from worldline.core.errors import InputError
from worldline.data.recorded import Recording


def test_too_few_held_out_episodes_are_answered_by_how_many_are_enough(monkeypatch):
    monkeypatch.setattr(Recording, "clips", lambda self, size_px, **options: iter(range(3)))
    few = recorded(num_episodes=21, num_held_out=2)
    with pytest.raises(InputError) as told:
        held_out_clips(few, size_px=16, context=8, seed=0)
    assert str(told.value) == (
        "films: the 2 held-out episodes of 21 (the last 10% are held out) give 3 clips of 32 "
        "frames, and 4 are needed: 40 episodes of at least 32 frames are enough, or half as many "
        "of twice that length"
    )
