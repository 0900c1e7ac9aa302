"""What a suite measured: tables of numbers with intervals, as JSON that can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from jaxtyping import Float

from worldline.core.clip import Clip
from worldline.core.errors import InputError

__all__ = [
    "Better",
    "Cell",
    "Report",
    "Row",
    "RowKind",
    "SuiteResult",
    "Table",
    "hash_scenarios",
    "mean_cell",
    "ratio_cell",
    "share_cell",
]

VERSION = 1
NUM_RESAMPLES = 2000
POWERED = 1.959964 + 0.841621
"""Standard errors between two means that a two-sided test at 5 % finds in 80 % of all runs."""


class Better(StrEnum):
    """Which way a table's numbers should go."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


class Report(StrEnum):
    """The two reports, which are never summed."""

    VISUAL = "visual"
    PHYSICAL = "physical"


class RowKind(StrEnum):
    """What a row stands for."""

    SUBJECT = "subject"
    """What is under test."""

    BASELINE = "baseline"
    """Trivial, or the same model untrained."""

    CEILING = "ceiling"
    """The truth, through the same instruments."""

    FLOOR = "floor"
    """What the instruments' own noise amounts to."""

    PUBLISHED = "published"
    """Out of a paper, measured there."""


@dataclass(frozen=True)
class Cell:
    """One number.

    Attributes:
        value: the estimate; NaN where nothing could be measured.
        low, high: 95 % interval; NaN where there is none.
        n: scenarios that it comes from.
        values: of each scenario, in the order of the suite's scenarios and NaN where one says
            nothing; empty where only the estimate is known.
    """

    value: float
    low: float = float("nan")
    high: float = float("nan")
    n: int = 0
    values: tuple[float, ...] = ()

    @property
    def detectable(self) -> float:
        """Smallest difference to another such mean that a two-sided test at the 5 % level finds
        with a power of 80 %; NaN where single values are unknown."""
        known = np.array(self.values, dtype=float)
        known = known[np.isfinite(known)]
        if len(known) < 2:
            return float("nan")
        return float(POWERED * np.sqrt(2.0 / len(known)) * known.std(ddof=1))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary; NaN becomes null."""
        record: dict[str, Any] = {
            "value": _number(self.value),
            "low": _number(self.low),
            "high": _number(self.high),
            "n": self.n,
            "detectable": _number(self.detectable),
        }
        return record | ({"values": [_number(v) for v in self.values]} if self.values else {})

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Cell:
        """Inverse of `to_json`."""
        value, low, high = (_float(record.get(name)) for name in ("value", "low", "high"))
        values = tuple(_float(v) for v in record.get("values", ()))
        return cls(value, low, high, int(record.get("n", 0)), values)


@dataclass(frozen=True)
class Row:
    """One system's numbers, by column."""

    name: str
    kind: RowKind
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Table:
    """Systems beside each other on one measure.

    Attributes:
        name: short and fixed, such as `velocity_error`.
        title: what is measured, as a phrase.
        report: visual or physical.
        unit: of the numbers; empty for shares.
        better: direction.
        columns: in order.
        rows: in order, the subject first.
        goals: by column, what the subject should reach.
        note: how to read it.
    """

    name: str
    title: str
    report: Report
    unit: str
    better: Better
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    goals: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    def row(self, name: str) -> Row:
        """The row of a system. Raises `InputError` if there is none."""
        for row in self.rows:
            if row.name == name:
                return row
        raise InputError(f"the table {self.name} has no row {name}")

    def reaches(self, column: str, cell: Cell) -> bool | None:
        """Whether a number reaches the column's goal; None where there is none."""
        goal = self.goals.get(column)
        if goal is None or not np.isfinite(cell.value):
            return None
        return cell.value <= goal if self.better is Better.LOWER else cell.value >= goal

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        return {
            "name": self.name,
            "title": self.title,
            "report": str(self.report),
            "unit": self.unit,
            "better": str(self.better),
            "columns": list(self.columns),
            "goals": dict(self.goals),
            "note": self.note,
            "rows": [
                {
                    "name": row.name,
                    "kind": str(row.kind),
                    "cells": {column: cell.to_json() for column, cell in row.cells.items()},
                }
                for row in self.rows
            ],
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Table:
        """Inverse of `to_json`."""
        return cls(
            name=record["name"],
            title=record["title"],
            report=Report(record["report"]),
            unit=record["unit"],
            better=Better(record["better"]),
            columns=tuple(record["columns"]),
            goals=record["goals"],
            note=record["note"],
            rows=tuple(
                Row(
                    row["name"],
                    RowKind(row["kind"]),
                    {column: Cell.from_json(cell) for column, cell in row["cells"].items()},
                )
                for row in record["rows"]
            ),
        )


@dataclass(frozen=True)
class SuiteResult:
    """All that a suite says of one subject.

    Attributes:
        suite: its name.
        subject: what was tested.
        tables: the numbers.
        scenarios: digest of the exact clips and contexts (`hash_scenarios`): equal digests make two
            results comparable number by number.
        num_scenarios: how many.
        seed: of the scenarios and of the subject's noise.
        facts: what else a reader needs, such as the settings; numbers and strings.
        notes: sentences on what was left out, and why.
    """

    suite: str
    subject: str
    tables: tuple[Table, ...]
    scenarios: str
    num_scenarios: int
    seed: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def table(self, name: str) -> Table:
        """A table by name. Raises `InputError` if there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise InputError(f"the suite {self.suite} has no table {name}")

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "version": VERSION,
            "suite": self.suite,
            "subject": self.subject,
            "scenarios": self.scenarios,
            "num_scenarios": self.num_scenarios,
            "seed": self.seed,
            "facts": dict(self.facts),
            "notes": list(self.notes),
            "tables": [table.to_json() for table in self.tables],
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> SuiteResult:
        """Inverse of `to_json`.

        Raises:
            InputError: the record is of another version, or lacks something.
        """
        if record.get("version") != VERSION:
            raise InputError(
                f"a suite's result of version {record.get('version')}, expected {VERSION}; "
                "evaluate again"
            )
        try:
            return cls(
                suite=record["suite"],
                subject=record["subject"],
                tables=tuple(Table.from_json(table) for table in record["tables"]),
                scenarios=record["scenarios"],
                num_scenarios=int(record["num_scenarios"]),
                seed=int(record["seed"]),
                facts=record["facts"],
                notes=tuple(record["notes"]),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(f"this is no result of a suite: {error!r}") from None


def mean_cell(values: Sequence[float] | Float[np.ndarray, " n"], *, seed: int = 0) -> Cell:
    """Mean over scenarios, with the 95 % percentile bootstrap interval (Efron 1979).

    Scenarios are the unit that is drawn again; NaN marks those that say nothing.
    """
    every = np.asarray(values, dtype=np.float64)
    known = every[np.isfinite(every)]
    kept = _rounded(every)
    if not len(known):
        return Cell(float("nan"), values=kept)
    if len(known) == 1:
        return Cell(float(known[0]), n=1, values=kept)
    rng = np.random.default_rng((seed, len(known)))
    drawn = rng.integers(len(known), size=(NUM_RESAMPLES, len(known)))
    low, high = np.quantile(known[drawn].mean(axis=1), (0.025, 0.975))
    return Cell(float(known.mean()), float(low), float(high), len(known), kept)


def ratio_cell(
    sums: Sequence[float] | Float[np.ndarray, " n"],
    counts: Sequence[float] | Float[np.ndarray, " n"],
    *,
    seed: int = 0,
) -> Cell:
    """Mean over all single readings of all scenarios, with a bootstrap over scenarios.

    Args:
        sums, counts: of the readings of each scenario.
        seed: of the bootstrap.
    """
    total, number = np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    kept = number > 0
    values = _rounded(np.where(kept, total / np.maximum(number, 1), np.nan))
    total, number = total[kept], number[kept]
    if not len(total):
        return Cell(float("nan"), values=values)
    drawn = np.random.default_rng((seed, len(total))).integers(
        len(total), size=(NUM_RESAMPLES, len(total))
    )
    low, high = np.quantile(total[drawn].sum(1) / number[drawn].sum(1), (0.025, 0.975))
    return Cell(float(total.sum() / number.sum()), float(low), float(high), len(total), values)


def share_cell(hits: Sequence[float] | Float[np.ndarray, " n"]) -> Cell:
    """Share of scenarios that hold (1, or 1/2 for a tie), with Wilson's 95 % interval (1927)."""
    every = np.asarray(hits, dtype=np.float64)
    known = every[np.isfinite(every)]
    if not len(known):
        return Cell(float("nan"), values=tuple(every.tolist()))
    n, share, z = len(known), float(known.mean()), 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # rounding leaves a trace where none, or all, hold
    low = 0.0 if share == 0 else max(0.0, middle - half)
    high = 1.0 if share == 1 else min(1.0, middle + half)
    return Cell(share, float(low), float(high), n, tuple(every.tolist()))


def hash_scenarios(clips: Iterable[Clip], *settings: object) -> str:
    """Digest of the pixels and times of clips, and of what is asked about them."""
    digest = hashlib.sha256()
    for clip in clips:
        digest.update(clip.frames.tobytes())
        digest.update(np.round(clip.time_s, 9).tobytes())
    digest.update(repr(settings).encode())
    return digest.hexdigest()[:16]


def _rounded(values: Float[np.ndarray, " n"]) -> tuple[float, ...]:
    """As they are written, so that a result that was read back is the same."""
    return tuple(float(f"{v:.5g}") for v in values)


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _float(value: float | None) -> float:
    return float("nan") if value is None else float(value)
