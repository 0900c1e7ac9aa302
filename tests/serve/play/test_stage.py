"""What sessions begin with."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from worldline.core import InputError
from worldline.serve.play import PlayConfig
from worldline.serve.play.stage import open_stage
from worldline.sim.sandbox_words import read_sentence
from worldline.world import World


@pytest.fixture
def sandbox(folder, tmp_path):
    """The tiny world, said to have learned from the sandbox."""
    world = World.from_pretrained(folder)
    told = {**world.calibration, "play": {"environment": "worldline/Sandbox-v0"}}
    config = replace(world.config, step_min_s=1 / 15, step_max_s=1 / 15)
    World(config, world.whole, told, "").save(tmp_path / "world")
    return str(tmp_path / "world")


def test_one_plays_from_a_scene_or_a_sentence(sandbox, tmp_path):
    file = tmp_path / "one.scene.json"
    file.write_text(json.dumps(read_sentence("the ball on the box", 0).to_json()))
    world, openings = open_stage(PlayConfig(sandbox, scene=file))
    assert len(openings) == 1
    assert openings[0].num_frames == world.context
    _, told = open_stage(PlayConfig(sandbox, text="the ball on the box"))
    assert len(told) == 4
    assert np.abs(told[0].frames[0].astype(int) - openings[0].frames[0]).mean() < 0.05
    assert not np.array_equal(told[0].frames, told[1].frames)


def test_worlds_that_cannot_say_so(folder, tmp_path):
    with pytest.raises(InputError, match="the world tiny is neither"):
        open_stage(PlayConfig(str(folder), text="a ball"))
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(InputError, match="scene JSON lacks"):
        open_stage(PlayConfig(str(folder), scene=tmp_path / "x.json"))
