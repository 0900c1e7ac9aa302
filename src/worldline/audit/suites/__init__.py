"""Suites: what a world model gets right of physics, each beside baselines and with intervals."""

from worldline.audit.suites.result import (
    Better,
    Cell,
    Report,
    Row,
    RowKind,
    SuiteResult,
    Table,
    hash_scenarios,
    mean_cell,
    ratio_cell,
    share_cell,
)
from worldline.audit.suites.runs import Run, RunSettings, read_run, run_suites
from worldline.audit.suites.subject import (
    MissingFunctionError,
    Subject,
    load_subject,
    of_baseline,
    of_world,
    untrained,
)

__all__ = [
    "Better",
    "Cell",
    "MissingFunctionError",
    "Report",
    "Row",
    "RowKind",
    "Run",
    "RunSettings",
    "Subject",
    "SuiteResult",
    "Table",
    "hash_scenarios",
    "load_subject",
    "mean_cell",
    "of_baseline",
    "of_world",
    "ratio_cell",
    "read_run",
    "run_suites",
    "share_cell",
    "untrained",
]
