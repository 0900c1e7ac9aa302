"""Rolling, sliding, toppling, starting and stopping."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.core import STATIC, Contact, Event, Scene
from worldline.physics import detect_events


def of(scene: Scene, kind: str) -> list[Event]:
    return [e for e in detect_events(scene) if e.type == kind]


def spinning(t: np.ndarray, speed: np.ndarray, spin: np.ndarray, **fields) -> dict:
    position = np.stack([np.cumsum(speed) * (t[1] - t[0]), 0 * t, 0 * t + 0.2], axis=1)
    omega = np.stack([0 * t, spin, 0 * t], axis=1)
    contacts = (Contact(0, STATIC, float(t[0]), float(t[-1])),)
    return {"position": [position], "angular_velocity_radps": omega[None], "contacts": contacts}


@pytest.mark.parametrize(("share", "kind"), [(1.0, "roll"), (0.0, "slide")])
def test_roll_and_slide(metric_scene, share, kind) -> None:
    t = np.arange(40) / 20
    values = spinning(t, 0 * t + 1.0, share * (0 * t + 1.0) / 0.2)
    scene = metric_scene(values.pop("position"), t, **values)
    (event,) = of(scene, kind)
    assert event.roles["support"] == STATIC
    assert event.quantities["distance_m"] == pytest.approx(1.95, rel=0.01)
    assert event.quantities["speed_mps"] == pytest.approx(1.0, rel=0.01)
    assert of(scene, "slide" if kind == "roll" else "roll") == []


def test_topple(metric_scene) -> None:
    t = np.arange(30) / 20
    angle = np.clip((t - 0.5) * 2, 0, np.pi / 2)
    rotation = np.stack([np.cos(angle / 2), 0 * t, np.sin(angle / 2), 0 * t], axis=1)[None]
    position = [np.stack([0 * t, 0 * t, 0 * t + 0.5], axis=1)]
    scene = metric_scene(
        position,
        t,
        labels=("box",),
        extent_m=np.array([[0.2, 0.3, 1.0]]),
        rotation_wxyz=rotation,
        contacts=(Contact(0, STATIC, 0.0, 1.5),),
    )
    (event,) = of(scene, "topple")
    assert event.quantities["tilt_rad"] == pytest.approx(np.pi / 2)
    assert event.end_s == pytest.approx(0.5 + np.pi / 6, abs=0.06)
    flat = metric_scene(
        position, t, labels=("box",), extent_m=np.full((1, 3), 0.4), rotation_wxyz=rotation
    )
    assert of(flat, "topple") == []


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_start_stop_and_still(pixel_scene, noise) -> None:
    rng, t = np.random.default_rng(5), np.arange(120) / 30
    x = 100 + 80 * (np.clip(t, 1, 2.5) - 1)
    path = np.stack([x, 240 + 0 * t], axis=1) + rng.normal(0, noise, (120, 2))
    scene = pixel_scene([path], t, size=(40.0, 40.0))
    (start,), (stop,) = of(scene, "start"), of(scene, "stop")
    assert start.start_s == pytest.approx(1.0, abs=0.12)
    assert stop.start_s == pytest.approx(2.5, abs=0.12)
    assert start.quantities["top_speed_px_s"] == pytest.approx(80, rel=0.1)
    assert len(of(scene, "still")) == 2
