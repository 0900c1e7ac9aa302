from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import Outcome
from worldline.sim import FAMILIES, Split, make_clip
from worldline.sim.families.laws import truth_of


def test_the_actions_alone_give_the_path():
    clip = make_clip("driven_disc", 3, seed=1, events=False)
    truth = truth_of(clip)
    assert clip.actions is not None
    assert clip.actions.shape == (32, 2)
    x, v = truth.position_m[0, 0, [0, 2]], truth.velocity_mps[0, 0, [0, 2]]
    for t in range(31):
        a = clip.actions[t]
        x, v = x + 0.1 * v + 0.005 * a, v + 0.1 * a
        np.testing.assert_allclose(truth.position_m[0, t + 1, [0, 2]], x, atol=1e-9)
    # to the right and up in the image
    turn = np.diff(truth.scene.center_px[0], n=2, axis=0)
    push = 6.4 * 0.01 * (clip.actions[:-2] + clip.actions[1:-1]) / 2
    np.testing.assert_allclose(turn, push * [1, -1], atol=1e-6)


def test_the_driven_disc_stays_in_view_and_moves():
    inside, travelled = [], []
    for index in range(20):
        truth = truth_of(make_clip("driven_disc", index, seed=2, size_px=16, events=False))
        place = truth.position_m[0][:, [0, 2]]
        inside.append(((place > 0) & (place < 10)).all(axis=1).mean())
        travelled.append(np.linalg.norm(np.diff(place, axis=0), axis=1).sum())
    assert np.mean(inside) > 0.98
    assert np.median(travelled) > 3


def test_a_window_of_a_driven_clip_keeps_its_actions():
    clip = make_clip("driven_disc", 0, seed=0, events=False)
    window = clip.slice(4, 20)
    assert window.actions is not None
    assert window.num_frames == 16
    assert clip.actions is not None
    np.testing.assert_array_equal(window.actions, clip.actions[4:20])


def test_the_bounces_return_their_share_of_the_speed():
    for index in range(4):
        clip = make_clip("disc_bounce", index, seed=1, events=False)
        truth = truth_of(clip)
        assert truth.g == 6.0
        radius = truth.extent_m[0, 2] / 2
        drop = truth.position_m[0, 0, 2] - radius
        first, *later = truth.scene.contacts
        assert first.start_s == pytest.approx(np.sqrt(2 * drop / 6))
        arrives = np.sqrt(2 * 6 * drop)
        mass = np.pi * radius**2
        assert first.impulse_ns is not None
        restitution = first.impulse_ns / mass / arrives - 1
        assert 0.6 <= restitution <= 0.9
        if later:
            wait_s = 2 * restitution * arrives / 6
            assert later[0].start_s - first.start_s == pytest.approx(wait_s)


@pytest.mark.parametrize("name", ["driven_disc", "disc_bounce"])
def test_the_self_tests_see_wrong_motion(name: str):
    clip = make_clip(name, 0, seed=0, split=Split.HELD_OUT, events=False)
    scene = clip.scene
    assert scene is not None
    assert scene.velocity_mps is not None
    faster = scene.velocity_mps * np.linspace(1, 1.3, 32)[:, None]
    wrong = replace(clip, scene=replace(scene, velocity_mps=faster))
    assert Outcome.FAIL in {v.outcome for v in FAMILIES[name].self_check(wrong)}
