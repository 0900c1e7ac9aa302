"""A world of bare video, and a controller for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.playing import PAD, block_clips, guessing
from tests.tiny_env import TinyEnv

from worldline.audit.suites.result import SuiteResult
from worldline.data.lerobot_write import write_lerobot
from worldline.data.record import record
from worldline.world import World
from worldline.world.env import WorldEnv


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    TinyEnv.num_resets = 0
    folder = tmp_path / "data"
    episodes = record(
        "worldline-tests/Tiny-v0", num_episodes=10, size_px=16, options={"length": 34}, hold=3
    )
    write_lerobot(folder, episodes)
    return folder


def test_a_world_of_bare_video_gets_a_controller(tmp_path: Path, dataset: Path, call, monkeypatch):
    def finished(world, recording, *, num_clips, seed, facts, on_progress):
        on_progress(0.5)
        assert facts["controller"]["num_episodes"] == 4
        result = SuiteResult("control", world.name, (), "", num_clips, seed)
        told = {**world.calibration, "actions": recording.spec.to_json()}
        return world.finished(told, "judged"), result, block_clips(2, 12, PAD)

    monkeypatch.setattr("worldline.audit.driven.finish_driven", finished)
    bare, out = tmp_path / "bare", tmp_path / "driven"
    guessing().save(bare)
    options = ("--data", dataset, "--episodes", 4, "--held-out", 2, "--out", out)
    done = call("adapt", bare, *options, "--json")
    assert done.code == 0, done.err
    told = done.answer["controller"]
    assert told["num_episodes"] == 4
    assert told["num_steps"] >= 4 * 23
    assert told["explained"] <= 1
    driven = World.from_pretrained(out / "world")
    assert driven.inverse is None
    assert driven.action_size == 3
    assert driven.card.strip() == "judged"
    env = WorldEnv(out / "world")
    env.reset(seed=0)
    assert env.step(1)[0].shape == (16, 16, 3)


def test_a_world_of_recorded_actions_needs_none(tmp_path: Path, dataset: Path, call):
    failed = call("adapt", "sandbox", "--data", dataset, "--out", tmp_path / "out")
    assert failed.code == 2
    assert "no inverse model" in failed.err
    assert not (tmp_path / "out").exists()
