from dataclasses import replace

import numpy as np
import pytest
from tests.discs import disc_clips

from worldline.core import InputError
from worldline.readout.latent import Detection
from worldline.world.monitor import AdaptiveRadius, Watch
from worldline.world.outlook import Outlook, match_places
from worldline.world.prediction import predict_with_evidence
from worldline.world.signals import SIGNALS

HORIZON, CONTEXT = 4, 8


@pytest.fixture(scope="module")
def known():
    """Position errors of held-out objects are spread evenly from 0 to 3 times their difficulty."""
    num = len(SIGNALS)
    return Watch(
        limit_px=4.0,
        num_clips=99,
        context=(np.zeros(32), np.eye(32)),
        forecast=(np.zeros(32), np.eye(32)),
        tables=np.zeros((HORIZON, num, 2)),
        weights=np.zeros(4 + 2 * num),
        radii=np.broadcast_to(np.linspace(0, 3, 31), (HORIZON, 31)).copy(),
        num_tracks=np.full(HORIZON, 99.0),
    )


@pytest.fixture(scope="module")
def made(nano):
    """A forecast whose scene is the truth, and what the readout would see in all true frames."""
    clip = next(disc_clips(1, num_frames=CONTEXT + HORIZON))
    forecast, evidence = predict_with_evidence(
        nano, clip.slice(0, CONTEXT), context=CONTEXT, horizon=HORIZON, samples=1, seed=0
    )
    truth = clip.scene.after(CONTEXT)
    forecast = replace(forecast, scenes=(truth,))
    return forecast, replace(evidence, scenes=(truth,)), clip.scene


def detections(scene, frame, shift_px=0.0):
    places = scene.center_px[scene.visible[:, frame], frame]
    colors = scene.color_rgb[scene.visible[:, frame]]
    return [
        Detection(x + shift_px, y, 0.1, 8.0, 8.0, float("nan"), tuple(c.tolist()), 1.0)
        for (x, y), c in zip(places.tolist(), colors, strict=True)
    ]


def expect(made, known, outlook):
    forecast, evidence, scene = made
    found = [detections(scene, t) for t in range(CONTEXT)]
    return outlook.expect(forecast, evidence, known, found)


def test_radii_grow_at_the_lead_that_missed_and_shrink_where_it_did_not(made, known):
    start = Outlook.begin({"monitor": known.to_json()})
    assert start.levels == (AdaptiveRadius(),) * HORIZON
    waiting, told = expect(made, known, start)
    near = waiting.see(detections(made[2], CONTEXT), 64)
    assert near.levels[0].level > 0.1
    far = near.see(detections(made[2], CONTEXT + 1, shift_px=3.0), 64)
    assert far.levels[1].level == pytest.approx(0.1 + 0.02 * (0.1 - 1.0))
    assert [level.num_seen for level in far.levels] == [1, 1, 0, 0]
    assert len(far.waiting) == 1
    again = expect(made, known, far)[1]
    before, after = told.monitor.radius_px, again.monitor.radius_px
    shown = np.isfinite(before)
    assert (after[:, 0][shown[:, 0]] <= before[:, 0][shown[:, 0]]).all()
    assert (after[:, 1][shown[:, 1]] > before[:, 1][shown[:, 1]]).all()
    np.testing.assert_array_equal(after[:, 2], before[:, 2])


def test_forecasts_are_forgotten_once_they_came_true_or_were_not_looked_at(made, known):
    outlook = expect(made, known, Outlook.begin({"monitor": known.to_json()}))[0]
    assert outlook.blind().waiting == ()
    for t in range(HORIZON):
        outlook = outlook.see(detections(made[2], CONTEXT + t), 64)
    assert outlook.waiting == ()
    assert all(level.num_seen == 1 for level in outlook.levels)
    assert outlook.see([], 64) is outlook


def test_what_is_not_seen_says_nothing(made, known):
    outlook = expect(made, known, Outlook.begin({"monitor": known.to_json()}))[0]
    assert outlook.see([], 64).levels[0].num_seen == 0


def test_levels_pass_from_session_to_session_if_there_are_as_many():
    levels = (AdaptiveRadius(level=0.05),)
    outlook = Outlook((AdaptiveRadius(),))
    assert outlook.with_levels(levels).levels == levels
    with pytest.raises(InputError, match="one for each lead"):
        outlook.with_levels(levels * 2)


def test_bodies_are_matched_where_they_are_first_shown():
    true = np.array([[[0.0, 0], [1, 0], [2, 0]], [[20.0, 0], [20, 0], [20, 0]]])
    made = np.array([[[1.0, 0], [1, 1], [2, 2]], [[50.0, 0], [50, 0], [50, 0]]])
    shown = np.ones((2, 3), dtype=bool)
    seen = shown.copy()
    seen[0, 2] = False
    error = match_places(made, shown, true, seen)
    np.testing.assert_allclose(error[0], [1, 1, np.nan])
    assert np.isnan(error[1]).all()
