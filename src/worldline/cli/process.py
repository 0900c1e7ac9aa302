"""The process around a command: its standard streams, and the signals that stop it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = [
    "Halt",
    "Terminated",
    "complain",
    "discard_output",
    "open_streams",
    "terminable",
]


class Terminated(BaseException):
    """The process was asked to end (SIGTERM); unwinds as `KeyboardInterrupt` does."""


def complain(line: str) -> None:
    """Print a line on standard error; where that cannot take it, nobody is there to be told."""
    with suppress(OSError):
        print(line, file=sys.stderr)


def open_streams() -> None:
    """Let standard streams that are closed lead nowhere.

    Otherwise the next file to be opened would take their place, and get what is printed.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free descriptor is taken, and that is this one.
            os.open(os.devnull, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)


def discard_output() -> None:
    """Let standard output lead nowhere: the interpreter flushes it once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def terminable() -> Iterator[None]:
    """Inside, SIGTERM raises `Terminated` in the main thread, so that what is open is closed.

    Where somebody handles the signal already, or outside the main thread, nothing changes. Forked
    children die of it as ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    if before is not signal.SIG_DFL:
        yield
        return
    owner = os.getpid()

    def stop(number: int, _: FrameType | None) -> None:
        if os.getpid() == owner:
            raise Terminated
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Halt:
    """Lets work that is asked to stop (Ctrl-C, SIGTERM) finish what may not be left half done.

    While it is entered, a signal takes effect at once only within `open`; elsewhere it waits for
    `obey`, and a second one takes effect. Outside the main thread nothing changes.
    """

    def __init__(self) -> None:
        self._asked = 0  # number of the signal that waits
        self._is_open = False
        self._before: dict[int, Callable[[int, FrameType | None], object]] = {}

    def __enter__(self) -> Halt:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before = signal.getsignal(number)
                if callable(before):
                    self._before[number] = before
                    signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Inside, signals take effect at once."""
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False

    def obey(self) -> None:
        """Let a signal that waits take effect, if there is one."""
        if self._asked:
            self._before[self._asked](self._asked, None)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._is_open or self._asked:
            self._before[number](number, frame)
        self._asked = number
