"""Boxes that change though nothing moves as they say, beside things that do move."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.physics import detect_events
from worldline.physics.edges import common_velocity
from worldline.physics.kinematics import motion_of, smooth_velocity

T = np.arange(60) / 30


def of(scene, name):
    return [event for event in detect_events(scene) if event.type == name]


def boxes(low: np.ndarray, high: np.ndarray):
    """Centres and sizes from the corners of boxes, each `[T, 2]`."""
    return (low + high) / 2, high - low


def test_a_box_that_grows_to_one_side_has_no_common_velocity(pixel_scene) -> None:
    low = np.tile([100.0, 100.0], (60, 1))
    high = low + 40 + np.stack([90 * T, 0 * T], axis=1)
    center, size = boxes(low, high)
    (track,) = motion_of(pixel_scene([center], T, size=size[None])).tracks
    assert smooth_velocity(track)[0][30, 0] == pytest.approx(45, rel=0.01)
    np.testing.assert_allclose(common_velocity(track), 0.0, atol=1e-6)


def test_a_box_that_moves_keeps_its_velocity(pixel_scene) -> None:
    center = np.stack([100 + 90 * T, 200 - 30 * T], axis=1)
    (track,) = motion_of(pixel_scene([center], T)).tracks
    np.testing.assert_allclose(common_velocity(track)[30], [90, -30], rtol=1e-6)


def zigzag(t: np.ndarray, speed: float) -> np.ndarray:
    return speed * (1.0 - np.abs(t - 1.0))


@pytest.mark.parametrize(("both", "number"), [(True, 1), (False, 0)])
def test_a_bounce_needs_both_edges_to_turn(pixel_scene, both, number) -> None:
    """The lower edge comes down and turns; the upper one goes along, or stays."""
    down = np.stack([0 * T, zigzag(T, 160)], axis=1)
    low = np.array([100.0, 100.0]) + (down if both else 0)
    high = np.array([120.0, 130.0]) + down
    center, size = boxes(low, high)
    scene = pixel_scene([np.broadcast_to(center, (60, 2))], T, size=size[None])
    assert len(of(scene, "bounce")) == number


@pytest.mark.parametrize(("away", "number"), [(False, 1), (True, 0)])
def test_what_goes_away_over_the_ground_is_not_thrown(pixel_scene, away, number) -> None:
    """A car seen from a bridge that slows down: its size is as its height below the horizon."""
    t = T[:30]
    y = 400 - 300 * t + 320 * t**2 / 2
    side = 40 * ((y - 40) / 360 if away else np.ones_like(y))
    center = np.stack([300 + 0 * t, y], axis=1)
    scene = pixel_scene([center], t, size=np.stack([side, side], axis=1)[None])
    assert len(of(scene, "throw")) == number


def test_a_box_that_takes_in_another_is_no_near_miss(pixel_scene) -> None:
    """One of two on a collision course, which swerves, becomes three times as wide meanwhile."""
    t = np.arange(90) / 30
    a = np.stack([100 + 100 * t, 200 + 0 * t], axis=1)
    b = np.stack([500 - 100 * t, 200 + 150 * np.clip(t - 1.3, 0, 0.5)], axis=1)
    size = np.full((2, 90, 2), 40.0)
    wide = size.copy()
    wide[1, :, 0] = np.interp(t, [1.0, 1.9], [40, 120])
    assert len(of(pixel_scene([a, b], t, size=size), "near_miss")) == 1
    assert of(pixel_scene([a, b], t, size=wide), "near_miss") == []
