"""Trust that tells where sessions go astray."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.playing import block_clips, playable

from worldline.audit import straying
from worldline.audit.straying import (
    are_wrong,
    area_at_once,
    fit_familiarity,
    long_clips,
    unrelated_error,
)
from worldline.core import InputError
from worldline.data.recorded import Recording
from worldline.world import World
from worldline.world.familiarity import Familiarity


def test_pictures_are_wrong_by_how_unlike_unrelated_ones_are():
    dark, light = np.zeros((2, 4, 4, 3), np.uint8), np.full((2, 4, 4, 3), 100, np.uint8)
    assert are_wrong(light, dark, usual=10_000).tolist() == [True, True]
    assert are_wrong(light // 2, dark, usual=10_000).tolist() == [False, False]
    clips = block_clips(2, 4)
    pair = [clip.frames.astype(float) for clip in clips]
    mean = np.mean([np.square(a - b).mean() for a in pair[0] for b in pair[1]])
    assert unrelated_error(clips, 0) == pytest.approx(mean, rel=0.1)


def test_counting_frames_is_worth_a_half_at_one_moment():
    wrong = np.array([[False, False, True], [False, True, True], [False, False, True]])
    counted = np.broadcast_to(np.arange(3.0), (3, 3))
    told = area_at_once(counted, wrong)
    assert told.area == pytest.approx(1 - (0 + 0.5 * 2) / (5 * 4))
    assert told.at_once == 0.5
    assert area_at_once(wrong.astype(float), wrong).at_once == 1
    assert np.isnan(area_at_once(counted, np.zeros((3, 3), bool)).area)


def test_distance_of_right_pictures_is_trusted_and_of_wrong_ones_not(monkeypatch):
    """Half of the clips are made to dissolve, more with each frame; the others are the truth."""
    world, clips = playable(), block_clips(8, 16)

    def played(world, clip, seed, ahead):
        film = clip.frames[-ahead:].copy()
        if seed % 2:
            rng = np.random.default_rng(seed)
            for t, frame in enumerate(film):
                frame[rng.random((16, 16)) < 0.1 * t] = 160
        return film

    monkeypatch.setattr(straying, "play_clip", played)
    known = fit_familiarity(world, block_clips(24, 8)[8:], clips, seed=0)
    assert known.slope > 0
    spoilt = played(world, clips[1], 1, 12)
    assert known.trust(clips[0].frames[-4:]) > 0.8
    assert known.trust(spoilt[-4:]) < 0.2
    assert known.heeded == 1  # nothing else is known of a world that was not calibrated
    with pytest.raises(InputError, match="clips of training episodes and of others"):
        fit_familiarity(world, [], clips, seed=0)


def test_evidence_is_heeded_where_few_true_clips_have_as_little(monkeypatch):
    world, clips = playable().finished({"trust": {}}, ""), block_clips(20, 16)
    told = iter(np.linspace(0.0, 0.95, 20))
    asked = []

    def judged(alone, moments, seed):
        assert "familiarity" not in alone.calibration
        asked.append([moment.action is None for moment in moments])
        return next(told), ""

    monkeypatch.setattr(straying, "judge_moments", judged)
    monkeypatch.setattr(
        straying, "play_clip", lambda w, clip, seed, ahead: clip.frames[-ahead:] * (seed % 2)
    )
    known = fit_familiarity(world, block_clips(24, 8)[8:], clips, seed=0)
    assert known.heeded == pytest.approx(0.05 * 0.95)
    assert asked == [[True, *[False] * (world.context - 1)]] * 20


def test_a_world_that_is_never_wrong_is_always_trusted(monkeypatch):
    monkeypatch.setattr(straying, "play_clip", lambda w, clip, seed, ahead: clip.frames[-ahead:])
    known = fit_familiarity(playable(), block_clips(12, 8)[8:], block_clips(8, 12), seed=0)
    assert known.slope == 0
    assert known.trust(np.zeros((1, 16, 16, 3), np.uint8)) == 1


def test_the_longest_clips_that_there_are_enough_of(monkeypatch):
    asked = []

    def clips(self, size_px, *, held_out, num_frames):
        asked.append(num_frames)
        return iter(block_clips(9 if num_frames < 40 else 3, num_frames))

    monkeypatch.setattr(Recording, "clips", clips)
    recording = Recording.__new__(Recording)
    found = long_clips(recording, playable(), seed=0)
    assert asked == [100, 68, 28]
    assert len(found) == 9
    assert found[0].num_frames == 28


def test_a_saved_world_gets_it_in_place(tmp_path, monkeypatch):
    world = playable()
    world.save(tmp_path)
    weights = (tmp_path / "model.safetensors").read_bytes()
    clips = block_clips(12, 8)
    monkeypatch.setattr(straying, "calibration_clips", lambda *a, **k: clips[:4])
    monkeypatch.setattr(straying, "open_recording", lambda config: Recording.__new__(Recording))
    monkeypatch.setattr(Recording, "clips", lambda self, *a, **k: iter(clips[4:]))
    straying._Command(str(tmp_path), tmp_path).run()
    record = json.loads((tmp_path / "calibration.json").read_text())
    assert record["actions"] == world.calibration["actions"]
    assert (tmp_path / "model.safetensors").read_bytes() == weights
    again = Familiarity.from_json(World.from_pretrained(tmp_path).calibration["familiarity"])
    assert again.usual > 0
