"""Simulated films in other light."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.audit.relight import cast, cross, paint, relit, rods, soften
from worldline.core import Clip
from worldline.sim import FAMILIES, Split
from worldline.sim.framing import CameraPath, Shot


def film(family: str, seed: int = 4) -> Clip:
    return FAMILIES[family].make(Split.TRAIN, np.random.default_rng(seed), Shot(48))


@pytest.fixture(scope="module")
def drop() -> Clip:
    return film("drop")


def shaded(clip: Clip) -> np.ndarray:
    assert clip.background is not None
    assert clip.segmentation is not None
    level = (clip.frames.sum(-1) + 3.0) / (clip.background.sum(-1) + 3.0)
    return (level < 0.8) & (clip.segmentation < 0)


def test_a_pendulum_hangs_on_a_rod_and_a_ball_on_none(drop):
    rod = rods(film("pendulum"))
    assert rod.any(axis=(1, 2)).all()
    assert not rods(drop).any()
    assert not rods(film("disc_uniform")).any()  # it has no depth


def test_shadows_leave_what_is_asked_of_the_light_and_bodies_stay(drop):
    dark = cast(drop, (0.2, 0.2, 0.3))
    body = drop.segmentation >= 0
    np.testing.assert_array_equal(dark[body], drop.frames[body])
    where = shaded(drop)
    assert where.any()
    share = dark[where] / np.broadcast_to(drop.background, dark.shape)[where]
    assert np.percentile(share, 10, axis=0) == pytest.approx([0.2, 0.2, 0.3], abs=0.06)


def test_soft_shadows_reach_further_and_bodies_stay(drop):
    hard = cast(drop, (0.3, 0.3, 0.3))
    soft = soften(drop, hard, 2.0)
    body = drop.segmentation >= 0
    np.testing.assert_array_equal(soft[body], hard[body])
    dark = [((drop.background - f).max(axis=-1) > 3)[~body].sum() for f in (hard, soft)]
    assert dark[1] > 1.05 * dark[0]


def test_a_patch_goes_from_left_to_right(drop):
    rng = np.random.default_rng(1)
    factor = (cross(drop, (0.5, 0.5, 0.5), 2.0, rng) + 1) / (drop.frames + 1.0)
    middle = [float(np.nonzero(f.min(axis=-1) < 0.7)[1].mean()) for f in factor]
    assert middle[-1] - middle[0] > 30
    assert factor.min() == pytest.approx(0.5, abs=0.02)


def test_painted_bodies_have_the_grounds_colour(drop):
    flat = paint(drop, 0.0, np.random.default_rng(1))
    inside = flat[drop.segmentation == 0]
    assert np.ptp(inside, axis=0).max() < 1e-3
    ground = np.median(drop.background[0, 16:].reshape(-1, 3), axis=0)
    ratio = inside[0] / ground
    assert ratio.min() >= 0.28
    assert np.ptp(ratio) < 1e-3
    shaded_ones = paint(drop, 1.0, np.random.default_rng(1))
    assert np.ptp(shaded_ones[drop.segmentation == 0], axis=0).max() > 5


def test_shadows_are_changed_only_where_the_camera_stands_still(drop):
    names = [name for name, _ in relit(drop, np.random.default_rng(0))]
    assert (len(names), len(set(names))) == (8, 6)
    shot = Shot(32, path=CameraPath(orbit_rad=0.4, pan=0.0))
    moving = FAMILIES["drop"].make(Split.TRAIN, np.random.default_rng(4), shot)
    assert {name for name, _ in relit(moving, np.random.default_rng(0))} == {
        "a patch of light crosses"
    }
    assert not rods(moving).any()
