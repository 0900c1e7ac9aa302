"""`JobQueue`: ingests that run one after another in a process of their own."""

from __future__ import annotations

import secrets
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from multiprocessing.connection import Connection
from typing import Any

from worldline.core.processes import start_process
from worldline.serve.workshop import BusyError

__all__ = ["Job", "JobQueue", "JobStatus"]


class JobStatus(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_OVER = (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass
class Job:
    """An ingest that was asked for.

    Attributes:
        id: its name in addresses.
        paths: what is to be read.
        status: how far it is.
        num_done, num_files: files done, and in all as far as known.
        counts: number of files by what became of them.
        results: one record per file done.
        error: why it failed as a whole.
        made_at, started_at, ended_at: moments in UTC.
    """

    id: str
    paths: tuple[str, ...]
    status: JobStatus = JobStatus.QUEUED
    num_done: int = 0
    num_files: int | None = None
    counts: Counter[str] = field(default_factory=Counter)
    results: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    made_at: str = field(default_factory=_now)
    started_at: str | None = None
    ended_at: str | None = None

    @property
    def is_over(self) -> bool:
        """Nothing will happen to it any more."""
        return self.status in _OVER


class JobQueue:
    """Jobs in the order in which they came; one runs at a time.

    What a job has brought into the library stays there whatever happens to it, and the same job
    given again passes over that; so neither cancelling nor a killed server loses more than a file.
    """

    def __init__(self, work: Callable[..., None], *, max_waiting: int, max_kept: int) -> None:
        """Start with nothing to do.

        Args:
            work: function of a module, called in a new process with a pipe and the job's paths.
            max_waiting: jobs that may wait.
            max_kept: jobs that are remembered after they have ended.
        """
        self._work = work
        self._arguments: tuple[Any, ...] = ()
        self._max_waiting, self._max_kept = max_waiting, max_kept
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._stop: Callable[[], None] | None = None
        self._running: Job | None = None
        self._thread: threading.Thread | None = None

    def open(self, *arguments: Any) -> None:
        """Begin to work; `arguments` follow the pipe and the paths in every call."""
        self._arguments = arguments
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def add(self, paths: tuple[str, ...]) -> Job:
        """Put a job at the end. Raises `BusyError` where too many wait."""
        with self._changed:
            if len(self._waiting) >= self._max_waiting or self._closed:
                raise BusyError
            job = Job(secrets.token_hex(8), paths)
            self._jobs[job.id] = job
            self._waiting.append(job)
            over = [known for known in self._jobs.values() if known.is_over]
            for old in over[: max(0, len(over) - self._max_kept)]:
                del self._jobs[old.id]
            self._changed.notify_all()
            return job

    def get(self, name: str) -> Job | None:
        """A job by its id."""
        with self._changed:
            return self._jobs.get(name)

    def all(self) -> list[Job]:
        """Every job that is known, the newest first."""
        with self._changed:
            return list(reversed(self._jobs.values()))

    def cancel(self, name: str) -> Job | None:
        """End a job, or take it out of the queue; one that is over stays as it is."""
        with self._changed:
            job = self._jobs.get(name)
            if job is None or job.is_over:
                return job
            job.status, job.ended_at = JobStatus.CANCELLED, _now()
            if job in self._waiting:
                self._waiting.remove(job)
            elif job is self._running and self._stop is not None:
                self._stop()
            return job

    def close(self) -> None:
        """End what runs and take no more. What is done of it is in the library."""
        with self._changed:
            self._closed = True
            for job in (*self._waiting, self._running):
                if job is not None and not job.is_over:
                    job.status, job.ended_at = JobStatus.CANCELLED, _now()
            self._waiting.clear()
            if self._stop is not None:
                self._stop()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(10)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                job = self._waiting.popleft()
                job.status, job.started_at = JobStatus.RUNNING, _now()
                process, pipe = start_process(self._work, job.paths, *self._arguments)
                self._running, self._stop = job, process.kill
            self._follow(job, pipe)
            process.join()
            pipe.close()
            with self._changed:
                self._running, self._stop = None, None

    def _follow(self, job: Job, pipe: Connection) -> None:
        """Take down what a job's process tells until it ends."""
        while True:
            try:
                message = pipe.recv()
            except (EOFError, OSError):
                message = ("failed", "its process died; ingest these paths again, or part of them")
            with self._changed:
                if job.is_over:
                    return
                match message:
                    case ("file", done, total, result):
                        job.num_done, job.num_files = done, total
                        job.results.append(result)
                        job.counts[result["status"]] += 1
                    case ("failed", reason):
                        job.status, job.error, job.ended_at = JobStatus.FAILED, reason, _now()
                        return
                    case _:
                        job.num_files = job.num_done
                        job.status, job.ended_at = JobStatus.DONE, _now()
                        return
