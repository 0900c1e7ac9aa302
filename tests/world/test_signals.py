from dataclasses import replace

import numpy as np
import pytest
from tests.discs import disc_clips

from worldline.core.verdict import Outcome, Verdict
from worldline.world.signals import (
    SIGNALS,
    Evidence,
    measure_moved,
    measure_parting,
    pool,
    read_signals,
)

HORIZON = 6


@pytest.fixture
def scene():
    return next(disc_clips(1, num_frames=HORIZON)).scene


def evidence_of(scene, others=(), verdicts=()):
    rng = np.random.default_rng(0)
    return Evidence(
        context=np.zeros((8, 4, 3)),
        futures=rng.normal(size=(2, HORIZON, 4, 3)),
        residual=np.full(HORIZON, np.e),
        context_residual=0.0,
        surprise=-2.0,
        uncertainty=np.full(HORIZON, 0.1),
        scenes=(scene, *others),
        audits=(tuple(verdicts),),
        time_s=scene.time_s,
        doubt_px=np.linspace(0, 1, HORIZON),
    )


def column(evidence, name):
    return read_signals(evidence, (0.0, np.zeros(HORIZON)))[:, list(SIGNALS).index(name)]


def test_pool_gives_mean_and_spread_of_channels():
    found = pool(np.array([[[1.0, 2.0], [3.0, 2.0]]]))
    assert found[0, :2] == pytest.approx([2.0, 2.0])
    assert found[0, 2:] == pytest.approx(np.log([1.001, 0.001]))


def test_futures_that_lie_apart_part(scene):
    away = replace(scene, center_px=scene.center_px + np.array([0.0, 2.0]))
    # Two places two pixels apart: one pixel each about their mean.
    assert measure_parting((scene, away)) == pytest.approx(np.ones(scene.visible.shape))
    assert measure_parting((scene, scene)) == pytest.approx(np.zeros(scene.visible.shape))
    assert column(evidence_of(scene, (away,)), "parting") == pytest.approx(np.log(2))


def test_moved_is_the_distance_from_the_start(scene):
    expected = np.linalg.norm(scene.center_px - scene.center_px[:, :1], axis=-1)
    assert measure_moved(scene) == pytest.approx(expected)


def test_laws_speak_from_the_moment_on(scene):
    broken = Verdict("inertia", Outcome.FAIL, 1e-3, float(scene.time_s[2]))
    found = column(evidence_of(scene, verdicts=(broken,)), "laws")
    assert found[:2] == pytest.approx(0.0)
    assert found[2:] == pytest.approx(-np.log(1e-3))


def test_residual_is_relative_to_the_context(scene):
    assert column(evidence_of(scene), "residual") == pytest.approx(1.0)


def test_doubt_is_in_logarithms_and_none_is_the_least(scene):
    found = column(evidence_of(scene), "doubt")
    assert found == pytest.approx(np.log(np.linspace(0, 1, HORIZON) + 1e-3))
    assert found.argmin() == 0
