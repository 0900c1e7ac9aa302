"""`Workshop`: processes that do what takes long or may fail badly, within a time limit."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from worldline.core.errors import ArtifactError, InputError
from worldline.core.processes import start_process

__all__ = ["BusyError", "OverdueError", "WorkError", "Workshop", "end_with_parent"]

_END_S = 2.0
"""How long a process has to end by itself."""


class BusyError(Exception):
    """So many requests wait already that one more would wait too long."""


class OverdueError(Exception):
    """The work took longer than it may; its process was ended."""


class WorkError(Exception):
    """The work met a bug or its process died; details are on standard error."""


class Workshop:
    """A few processes, each doing one piece of work at a time.

    Video is decoded and queries are answered outside of the server's own process, so that neither
    can hold up other requests, and what takes too long, or crashes a decoder, costs one answer.
    """

    def __init__(self, num_workers: int, *, max_waiting: int, warm_up: Any = None) -> None:
        """Start nothing yet; a process starts when it is first needed, or by `start`.

        Args:
            num_workers: how many.
            max_waiting: calls that may wait for a free one.
            warm_up: a function of a module, called first of all in each of them.
        """
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._waiting = threading.Semaphore(max_waiting + num_workers)
        self._workers = [_Worker(warm_up) for _ in range(num_workers)]
        for worker in self._workers:
            self._idle.put(worker)

    def start(self) -> None:
        """Start all processes, so that the first call need not wait for one."""
        for worker in self._workers:
            worker.start()

    def call(self, function: Callable[..., Any], *arguments: Any, timeout_s: float) -> Any:
        """Call a function of a module in one of the processes, and wait for what it returns.

        Raises:
            InputError: as raised by the function.
            BusyError: too many calls wait, or no process was free in time.
            OverdueError: it takes longer.
            WorkError: it met a bug, or its process died.
        """
        deadline_s = time.monotonic() + timeout_s
        if not self._waiting.acquire(blocking=False):
            raise BusyError
        try:
            try:
                worker = self._idle.get(timeout=timeout_s)
            except queue.Empty:
                raise BusyError from None
            try:
                return worker.call(function, arguments, deadline_s)
            finally:
                self._idle.put(worker)
        finally:
            self._waiting.release()

    @property
    def is_free(self) -> bool:
        """Whether a process has nothing to do."""
        return not self._idle.empty()

    def close(self) -> None:
        """End all processes, at once where they are at work."""
        for worker in self._workers:
            worker.stop()


class _Worker:
    """A process with its pipe; started again after it had to be ended."""

    def __init__(self, warm_up: Any) -> None:
        self._warm_up = warm_up
        self._lock = threading.Lock()
        self._running: tuple[SpawnProcess, Connection] | None = None
        self._is_ready = False
        self._closed = False

    def start(self) -> Connection:
        """The pipe to the process, which is started if it does not run."""
        with self._lock:
            if self._closed:
                raise WorkError
            if self._running is not None and not self._running[0].is_alive():
                self._end()
            if self._running is None:
                self._running, self._is_ready = start_process(_work, self._warm_up), False
            return self._running[1]

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...], end_s: float) -> Any:
        pipe = self.start()
        try:
            if not self._is_ready:
                # One that is ended for being slow to start would be slow to start again.
                if not pipe.poll(max(0.0, end_s - time.monotonic())):
                    raise BusyError
                pipe.recv()
                self._is_ready = True
            pipe.send((function, arguments))
            if not pipe.poll(max(0.0, end_s - time.monotonic())):
                with self._lock:
                    self._end()
                raise OverdueError
            kind, value = pipe.recv()
        except (EOFError, OSError):
            with self._lock:
                self._end()
            raise WorkError from None
        match kind:
            case "done":
                return value
            case "input":
                raise InputError(value)
            case "artifact":
                raise ArtifactError(value)
            case _:
                raise WorkError

    def stop(self) -> None:
        with self._lock:
            self._closed = True
            self._end()

    def _end(self) -> None:
        """End the process; the lock is held."""
        if self._running is None:
            return
        process, pipe = self._running
        self._running = None
        process.terminate()
        process.join(_END_S)
        if process.is_alive():
            process.kill()
            process.join(_END_S)
        pipe.close()


def _work(pipe: Connection, warm_up: Any) -> None:
    """What runs in a process of the workshop."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if warm_up is not None:
        warm_up()
    try:
        pipe.send("ready")
    except OSError:
        return
    while True:
        try:
            function, arguments = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer: tuple[str, Any] = "done", function(*arguments)
        except InputError as error:
            kind = "artifact" if isinstance(error, ArtifactError) else "input"
            answer = kind, str(error)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            answer = "bug", None
        try:
            pipe.send(answer)
        except OSError:
            return


def end_with_parent(pipe: Connection) -> None:
    """End this process at once when the other end of a pipe is closed, as a killed parent does."""

    def watch() -> None:
        try:
            pipe.recv()
        except (EOFError, OSError):
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
