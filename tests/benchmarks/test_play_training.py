"""Peers learn for as long as they are told, go on where they stopped, and are read back."""

from __future__ import annotations

import importlib
from itertools import count

import numpy as np
import pytest
import torch
from torch import nn


@pytest.fixture
def training():
    return importlib.import_module("play_training")


class Shards:
    """Two clips of twelve frames of 16 pixels, one action."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.frames = rng.integers(0, 255, (2, 12, 16, 16, 3), np.uint8)
        self.actions = rng.normal(size=(2, 12, 1)).astype(np.float32)

    def order(self, seed: int, first: int, num: int) -> list[int]:
        return [(first + i) % 2 for i in range(num)]


def part(training):
    torch.manual_seed(0)
    module = nn.Conv2d(3, 3, 1)

    def loss(frames, actions, generator):
        seen = training.as_numbers(frames).flatten(0, 1)
        return (module(seen) - seen).square().mean() + 0 * actions.sum()

    return training.Part(module, loss, length=3, clips=2, frames=6, share=1.0)


def test_it_stops_when_its_time_is_spent_and_goes_on_from_there(training, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "process_time", count(0.0).__next__)
    file = tmp_path / "peer.pt"
    first = training._train(part(training), Shards(), file, 6.0)
    assert first["steps"] == 6
    assert first["frames_learned"] == 36
    assert first["parameters"] == 12
    # nothing is left to do, or six more steps
    assert training._train(part(training), Shards(), file, 6.0)["steps"] == 6
    more = training._train(part(training), Shards(), file, 12.0)
    assert more["steps"] == 12
    assert more["processor_s"] == 12.0
    kept = torch.load(file, weights_only=True)
    assert kept["step"] == 12
    assert not torch.equal(kept["module"]["weight"], part(training).module.weight)


def test_a_batch_has_the_actions_of_its_frames(training):
    shards = Shards()
    frames, actions = training._draw(shards, 0, part(training), torch.Generator().manual_seed(0))
    assert frames.shape == (2, 3, 16, 16, 3)
    for clip in range(2):
        places = [
            at
            for at in range(10)
            if np.array_equal(shards.frames[clip, at : at + 3], frames[clip].numpy())
        ]
        assert len(places) == 1
        at = places[0]
        np.testing.assert_array_equal(shards.actions[clip, at : at + 3], actions[clip].numpy())


def test_as_many_steps_as_there_is_time_for_and_the_same_when_it_goes_on(
    training, tmp_path, monkeypatch
):
    asked = []
    monkeypatch.setattr(training, "_step_times", lambda recipe, folder: {"dynamics": 0.5})

    class Ledger:
        steps = 20

    class World:
        def save(self, folder):
            asked.append(folder)

    class Stage:
        name, batch, length = "dynamics", 4, 8

    class Recipe:
        stages = (Stage,)

    def make(steps):
        asked.append(dict(steps))
        return Recipe

    ledgers = {"dynamics": Ledger}
    monkeypatch.setattr(training, "train_world", lambda recipe, folder: (World(), ledgers))
    spent = training.train_timed(make, {"dynamics": 1.0}, tmp_path / "run", 10.0)
    assert asked[:2] == [{"dynamics": 12}, {"dynamics": 20}]
    assert spent["dynamics"]["frames_learned"] == 20 * 32
    asked.clear()
    training.train_timed(make, {"dynamics": 1.0}, tmp_path / "run", 99.0)
    assert asked[0] == {"dynamics": 20}
