"""A world that learned from bare video is judged by what it reads off the frames."""

from __future__ import annotations

import numpy as np
from tests.playing import block_clips, guessing

from worldline.audit import driven
from worldline.audit.suites.result import SuiteResult
from worldline.data.episode import Quarantine
from worldline.data.recorded import Recorded, Recording
from worldline.world.familiarity import Familiarity


def test_latent_actions_take_the_place_of_recorded_ones(monkeypatch):
    seen = {}

    def judged(world, clips, settings, inverse):
        seen["judged"] = clips
        return SuiteResult("control", world.name, (), "", len(clips), 0)

    def fitted(clips, *, is_discrete, seed):
        seen["learned"] = clips
        assert not is_discrete

    monkeypatch.setattr(driven, "choose_shrinkage", lambda world, clips, seed: world)
    monkeypatch.setattr(driven, "calibrate_on", lambda world, clips, seed: {})
    monkeypatch.setattr(driven, "run_control", judged)
    monkeypatch.setattr(driven, "fit_inverse", fitted)
    world, clips = guessing(), block_clips(6, 28)
    monkeypatch.setattr(Recording, "clips", lambda self, size_px, **options: iter(clips))
    recording = Recording(
        config=Recorded(folder="films"),
        spec=None,
        fps=10.0,
        num_episodes=6,
        num_held_out=6,
        has_rewards=False,
        most_reward=0.0,
        left_out=Quarantine(),
    )
    facts = dict.fromkeys(("ledgers", "source", "command", "recipe", "seed", "machine"), "") | {
        "ledgers": {},
        "controller": {"num_episodes": 4, "num_steps": 90, "explained": 0.5},
    }
    finished, _, _ = driven.finish_driven(world, recording, num_clips=3, seed=0, facts=facts)
    assert finished.calibration["actions"]["names"] == ["latent_0", "latent_1"]
    assert finished.calibration["play"]["scheme"] == "stick"
    assert Familiarity.from_json(finished.calibration["familiarity"]).usual > 0
    assert "Driven by actions: latent_0, latent_1" in finished.card
    assert "4 episodes whose actions are known (90 of them)" in finished.card
    for clip in (*seen["judged"], *seen["learned"]):
        codes = world.inverse.read(clip.frames).astype(np.float32)
        assert np.array_equal(clip.actions[:-1], codes)
