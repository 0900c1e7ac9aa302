from __future__ import annotations

import numpy as np
import pytest

from worldline.audit.prediction import Metric, PredictionTable
from worldline.audit.suites import RowKind, Subject, SuiteResult
from worldline.audit.suites.transfer import Settings, learned_from, run, standing
from worldline.core import InputError
from worldline.world import World

TINY = Settings(quick=True)


def still(frames: np.ndarray, horizon: int, seed: int) -> np.ndarray:
    return np.repeat(frames[-1:], horizon, axis=0)


@pytest.fixture(scope="module")
def result() -> SuiteResult:
    return run(Subject("still", predict=still, size_px=32), TINY)


def test_one_column_for_each_domain_and_the_subject_first(result: SuiteResult) -> None:
    table = result.table("position_error")
    assert table.columns == ("falling", "swinging and spinning", "flat discs")
    assert [row.name for row in table.rows] == ["still", "copy-last", "flow-warp", "truth"]
    assert table.rows[0].kind is RowKind.SUBJECT
    assert table.row("truth").kind is RowKind.CEILING
    assert all(cell.value in (0.0,) or cell.n == 0 for cell in table.row("truth").cells.values())
    for column in table.columns:
        mine, copied = (table.row(row).cells[column] for row in ("still", "copy-last"))
        np.testing.assert_equal(mine.values, copied.values)


def test_who_copies_gains_nothing_over_copying(result: SuiteResult) -> None:
    gains = result.table("gain").rows[0].cells
    assert all(not cell.value > 0 for cell in gains.values())
    assert result.facts["good"] == "none"
    assert result.num_scenarios == 6


def table_of(errors: dict[str, float]) -> PredictionTable:
    names = tuple(errors)
    sums = np.zeros((len(names), 1, len(Metric), 1))
    counts = np.ones(sums.shape, dtype=np.int64)
    sums[:, 0, list(Metric).index(Metric.ERROR), 0] = list(errors.values())
    return PredictionTable(
        predictors=names,
        baselines=(),
        horizons=(8,),
        clip_families=("drop",),
        sums=sums,
        counts=counts,
        num_untestable=np.zeros((1, 1), dtype=np.int64),
        context=8,
        seed=0,
    )


@pytest.mark.parametrize(
    ("mine", "verdict"),
    [((1.0, 1.5, 1.2), "good"), ((1.0, 5.0, 3.0), "open"), ((5, 6, 7), "narrow")],
)
def test_a_domain_is_judged_by_the_interval_against_the_better_baseline(
    mine: tuple[float, ...], verdict: str
) -> None:
    tables = [table_of({"me": float(x), "copy-last": 9.0, "flow-warp": 3.0}) for x in mine]
    found = standing(tables, "me")
    assert found.baseline == "flow-warp"
    assert found.verdict == verdict
    assert found.gain.value == pytest.approx(3.0 - np.mean(mine))


def test_what_cannot_be_measured_is_not_judged() -> None:
    nothing = float("nan")
    tables = [table_of({"me": nothing, "copy-last": nothing, "flow-warp": nothing})] * 3
    assert standing(tables, "me").verdict == "unmeasured"


def test_a_card_tells_what_a_world_learned_from() -> None:
    world = World.from_pretrained("small")
    families = learned_from(world)
    assert len(families) == 13
    assert {"drop", "disc_collision"} <= set(families)
    assert learned_from(world.finished({}, "nothing")) == ()


def test_bad_input() -> None:
    with pytest.raises(InputError, match="predict"):
        run(Subject("mute"), TINY)
    with pytest.raises(InputError, match="at least one clip"):
        run(Subject("still", predict=still), Settings(num_clips=0))
    with pytest.raises(InputError, match="no domain cooking"):
        run(Subject("still", predict=still), Settings(domains=("cooking",)))
