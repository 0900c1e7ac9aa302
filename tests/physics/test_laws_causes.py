"""Support, causality and the volume of fluids, in closed form and on the simulator's truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import STATIC, Contact, Outcome, Provenance
from worldline.physics.laws import check_causality, check_fluid_volume, check_support
from worldline.sim import make_clip

G = 9.81


def test_what_hangs_in_the_air_has_no_support(metric_scene) -> None:
    t = np.arange(40) / 20
    z = np.where(t < 0.6, 6 - G * t**2 / 2, 6 - G * 0.18)
    path = np.stack([0 * t, 0 * t, z], axis=1)
    verdict = check_support(metric_scene([path], t), 0.01)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.quantities["acceleration_mps2"] == pytest.approx(0.0, abs=0.1)
    landed = metric_scene([path], t, contacts=(Contact(0, STATIC, 0.6, 2.0),))
    assert check_support(landed, 0.01).outcome is Outcome.PASS
    unknown = metric_scene([path], t, provenance=Provenance())
    assert check_support(unknown, 0.01).outcome is Outcome.UNTESTABLE


def test_what_never_flies_may_hang_on_something(metric_scene) -> None:
    t = np.arange(40) / 20
    scene = metric_scene([np.tile([0.0, 0.0, 3.0], (40, 1))], t)
    assert check_support(scene, 0.01).outcome is Outcome.UNTESTABLE
    weightless = replace(scene, gravity_mps2=np.zeros(3))
    assert check_support(weightless, 0.01).outcome is Outcome.UNTESTABLE


def test_rest_at_the_top_of_a_flight_in_pixels(pixel_scene) -> None:
    """Thrown up and stuck at the top; or come down on something that it never was below."""
    t = np.arange(40) / 30
    up = 400 - 600 * t + 600 * t**2
    stuck = np.stack([300 + 0 * t, np.where(t < 0.5, up, 250)], axis=1)
    verdict = check_support(pixel_scene([stuck], t, std=0.3), 0.01)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.moment_s == pytest.approx(0.5, abs=0.07)
    down = np.stack([300 + 0 * t, np.minimum(100 + 600 * t**2, 300)], axis=1)
    assert check_support(pixel_scene([down], t, std=0.3), 0.01).outcome is Outcome.UNTESTABLE


def hit(scene_of, starts_s: float, **fields):
    """A ball rolls at another at rest and touches it at 1 s; that one starts at some time."""
    t = np.arange(40) / 20 + 0.01
    one = np.stack([np.where(t < 1, 2 * (t - 1), 0), 0 * t, 0 * t + 0.2], axis=1)
    two = np.stack([0.4 + 1.8 * np.maximum(t - starts_s, 0), 0 * t, 0 * t + 0.2], axis=1)
    ground = tuple(Contact(i, STATIC, 0.0, 2.0) for i in (0, 1))
    touch = Contact(0, 1, 1.0, 1.001)
    return scene_of([one, two], t, **({"contacts": (*ground, touch)} | fields))


def test_nothing_moves_before_it_is_touched(metric_scene) -> None:
    assert check_causality(hit(metric_scene, 1.0), 0.01).outcome is Outcome.PASS
    verdict = check_causality(hit(metric_scene, 0.7), 0.01)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.objects == (1, 0)
    assert verdict.quantities["early_s"] == pytest.approx(0.3, abs=0.06)
    walker = hit(metric_scene, 0.7, labels=("ball", "person"))
    assert check_causality(walker, 0.01).outcome is not Outcome.FAIL
    alone = hit(metric_scene, 0.7, contacts=(Contact(0, STATIC, 0.0, 2.0),))
    assert check_causality(alone, 0.01).outcome is Outcome.UNTESTABLE


def test_effect_before_touch_in_pixels(pixel_scene) -> None:
    t = np.arange(40) / 20 + 0.01
    for starts_s, outcome in ((1.0, Outcome.PASS), (0.7, Outcome.FAIL)):
        one = np.stack([300 + np.where(t < 1, 150 * (t - 1), 90 * (t - 1)), 240 + 0 * t], axis=1)
        two = np.stack([320 + 90 * np.maximum(t - starts_s, 0), 240 + 0 * t], axis=1)
        if starts_s < 1:
            one[:, 0] = 300 + 27 + 150 * (t - 1) - np.maximum(t - 1, 0) * 60
        scene = pixel_scene([one, two], t, std=0.2)
        assert check_causality(scene, 0.01).outcome is outcome


def test_grains_are_not_lost(metric_scene) -> None:
    scene = make_clip("pour", 0, seed=3, size_px=16, events=False).scene
    assert scene is not None
    assert check_fluid_volume(scene, 0.01).outcome is Outcome.PASS
    assert scene.num_parts is not None
    row = scene.labels.index("grains")
    fewer = scene.num_parts.copy()
    fewer[row, 20:] -= 3
    verdict = check_fluid_volume(replace(scene, num_parts=fewer), 0.01)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.quantities["num_first"] - verdict.quantities["num_worst"] == 3
    assert verdict.moment_s == pytest.approx(scene.time_s[20])
    t = np.arange(10) / 10
    dry = metric_scene([np.zeros((10, 3))], t)
    assert check_fluid_volume(dry, 0.01).outcome is Outcome.UNTESTABLE


def test_single_grains_may_leave_the_view_only(metric_scene) -> None:
    t = np.arange(20) / 10
    path = np.stack([0 * t, 0 * t, 1 + 0 * t], axis=1)
    leaving = np.stack([-14 - 2.5 * t / 1.9, 0 * t, 1 + 0 * t], axis=1)
    present = np.ones((2, 20), dtype=bool)
    grains = {"labels": ("grain", "grain")}
    present[1, 12:] = False
    lost = metric_scene([path, path + 1], t, present=present, **grains)
    assert check_fluid_volume(lost, 0.01).outcome is Outcome.FAIL
    gone = metric_scene([path, leaving], t, present=present, **grains)
    assert check_fluid_volume(gone, 0.01).outcome is Outcome.PASS
