"""Scenes that no camera made: events are looked for without a warning, and are finite."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from worldline.core import STATIC, Contact, Provenance, Scene
from worldline.physics import ONTOLOGY, PROFILES, detect_events

T = np.arange(40) / 30
N = 5


def metric(rng: np.random.Generator) -> Scene:
    """Bodies that move, turn, touch, bend and break."""
    n, t = N, len(T)
    start, speed = rng.normal(0, 1, (n, 1, 3)), rng.normal(0, 2, (n, 1, 3))
    position = start + speed * T[None, :, None] - 4.9 * T[None, :, None] ** 2 * [0, 0, 1]
    return Scene(
        time_s=T,
        width_px=64,
        height_px=48,
        ids=np.arange(n),
        labels=("ball",) * n,
        present=np.ones((n, t), dtype=bool),
        visible=np.ones((n, t), dtype=bool),
        center_px=rng.uniform(0, 64, (n, 1, 2)) + rng.normal(0, 20, (n, 1, 2)) * T[None, :, None],
        size_px=np.full((n, t, 2), 8.0),
        center_px_std=np.zeros((n, t, 2)),
        position_m=position,
        rotation_wxyz=rng.normal(0, 1, (n, t, 4)),
        angular_velocity_radps=rng.normal(0, 3, (n, t, 3)),
        extent_m=rng.uniform(0.1, 1.0, (n, 3)),
        bend=rng.uniform(0, 0.2, (n, t)),
        num_parts=rng.integers(1, 30, (n, t)),
        gravity_mps2=np.array([0.0, 0.0, -9.81]),
        contacts=(Contact(0, 1, 0.2, 0.9), Contact(2, STATIC, 0.1, 1.2), Contact(1, 3, 0.5, 0.5)),
    )


def pixel(rng: np.random.Generator) -> Scene:
    scene = metric(rng)
    return replace(
        scene,
        position_m=None,
        rotation_wxyz=None,
        angular_velocity_radps=None,
        extent_m=None,
        bend=None,
        num_parts=None,
        gravity_mps2=None,
        contacts=(),
    )


def put(array: np.ndarray | None, value: float, rng: np.random.Generator, share: float = 0.2):
    assert array is not None
    changed = array.copy()
    changed[rng.random(array.shape) < share] = value
    return changed


def spoilt(
    make: Callable[[np.random.Generator], Scene], name: str, value: float, share: float = 0.2
) -> Callable[[np.random.Generator], Scene]:
    """A scene with a share of the numbers of one field replaced."""

    def spoil(rng: np.random.Generator) -> Scene:
        scene = make(rng)
        return replace(scene, **{name: put(getattr(scene, name), value, rng, share)})

    return spoil


def many(rng: np.random.Generator) -> Scene:
    n = 120
    center = rng.uniform(0, 640, (n, 1, 2)) + rng.normal(0, 60, (n, 1, 2)) * T[None, :8, None]
    return Scene(
        time_s=T[:8],
        width_px=640,
        height_px=640,
        ids=np.arange(n),
        labels=("object",) * n,
        present=np.ones((n, 8), dtype=bool),
        visible=rng.random((n, 8)) < 0.9,
        center_px=center + rng.normal(0, 1, center.shape),
        size_px=rng.uniform(3, 60, (n, 8, 2)),
        center_px_std=np.zeros((n, 8, 2)),
    )


def short(scene: Scene, frames: int) -> Scene:
    return scene.after(len(T) - frames)


def ghosts(scene: Scene) -> Scene:
    contacts = (
        Contact(0, 99, 0.1, 1.0),
        Contact(77, 78, 0.1, 1.0),
        Contact(1, 1, 0.1, 1.0),
        Contact(0, 2, 1.0, 0.1),
        Contact(0, 2, 0.5, 0.5, None, math.nan, math.nan),
        Contact(3, STATIC, -5.0, 50.0, (math.nan, 1e12), 1e30, -1.0),
        Contact(STATIC, 0, 0.2, 0.9),
        Contact(STATIC, STATIC, 0.2, 0.9),
        Contact(1, 2, math.nan, math.nan),
        Contact(1, 2, -math.inf, math.inf),
    )
    return replace(scene, contacts=contacts)


CASES: dict[str, Callable[[np.random.Generator], Scene]] = {
    "nothing": lambda _: Scene.empty(T, 64, 48, Provenance()),
    "no time": lambda _: Scene.empty(T[:0], 64, 48, Provenance()),
    "metric": metric,
    "pixel": pixel,
    "metric, 1 frame": lambda r: short(metric(r), 1),
    "metric, 2 frames": lambda r: short(metric(r), 2),
    "metric, 3 frames": lambda r: short(metric(r), 3),
    "pixel, 1 frame": lambda r: short(pixel(r), 1),
    "pixel, 2 frames": lambda r: short(pixel(r), 2),
    "pixel, 4 frames": lambda r: short(pixel(r), 4),
    "nan positions": spoilt(metric, "position_m", np.nan),
    "all nan": lambda r: replace(metric(r), position_m=np.full((N, 40, 3), np.nan)),
    "infinite": spoilt(metric, "position_m", np.inf),
    "far away": spoilt(metric, "position_m", 1e12),
    "all far away": lambda r: replace(metric(r), position_m=np.full((N, 40, 3), 1e12)),
    "one place": lambda r: replace(metric(r), position_m=np.zeros((N, 40, 3))),
    "no gravity": lambda r: replace(metric(r), gravity_mps2=np.zeros(3)),
    "unknown gravity": lambda r: replace(metric(r), gravity_mps2=None),
    "nan gravity": lambda r: replace(metric(r), gravity_mps2=np.full(3, np.nan)),
    "nan extents": spoilt(metric, "extent_m", np.nan, 0.5),
    "no extents": lambda r: replace(metric(r), extent_m=None),
    "zero extents": lambda r: replace(metric(r), extent_m=np.zeros((N, 3))),
    "huge extents": lambda r: replace(metric(r), extent_m=np.full((N, 3), 1e12)),
    "negative extents": lambda r: replace(metric(r), extent_m=np.full((N, 3), -1.0)),
    "no turn": lambda r: replace(metric(r), rotation_wxyz=np.zeros((N, 40, 4))),
    "nan turn": spoilt(metric, "rotation_wxyz", np.nan),
    "nan spin": spoilt(metric, "angular_velocity_radps", np.nan),
    "huge spin": lambda r: replace(metric(r), angular_velocity_radps=np.full((N, 40, 3), 1e30)),
    "nan bend": spoilt(metric, "bend", np.nan),
    "infinite bend": spoilt(metric, "bend", np.inf),
    "no parts": lambda r: replace(metric(r), num_parts=np.zeros((N, 40), dtype=np.int64)),
    "negative parts": lambda r: replace(metric(r), num_parts=np.full((N, 40), -3)),
    "absent": lambda r: replace(metric(r), present=np.zeros((N, 40), dtype=bool)),
    "ghost contacts": lambda r: ghosts(metric(r)),
    "ghost contacts, pixel": lambda r: ghosts(pixel(r)),
    "times repeat": lambda r: replace(metric(r), time_s=np.floor(T * 10) / 10),
    "times run back": lambda r: replace(metric(r), time_s=T[::-1].copy()),
    "times stand": lambda r: replace(metric(r), time_s=np.zeros(40)),
    "times stand, pixel": lambda r: replace(pixel(r), time_s=np.zeros(40)),
    "times run back, pixel": lambda r: replace(pixel(r), time_s=T[::-1].copy()),
    "times jump": lambda r: replace(metric(r), time_s=T**8 * 1e9),
    "times crawl": lambda r: replace(pixel(r), time_s=T * 1e-12),
    "nan boxes": spoilt(pixel, "center_px", np.nan),
    "nan sizes": spoilt(pixel, "size_px", np.nan),
    "zero boxes": lambda r: replace(pixel(r), size_px=np.zeros((N, 40, 2))),
    "negative boxes": lambda r: replace(pixel(r), size_px=np.full((N, 40, 2), -4.0)),
    "huge boxes": lambda r: replace(pixel(r), size_px=np.full((N, 40, 2), 1e12)),
    "huge and tiny boxes": lambda r: replace(pixel(r), size_px=10 ** r.uniform(-9, 9, (N, 40, 2))),
    "jumpy boxes": lambda r: replace(
        pixel(r), center_px=r.uniform(0, 64, (N, 40, 2)), size_px=r.uniform(0.1, 60, (N, 40, 2))
    ),
    "far boxes": spoilt(pixel, "center_px", 1e12),
    "nan noise": lambda r: replace(pixel(r), center_px_std=np.full((N, 40, 2), np.nan)),
    "flickering": lambda r: replace(pixel(r), visible=r.random((N, 40)) < 0.5),
    "scale zero": lambda r: replace(pixel(r), metres_per_px=0.0),
    "scale nan": lambda r: replace(pixel(r), metres_per_px=math.nan),
    "many": many,
}


@pytest.mark.parametrize("case", CASES)
def test_hostile_scenes_give_finite_events(case: str) -> None:
    for seed in range(3 if case != "many" else 1):
        scene = CASES[case](np.random.default_rng(seed))
        for profile in (None, PROFILES["sumo"]) if case != "many" else (None,):
            for event in detect_events(scene, near_misses_by=profile):
                kind = ONTOLOGY[event.type]
                assert set(event.roles) <= set(kind.roles)
                finite = [math.isfinite(x) for x in event.quantities.values()]
                assert all(finite), (event.type, event.quantities)
