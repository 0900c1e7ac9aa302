import numpy as np
import pytest
import torch

from worldline.core import InputError
from worldline.data.shards import Shards
from worldline.dynamics import FlowDynamics
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.train import Recipe, Stage, Trainer, load_recipe, train_world
from worldline.world import World


def nano(steps: int = 6) -> Recipe:
    trainer = Trainer.Config(steps=steps, warmup=2, checkpoint_every=2, log_every=1)
    return Recipe(
        world=World.Config(
            name="nano",
            tokenizer=ContinuousTokenizer.Config(
                fine_width=8, coarse_width=8, fine_depth=1, coarse_depth=1
            ),
            dynamics=FlowDynamics.Config(stem_width=8, width=16, depth=3, heads=1),
            readout=LatentReadout.Config(width=8, depth=1),
        ),
        families=("disc_uniform", "drop"),
        num_clips=4,
        look_families=("disc_uniform",),
        num_look_clips=3,
        tokenizer=Stage(trainer, batch=4),
        dynamics=Stage(trainer, batch=2, length=8),
        readout=Stage(trainer, batch=2, length=4),
    )


class Stop(Exception):  # noqa: N818
    pass


def test_a_world_is_trained_and_an_interrupted_one_is_the_same(tmp_path):
    world, ledgers = train_world(nano(), tmp_path / "whole")
    assert set(ledgers) == {"tokenizer", "dynamics", "readout"}
    assert ledgers["dynamics"].frames_seen == 6 * 2 * 8
    assert all(ledger.flop > 0 for ledger in ledgers.values())

    def stop(stage, step, steps, losses):
        if (stage, step) == ("dynamics", 5):
            raise Stop

    with pytest.raises(Stop):
        train_world(nano(), tmp_path / "cut", on_step=stop)
    again, _ = train_world(nano(), tmp_path / "cut")
    for part in ("tokenizer", "dynamics", "readout"):
        mine, theirs = getattr(world, part).state_dict(), getattr(again, part).state_dict()
        assert all(torch.equal(mine[k], theirs[k]) for k in mine), part


def test_training_data_is_what_the_recipe_says(tmp_path):
    train_world(nano(steps=2), tmp_path)
    shards = Shards.open(tmp_path / "data")
    assert shards.frames.shape == (4, 32, 64, 64, 3)
    assert [r["source"] for r in shards.records] == ["disc_uniform", "drop"] * 2
    assert shards.visible.any(axis=(1, 2)).all()
    inside = shards.center_px[shards.visible]
    assert np.isfinite(inside).all()


def test_recipes_are_files_that_define_recipe(tmp_path):
    assert load_recipe("recipes/small.py").world.name == "small"
    with pytest.raises(InputError, match="no such recipe"):
        load_recipe("nothing")
    bad = tmp_path / "bad.py"
    bad.write_text("x = 1\n")
    with pytest.raises(InputError, match="must define recipe"):
        load_recipe(str(bad))
    assert len(nano().digest()) == 12
    assert nano().digest() != nano(7).digest()
