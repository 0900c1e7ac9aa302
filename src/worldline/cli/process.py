"""The process around a command: its standard streams, and the signals that stop it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = [
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
