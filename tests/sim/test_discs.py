from __future__ import annotations

import numpy as np
import pytest

from worldline.sim import Split, make_clip
from worldline.sim.discs import draw_discs
from worldline.sim.families.laws import truth_of

BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


@pytest.mark.parametrize("radius_px", [2.0, 4.5, 9.0])
@pytest.mark.parametrize("x", [32.0, 32.25, 31.6])
def test_a_disc_covers_its_area_around_its_centre(radius_px: float, x: float):
    center = np.array([[[x, 30.1]]])
    frames, identity, area = draw_discs(center, np.array([radius_px]), (WHITE,), BLACK, 64)
    share = frames[0, :, :, 0] / 255
    grid = np.arange(64) + 0.5
    assert area[0, 0] == pytest.approx(np.pi * radius_px**2, rel=0.01)
    assert share.sum() == pytest.approx(np.pi * radius_px**2, rel=0.01)
    assert (share * grid).sum() / share.sum() == pytest.approx(x, abs=0.01)
    assert (share.T * grid).sum() / share.sum() == pytest.approx(30.1, abs=0.01)
    assert (identity[0] == 0).sum() == pytest.approx(np.pi * radius_px**2, rel=0.12)


def test_pixel_positions_follow_from_metres():
    clip = make_clip("disc_parabola", 0, seed=3)
    scene = clip.scene
    assert scene is not None
    truth = truth_of(clip)
    assert scene.metres_per_px == pytest.approx(10 / 64)
    x, z = truth.position_m[..., 0], truth.position_m[..., 2]
    np.testing.assert_allclose(scene.center_px, np.stack([6.4 * x, 64 - 6.4 * z], -1))
    np.testing.assert_allclose(clip.time_s, np.arange(32) * 0.1)
    np.testing.assert_allclose(scene.gravity_mps2, (0, 0, -2.5))
    assert scene.camera is None


def test_the_parabola_is_the_closed_form():
    truth = truth_of(make_clip("disc_parabola", 5, seed=0, split=Split.OUT_OF_DISTRIBUTION))
    t = truth.time_s
    start, velocity = truth.position_m[0, 0], truth.velocity_mps[0, 0]
    assert velocity[2] == 0
    expected = start + velocity * t[:, None] - [0, 0, 1.25] * t[:, None] ** 2
    np.testing.assert_allclose(truth.position_m[0], expected, atol=1e-12)


def test_a_collision_is_elastic_with_mass_as_area():
    clip = make_clip("disc_collision", 2, seed=0)
    truth = truth_of(clip)
    np.testing.assert_allclose(truth.mass_kg, np.pi * (truth.extent_m[:, 0] / 2) ** 2)
    m1, m2 = truth.mass_kg
    u1, u2 = truth.velocity_mps[:, 0, 0]
    v1, v2 = truth.velocity_mps[:, -1, 0]
    assert v1 == pytest.approx(((m1 - m2) * u1 + 2 * m2 * u2) / (m1 + m2))
    assert v2 == pytest.approx(((m2 - m1) * u2 + 2 * m1 * u1) / (m1 + m2))
    (touch,) = truth.scene.contacts
    assert touch.impulse_ns == pytest.approx(m1 * abs(v1 - u1))
    # at the touch the gap between the rims closes
    gap = truth.position_m[1, 0, 0] - truth.position_m[0, 0, 0] - truth.extent_m[:, 0].sum() / 2
    assert touch.start_s == pytest.approx(gap / (u1 - u2))
    assert touch.point_px is not None
    assert 0 < touch.point_px[0] < 64


@pytest.mark.parametrize("family", ["disc_uniform", "disc_parabola", "disc_collision"])
def test_disc_parameters_stay_in_the_ranges_of_their_split(family: str):
    for split, inside in [
        (Split.TRAIN, lambda r, v: (r >= 0.7) & (r <= 1.4) & (v >= 1) & (v <= 4)),
        (
            Split.OUT_OF_DISTRIBUTION,
            lambda r, v: ((r <= 0.6) | (r >= 1.5)) & ((v <= 0.8) | (v >= 4.5)),
        ),
    ]:
        for index in range(6):
            truth = truth_of(make_clip(family, index, seed=1, split=split, events=False))
            radius = truth.extent_m[:, 0] / 2
            speed = np.abs(truth.velocity_mps[:, 0, 0])
            assert inside(radius, speed).all()
