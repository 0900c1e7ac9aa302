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
from worldline.audit.suites.subject import Subject, load_subject, of_baseline, of_world, untrained

__all__ = [
    "Better",
    "Cell",
    "Report",
    "Row",
    "RowKind",
    "Subject",
    "SuiteResult",
    "Table",
    "hash_scenarios",
    "load_subject",
    "mean_cell",
    "of_baseline",
    "of_world",
    "ratio_cell",
    "share_cell",
    "untrained",
]
