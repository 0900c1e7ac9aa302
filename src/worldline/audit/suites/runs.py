"""Suites run on one subject, as a record that can be looked at while it grows, and compared."""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from worldline.audit.suites.result import SuiteResult
from worldline.audit.suites.subject import MissingFunctionError, Subject
from worldline.core.errors import InputError
from worldline.core.lanes import pack, side_by_side
from worldline.core.processes import WorkerLostError, num_cores

__all__ = ["QUESTIONS", "SUITES", "Attempt", "Run", "RunSettings", "read_run", "run_suites"]

KIND = "worldline/suites"
VERSION = 1

SUITES = {
    name: f"worldline.audit.suites.{name}"
    for name in ("laws", "expectation", "align", "probes", "transfer", "monitor")
}
"""Suite to its module, which has `Settings` and `run`; in the order of `all`."""

QUESTIONS = {
    "laws": "Are uniform motion, collision and free fall of discs continued as the laws say, "
    "inside the range of everyday values (in) and outside of it (out)? From 3 frames, 29 more; "
    "after PhyWorld (Kang et al. 2024). Velocities in units per second, in a world 10 units wide; "
    "corrected: from centres of pixels and against exactly elastic truth, as published: by the "
    "paper's own scale, averages and truth.",
    "expectation": "Of two clips that are the same up to a moment, is the impossible one the more "
    "surprising? One half is guessing. After IntPhys (Riochet et al. 2022) and Garrido et al. "
    "(2025).",
    "align": "Do bodies of eight scenes, each filmed by four cameras, lie where they should in 33 "
    "predicted frames, from 1 and from 9 frames? After the physics alignment of Cosmos (NVIDIA "
    "2025, section 5.3.2).",
    "probes": "What of the physical state (place, speed, how bodies stand to each other) can be "
    "read off the latents by a linear map? R² of 1 is all of it, 0 no more than the mean.",
    "transfer": "In which domains of the simulator, learned ones and others, does a model beat "
    "copying and constant velocity?",
    "monitor": "Does what a world says of its own forecasts (trust, warnings, verdicts) come true?",
    "control": "Does a world that one acts in do what its actions say, frame by frame, and is what "
    "it tells of rewards and ends true?",
    "drift": "What becomes of a world's frames when one goes on acting in it for long: do things "
    "stay as many, as large and as clear, and the frames as near to the data as true ones?",
    "planning": "Does a planner that imagines with the world reach goals in the real environment, "
    "how often, and how fast?",
}
"""What each suite asks, for its page; docs/suites.md has those of `SUITES`, word for word."""

_LENGTH_S = {
    "align": 331.0,
    "expectation": 305.0,
    "monitor": 198.0,
    "laws": 146.0,
    "transfer": 128.0,
    "probes": 67.0,
}
"""Processor time that they took once, of the bundled world: tells which to begin first."""


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

    @classmethod
    def begin(cls, subject: str, settings: RunSettings, pending: tuple[str, ...] = ()) -> Run:
        """One that begins now, on this machine."""
        return cls(
            subject,
            settings=settings,
            pending=pending,
            made_by=_describe_program(),
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=f"{platform.machine()} {platform.system()}, {num_cores()} cores, "
            f"Python {platform.python_version()}",
        )

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
    """Run suites; one that fails, or cannot be taken part in, costs no other.

    With more than one worker they run side by side, each in a process of its own, if the subject
    can be made there (`Subject.origin`); else one after another. What they say is the same.

    Args:
        subject: what is under test.
        names: out of `SUITES`.
        settings: for all of them.
        on_progress: told the share that is done.
        on_suite: told the run after each suite, the last one included.

    Raises:
        InputError: there is no such suite.
    """
    homes = {name: _home(name) for name in names}
    run = Run.begin(subject.name, settings, tuple(names))
    shares = dict.fromkeys(homes, 0.0)

    def report(name: str, share: float) -> None:
        shares[name] = max(shares[name], min(share, 1.0))
        on_progress(sum(shares.values()) / len(shares))

    for done in _attempts(subject, homes, settings, report):
        report(done.suite, 1.0)
        known = {one.suite: one for one in (*run.attempts, done)}
        run = replace(
            run,
            attempts=tuple(known[name] for name in homes if name in known),
            pending=tuple(name for name in homes if name not in known),
        )
        on_suite(run)
    return run


def _attempts(
    subject: Subject,
    homes: Mapping[str, str],
    settings: RunSettings,
    report: Callable[[str, float], None],
) -> Iterator[Attempt]:
    """The suites' attempts, as they come to an end."""
    num_lanes = min(settings.num_workers, len(homes))
    each = replace(settings, num_workers=settings.num_workers // max(num_lanes, 1))
    packed = pack(partial(_attempt_in_lane, subject, each)) if num_lanes > 1 else None
    if packed is None:
        for name, home in homes.items():
            yield _attempt(subject, name, home, settings, partial(report, name))
        return
    # Long ones first, so that the lanes come to an end at about the same time.
    order = sorted(homes.items(), key=lambda one: _LENGTH_S.get(one[0], 0.0), reverse=True)
    names = [name for name, _ in order]
    told = side_by_side(
        packed, order, num_lanes=num_lanes, on_progress=lambda i, share: report(names[i], share)
    )
    for index, done in told:
        lost = isinstance(done, WorkerLostError)
        yield Attempt(names[index], error=str(done)) if lost else done


def _attempt_in_lane(
    subject: Subject,
    settings: RunSettings,
    suite: tuple[str, str],
    on_progress: Callable[[float], None],
) -> Attempt:
    return _attempt(subject, *suite, settings, on_progress)


def _attempt(
    subject: Subject,
    name: str,
    home: str,
    settings: RunSettings,
    on_progress: Callable[[float], None],
) -> Attempt:
    """Run one suite. What a subject lacks and what goes wrong is said in what is returned."""
    module = importlib.import_module(home)
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
