"""Latents that are kept are those that encoding would give, and make the same losses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from worldline.core import InputError
from worldline.data.cache import LatentCache
from worldline.data.shards import Shards, write_shards
from worldline.dynamics import FlowDynamics
from worldline.readout.latent import LatentReadout
from worldline.sim import make_clips
from worldline.tokenizer import ContinuousTokenizer, VideoTokenizer, WholeTokenizer
from worldline.train import ObjectiveTask, step_generator
from worldline.train.encoded import EncodedClips, settle_tokenizer
from worldline.train.objectives import NextFrame
from worldline.world import World

CONFIG = ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),), augmented=False, cached=True)


def world() -> World:
    torch.manual_seed(0)
    return World.Config(
        name="tiny",
        tokenizer=ContinuousTokenizer.Config(
            size_px=16, channels=4, fine_width=8, coarse_width=8, fine_depth=1, coarse_depth=1
        ),
        dynamics=FlowDynamics.Config(
            channels=4, rows=2, stem_width=8, width=16, depth=3, heads=2, window=8
        ),
        readout=LatentReadout.Config(channels=4, rows=2, width=8, depth=1),
        trajectory=None,
    ).build()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shards")
    clips = make_clips(("disc_uniform",), num_clips=6, seed=0, size_px=16, events=False)
    write_shards(path, clips, num_clips=6, recipe={})
    return path


def opened(folder: Path) -> Shards:
    return Shards.open(folder)


def test_kept_latents_give_the_losses_that_encoding_gives(folder: Path):
    own, losses = world(), {}
    for config in (CONFIG, CONFIG, replace(CONFIG, cached=False)):
        task = config.build(own, opened(folder), seed=0, batch=3, length=5)
        batch = task.batch(2, step_generator(0, 2))
        assert (batch.latents is not None) == config.cached
        losses_found = task.loss(task.model, batch, step_generator(0, 2))
        found = float(losses_found["total"].detach())
        losses.setdefault(config.cached, []).append(found)
    assert losses[True][0] == losses[True][1]
    assert losses[True][0] == pytest.approx(losses[False][0], rel=1e-4)


def test_a_clip_is_encoded_once_for_each_tokenizer(folder: Path, monkeypatch: pytest.MonkeyPatch):
    own, calls = world(), []
    encode = ContinuousTokenizer.encode

    def counted(self, frames):
        calls.append(len(frames))
        return encode(self, frames)

    monkeypatch.setattr(ContinuousTokenizer, "encode", counted)
    with torch.no_grad():  # another one than in the tests before
        next(own.tokenizer.parameters()).mul_(3)
    clips = EncodedClips(opened(folder), own.tokenizer, 7)
    first = clips.draw([0, 3, 0], slice(2, 6))
    assert calls == [1, 1]
    assert first.tokens.shape == (3, 4, 4, 4)
    assert torch.equal(first.tokens[0], first.tokens[2])
    again = EncodedClips(opened(folder), own.tokenizer, 7).draw([3], slice(2, 6))
    assert calls == [1, 1]
    assert torch.equal(again.tokens[0], first.tokens[1])
    with torch.no_grad():
        next(own.tokenizer.parameters()).mul_(2)
    EncodedClips(opened(folder), own.tokenizer, 7).draw([3], slice(2, 6))
    assert calls == [1, 1, 1]


def test_latents_stay_in_memory_as_long_as_there_is_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    own, reads = world(), []
    read = LatentCache.get

    def counted(self, key, compute):
        reads.append(key)
        return read(self, key, compute)

    monkeypatch.setattr(LatentCache, "get", counted)
    clips = EncodedClips(opened(folder), own.tokenizer, 7)
    first = clips.draw([0, 3], slice(2, 6))
    assert torch.equal(clips.draw([3, 0], slice(2, 6)).tokens.flip(0), first.tokens)
    assert len(reads) == 2
    monkeypatch.setattr("worldline.train.encoded._HELD_BYTES", 0)
    clips = EncodedClips(opened(folder), own.tokenizer, 7)
    assert all(torch.equal(clips.draw([0, 3], slice(2, 6)).tokens, first.tokens) for _ in range(2))
    assert len(reads) == 6


def test_what_cannot_be_kept_is_refused(folder: Path):
    own, shards = world(), opened(folder)
    for config in (
        replace(CONFIG, augmented=True),
        replace(CONFIG, parts=("tokenizer", "dynamics")),
    ):
        with pytest.raises(InputError, match="leave cached off"):
            config.build(own, shards, seed=0, batch=3, length=5)
    with pytest.raises(InputError, match="no folder"):
        EncodedClips(replace(shards, folder=None), own.tokenizer, 5)
    video = VideoTokenizer.Config(size_px=16, time_stride=4).build()
    with pytest.raises(InputError, match="folds time"):
        EncodedClips(shards, video, 5)


def test_only_a_whole_frame_tokenizer_that_is_to_be_trained_is_settled(folder: Path):
    shards = opened(folder)
    for config in (replace(CONFIG, settled=True), replace(CONFIG, parts=("tokenizer",))):
        config = replace(config, cached=False, settled=True)
        with pytest.raises(ValueError, match="settled"):
            config.build(world(), shards, seed=0, batch=3, length=5)
    tokenizer = WholeTokenizer.Config(size_px=16, channels=4, width=4, hidden=8).build()
    settle_tokenizer(tokenizer, shards, 0)
    told = tokenizer.encode(torch.from_numpy(shards.frames[:, :4].copy())).tokens
    assert 0.3 < float(told.detach().flatten(0, 2).std(dim=0).mean()) < 2
