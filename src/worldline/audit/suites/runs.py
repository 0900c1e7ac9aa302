"""Suites run on one subject, as a record that can be looked at while it grows, and compared."""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from worldline.audit.suites.result import SuiteResult
from worldline.audit.suites.subject import MissingFunctionError, Subject
from worldline.core.errors import InputError
from worldline.core.processes import num_cores

__all__ = ["SUITES", "Attempt", "Run", "RunSettings", "attempt", "read_run", "run_suites"]

KIND = "worldline/suites"
VERSION = 1

SUITES = {
    name: f"worldline.audit.suites.{name}"
    for name in ("laws", "expectation", "align", "probes", "transfer", "monitor")
}
"""Suite to its module, which has `Settings` and `run`; in the order of `all`."""


@dataclass(frozen=True)
class RunSettings:
    """What all suites are told.

    Attributes:
        seed: of scenarios and noise.
        quick: a handful of scenarios, to see that all works.
        num_workers: processes.
    """

    seed: int = 0
    quick: bool = False
    num_workers: int = 1


@dataclass(frozen=True)
class Attempt:
    """One suite: its result, or why there is none.

    Attributes:
        suite: its name.
        result: None where there is none.
        left_out: what the subject lacks to take part.
        error: what went wrong.
        bug: it is ours, not the input's.
        wall_s, processor_s: time that it took; the second with that of other processes.
    """

    suite: str
    result: SuiteResult | None = None
    left_out: str = ""
    error: str = ""
    bug: bool = False
    wall_s: float = 0.0
    processor_s: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        record: dict[str, Any] = {"suite": self.suite}
        if self.result is not None:
            record |= self.result.to_json()
        if self.left_out:
            record["left_out"] = self.left_out
        if self.error:
            record["error"] = self.error
        if self.bug:
            record["bug"] = True
        times = {"wall_s": round(self.wall_s, 2), "processor_s": round(self.processor_s, 2)}
        return record | times

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Attempt:
        """Inverse of `to_json`. Raises `InputError` for what is none."""
        whole = "error" not in record and "left_out" not in record
        return cls(
            suite=str(record["suite"]),
            result=SuiteResult.from_json(record) if whole else None,
            left_out=str(record.get("left_out", "")),
            error=str(record.get("error", "")),
            bug=bool(record.get("bug", False)),
            wall_s=float(record.get("wall_s", 0.0)),
            processor_s=float(record.get("processor_s", 0.0)),
        )


