"""What comes into view, goes out of it, and is hidden."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.core import Event, Scene
from worldline.physics import detect_events


def of(scene: Scene, kind: str) -> list[Event]:
    return [e for e in detect_events(scene) if e.type == kind]


def test_enter_and_exit(pixel_scene) -> None:
    t = np.arange(50) / 25
    x = -100 + 480 * t
    path = np.stack([np.where((x > 0) & (x < 640), x, np.nan), 240 + 0 * t], axis=1)
    scene = pixel_scene([path], t)
    (enter,), (leave,) = of(scene, "enter"), of(scene, "exit")
    assert enter.start_s == pytest.approx(100 / 480, abs=0.05)
    assert leave.start_s == pytest.approx(740 / 480, abs=0.05)
    assert leave.quantities["speed_px_s"] == pytest.approx(480, rel=0.01)
    assert of(scene, "occlude") == []


def test_occlude_and_reappear(pixel_scene) -> None:
    t = np.arange(60) / 20
    ball = np.stack([120 + 130 * t, 240 + 0 * t], axis=1)
    ball[(t > 1.0) & (t < 1.8)] = np.nan
    screen = np.stack([300 + 0 * t, 240 + 0 * t], axis=1)
    size = np.stack([np.full((60, 2), 20.0), np.full((60, 2), 110.0)])
    scene = pixel_scene([ball, screen], t, size=size)
    (hidden,), (back,) = of(scene, "occlude"), of(scene, "reappear")
    assert dict(hidden.roles) == {"object": 0, "occluder": 1}
    assert hidden.quantities["duration_s"] == pytest.approx(0.8, abs=0.06)
    assert back.start_s == pytest.approx(1.8, abs=0.03)
    assert of(scene, "exit") == []
    assert of(scene, "enter") == []


def test_a_missed_frame_is_no_occlusion(pixel_scene) -> None:
    t = np.arange(60) / 50
    path = np.stack([120 + 130 * t, 240 + 0 * t], axis=1)
    path[[20, 40]] = np.nan
    assert of(pixel_scene([path], t), "occlude") == []
