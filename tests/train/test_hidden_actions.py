from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.playing import as_shards, block_clips, guessing

from worldline.dynamics import LatentActions
from worldline.train import ObjectiveTask, Trainer
from worldline.train.draw import draw_clips
from worldline.train.objectives import HiddenActions


def test_codes_come_to_mean_what_was_done(tmp_path):
    """The block goes left or right; nobody says which, and the sign of a code tells."""
    config = guessing().config
    with torch.random.fork_rng():
        torch.manual_seed(0)
        hidden = LatentActions.Config(action_size=2, levels=5, width=16)
        world = replace(config, inverse=hidden).build()
    world.tokenizer.measure_latents(torch.from_numpy(block_clips(1, 8)[0].frames)[None])
    shards = as_shards(block_clips(40, 8), tmp_path / "data")
    task = ObjectiveTask.Config(("inverse",), (HiddenActions.Config(width=16),), augmented=False)
    trainer = Trainer.Config(steps=150, learning_rate=3e-3, warmup=10, average_decay=0.9)
    told = []
    before = explained(world)
    trainer.build().run(
        task.build(world, shards, seed=0, batch=8, length=8),
        tmp_path / "run",
        on_step=lambda step, losses: told.append(
            float(losses["hidden-actions/error_over_copying"])
        ),
    )
    assert before < 0.1
    assert np.mean(told[-10:]) < 0.75
    assert explained(world) > 0.4


def test_a_blind_forward_model_has_to_be_told_what_goes_on_as_before(tmp_path):
    """Of a block that keeps its pace nothing need be said to who saw it move; else everything."""
    world = guessing().config
    world = replace(world, inverse=LatentActions.Config(action_size=2, levels=5, width=16)).build()
    objective = HiddenActions.Config(width=16).build(world)
    seen: list[torch.Tensor] = []
    objective.forward = lambda earlier, last, code: seen.append(last - earlier) or last
    shards = as_shards(block_clips(4, 8), tmp_path / "data")
    draw = torch.Generator().manual_seed(0)
    batch = draw_clips(shards, seed=0, step=0, batch=4, length=8, generator=draw, augmented=False)
    latents = world.tokenizer.encode(batch.frames)
    for share, moving in ((0.0, 4), (0.5, 2), (1.0, 0)):
        objective.blind_share = share
        objective.loss({"inverse": world.inverse}, batch, latents, torch.Generator())
        changes = seen.pop().unflatten(0, (4, -1)).flatten(1).abs().amax(dim=1)
        assert int((changes > 0).sum()) == moving


def test_a_share_lies_between_none_and_all():
    with pytest.raises(ValueError, match=r"blind_share is 1\.5"):
        HiddenActions.Config(blind_share=1.5)


def explained(world) -> float:
    """R2 of the block's move by a linear map of the codes, on clips that were not learned from."""
    clips = block_clips(60, 8)[40:]
    moves = np.concatenate([np.diff(clip.frames[:, 8, :, 0].argmax(axis=1)) for clip in clips])
    codes = np.concatenate([world.inverse.read(clip.frames) for clip in clips])
    inputs = np.column_stack([codes, np.ones(len(codes))])
    left = moves - inputs @ np.linalg.lstsq(inputs, moves, rcond=None)[0]
    return 1 - left.var() / moves.var()
