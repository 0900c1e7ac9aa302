"""Events of shape, of vessels and of several bodies at once, on paths in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.core import STATIC, Contact, Event, Scene
from worldline.physics import detect_events

T = np.arange(60) / 30


def of(scene: Scene, kind: str) -> list[Event]:
    return [e for e in detect_events(scene) if e.type == kind]


def at(x: np.ndarray | float, y: np.ndarray | float, z: np.ndarray | float) -> np.ndarray:
    zero = 0 * T
    return np.stack([zero + x, zero + y, zero + z], axis=1)


def test_a_bend_is_a_deformation_with_its_depth_and_recovery(metric_scene):
    bend = 0.2 * np.exp(-(((T - 1.0) / 0.1) ** 2)) + np.where(T > 1.0, 0.05, 0.0)
    scene = metric_scene([at(0, 0, 0.2)], T, bend=bend[None])
    (event,) = of(scene, "deform")
    assert event.quantities["bend"] == pytest.approx(bend.max())
    assert event.quantities["recovery"] == pytest.approx(1 - 0.05 / bend.max())
    assert 0.8 < event.start_s < 0.9
    assert of(metric_scene([at(0, 0, 0.2)], T, bend=0.2 * bend[None]), "deform") == []
    assert of(metric_scene([at(0, 0, 0.2)], T), "deform") == []


def test_a_squash_in_pixels_is_a_deformation_and_a_turn_is_none(pixel_scene):
    fall = 100 + 0.5 * 600 * np.minimum(T, 1.0) ** 2
    y = fall - np.where(T > 1.0, 350 * (T - 1.0) - 300 * (T - 1.0) ** 2, 0.0)
    center = np.stack([0 * T + 300, y], axis=1)
    size = np.full((1, len(T), 2), 30.0)
    hit = np.abs(T - 1.0) < 0.05
    size[0, hit] = [36.0, 20.0]
    (event,) = of(pixel_scene([center], T, size=size), "deform")
    assert event.start_s == pytest.approx(1.0, abs=0.07)
    assert event.quantities["bend"] == pytest.approx(1 / 3, abs=0.02)
    turning = np.full((1, len(T), 2), 30.0)
    turning[0, :, 0] += 8 * np.sin(6 * T)
    turning[0, :, 1] -= 8 * np.sin(6 * T)
    assert of(pixel_scene([center], T, size=turning), "deform") == []
    assert of(pixel_scene([center], T, size=(30.0, 30.0)), "deform") == []


def test_a_body_that_becomes_several_breaks_on_what_it_hit(metric_scene):
    parts = np.where(T < 1.0, 1, np.where(T < 1.2, 3, 5))[None]
    touch = Contact(0, STATIC, 0.97, 1.0)
    scene = metric_scene([at(0, 0, 0.2)], T, num_parts=parts, contacts=(touch,))
    (event,) = of(scene, "break")
    assert event.quantities["num_pieces"] == 5
    assert event.roles == {"object": 0, "against": STATIC}
    assert (event.start_s, event.end_s) == pytest.approx((29 / 30, 1.2), abs=1e-3)
    assert of(metric_scene([at(0, 0, 0.2)], T, num_parts=np.full((1, 60), 12)), "break") == []


def shatter(apart: float) -> np.ndarray:
    """A body that stands until 1 s, and four pieces that go from there."""
    whole = np.stack([0 * T + 300, 0 * T + 200], axis=1)
    whole[T > 1.0] = np.nan
    paths = [whole]
    for angle in np.arange(4) * np.pi / 2 + 0.4:
        way = apart * np.maximum(T - 1.0, 0.0)[:, None] * [np.cos(angle), np.sin(angle)]
        paths.append(np.where((T > 1.0)[:, None], way + np.array([300.0, 200.0]), np.nan))
    return np.array(paths)


def test_pieces_that_fly_off_in_pixels_are_a_break(pixel_scene):
    size = np.full((5, len(T), 2), 14.0)
    size[0] = 40.0
    (event,) = of(pixel_scene(shatter(120.0), T, size=size), "break")
    assert event.roles == {"object": 0}
    assert event.quantities["num_pieces"] == 4
    # what stays where it was, or was there before, is no piece that flew off
    assert of(pixel_scene(shatter(2.0), T, size=size), "break") == []
    size[1:] = 40.0
    assert of(pixel_scene(shatter(120.0), T, size=size), "break") == []


def drop_in(x: float) -> np.ndarray:
    return at(x, 0, np.maximum(1.5 - 4.9 * T**2, 0.2))


def test_what_comes_to_be_in_a_larger_body_is_contained(metric_scene):
    sizes = np.array([[0.2, 0.2, 0.2], [1.0, 1.0, 0.6]])
    scene = metric_scene([drop_in(0.1), at(0, 0, 0.3)], T, extent_m=sizes)
    (event,) = of(scene, "contain")
    assert event.roles == {"object": 0, "vessel": 1}
    assert event.start_s == pytest.approx(np.sqrt(0.9 / 4.9), abs=0.04)
    assert event.end_s == pytest.approx(T[-1])
    assert of(metric_scene([drop_in(0.8), at(0, 0, 0.3)], T, extent_m=sizes), "contain") == []
    # who is in it from the start does not come in, and who is as long as it is does not fit
    assert of(metric_scene([at(0, 0, 0.3), at(0, 0, 0.3)], T, extent_m=sizes), "contain") == []
    sizes[0] = [0.2, 0.2, 1.2]
    assert of(metric_scene([drop_in(0.1), at(0, 0, 0.3)], T, extent_m=sizes), "contain") == []


def test_a_turned_vessel_has_its_own_axes(metric_scene):
    sizes = np.array([[0.2, 0.2, 0.2], [2.0, 0.4, 0.6]])
    turn = np.zeros((2, len(T), 4))
    turn[..., 0] = 1.0
    paths = [drop_in(0.6), at(0, 0, 0.3)]
    assert len(of(metric_scene(paths, T, extent_m=sizes, rotation_wxyz=turn), "contain")) == 1
    turn[1] = [np.cos(np.pi / 4), 0, 0, np.sin(np.pi / 4)]
    assert of(metric_scene(paths, T, extent_m=sizes, rotation_wxyz=turn), "contain") == []


def test_in_pixels_only_what_comes_from_above_and_rests_is_contained(pixel_scene):
    vessel = np.stack([0 * T + 300, 0 * T + 300], axis=1)
    falls = np.stack([0 * T + 305, np.minimum(100 + 600 * T**2, 305)], axis=1)
    size = np.zeros((2, len(T), 2))
    size[0], size[1] = [100, 80], [24, 24]
    (event,) = of(pixel_scene([vessel, falls], T, size=size), "contain")
    assert event.roles == {"object": 1, "vessel": 0}
    beside = np.stack([np.minimum(150 + 200 * T, 305), 0 * T + 305], axis=1)
    through = np.stack([0 * T + 305, 100 + 150 * T], axis=1)
    for path in (beside, through):
        assert of(pixel_scene([vessel, path], T, size=size), "contain") == []


def test_grains_that_leave_a_tipped_cup_are_poured_and_flow(metric_scene):
    tilt = np.clip((T - 0.3) / 0.6, 0, 1) * 2.0
    turn = np.zeros((2, len(T), 4))
    turn[..., 0] = 1.0
    turn[0] = np.stack([np.cos(tilt / 2), np.sin(tilt / 2), 0 * T, 0 * T], axis=1)
    falling = np.clip(T - 0.9, 0, 0.45)
    grains = at(0, 0.3 * np.clip(T - 0.8, 0, 0.5), 2.0 - 4.9 * falling**2)
    parts = np.stack([np.ones(len(T), dtype=np.int64), np.full(len(T), 24)])
    fields = {
        "extent_m": np.array([[0.8, 0.8, 0.7], [0.4, 0.4, 0.2]]),
        "rotation_wxyz": turn,
        "num_parts": parts,
    }
    paths = [at(0, 0, 2.1), grains]
    (event,) = of(metric_scene(paths, T, **fields), "pour")
    assert event.roles == {"agent": 0, "object": 1}
    assert event.quantities["num_bodies"] == 24
    assert event.quantities["height_m"] == pytest.approx(4.9 * 0.45**2, rel=0.15)
    assert 0.2 < event.start_s < 0.5
    flows = of(metric_scene(paths, T, **fields), "flow")
    assert [e.roles["object"] for e in flows] == [1]
    few = {**fields, "num_parts": np.minimum(parts, 3)}
    assert of(metric_scene(paths, T, **few), "pour") == []
    assert of(metric_scene(paths, T, **few), "flow") == []
    upright = {**fields, "rotation_wxyz": np.broadcast_to([1.0, 0, 0, 0], turn.shape).copy()}
    assert of(metric_scene(paths, T, **upright), "pour") == []


def star(number: int, radius: np.ndarray, dims: int) -> list[np.ndarray]:
    paths = []
    for angle in 2 * np.pi * np.arange(number) / number + 0.3:
        x, y = radius * np.cos(angle), radius * np.sin(angle)
        paths.append(at(x, y, 0.2) if dims == 3 else np.stack([320 + x, 240 + y], axis=1))
    return paths


@pytest.mark.parametrize("inward", [True, False])
def test_bodies_from_all_sides_converge_and_to_all_sides_diverge(
    metric_scene, pixel_scene, inward: bool
):
    way = 1.0 * T[::-1] if inward else 1.0 * T
    name, other = ("converge", "diverge") if inward else ("diverge", "converge")
    scene = metric_scene(star(4, way + 0.5, 3), T)
    (event,) = of(scene, name)
    assert event.quantities["num_bodies"] == 4
    assert event.quantities["shrink"] == pytest.approx(1 - 0.5 / (0.5 + T[-1]), abs=0.02)
    assert of(scene, other) == []
    pixels = pixel_scene(star(3, 80 * way + 30, 2), T)
    (event,) = of(pixels, name)
    assert event.quantities["num_bodies"] == 3
    # what goes away from the camera gathers in the picture too, and shrinks
    size = np.broadcast_to((20 * (way + 0.5) / 1.5)[None, :, None], (3, len(T), 2))
    assert of(pixel_scene(star(3, 80 * way + 30, 2), T, size=size), name) == []


def test_two_converge_only_if_they_come_close(metric_scene, pixel_scene):
    near, far = star(2, 0.3 + T[::-1], 3), star(2, 1.5 + T[::-1], 3)
    assert len(of(metric_scene(near, T), "converge")) == 1
    assert of(metric_scene(far, T), "converge") == []
    assert of(pixel_scene(star(2, 15 + 80 * T[::-1], 2), T), "converge") == []


def test_a_queue_does_not_converge(metric_scene):
    paths = [at(2.0 * T + x, 0, 0.2) for x in (0.0, 1.0, 2.0, 3.0)]
    scene = metric_scene(paths, T)
    assert of(scene, "converge") == of(scene, "diverge") == []


def test_many_bodies_that_move_alike_and_near_flow(metric_scene, pixel_scene):
    rng = np.random.default_rng(2)
    spots = rng.uniform(-0.6, 0.6, (14, 2))
    metric = [at(x, y + 0.8 * T, 0.2) for x, y in spots]
    (event,) = of(metric_scene(metric, T, radius=0.1), "flow")
    assert event.quantities["num_bodies"] >= 8
    assert event.quantities["speed_mps"] == pytest.approx(0.8, rel=0.05)
    pixel = [np.stack([300 + 40 * x + 0 * T, 100 + 40 * y + 60 * T], axis=1) for x, y in spots]
    assert len(of(pixel_scene(pixel, T, size=(6.0, 6.0)), "flow")) == 1
    own = rng.uniform(0, 2 * np.pi, 14)
    apart = [
        at(x + T * np.cos(a), y + T * np.sin(a), 0.2) for (x, y), a in zip(spots, own, strict=True)
    ]
    assert of(metric_scene(apart, T, radius=0.1), "flow") == []
    assert of(metric_scene(metric[:7], T, radius=0.1), "flow") == []
