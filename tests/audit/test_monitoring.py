import json

import numpy as np
import pytest
from tests.discs import disc_clips

from worldline.audit.monitoring import Case, fit_watch, match_tracks, store_entries
from worldline.core import InputError
from worldline.world.monitor import Watch, difficulty
from worldline.world.signals import Evidence, read_signals

HORIZON = 6


def cases(num, seed, scale=1.0):
    """Forecasts whose error follows their surprise, and their scenes' places by a pixel or so."""
    rng = np.random.default_rng(seed)
    found = []
    for clip in disc_clips(num, num_frames=HORIZON, seed=seed):
        surprise = rng.normal()
        evidence = Evidence(
            context=rng.normal(size=(8, 4, 3)),
            futures=rng.normal(size=(2, HORIZON, 4, 3)),
            residual=np.ones(HORIZON),
            context_residual=0.0,
            surprise=surprise,
            uncertainty=np.full(HORIZON, 0.1),
            scenes=(clip.scene,),
            audits=((),),
            time_s=clip.scene.time_s,
            doubt_px=np.zeros(HORIZON),
        )
        error = np.full(HORIZON, 4.0 + 2 * surprise + rng.normal(0, 0.5))
        track = scale * np.abs(rng.normal(0, 1, clip.scene.visible.shape))
        found.append(Case(evidence, error, track))
    return found


def test_risk_is_high_where_forecasts_fail_and_radii_cover():
    known = fit_watch(cases(80, 0), 4.0)
    fresh = cases(80, 1)
    risk, failed, inside = [], [], []
    for case in fresh:
        signals = read_signals(case.evidence, known.distances(case.evidence))
        risk.append(known.risk(known.p_values(signals))[-1])
        failed.append(case.error_px[-1] > 4)
        inside.append(case.track_error_px <= known.radius(difficulty(case.evidence)))
    risk, failed = np.array(risk), np.array(failed)
    assert risk[failed].mean() > 0.7
    assert risk[~failed].mean() < 0.3
    assert np.mean(inside) == pytest.approx(0.9, abs=0.04)
    assert Watch.from_json(json.loads(json.dumps(known.to_json()))).weights == pytest.approx(
        known.weights, rel=1e-4
    )


def test_too_few_forecasts_or_no_failure_are_refused():
    with pytest.raises(InputError, match="too few"):
        fit_watch(cases(5, 0), 4.0)
    with pytest.raises(InputError, match="have to fail"):
        fit_watch(cases(25, 0), 1e6)


def test_tracks_are_compared_with_the_nearest_true_object():
    clip = next(disc_clips(1, num_frames=HORIZON + 8))
    ahead = clip.scene.after(8)
    assert match_tracks(ahead, clip, 8) == pytest.approx(np.zeros(ahead.visible.shape))


def test_other_entries_stay(tmp_path):
    file = tmp_path / "calibration.json"
    file.write_text(json.dumps({"surprise_mean": 0.5, "monitor": 1}))
    store_entries({"monitor": {"a": 2}}, file)
    assert json.loads(file.read_text()) == {"surprise_mean": 0.5, "monitor": {"a": 2}}
