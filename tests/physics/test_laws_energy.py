"""Energy, in closed form and on the simulator's truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.physics.paths import bounce_path

from worldline.core import STATIC, Contact, Outcome, Scene
from worldline.physics.laws import check_energy
from worldline.sim import make_clip

G = 9.81


def test_a_swing_keeps_its_energy_and_may_not_swing_up(metric_scene) -> None:
    t = np.arange(60) / 20
    for growth, outcome in ((0.0, Outcome.PASS), (-0.2, Outcome.PASS), (0.3, Outcome.FAIL)):
        angle = 0.5 * np.exp(growth * t) * np.cos(np.sqrt(G / 1.5) * t)
        path = np.stack([1.5 * np.sin(angle), 0 * t, 3 - 1.5 * np.cos(angle)], axis=1)
        scene = metric_scene([path], t, mass_kg=np.array([2.0]))
        assert check_energy(scene, 0.01).outcome is outcome


def test_a_ball_sped_up_in_flight_gains(metric_scene) -> None:
    t = np.arange(30) / 25
    path = np.stack([np.where(t < 0.6, 1.5 * t, 0.9 + 4 * (t - 0.6)), 0 * t, 5 - G * t**2 / 2], 1)
    verdict = check_energy(metric_scene([path], t, mass_kg=np.array([0.5])), 0.01)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.quantities["gain_j"] == pytest.approx(0.5 * (16 - 2.25) / 2, rel=0.2)
    for fields in ({}, {"mass_kg": np.array([0.5]), "labels": ("bird",)}):
        assert check_energy(metric_scene([path], t, **fields), 0.01).outcome is Outcome.UNTESTABLE


def test_energy_is_that_of_all_who_touch(metric_scene) -> None:
    """A ball at rest that is hit gains what the other one loses, and no more."""
    t = np.arange(40) / 20 + 0.01
    for speed, outcome in ((2.0, Outcome.PASS), (3.0, Outcome.FAIL)):
        one = np.stack([np.where(t < 1, 2 * (t - 1), 0), 0 * t, 0 * t], axis=1)
        two = np.stack([0.4 + np.where(t < 1, 0, speed * (t - 1)), 0 * t, 0 * t], axis=1)
        scene = metric_scene(
            [one, two],
            t,
            gravity_mps2=np.zeros(3),
            mass_kg=np.ones(2),
            angular_velocity_radps=np.zeros((2, 40, 3)),
            contacts=(Contact(0, 1, 1.0, 1.001),),
        )
        verdict = check_energy(scene, 0.01)
        assert verdict.outcome is outcome
        assert verdict.objects == (0, 1)
        pushed = replace(scene, labels=("pusher", "ball"))
        assert check_energy(pushed, 0.01).outcome is Outcome.UNTESTABLE


def test_bounces_in_pixels_do_not_rise(pixel_scene) -> None:
    t = np.arange(60) / 30
    for restitution, outcome in ((0.8, Outcome.PASS), (1.3, Outcome.FAIL)):
        height = bounce_path(t, 120.0, restitution, 1200.0)
        center = np.stack([200 + 40 * t, 400 - height], axis=1)
        fall = float(np.sqrt(240 / 1200.0))
        contact = Contact(0, STATIC, fall, fall, confidence=0.7)
        scene = pixel_scene([center], t, std=0.3, contacts=(contact,))
        assert check_energy(scene, 0.01).outcome is outcome
    scene = pixel_scene([center], t, std=0.3, contacts=(replace(contact, b=1),))
    assert check_energy(scene, 0.01).outcome is Outcome.UNTESTABLE


def truth(family: str, num: int) -> list[Scene]:
    clips = [make_clip(family, i, seed=3, events=False, size_px=16) for i in range(num)]
    return [clip.scene for clip in clips if clip.scene is not None]


@pytest.mark.parametrize("family", ["bounce", "billiards", "topple", "pendulum"])
def test_true_energy_never_grows_and_more_is_found(family: str) -> None:
    broken = 0
    for scene in truth(family, 3):
        assert check_energy(scene, 0.01).outcome is Outcome.PASS
        assert scene.position_m is not None
        # The same way, run at double speed in the second half.
        half = scene.num_frames // 2
        frames = np.minimum(np.arange(half, scene.num_frames) * 2 - half, scene.num_frames - 1)
        position = np.concatenate([scene.position_m[:, :half], scene.position_m[:, frames]], axis=1)
        free = replace(scene, position_m=position, contacts=())
        broken += check_energy(free, 0.01).outcome is Outcome.FAIL
    assert broken >= 2
