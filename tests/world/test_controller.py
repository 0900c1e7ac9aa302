from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.playing import PAD, STICK, block_clips, guessing, playable

from worldline.core import InputError
from worldline.data.actions import ActionSpec
from worldline.world import World
from worldline.world.controller import Controller, fit_controller, infer_actions, latent_spec


def test_a_clip_gets_the_codes_that_are_read_off_its_frames():
    world, clip = guessing(), block_clips(1, 6)[0]
    told = infer_actions(world, clip)
    assert told.actions.shape == (6, 2)
    assert np.array_equal(told.actions[:-1], world.inverse.read(clip.frames).astype(np.float32))
    assert not told.actions[-1].any()
    assert latent_spec(world).names == ("latent_0", "latent_1")


def test_the_law_between_actions_and_codes_is_found_again(monkeypatch):
    world, clips = guessing(), block_clips(6, 12)
    weights, bias = np.array([[0.5, -0.2], [0.1, 0.4]]), np.array([0.1, -0.3])
    told = iter([clip.actions[:-1] @ weights + bias for clip in clips])
    monkeypatch.setattr(world.inverse, "read", lambda frames: next(told))
    fitted = fit_controller(world, clips)
    assert fitted.weights == pytest.approx(weights, abs=0.02)
    assert fitted.bias == pytest.approx(bias, abs=0.02)
    assert fitted.explained > 0.99
    assert fitted.num_steps == 6 * 11


def test_a_world_with_a_controller_does_what_it_did_with_the_codes():
    world, clip = guessing(), block_clips(1, 8)[0]
    rng = np.random.default_rng(0)
    controller = Controller(rng.normal(size=(3, 2)), rng.normal(size=2), 1.0, 1)
    driven = controller.install(world, PAD)
    assert driven.action_size == 3
    assert driven.inverse is None
    assert driven.calibration["actions"] == PAD.to_json()
    opening = replace(clip, actions=None)
    ours, theirs = driven.open(opening, seed=1), world.open(opening, seed=1)
    for choice in (0, 2, 1):
        action = np.eye(3)[choice]
        one = ours.step(action).astype(int)
        other = theirs.step(controller.codes(action[None])[0]).astype(int)
        assert np.abs(one - other).max() <= 1  # a product more, rounded otherwise
    still = world.open(opening, seed=1).step(np.zeros(2))
    moved = world.open(opening, seed=1).step(controller.codes(np.eye(3)[:1])[0])
    assert not np.array_equal(still, moved)


def test_it_is_saved_and_opened_with_its_inverse_model(tmp_path):
    world = guessing()
    world.save(tmp_path, dtype=torch.float32)
    frames = block_clips(1, 6)[0].frames
    assert np.array_equal(
        World.from_pretrained(tmp_path).inverse.read(frames), world.inverse.read(frames)
    )


def test_what_does_not_fit_is_refused():
    world, clips = guessing(), block_clips(2, 6)
    with pytest.raises(InputError, match="no inverse model"):
        infer_actions(playable(), clips[0])
    with pytest.raises(InputError, match="single one"):
        infer_actions(world, clips[0].slice(0, 1))
    with pytest.raises(InputError, match="no labelled clips"):
        fit_controller(world, [])
    with pytest.raises(InputError, match="clip 1 has no actions"):
        fit_controller(world, [clips[0], replace(clips[1], actions=None)])
    with pytest.raises(InputError, match="turns 3 numbers into 2"):
        Controller(np.zeros((3, 2)), np.zeros(2), 1.0, 1).install(world, STICK)
    with pytest.raises(ValueError, match=r"inverse\.action_size is 2"):
        replace(world.config, dynamics=playable(PAD).config.dynamics).build()
    assert isinstance(latent_spec(world), ActionSpec)
