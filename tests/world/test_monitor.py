from dataclasses import replace

import numpy as np
import pytest
from tests.discs import disc_clips

from worldline.core import InputError
from worldline.world.monitor import AdaptiveRadius, Watch, design, watch
from worldline.world.prediction import predict_with_evidence
from worldline.world.signals import SIGNALS

HORIZON, NUM = 4, len(SIGNALS)


@pytest.fixture
def known():
    """Signals of held-out clips are spread evenly from 0 to 100; risk follows the first signal."""
    weights = np.zeros(4 + 2 * NUM)
    weights[4] = 2.0
    return Watch(
        limit_px=4.0,
        num_clips=99,
        context=(np.zeros(32), np.eye(32)),
        forecast=(np.zeros(32), np.eye(32)),
        tables=np.broadcast_to(np.linspace(0, 100, 11), (HORIZON, NUM, 11)).copy(),
        weights=weights,
        radii=np.broadcast_to(np.linspace(0, 3, 31), (HORIZON, 31)).copy(),
        num_tracks=np.full(HORIZON, 99.0),
    )


def test_p_values_count_held_out_forecasts_that_are_as_large(known):
    signals = np.full((HORIZON, NUM), 50.0)
    signals[0, 0], signals[1, 0], signals[2, 0] = -1.0, 101.0, np.nan
    p = known.p_values(signals)
    assert p[3, 0] == pytest.approx((1 + 99 * 0.5) / 100)
    assert p[0, 0] == 1.0
    assert p[1, 0] == pytest.approx(0.01)
    assert np.isnan(p[2, 0])


def test_risk_never_falls_and_follows_its_signal(known):
    calm = known.risk(np.full((HORIZON, NUM), 0.9))
    odd = known.risk(np.full((HORIZON, NUM), 0.05))
    assert (odd > calm).all()
    mixed = np.full((HORIZON, NUM), 0.9)
    mixed[1] = 0.05
    assert (np.diff(known.risk(mixed)) >= 0).all()


def test_what_is_missing_counts_as_usual():
    nothing = design(np.full((HORIZON, NUM), np.nan), HORIZON)
    usual = design(np.full((HORIZON, NUM), 0.5), HORIZON)
    assert nothing == pytest.approx(usual)


def test_radius_is_the_conformal_quantile_and_beyond_the_table_its_last_row(known):
    hard = np.ones((1, HORIZON + 2))
    # Of 99 numbers the 90th is the conformal quantile for 90 %: level 90 / 99.
    assert known.radius(hard)[0] == pytest.approx(np.full(HORIZON + 2, 3 * 90 / 99))
    few = replace(known, num_tracks=np.full(HORIZON, 5.0))
    assert np.isinf(few.radius(hard)).all()


def test_json_round_trip(known):
    again = Watch.from_json(known.to_json())
    assert again.tables == pytest.approx(known.tables)
    assert again.radius(np.ones((1, HORIZON))) == pytest.approx(known.radius(np.ones((1, HORIZON))))
    with pytest.raises(InputError, match="other signals"):
        Watch.from_json({**known.to_json(), "signals": ["spread"]})


def test_adaptive_radius_keeps_up_its_coverage_when_errors_double(known):
    rng = np.random.default_rng(0)
    state, hits = AdaptiveRadius(rate=0.05), []
    for _ in range(3000):
        error = 2 * rng.uniform(0, 3)  # twice what the table says
        missed = float(error > state.radius(known, np.ones((1, 1)))[0, 0])
        hits.append(1 - missed)
        state = state.seen(missed)
    assert np.mean(hits) == pytest.approx(0.9, abs=0.02)
    with pytest.raises(InputError, match="share_missed"):
        state.seen(2.0)


def test_every_forecast_has_a_monitor(nano, known):
    clip = next(disc_clips(1, num_frames=8))
    forecast, evidence = predict_with_evidence(nano, clip, context=8, horizon=6, samples=2, seed=0)
    monitor = forecast.monitor
    assert monitor is not None
    assert not monitor.calibrated
    assert "not been calibrated" in monitor.note
    assert set(monitor.signals) == set(SIGNALS)
    assert np.isfinite(monitor.signals["disagreement"]).all()
    told = watch({"monitor": known.to_json()}, evidence, nano.size_px)
    assert told.risk is not None
    assert told.risk.shape == (6,)
    assert ((told.risk >= 0) & (told.risk <= 1)).all()
    assert told.radius_px is not None
    assert told.radius_px.shape == forecast.scene.visible.shape
    assert "Beyond frame 4" in told.note


def test_one_future_disagrees_with_nobody(nano):
    clip = next(disc_clips(1, num_frames=8))
    forecast = nano.predict(clip, horizon=2, samples=1)
    assert np.isnan(forecast.monitor.signals["disagreement"]).all()
    assert np.isnan(forecast.monitor.signals["parting"]).all()
    assert forecast.to_json()["monitor"]["signals"]["parting"] == [None, None]
