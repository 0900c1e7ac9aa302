"""Processes that share out work which is Python."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from multiprocessing.pool import Pool

__all__ = ["spawn_pool"]

_THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def spawn_pool(num_workers: int) -> Pool:
    """A pool of new processes, with one thread for linear algebra each, not one per core.

    A stop from the keyboard, which all processes of a terminal get, does not reach them: it is the
    parent's to handle, by leaving the pool. Workers that it ended would be waited for forever.
    """
    resource_tracker.ensure_running()  # its start would let such stops through again
    # New processes have the signal mask of the thread that starts them.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _one_thread_each():
            return get_context("spawn").Pool(num_workers)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _THREAD_COUNTS}
    os.environ.update(dict.fromkeys(_THREAD_COUNTS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
