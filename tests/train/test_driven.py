"""A world that takes every control but words learns from simulated clips, heads and all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from worldline.core import InputError
from worldline.data.shards import Shards
from worldline.dynamics import ControlEncoder, FlowDynamics
from worldline.readout.latent import LatentReadout
from worldline.sim import make_clip
from worldline.tokenizer import ContinuousTokenizer
from worldline.train import Data, ObjectiveTask, Recipe, Stage, Trainer, train_world
from worldline.train.objectives import NextFrame, Reading
from worldline.world import World

STATE = ("push_force_n", "gyro_z_radps")
TAKES = ControlEncoder.Config.of(
    map_names=("depth", "edges"), map_dropout=0.3, state_names=STATE, rays=True, action_size=2
)


def recipe(**changes) -> Recipe:
    mixed = ObjectiveTask.Config(
        ("dynamics", "readout"), (NextFrame.Config(), Reading.Config()), augmented=False
    )
    trainer = Trainer.Config(steps=2, warmup=1, checkpoint_every=2, log_every=1)
    return Recipe(
        world=World.Config(
            name="driven",
            tokenizer=ContinuousTokenizer.Config(
                fine_width=8, coarse_width=8, fine_depth=1, coarse_depth=1
            ),
            dynamics=FlowDynamics.Config(
                stem_width=8, width=16, depth=3, heads=2, controls=changes.pop("takes", TAKES)
            ),
            readout=LatentReadout.Config(width=8, depth=1, contacts=True, camera=True),
            trajectory=None,
        ),
        data=(replace(Data("data", ("push",), 3, moving_camera=True), **changes),),
        stages=(Stage("all", mixed, "data", trainer, batch=2, length=6),),
    )


def test_all_controls_are_learned_from_and_used(tmp_path):
    world, _ = train_world(recipe(), tmp_path)
    shards = Shards.open(tmp_path / "data")
    assert shards.world_from_camera is not None
    assert np.ptp(shards.world_from_camera, axis=1).max() > 0.1
    mean, std = world.state_scale
    column = shards.state_names.index(STATE[0])
    told = shards.state[..., column][shards.has_state[..., column]]
    assert mean[0] == pytest.approx(told.mean(), rel=1e-4)
    assert std[0] == pytest.approx(told.std(), rel=1e-4)
    clip = make_clip("push", 0, seed=5, events=False, moving_camera=True)
    forecast = world.predict(clip.slice(0, 8), guide=clip, horizon=2, samples=1)
    camera = forecast.scene.camera
    assert camera is not None
    assert camera.world_from_camera.shape == (2, 4, 4)
    assert camera.turn_std_rad is not None
    assert (camera.turn_std_rad > 0).all()
    world.save(tmp_path / "world", dtype=None)
    again = World.from_pretrained(tmp_path / "world")
    same = again.predict(clip.slice(0, 8), guide=clip, horizon=2, samples=1)
    np.testing.assert_array_equal(same.frames, forecast.frames)
    assert torch.isfinite(world.feed(clip).state).all()


def test_data_without_what_the_world_takes_are_refused_before_training(tmp_path):
    takes = ControlEncoder.Config.of(state_names=("hinge_angle_rad",))
    with pytest.raises(InputError, match="readings of hinge_angle_rad, but the clips have accel"):
        train_world(recipe(takes=takes, num_clips=1), tmp_path)
    flat = replace(recipe(takes=ControlEncoder.Config(), families=("disc_uniform",), num_clips=1))
    flat = replace(flat, data=(replace(flat.data[0], moving_camera=False),))
    with pytest.raises(InputError, match="the camera's motion, but no clip has a camera"):
        train_world(flat, tmp_path / "flat")
    with pytest.raises(ValueError, match="camera that stands still"):
        Data("data", ("push",), 1, tracked=True, moving_camera=True)