@dataclass(frozen=True)
class Run:
    """What several suites say of one subject, and how they came to it.

    Attributes:
        subject: what was tested.
        attempts: in the order in which they ran.
        settings: what the suites were told.
        pending: suites still to come.
        made_by: version, with the commit where the program runs from a checkout.
        made_at: when it began (UTC).
        machine: in words.
    """

    subject: str
    attempts: tuple[Attempt, ...] = ()
    settings: RunSettings = RunSettings()
    pending: tuple[str, ...] = ()
    made_by: str = ""
    made_at: str = ""
    machine: str = ""

    @property
    def results(self) -> tuple[SuiteResult, ...]:
        """Those of the suites that came to an end."""
        return tuple(a.result for a in self.attempts if a.result is not None)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary; `results` has an entry for each suite, also those without a result."""
        return {
            "kind": KIND,
            "version": VERSION,
            "subject": self.subject,
            "seed": self.settings.seed,
            "quick": self.settings.quick,
            "num_workers": self.settings.num_workers,
            "pending": list(self.pending),
            "made_by": self.made_by,
            "made_at": self.made_at,
            "machine": self.machine,
            "results": [attempt.to_json() for attempt in self.attempts],
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Run:
        """Inverse of `to_json`; a single suite's result is a run of one.

        Raises:
            InputError: the record is none of these, or of another version.
        """
        try:
            if "tables" in record:
                alone = Attempt.from_json(record)
                settings = RunSettings(int(record["seed"]))
                return cls(str(record["subject"]), (alone,), settings)
            if record.get("kind") != KIND:
                raise InputError("holds no results of suites")
            if record.get("version") != VERSION:
                raise InputError(
                    f"holds results of version {record.get('version')}, expected {VERSION}; "
                    "evaluate again"
                )
            settings = RunSettings(
                int(record["seed"]), bool(record["quick"]), int(record["num_workers"])
            )
            return cls(
                subject=str(record["subject"]),
                attempts=tuple(Attempt.from_json(entry) for entry in record["results"]),
                settings=settings,
                pending=tuple(map(str, record["pending"])),
                made_by=str(record["made_by"]),
                made_at=str(record["made_at"]),
                machine=str(record["machine"]),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"holds no results of suites ({error!r})") from None


def run_suites(
    subject: Subject,
    names: Sequence[str],
    settings: RunSettings,
    *,
    on_progress: Callable[[float], None] = lambda share: None,
    on_suite: Callable[[Run], None] = lambda run: None,
) -> Run:
    """Run suites one after another; one that fails, or cannot be taken part in, costs no other.

    Args:
        subject: what is under test.
        names: out of `SUITES`.
        settings: for all of them.
        on_progress: told the share that is done.
        on_suite: told the run after each suite, the last one included.

    Raises:
        InputError: there is no such suite.
    """
    for name in names:
        _home(name)
    run = Run(
        subject.name,
        settings=settings,
        pending=tuple(names),
        made_by=_describe_program(),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=f"{platform.machine()} {platform.system()}, {num_cores()} cores, "
        f"Python {platform.python_version()}",
    )
    for index, name in enumerate(names):

        def report(share: float, index: int = index) -> None:
            on_progress((index + min(max(share, 0.0), 1.0)) / len(names))

        done = attempt(subject, name, settings, report)
        run = replace(run, attempts=(*run.attempts, done), pending=tuple(names[index + 1 :]))
        report(1.0)
        on_suite(run)
    return run


def attempt(
    subject: Subject,
    name: str,
    settings: RunSettings,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Attempt:
    """Run one suite. What a subject lacks and what goes wrong is said in what is returned.

    Raises:
        InputError: there is no such suite.
    """
    module = importlib.import_module(_home(name))
    own = module.Settings(
        seed=settings.seed, quick=settings.quick, num_workers=settings.num_workers
    )
    began_s, spent_s = time.perf_counter(), sum(os.times()[:4])
    done = Attempt(name)
    try:
        done = replace(done, result=module.run(subject, own, on_progress=on_progress))
    except MissingFunctionError as error:
        done = replace(done, left_out=str(error))
    except InputError as error:
        done = replace(done, error=" ".join(str(error).split()))
    except Exception as error:  # a bug costs one suite, not the whole run
        traceback.print_exc()
        reason = f"unexpected {type(error).__name__}: {error}; please report this"
        done = replace(done, error=reason, bug=True)
    wall_s, processor_s = time.perf_counter() - began_s, sum(os.times()[:4]) - spent_s
    return replace(done, wall_s=wall_s, processor_s=processor_s)


def read_run(path: str | Path) -> Run:
    """Read what `worldline eval` wrote.

    Raises:
        InputError: the file cannot be read, or holds no results; the message names it.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: is no JSON") from None
    if not isinstance(record, dict):
        raise InputError(f"{path}: holds no results of suites")
    try:
        return Run.from_json(record)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _home(name: str) -> str:
    if name not in SUITES:
        raise InputError(f"no suite {name}; there are: {', '.join(SUITES)}")
    return SUITES[name]


def _describe_program() -> str:
    """Version, and the commit where the package lies in a checkout of its own."""
    try:
        text = f"worldline {metadata.version('worldline')}"
    except metadata.PackageNotFoundError:  # a source tree that was never installed
        text = "worldline"
    root = Path(__file__).parents[4]
    if not (root / ".git").exists():
        return text
    git = ["git", "-C", str(root), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(git, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return text
    return f"{text}, commit {done.stdout.strip()}"
