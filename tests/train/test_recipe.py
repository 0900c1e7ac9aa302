from dataclasses import replace

import numpy as np
import pytest
import torch

from worldline.core import InputError
from worldline.data.shards import Shards
from worldline.dynamics import FlowDynamics, TrajectoryForecaster
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.train import (
    Data,
    ObjectiveTask,
    Recipe,
    Stage,
    TokenizerTask,
    Trainer,
    TrajectoryTask,
    load_recipe,
    train_world,
)
from worldline.train.objectives import Reading
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
            trajectory=TrajectoryForecaster.Config(
                fine_width=8, width=16, depth=2, late_depth=1, heads=1
            ),
        ),
        data=(
            Data("look", ("disc_uniform",), 3),
            Data("data", ("disc_uniform", "drop"), 4),
            Data("motion", ("disc_uniform", "drop"), 3, tracked=True),
        ),
        stages=(
            Stage("tokenizer", TokenizerTask.Config(), "look", trainer, batch=4, length=1),
            Stage("dynamics", ObjectiveTask.Config(), "data", trainer, batch=2, length=8),
            Stage(
                "readout",
                ObjectiveTask.Config(("readout",), (Reading.Config(noise=0.3),)),
                "data",
                trainer,
                batch=2,
                length=4,
            ),
            Stage("trajectory", TrajectoryTask.Config(), "motion", trainer, batch=4),
        ),
    )


class Stop(Exception):  # noqa: N818
    pass


def test_a_world_is_trained_and_an_interrupted_one_is_the_same(tmp_path):
    world, ledgers = train_world(nano(), tmp_path / "whole")
    assert set(ledgers) == {"tokenizer", "dynamics", "readout", "trajectory"}
    assert ledgers["dynamics"].frames_seen == 6 * 2 * 8
    assert all(ledger.flop > 0 for ledger in ledgers.values())

    def stop(stage, step, steps, losses):
        if (stage, step) == ("dynamics", 5):
            raise Stop

    with pytest.raises(Stop):
        train_world(nano(), tmp_path / "cut", on_step=stop)
    again, _ = train_world(nano(), tmp_path / "cut")
    for part in ("tokenizer", "dynamics", "readout", "trajectory"):
        mine, theirs = getattr(world, part).state_dict(), getattr(again, part).state_dict()
        assert all(torch.equal(mine[k], theirs[k]) for k in mine), part


def test_finished_parts_of_another_world_are_taken_over(tmp_path):
    world, ledgers = train_world(nano(), tmp_path / "first")
    records = {k: v.to_json() for k, v in ledgers.items() if k != "trajectory"}
    base = world.finished({"ledgers": records}, "")
    again, costs = train_world(nano(steps=8), tmp_path / "second", reuse=base)
    assert not (tmp_path / "second" / "tokenizer").exists()
    assert costs["dynamics"] == ledgers["dynamics"]
    assert costs["trajectory"].steps == 8
    for name in ("tokenizer", "dynamics", "readout"):
        mine, theirs = world.parts[name].state_dict(), again.parts[name].state_dict()
        assert all(torch.equal(mine[k], theirs[k]) for k in mine), name
    with pytest.raises(InputError, match="keeps no ledgers"):
        train_world(nano(), tmp_path / "fourth", reuse=world)
    with pytest.raises(InputError, match="holds a run of another recipe"):
        train_world(nano(steps=9), tmp_path / "second", reuse=base)
    other = replace(nano(), world=replace(nano().world, readout=LatentReadout.Config(width=16)))
    with pytest.raises(InputError, match="readout of the world nano has another config"):
        train_world(other, tmp_path / "third", reuse=base)


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
    with pytest.raises(InputError, match=r"small\.py: it has no dial"):
        load_recipe("small", "nano")
    with pytest.raises(InputError, match=r"small\.py: it has no dial for its steps"):
        load_recipe("small", steps=3)
    with pytest.raises(InputError, match=r"genie_like\.py: size 'huge' is not known"):
        load_recipe("recipes/genie_like", "huge")
    assert len(nano().digest()) == 12
    assert nano().digest() != nano(7).digest()
