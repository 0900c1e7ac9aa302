"""What codes know of actions, and the recipe for bare video."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.playing import block_clips, playable

from worldline.train import ObjectiveTask, Stage, Trainer
from worldline.train.objectives import NextFrame


@dataclass(frozen=True)
class Plan:
    """What of a recipe is looked at."""

    world: Any
    stages: tuple[Stage, ...]


@pytest.fixture
def latent():
    return importlib.import_module("latent_actions")


def test_codes_that_are_a_mixture_of_actions_tell_them_and_others_do_not(latent):
    clips = block_clips(12, 10)
    known = {id(clip.frames): clip.actions[:-1] for clip in clips}
    mixed = np.array([[0.5, 1.0], [-1.0, 0.25]])
    telling = SimpleNamespace(read=lambda frames: known[id(frames)] @ mixed + 0.3)
    assert latent._told(SimpleNamespace(inverse=telling), clips) == [1.0, 1.0]
    half = SimpleNamespace(read=lambda frames: known[id(frames)][:, :1])
    right, down = latent._told(SimpleNamespace(inverse=half), clips)
    assert right == 1.0
    assert down < 0.2


def test_who_knows_no_labels_is_taught_none(latent, monkeypatch):
    stage = Stage(
        "tokenizer",
        ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),)),
        "data",
        Trainer.Config(steps=1, warmup=1),
        batch=1,
        length=1,
    )
    follows = replace(stage, name="dynamics")
    config = playable().config
    full = Plan(world=replace(config, reward=None), stages=(stage, follows))
    monkeypatch.setattr(latent, "ours", lambda data, steps, size_px: full)
    made = latent.unlabelled("out/none", {"inverse": 7, "dynamics": 9}, 16)
    assert [each.name for each in made.stages] == ["tokenizer", "inverse", "dynamics"]
    assert made.stages[1].trainer.steps == 7
    (objective,) = made.stages[2].task.objectives
    assert objective == NextFrame.Config(inferred=True)
    assert made.world.inverse is not None
    assert made.world.dynamics.controls.action_size == made.world.inverse.action_size
