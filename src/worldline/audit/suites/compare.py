"""Two runs beside each other: what differs by more than chance, number by number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student_t

from worldline.audit.suites.result import Better, Cell, Row, RowKind, SuiteResult, Table
from worldline.audit.suites.runs import Run
from worldline.core.errors import InputError

__all__ = ["Comparison", "Difference", "Judgement", "compare_runs", "holm"]

ALPHA = 0.05
NUM_DRAWS = 4000
_EXACT = 12
"""With so many scenarios all patterns of signs are tried, with more a sample of them."""
_ENOUGH_HITS, _MOST_DRAWS = 10, 100_000
_SAME_MEAN = 1e-3
_Z = 1.959964


class Judgement(StrEnum):
    """What a difference means for the second of two."""

    BETTER = "better"
    WORSE = "worse"
    DIFFERENT = "different"
    """Where neither way is better."""

    NONE = "no detectable difference"
    FEW = "too few scenarios to tell"
    """A difference of any size would not have been found."""

    SAME = "the same"
    """Number by number."""

    UNKNOWN = "cannot be told"
    """There is neither an interval nor a number per scenario."""


@dataclass(frozen=True)
class Difference:
    """One number in two runs.

    Attributes:
        suite, table, column: where.
        row_a, row_b: name of the row in each; subjects may be called differently.
        kind: of the row.
        a, b: the two numbers.
        difference: b - a; where paired, over the scenarios that both have a number for.
        low, high: its 95 % interval; not corrected for the number of comparisons.
        p_value: two-sided, of no difference.
        p_corrected: by Holm's method, over the subjects' numbers of both runs, or over the others.
        paired: scenario by scenario; else from the intervals alone, as of independent runs.
        num_pairs: scenarios compared.
        judgement: of b, at 5 % after correction.
    """

    suite: str
    table: str
    column: str
    row_a: str
    row_b: str
    kind: RowKind
    a: float
    b: float
    difference: float
    low: float
    high: float
    p_value: float
    paired: bool
    num_pairs: int
    better: Better
    p_corrected: float = float("nan")
    judgement: Judgement = Judgement.UNKNOWN

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary; NaN becomes null."""
        words = ("suite", "table", "column", "row_a", "row_b", "kind", "better", "judgement")
        numbers = ("a", "b", "difference", "low", "high", "p_value", "p_corrected")
        record: dict[str, Any] = {name: str(getattr(self, name)) for name in words}
        for name in numbers:
            value = getattr(self, name)
            record[name] = float(f"{value:.6g}") if math.isfinite(value) else None
        return record | {"paired": self.paired, "num_pairs": self.num_pairs}


@dataclass(frozen=True)
class Comparison:
    """Two runs.

    Attributes:
        subject_a, subject_b: what was tested.
        differences: of all numbers that both have, but those measured elsewhere.
        notes: sentences on what could not be compared, or not pair by pair.
    """

    subject_a: str
    subject_b: str
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()

    @property
    def of_subjects(self) -> tuple[Difference, ...]:
        """Those of what was tested."""
        return tuple(d for d in self.differences if d.kind is RowKind.SUBJECT)

    @property
    def of_instruments(self) -> tuple[Difference, ...]:
        """Baselines, ceilings and floors that are not the same number by number: a sign that the
        suites, not the subjects, have changed."""
        others = (d for d in self.differences if d.kind is not RowKind.SUBJECT)
        return tuple(d for d in others if d.judgement is not Judgement.SAME)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        return {
            "a": self.subject_a,
            "b": self.subject_b,
            "differences": [difference.to_json() for difference in self.differences],
            "notes": list(self.notes),
        }


