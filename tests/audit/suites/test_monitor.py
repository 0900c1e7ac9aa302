import numpy as np
import pytest
from tests.audit.test_monitoring import cases

from worldline.audit.continuity import SIGNALS
from worldline.audit.monitoring import fit_watch
from worldline.audit.suites import MissingFunctionError, of_baseline, of_world
from worldline.audit.suites.monitor import Settings, run
from worldline.audit.suites.result import RowKind, SuiteResult
from worldline.audit.video_watch import VideoWatch
from worldline.core import InputError
from worldline.dynamics import FlowDynamics, TrajectoryForecaster
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.world import World


@pytest.fixture(scope="module")
def nano():
    return World.Config(
        name="nano",
        tokenizer=ContinuousTokenizer.Config(
            channels=3, fine_width=8, coarse_width=8, fine_depth=1, coarse_depth=1
        ),
        dynamics=FlowDynamics.Config(channels=3, stem_width=8, width=16, depth=3, heads=1),
        readout=LatentReadout.Config(channels=3, width=8, depth=1),
        trajectory=TrajectoryForecaster.Config(
            fine_width=8, width=16, depth=2, late_depth=1, heads=1
        ),
    ).build()


def test_a_world_is_judged_beside_trivial_scores(nano):
    watch = fit_watch(cases(40, 0), 4.0).to_json()
    rng = np.random.default_rng(0)
    video = VideoWatch.fit([rng.uniform(0, 1, (4, len(SIGNALS))) for _ in range(20)]).to_json()
    world = nano.finished({"monitor": watch, "monitor_video": video}, "")
    heard = []
    result = run(of_world(world), Settings(num_clips=2), heard.append)
    assert heard[-1] == pytest.approx(1.0)
    assert heard == sorted(heard)
    names = {table.name for table in result.tables}
    assert {"injected_lawful", "injected_own", "natural", "warned", "coverage"} <= names
    natural = result.table("natural")
    assert natural.rows[0].kind is RowKind.SUBJECT
    assert {row.name for row in natural.rows} >= {"spread alone", "trust alone", "random"}
    assert SuiteResult.from_json(result.to_json()).to_json() == result.to_json()


def test_it_says_what_is_missing(nano):
    with pytest.raises(MissingFunctionError, match="no world"):
        run(of_baseline("copy-last"), Settings(quick=True))
    with pytest.raises(InputError, match="not been calibrated"):
        run(of_world(nano), Settings(quick=True))
