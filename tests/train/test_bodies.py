"""Windows for the forecaster of bodies: measured in pixels, followed by the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from worldline.core import InputError
from worldline.data.shards import Shards, write_shards
from worldline.dynamics import BodyForecaster
from worldline.sim import make_clips
from worldline.train import BodyTask
from worldline.train.bodies import measure_windows
from worldline.world import World

NUM_CLIPS = 6


@pytest.fixture(scope="module")
def world() -> World:
    """Sees as the bundled one does; its forecaster of bodies knows nothing."""
    small = World.from_pretrained("small")
    torch.manual_seed(0)
    bodies = BodyForecaster.Config()
    parts = replace(small.whole, bodies=bodies.build())
    return World(replace(small.config, bodies=bodies), parts, {}, "")


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    clips = make_clips(["disc_uniform", "disc_parabola"], num_clips=NUM_CLIPS, seed=3, events=False)
    folder = tmp_path_factory.mktemp("shards")
    return write_shards(folder, clips, num_clips=NUM_CLIPS, recipe={"seed": 3})


def test_windows_hold_what_follows(world: World, shards: Shards):
    windows = measure_windows(world, shards, seed=1)
    assert windows.truth.shape == (2 * NUM_CLIPS, 5, 29, 2)
    assert windows.known.any(dim=2)[:, 0].float().mean() > 0.6
    states = windows.states
    whole = windows.known[:, 0, 0] & (states.looks[:, 0, 0] == 0) & (states.looks[:, 0, 1] > 0)
    assert whole.sum() >= 4
    # one step ahead a body is where its velocity takes it, up to how its path bends
    step = states.velocity_px[whole, 0] + states.lag[whole, 0, None] * states.bend_px[whole, 0]
    ahead = states.center_px[whole, 0] + step + states.bend_px[whole, 0] / 2
    assert (ahead - windows.truth[whole, 0, 0]).norm(dim=-1).max() < 0.5


def test_windows_are_measured_once(world: World, shards: Shards, monkeypatch: pytest.MonkeyPatch):
    first = BodyTask.Config().build(world, shards, seed=1, batch=4, length=1)

    def never(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr("worldline.train.bodies.measure_windows", never)
    again = BodyTask.Config().build(world, shards, seed=1, batch=4, length=1)
    assert torch.equal(first.windows.truth, again.windows.truth)
    assert torch.equal(first.windows.states.looks, again.windows.states.looks)


def test_batches_are_mirrored_as_a_whole(world: World, shards: Shards):
    task = BodyTask.Config().build(world, shards, seed=1, batch=64, length=1)
    states, truth, known = task.batch(0, torch.Generator().manual_seed(0))
    left = states.center_px[..., 0] < 0
    assert 0.2 < left[:, 0].float().mean() < 0.8
    same = torch.sign(truth[..., 0]) == torch.sign(states.center_px[..., :1])
    assert same[known].float().mean() > 0.9
    again = task.batch(0, torch.Generator().manual_seed(0))
    assert torch.equal(again[1], truth)
    assert np.isfinite(
        float(task.loss(task.model, (states, truth, known), torch.Generator())["total"].detach())
    )
    assert task.num_frames((states, truth, known)) == 64 * 29


def test_a_world_without_bodies_is_told(shards: Shards, tmp_path: Path):
    with pytest.raises(InputError, match="forecasts no bodies"):
        BodyTask.Config().build(World.Config().build(), shards, seed=0, batch=2, length=1)