def compare_runs(a: Run, b: Run, *, seed: int = 0) -> Comparison:
    """Compare all numbers that two runs have in common.

    Where the scenarios are the same, the mean difference per scenario is tested by turning signs
    (Fisher 1935) and its interval drawn by the percentile bootstrap (Efron 1979). Otherwise, and
    for numbers that are no means over scenarios, both are taken for independent and normal with
    the widths of their intervals, and tested by Welch's t (1947). Holm's method (1979) corrects
    for the number of comparisons.

    Args:
        a, b: the runs; b is judged.
        seed: of signs and draws.

    Raises:
        InputError: the two have no suite in common.
    """
    others = {result.suite: result for result in b.results}
    pairs = [(one, others[one.suite]) for one in a.results if one.suite in others]
    if not pairs:
        raise InputError(
            f"the runs have no suite in common: {_names(a)} in the first, {_names(b)} in the second"
        )
    notes = [f"Only in {who}: {_names(mine, but=theirs)}." for who, mine, theirs in _alone(a, b)]
    found: list[Difference] = []
    for one, other in pairs:
        notes += _remarks(one, other)
        found += _compare_suite(one, other, seed)
    own = _corrected([d for d in found if d.kind is RowKind.SUBJECT])
    rest = _corrected([d for d in found if d.kind is not RowKind.SUBJECT])
    return Comparison(a.subject, b.subject, (*own, *rest), tuple(notes))


def _names(run: Run, but: Run | None = None) -> str:
    known = () if but is None else {result.suite for result in but.results}
    return ", ".join(r.suite for r in run.results if r.suite not in known) or "none"


def _alone(a: Run, b: Run) -> list[tuple[str, Run, Run]]:
    sides = (("the first", a, b), ("the second", b, a))
    return [side for side in sides if _names(side[1], but=side[2]) != "none"]


def _remarks(a: SuiteResult, b: SuiteResult) -> list[str]:
    remarks = []
    if a.scenarios != b.scenarios:
        remarks.append(
            f"{a.suite}: other scenarios ({a.scenarios}, {b.scenarios}), so nothing is paired and "
            "only large differences can be found."
        )
    names = [{table.name for table in result.tables} for result in (a, b)]
    if alone := sorted(names[0] ^ names[1]):
        remarks.append(f"{a.suite}: only one run has the tables {', '.join(alone)}.")
    return remarks


def _compare_suite(a: SuiteResult, b: SuiteResult, seed: int) -> Iterator[Difference]:
    same = a.scenarios == b.scenarios
    others = {table.name: table for table in b.tables}
    for table in a.tables:
        other = others.get(table.name)
        if other is None:
            continue
        for row, match in _rows(table, other):
            for column in table.columns:
                if column in row.cells and column in match.cells:
                    cells = row.cells[column], match.cells[column]
                    numbers = _compare(*cells, same=same, seed=seed)
                    where = (a.suite, table.name, column, row.name, match.name, row.kind)
                    yield Difference(*where, *numbers, better=table.better)


def _rows(a: Table, b: Table) -> Iterator[tuple[Row, Row]]:
    """Rows that are about the same thing: subjects in order, others by name."""
    subjects = [[r for r in table.rows if r.kind is RowKind.SUBJECT] for table in (a, b)]
    yield from zip(*subjects, strict=False)
    others = {row.name: row for row in b.rows if row.kind is not RowKind.SUBJECT}
    for row in a.rows:
        if row.kind not in (RowKind.SUBJECT, RowKind.PUBLISHED) and row.name in others:
            yield row, others[row.name]


_Numbers = tuple[float, float, float, float, float, float, bool, int]


def _compare(a: Cell, b: Cell, *, same: bool, seed: int) -> _Numbers:
    """a, b, difference, low, high, p, paired, pairs."""
    if same and a.values and repr(a) == repr(b):  # NaN is itself here
        return (a.value, b.value, 0.0, 0.0, 0.0, 1.0, True, len(a.values))
    if same and len(a.values) == len(b.values) and _is_mean(a) and _is_mean(b):
        gaps = np.subtract(b.values, a.values)
        gaps = gaps[np.isfinite(gaps)]
        if len(gaps) >= 2:
            rng = np.random.default_rng((seed, len(gaps)))
            drawn = rng.integers(len(gaps), size=(NUM_DRAWS, len(gaps)))
            low, high = np.quantile(gaps[drawn].mean(axis=1), (0.025, 0.975))
            p_value = _sign_p(gaps, rng)
            numbers = (float(gaps.mean()), float(low), float(high), p_value)
            return (a.value, b.value, *numbers, True, len(gaps))
    difference = b.value - a.value
    widths = (a.high - a.low, b.high - b.low)
    std = math.hypot(*widths) / (2 * _Z)
    if not math.isfinite(std) or not math.isfinite(difference):
        nothing = float("nan")
        return (a.value, b.value, difference, nothing, nothing, nothing, False, 0)
    law = student_t(_freedom(a, b))
    p_value = float(2 * law.sf(abs(difference) / std)) if std > 0 else float(difference == 0)
    reach = float(law.ppf(0.975)) * std
    ends = (difference - reach, difference + reach)
    return (a.value, b.value, difference, *ends, p_value, False, 0)


