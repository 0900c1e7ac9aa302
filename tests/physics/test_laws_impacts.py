"""Momentum and restitution, in closed form and on the simulator's truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.physics.paths import bounce_path

from worldline.core import STATIC, Contact, Outcome, Scene, Verdict
from worldline.physics.laws import check_momentum, check_restitution
from worldline.sim import make_clip

T = np.arange(40) / 20 + 0.01


def meeting(scene_of, after_a: float, after_b: float, **fields) -> Scene:
    """Balls of 2 and 1 kg that meet at 1 s with 3 and -1 m/s, without gravity."""
    ways = [
        np.where(T < 1, before * (T - 1), after * (T - 1))
        for before, after in ((3.0, after_a), (-1.0, after_b))
    ]
    place = [np.stack([way, 0 * T, 0 * T], axis=1) for way in ways]
    place[1][:, 0] += 0.4
    values = {
        "gravity_mps2": np.zeros(3),
        "mass_kg": np.array([2.0, 1.0]),
        "contacts": (Contact(0, 1, 1.0, 1.001),),
    }
    return scene_of(place, T, **(values | fields))


def test_momentum_is_handed_over(metric_scene) -> None:
    elastic = meeting(metric_scene, 1 / 3, 13 / 3)
    verdict = check_momentum(elastic, 0.01)
    assert verdict.outcome is Outcome.PASS
    assert verdict.quantities["change_kgmps"] == pytest.approx(0.0, abs=0.01)
    assert verdict.quantities["handed_over_kgmps"] == pytest.approx(16 / 3, rel=0.01)
    lost = check_momentum(meeting(metric_scene, 1 / 3, 2.0), 0.01)
    assert lost.outcome is Outcome.FAIL
    assert lost.objects == (0, 1)
    assert lost.quantities["change_kgmps"] == pytest.approx(7 / 3, rel=0.01)


def test_a_third_touch_makes_momentum_untestable(metric_scene) -> None:
    contacts = (Contact(0, 1, 1.0, 1.001), Contact(1, STATIC, 1.0, 1.002))
    scene = meeting(metric_scene, 1 / 3, 2.0, contacts=contacts)
    assert check_momentum(scene, 0.01).outcome is Outcome.UNTESTABLE
    driven = meeting(metric_scene, 1 / 3, 2.0, labels=("hand", "ball"))
    assert check_momentum(driven, 0.01).outcome is Outcome.UNTESTABLE
    soft = meeting(metric_scene, 1 / 3, 2.0, bend=np.full((2, 40), 0.1))
    assert check_momentum(soft, 0.01).outcome is Outcome.UNTESTABLE


def test_without_masses_the_pushes_are_opposite(metric_scene, pixel_scene) -> None:
    """Both are sent the same way, which no pair of masses explains."""
    for after, outcome in (((-1.0, 4.0), Outcome.PASS), ((4.5, 4.0), Outcome.FAIL)):
        assert check_momentum(meeting(metric_scene, *after, mass_kg=None), 0.01).outcome is outcome
        metric = meeting(metric_scene, *after)
        assert metric.position_m is not None
        center = 300 + 60 * metric.position_m[..., :2]
        center[1, :, 0] += 12 - 0.4 * 60 + 0.4 * 20
        scene = pixel_scene(center, T, std=0.3, contacts=metric.contacts)
        assert check_momentum(scene, 0.01).outcome is outcome


def test_nothing_parts_faster_than_it_met(metric_scene) -> None:
    for after, coefficient in (((1 / 3, 13 / 3), 1.0), ((1.0, 3.0), 0.5), ((-1.0, 7.0), 2.0)):
        verdict = check_restitution(meeting(metric_scene, *after), 0.01)
        assert verdict.quantities["coefficient"] == pytest.approx(coefficient, abs=0.02)
        assert verdict.outcome is (Outcome.FAIL if coefficient > 1 else Outcome.PASS)


def bouncing(scene_of, restitution: float, **fields) -> Scene:
    g, t = 9.81, np.arange(60) / 30
    height = bounce_path(t, 1.5, restitution, g)
    fall = float(np.sqrt(3.0 / g))
    contacts = [Contact(0, STATIC, fall, fall + 1e-3)]
    if restitution < 1:
        for k in range(1, 3):
            moment = contacts[-1].start_s + 2 * fall * restitution**k
            contacts.append(Contact(0, STATIC, moment, moment + 1e-3))
    place = np.stack([0 * t, 0 * t, height + 0.2], axis=1)
    return scene_of([place], t, contacts=tuple(contacts), **fields)


def test_a_bounce_higher_than_the_fall_fails(metric_scene) -> None:
    low = check_restitution(bouncing(metric_scene, 0.7), 0.01)
    assert low.outcome is Outcome.PASS
    high = check_restitution(bouncing(metric_scene, 1.25), 0.01)
    assert high.outcome is Outcome.FAIL
    assert high.quantities["coefficient"] == pytest.approx(1.25, abs=0.03)
    spun = bouncing(metric_scene, 1.25, angular_velocity_radps=np.full((1, 60, 3), 30.0))
    assert check_restitution(spun, 0.01).outcome is Outcome.PASS
    boxes = bouncing(metric_scene, 1.25, labels=("box",))
    assert check_restitution(boxes, 0.01).outcome is Outcome.UNTESTABLE


def test_one_body_bounces_alike(metric_scene) -> None:
    """Down from 1.5 m and up with 0.9 of the speed, then with 0.3 of it."""
    g, t = 9.81, np.arange(60) / 30
    fall = float(np.sqrt(3.0 / g))
    up, first, second = 0.9 * g * fall, fall, fall * (1 + 2 * 0.9)
    place = np.where(
        t < first,
        1.5 - g * t**2 / 2,
        np.where(
            t < second,
            up * (t - first) - g * (t - first) ** 2 / 2,
            np.maximum(0.3 * up * (t - second) - g * (t - second) ** 2 / 2, 0),
        ),
    )
    contacts = tuple(Contact(0, STATIC, m, m + 1e-3) for m in (first, second))
    scene = metric_scene([np.stack([0 * t, 0 * t, place + 0.2], axis=1)], t, contacts=contacts)
    verdict = check_restitution(scene, 0.01)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.quantities["coefficient"] == pytest.approx(0.3, abs=0.05)
    assert verdict.quantities["coefficient_before"] == pytest.approx(0.9, abs=0.03)


def truth(family: str, seed: int) -> list[Scene]:
    clips = [make_clip(family, i, seed=seed, events=False, size_px=16) for i in range(4)]
    return [clip.scene for clip in clips if clip.scene is not None]


def outcomes(check, scenes: list[Scene]) -> list[Verdict]:
    return [v for s in scenes if (v := check(s, 0.01)).outcome is not Outcome.UNTESTABLE]


def test_true_collisions_pass_and_wrong_masses_fail() -> None:
    scenes = truth("disc_collision", 3)
    right = outcomes(check_momentum, scenes) + outcomes(check_restitution, scenes)
    assert len(right) >= 6
    assert all(v.outcome is Outcome.PASS for v in right)
    wrong = []
    for scene in scenes:
        assert scene.mass_kg is not None
        heavy = scene.mass_kg * np.array([3.0, 1.0])
        wrong += outcomes(check_momentum, [replace(scene, mass_kg=heavy)])
    assert sum(v.outcome is Outcome.FAIL for v in wrong) >= 3
