"""Events of two bodies that stay together, on paths in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.core import STATIC, Contact, Event, Scene
from worldline.physics import detect_events

T = np.arange(90) / 30


def of(scene: Scene, kind: str) -> list[Event]:
    return [e for e in detect_events(scene) if e.type == kind]


def at(x: np.ndarray | float, y: np.ndarray | float, z: np.ndarray | float) -> np.ndarray:
    return np.stack([np.broadcast_to(np.asarray(c, float), T.shape) for c in (x, y, z)], axis=1)


ON_FLOOR = (Contact(0, STATIC, 0.0, 3.0), Contact(1, STATIC, 0.0, 3.0))


def test_who_pushes_is_behind(metric_scene):
    x = np.where(T < 1, -1 + 0.6 * T, -0.4 + 0.6 * (T - 1))
    ball = np.maximum(x + 0.4, 0.0)
    touch = Contact(0, 1, 1.0, 3.0)
    scene = metric_scene([at(x, 0, 0.2), at(ball, 0, 0.2)], T, contacts=(*ON_FLOOR, touch))
    (push,) = of(scene, "push")
    assert push.roles == {"agent": 0, "object": 1}
    assert push.quantities["distance_m"] == pytest.approx(1.2, rel=0.1)
    assert not of(scene, "carry")
    assert not of(scene, "support")


def test_bodies_side_by_side_do_not_push(metric_scene):
    touch = Contact(0, 1, 0.0, 3.0)
    scene = metric_scene([at(T, 0, 0.2), at(T, 0.4, 0.2)], T, contacts=(*ON_FLOOR, touch))
    assert not of(scene, "push")


def test_a_body_stands_on_another_and_is_carried(metric_scene):
    touch = (Contact(0, STATIC, 0.0, 3.0), Contact(0, 1, 0.0, 3.0))
    rests = metric_scene([at(0, 0, 0.2), at(0.05, 0, 0.6)], T, contacts=touch)
    (support,) = of(rests, "support")
    assert support.roles == {"object": 1, "support": 0}
    assert support.quantities["duration_s"] == pytest.approx(T[-1])
    assert not of(rests, "carry")
    x = 0.5 * np.maximum(T - 1, 0)
    rides = metric_scene([at(x, 0, 0.2), at(x + 0.05, 0, 0.6)], T, contacts=touch)
    (carry,) = of(rides, "carry")
    assert carry.roles == {"agent": 0, "object": 1}
    assert carry.quantities["distance_m"] == pytest.approx(1.0, rel=0.1)


def test_lifting_and_putting_down(metric_scene):
    z = np.interp(T, [0, 1, 1.8, 2.2, 3], [0.2, 0.2, 0.8, 0.8, 0.8])
    hand = z + 0.4
    touch = (Contact(1, STATIC, 0.0, 1.0), Contact(0, 1, 0.7, 3.0))
    scene = metric_scene([at(0, 0, hand), at(0, 0, z)], T, contacts=touch)
    (lift,) = of(scene, "pick_up")
    assert lift.roles == {"agent": 0, "object": 1}
    assert lift.quantities["height_m"] == pytest.approx(0.6, rel=0.1)
    back = (Contact(1, STATIC, 2.0, 3.0), Contact(0, 1, 0.0, 2.3))
    scene = metric_scene([at(0, 0, hand[::-1]), at(0, 0, z[::-1])], T, contacts=back)
    (put,) = of(scene, "put_down")
    assert put.quantities["height_m"] == pytest.approx(0.6, rel=0.1)
    assert not of(scene, "pick_up")


def test_a_ball_that_falls_onto_another_is_not_put_down(metric_scene):
    z = np.maximum(2 - 9.81 * T**2 / 2, 0.6)
    touch = (Contact(0, STATIC, 0.0, 3.0), Contact(0, 1, 0.53, 3.0))
    scene = metric_scene([at(0, 0, 0.2), at(0, 0, z)], T, contacts=touch)
    assert not of(scene, "put_down")
    assert not of(scene, "pick_up")


def test_a_follower_has_a_headway_and_a_leader(metric_scene, pixel_scene):
    scene = metric_scene([at(2 * T, 0, 0.2), at(2 * T + 2.4, 0.1, 0.2)], T)
    (follow,) = of(scene, "follow")
    assert follow.roles == {"object": 0, "leader": 1}
    assert follow.quantities["headway_s"] == pytest.approx((2.4 - 0.4) / 2, rel=0.1)
    rng = np.random.default_rng(2)
    paths = [np.stack([x + 100 * T, np.full_like(T, 200.0)], axis=1) for x in (40, 110)]
    noisy = [path + rng.normal(0, 0.3, path.shape) for path in paths]
    (follow,) = of(pixel_scene(noisy, T), "follow")
    assert follow.roles == {"object": 0, "leader": 1}


def test_who_goes_the_other_way_or_far_ahead_is_not_followed(metric_scene):
    other = metric_scene([at(2 * T, 0, 0.2), at(8 - 2 * T, 0.5, 0.2)], T)
    far = metric_scene([at(T, 0, 0.2), at(T + 8, 0, 0.2)], T)
    beside = metric_scene([at(2 * T, 0, 0.2), at(2 * T + 0.1, 1.5, 0.2)], T)
    for scene in (other, far, beside):
        assert not of(scene, "follow")
        assert not of(scene, "overtake")


def test_overtaking_has_a_relative_speed(metric_scene):
    scene = metric_scene([at(3 * T - 2, 0.8, 0.2), at(1.5 * T, 0, 0.2)], T)
    (event,) = of(scene, "overtake")
    assert event.roles == {"object": 0, "overtaken": 1}
    assert event.quantities["relative_speed_mps"] == pytest.approx(1.5, rel=0.1)
    swapped = metric_scene([at(1.5 * T, 0, 0.2), at(3 * T - 2, 0.8, 0.2)], T)
    assert of(swapped, "overtake")[0].roles == {"object": 1, "overtaken": 0}
    assert not of(metric_scene([at(2 * T - 2, 0.8, 0.2), at(1.9 * T, 0, 0.2)], T), "overtake")


def pile(t: np.ndarray, gives_way_s: float) -> list[np.ndarray]:
    """Three balls on top of each other, of which the upper two come down to the floor."""
    fall = np.maximum(t - gives_way_s, 0)
    paths = [at(0, 0, 0.2)]
    for level, x in ((1, 0.6), (2, -0.6)):
        z = np.maximum(0.2 + 0.4 * level - 4 * fall**2, 0.2)
        paths.append(at(x * np.minimum(fall, 0.7), 0, z))
    return paths


def test_a_pile_that_loses_its_hold_collapses(metric_scene):
    touch = (Contact(0, STATIC, 0, 3), Contact(0, 1, 0, 1.0), Contact(1, 2, 0, 1.0))
    scene = metric_scene(pile(T, 1.0), T, contacts=touch)
    (event,) = of(scene, "collapse")
    assert event.roles == {"object": 2}
    assert event.quantities["num_bodies"] == 2
    assert event.quantities["height_lost_m"] == pytest.approx(0.8, rel=0.1)
    assert event.start_s == pytest.approx(1.0, abs=0.15)
    assert not of(metric_scene(pile(T, 9.0), T, contacts=touch), "collapse")


def test_one_ball_that_rolls_off_is_no_collapse(metric_scene):
    paths = pile(T, 1.0)
    paths[1] = at(0, 0, 0.6)
    touch = (Contact(0, STATIC, 0, 3), Contact(0, 1, 0, 3.0), Contact(1, 2, 0, 1.0))
    assert not of(metric_scene(paths, T, contacts=touch), "collapse")