def _freedom(a: Cell, b: Cell) -> float:
    """Degrees of freedom of a difference (Welch 1947): few scenarios do not know how far their
    numbers scatter. Infinite where neither says how many there are."""
    parts = [(((cell.high - cell.low) / (2 * _Z)) ** 2, cell.n) for cell in (a, b)]
    unsure = sum(part**2 / max(n - 1, 1) for part, n in parts if n > 0)
    return sum(part for part, _ in parts) ** 2 / unsure if unsure > 0 else math.inf


def _is_mean(cell: Cell) -> bool:
    """Whether a number is the mean over its scenarios, and not a ratio, a median or an area."""
    values = np.array(cell.values, dtype=float)
    values = values[np.isfinite(values)]
    if not len(values):
        return False
    scale = max(float(np.abs(values).mean()), 1e-12)
    return abs(float(values.mean()) - cell.value) <= _SAME_MEAN * scale


def _sign_p(gaps: Float[np.ndarray, " n"], rng: np.random.Generator) -> float:
    """Chance of so large a mean if the sign of every gap were a toss of a coin; two-sided."""
    n = len(gaps)
    found = abs(gaps.sum()) * (1 - 1e-12)
    if n <= _EXACT:
        bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return float((np.abs((2 * bits - 1) @ gaps) >= found).mean())
    hits, num_draws = 0, 0
    # Small chances are drawn finer: after correction for hundreds of numbers they have to be told.
    while hits < _ENOUGH_HITS and num_draws < _MOST_DRAWS:
        signs = 2 * rng.integers(2, size=(NUM_DRAWS, n), dtype=np.int8) - 1
        hits += int((np.abs(signs @ gaps) >= found).sum())
        num_draws += NUM_DRAWS
    return (1 + hits) / (1 + num_draws)  # what was found is one of the patterns


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number (Holm 1979); NaN stays and does not count."""
    known = [(p, index) for index, p in enumerate(p_values) if math.isfinite(p)]
    corrected = [float("nan")] * len(p_values)
    least = 0.0
    for rank, (p, index) in enumerate(sorted(known)):
        least = max(least, min(1.0, (len(known) - rank) * p))
        corrected[index] = least
    return corrected


def _corrected(found: Sequence[Difference]) -> list[Difference]:
    corrected = holm([difference.p_value for difference in found])
    # Signs of few scenarios have few patterns: the least p that they could have given together.
    least = holm([_least_p(difference) for difference in found])
    return [
        replace(difference, p_corrected=p, judgement=_judge(difference, p, possible))
        for difference, p, possible in zip(found, corrected, least, strict=True)
    ]


def _least_p(difference: Difference) -> float:
    if not math.isfinite(difference.p_value):
        return float("nan")
    return 2.0 ** (1 - difference.num_pairs) if difference.paired else 0.0


def _judge(difference: Difference, p_corrected: float, least: float) -> Judgement:
    if difference.low == difference.high == 0:
        return Judgement.SAME
    if not math.isfinite(p_corrected):
        same = difference.a == difference.b
        return Judgement.SAME if same else Judgement.UNKNOWN
    if p_corrected >= ALPHA:
        return Judgement.FEW if least >= ALPHA else Judgement.NONE
    if difference.better is Better.NEITHER:
        return Judgement.DIFFERENT
    rises = difference.difference > 0
    return Judgement.BETTER if rises == (difference.better is Better.HIGHER) else Judgement.WORSE
