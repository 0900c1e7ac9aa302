"""A world that learned from bare video is judged by what it reads off the frames."""

from __future__ import annotations

import numpy as np
from tests.playing import block_clips, guessing, recorded

from worldline.audit import driven
from worldline.audit.suites.result import SuiteResult
from worldline.data.recorded import Recording
from worldline.world.familiarity import Familiarity


def test_latent_actions_take_the_place_of_recorded_ones(monkeypatch):
    seen = {}

    def judged(world, clips, settings, inverse, on_progress):
        on_progress(0.5)
        seen["judged"] = clips
        return SuiteResult("control", world.name, (), "", len(clips), 0)

    def fitted(clips, *, is_discrete, seed, on_progress):
        on_progress(1.0)
        seen["learned"] = clips
        assert not is_discrete

    monkeypatch.setattr(driven, "choose_thresholds", lambda world, clips, **_: world)
    monkeypatch.setattr(driven, "calibrate_on", lambda world, clips, **_: {})
    monkeypatch.setattr(driven, "run_control", judged)
    monkeypatch.setattr(driven, "fit_inverse", fitted)
    world, clips = guessing(), block_clips(6, 28)
    monkeypatch.setattr(Recording, "clips", lambda self, size_px, **options: iter(clips))
    recording = recorded(num_episodes=6, num_held_out=6)
    facts = dict.fromkeys(("ledgers", "source", "command", "recipe", "seed", "machine"), "") | {
        "ledgers": {},
        "controller": {"num_episodes": 4, "num_steps": 90, "explained": 0.5},
    }
    heard = []
    finished, _, _ = driven.finish_driven(
        world, recording, num_clips=3, seed=0, facts=facts, on_progress=heard.append
    )
    np.testing.assert_allclose(heard, [0.65, 0.7, 0.85])
    assert finished.calibration["actions"]["names"] == ["latent_0", "latent_1"]
    assert finished.calibration["play"]["scheme"] == "stick"
    assert Familiarity.from_json(finished.calibration["familiarity"]).usual > 0
    assert "Driven by actions: latent_0, latent_1" in finished.card
    assert "4 episodes whose actions are known (90 of them)" in finished.card
    for clip in (*seen["judged"], *seen["learned"]):
        codes = world.inverse.read(clip.frames).astype(np.float32)
        assert np.array_equal(clip.actions[:-1], codes)
