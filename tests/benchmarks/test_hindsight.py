"""The readout is new, the rest of the world is not, and what is told is summed up."""

from __future__ import annotations

import importlib

import pytest
import torch
from tests.playing import block_clips, playable

from worldline.data.shards import write_shards
from worldline.data.windows import mark_changes


def test_another_readout_for_the_same_dynamics(tmp_path, monkeypatch: pytest.MonkeyPatch):
    hindsight = importlib.import_module("hindsight")
    monkeypatch.setattr(hindsight, "HORIZON", 5)
    clips = [mark_changes(clip) for clip in block_clips(8, 10)]
    shards = write_shards(tmp_path / "data", clips, num_clips=8, recipe={})
    known = playable()
    world = hindsight.taught(known, shards, tmp_path / "reward", 2, 0.0)
    assert world.reward.config.hindsight
    assert not known.reward.config.hindsight
    for same, kept in zip(world.dynamics.parameters(), known.dynamics.parameters(), strict=True):
        torch.testing.assert_close(same, kept)
    row = hindsight.told(world, clips)
    true = sum(float(clip.rewards.earned[3:8].sum()) for clip in clips) / 8
    assert row["true"] == pytest.approx(true, abs=1e-3)
    assert row["of nothing"] == pytest.approx(true, abs=1e-3)
    assert set(row["own frames"]) == {"told", "error", "correlation"}
