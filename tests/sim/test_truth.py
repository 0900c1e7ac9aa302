from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import STATIC
from worldline.sim.engine import Touches
from worldline.sim.framing import Shot, look_at
from worldline.sim.studio import film_stage
from worldline.sim.truth import merge_contacts

CAMERA = look_at(np.array([0.0, -5.0, 0.0]), np.zeros(3), focal_px=64.0, size_px=64)


def touches(rows) -> Touches:
    time_s, a, b, impulse = (np.array(column) for column in zip(*rows, strict=True))
    return Touches(
        time_s=time_s.astype(float),
        a=a.astype(np.int64),
        b=b.astype(np.int64),
        impulse_ns=impulse.astype(float),
        point_m=np.tile([0.5, 0.0, 0.0], (len(rows), 1)),
    )


def test_touches_merge_over_short_gaps_only():
    rows = [(0.1, 0, -1, 1.0), (0.101, 0, -1, 2.0), (0.115, 0, -1, 3.0), (0.2, 0, -1, 4.0)]
    first, second = merge_contacts(touches(rows), 0.001, CAMERA, np.zeros(1))
    assert (first.a, first.b) == (0, STATIC)
    assert (first.start_s, first.end_s) == pytest.approx((0.1, 0.116))
    assert (second.start_s, second.end_s) == pytest.approx((0.2, 0.201))
    assert first.impulse_ns == pytest.approx(6.0)
    assert first.point_px == pytest.approx((32 + 64 * 0.5 / 5, 32))


def test_impulse_of_a_long_touch_is_the_strongest_impact():
    rows = [(0.001 * i, 0, -1, 0.1) for i in range(100)]
    rows[50] = (0.05, 0, -1, 5.0)
    (contact,) = merge_contacts(touches(rows), 0.001, CAMERA, np.zeros(1))
    assert contact.impulse_ns == pytest.approx(5.0 + 19 * 0.1, abs=0.11)


def test_pairs_are_kept_apart_and_in_order():
    rows = [(0.3, 1, 0, 1.0), (0.1, 1, -1, 1.0), (0.2, 0, -1, 1.0)]
    found = merge_contacts(touches(rows), 0.001, CAMERA, np.zeros(1))
    assert [(c.a, c.b) for c in found] == [(1, STATIC), (0, STATIC), (0, 1)]


def test_a_cluster_is_one_object(stage_of, ball):
    seeds = [ball((x, 0.0, 1.0), radius_m=0.1, cluster="seeds") for x in (-0.5, 0.5)]
    seeds[1] = replace(seeds[1], mass_kg=6.0)
    stage = stage_of(ball((0.0, 0.0, 0.3)), *seeds, restitution=0.1)
    assert stage.objects.tolist() == [0, 1, 1]
    clip = film_stage(stage, Shot(64))
    scene = clip.scene
    assert scene is not None
    assert scene.labels == ("ball", "seeds")
    assert scene.mass_kg is not None
    assert scene.mass_kg.tolist() == [2.0, 8.0]
    assert scene.position_m is not None
    # three quarters of the mass are on the right
    np.testing.assert_allclose(scene.position_m[1, 0], (0.25, 0, 1.0), atol=0.01)
    assert scene.extent_m is not None
    np.testing.assert_allclose(scene.extent_m[1], (1.2, 0.2, 0.2))
    assert clip.segmentation is not None
    assert set(np.unique(clip.segmentation)) <= {-1, 0, 1}
    assert (clip.segmentation == 1).any()
    assert all(c.a != c.b for c in scene.contacts)
    assert any((c.a, c.b) == (1, STATIC) for c in scene.contacts)
