"""Two runs: pairs where the scenarios are the same, and what chance explains is not told."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from worldline.audit.suites import (
    Better,
    Cell,
    Report,
    Row,
    RowKind,
    Run,
    SuiteResult,
    Table,
    mean_cell,
)
from worldline.audit.suites.compare import Judgement, compare_runs, holm
from worldline.audit.suites.runs import Attempt
from worldline.core import InputError

PLAIN = mean_cell([1.0, 2.0, 3.0])


def make_run(
    cells: dict[str, Cell],
    *,
    subject: str = "small",
    scenarios: str = "00",
    better: Better = Better.LOWER,
    baseline: Cell = PLAIN,
    suite: str = "laws",
) -> Run:
    columns = tuple(cells)
    rows = (
        Row(subject, RowKind.SUBJECT, cells),
        Row("copy-last", RowKind.BASELINE, dict.fromkeys(columns, baseline)),
        Row("a paper's", RowKind.PUBLISHED, dict.fromkeys(columns, Cell(1.0))),
    )
    table = Table("error", "error", Report.PHYSICAL, "px", better, columns, rows)
    result = SuiteResult(suite, subject, (table,), scenarios, 20, 0)
    return Run(subject, (Attempt(suite, result),))


@pytest.fixture(scope="module")
def hard() -> np.ndarray:
    """Scenarios of very different difficulty."""
    return np.random.default_rng(0).exponential(10.0, size=20)


def test_pairs_find_what_intervals_alone_do_not(hard):
    rng = np.random.default_rng(1)
    a = make_run({"+8": mean_cell(hard)})
    better = mean_cell(hard - 0.5 + 0.1 * rng.normal(size=20))
    (paired,) = compare_runs(a, make_run({"+8": better}, subject="new")).of_subjects
    assert paired.paired
    assert paired.num_pairs == 20
    assert (paired.row_a, paired.row_b) == ("small", "new")
    assert paired.judgement is Judgement.BETTER
    assert paired.difference == pytest.approx(-0.5, abs=0.1)
    assert paired.low < paired.difference < paired.high < 0

    apart = compare_runs(a, make_run({"+8": better}, scenarios="11"))
    (unpaired,) = apart.of_subjects
    assert not unpaired.paired
    assert unpaired.judgement is Judgement.NONE
    assert unpaired.low < 0 < unpaired.high
    assert "other scenarios (00, 11), so nothing is paired" in apart.notes[0]


def test_the_direction_of_the_table_decides(hard):
    a, up = mean_cell(hard), mean_cell(hard + 1.0)
    kinds = {
        Better.LOWER: Judgement.WORSE,
        Better.HIGHER: Judgement.BETTER,
        Better.NEITHER: Judgement.DIFFERENT,
    }
    for better, judgement in kinds.items():
        runs = [make_run({"+8": cell}, better=better) for cell in (a, up)]
        assert compare_runs(*runs).of_subjects[0].judgement is judgement


def test_chance_is_seldom_taken_for_a_difference():
    rng = np.random.default_rng(2)
    columns = [f"+{k}" for k in range(10)]
    alarms = 0
    for _ in range(20):
        base = rng.normal(size=(10, 15))
        runs = [
            make_run(
                {
                    c: mean_cell(row + 0.3 * rng.normal(size=15))
                    for c, row in zip(columns, base, strict=True)
                }
            )
            for _ in range(2)
        ]
        found = compare_runs(*runs).of_subjects
        alarms += any(d.judgement is not Judgement.NONE for d in found)
    assert alarms <= 3  # of 20 runs of ten comparisons each, 1 is expected


def test_a_few_scenarios_can_show_nothing():
    a, b = mean_cell([1.0, 2.0, 3.0, 4.0]), mean_cell([0.1, 1.1, 2.1, 3.1])
    (found,) = compare_runs(make_run({"+8": a}), make_run({"+8": b})).of_subjects
    assert found.p_value == pytest.approx(2 / 16)
    assert found.judgement is Judgement.FEW  # .125 is the least that four pairs can give


def test_pairs_that_would_do_alone_are_too_few_for_many_numbers():
    a, b = mean_cell(np.arange(8.0)), mean_cell(np.arange(8.0) + [0.1, -0.1] * 4)
    (alone,) = compare_runs(make_run({"+8": a}), make_run({"+8": b})).of_subjects
    assert alone.judgement is Judgement.NONE
    names = [f"+{k}" for k in range(40)]
    runs = (make_run(dict.fromkeys(names, cell)) for cell in (a, b))
    assert {d.judgement for d in compare_runs(*runs).of_subjects} == {Judgement.FEW}


def test_scenarios_without_a_number_are_left_out_of_the_pairs(hard):
    holes = hard.copy()
    holes[:3] = np.nan
    runs = make_run({"+8": mean_cell(holes)}), make_run({"+8": mean_cell(hard - 1)})
    (found,) = compare_runs(*runs).of_subjects
    assert found.num_pairs == 17
    assert found.difference == pytest.approx(-1, abs=1e-3)


def test_numbers_that_are_no_means_are_compared_by_their_intervals(hard):
    median = replace(mean_cell(hard), value=float(np.median(hard)))
    lower = replace(median, value=median.value - 100, low=median.low - 100, high=median.high - 100)
    (found,) = compare_runs(make_run({"+8": median}), make_run({"+8": lower})).of_subjects
    assert not found.paired
    assert found.judgement is Judgement.BETTER


def test_what_is_no_mean_either_is_the_same_as_itself(hard):
    holes = (*hard[:-1], math.nan)
    median = Cell(float(np.median(hard)), 1.0, 20.0, 19, holes)
    runs = [make_run({"+8": median}, baseline=median) for _ in range(2)]
    found = compare_runs(*runs)
    (own,) = found.of_subjects
    assert (own.difference, own.low, own.high, own.p_value) == (0, 0, 0, 1)
    assert own.judgement is Judgement.SAME
    assert not found.of_instruments


def test_few_scenarios_do_not_know_their_own_scatter():
    def p_value(n: int) -> float:
        a, b = (Cell(value, value - 1.0, value + 1.0, n) for value in (0.0, 5.0))
        return compare_runs(make_run({"+8": a}), make_run({"+8": b})).of_subjects[0].p_value

    # Five over a standard error of sqrt(2) / 1.96: Student's t of 6.93, of four degrees of freedom
    # for three scenarios each.
    assert p_value(3) == pytest.approx(0.00227, rel=0.01)
    assert p_value(0) < p_value(100) < 1e-8
    assert p_value(0) == pytest.approx(4.2e-12, rel=0.05)  # the normal's, where n is unknown


def test_bare_numbers_cannot_be_told_apart():
    runs = make_run({"+8": Cell(1.0)}), make_run({"+8": Cell(2.0)})
    (found,) = compare_runs(*runs).of_subjects
    assert found.judgement is Judgement.UNKNOWN
    assert found.to_json()["p_value"] is None


def test_instruments_that_changed_are_named(hard):
    a = make_run({"+8": mean_cell(hard)})
    assert compare_runs(a, a).of_instruments == ()
    assert {d.judgement for d in compare_runs(a, a).differences} == {Judgement.SAME}
    assert not [d for d in compare_runs(a, a).differences if d.row_a == "a paper's"]
    moved = make_run({"+8": mean_cell(hard)}, baseline=mean_cell([2.0, 3.0, 4.5]))
    (changed,) = compare_runs(a, moved).of_instruments
    assert changed.row_a == "copy-last"


def test_runs_without_a_common_suite_are_refused(hard):
    a = make_run({"+8": mean_cell(hard)})
    with pytest.raises(InputError, match="no suite in common: laws in the first, align in the"):
        compare_runs(a, make_run({"+8": mean_cell(hard)}, suite="align"))


def test_holm_as_by_hand():
    assert holm([0.01, 0.04, 0.03, float("nan")])[:3] == pytest.approx([0.03, 0.06, 0.06])
    assert math.isnan(holm([0.01, float("nan")])[1])
    assert holm([]) == []


def test_small_chances_are_small_enough_to_be_corrected_for_hundreds_of_numbers(hard):
    runs = make_run({"+8": mean_cell(hard)}), make_run({"+8": mean_cell(hard + 1)})
    (found,) = compare_runs(*runs).of_subjects
    assert found.num_pairs == 20
    assert 500 * found.p_value < 0.01
