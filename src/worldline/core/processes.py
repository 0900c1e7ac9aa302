"""Processes that share out work which is Python."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from multiprocessing import Pipe, get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TypeVar

from worldline.core.errors import InputError

__all__ = [
    "WorkerLostError",
    "num_cores",
    "spread",
    "spread_in_order",
    "start_process",
]

T = TypeVar("T")
R = TypeVar("R")

_THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerLostError(InputError):
    """The process that did a piece of work ended before it was done."""


def num_cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(
    work: Callable[[T], R], items: Iterable[T], *, num_workers: int, patient: bool = False
) -> Generator[tuple[T, R | WorkerLostError], None, None]:
    """Do independent pieces of work in new processes; gives each with its item as it is done.

    Where a process dies (out of memory, a fault in a decoder), the pieces that were under way are
    done again one at a time, and the one that does it again is given with a `WorkerLostError`. When
    the iterator is closed, or this process dies in whatever way, the others end at once. They have
    one thread for linear algebra each. Only this process hears of a stop from the keyboard, which
    all processes of a terminal get: it is its to handle, by leaving the iterator.

    Args:
        work: a function of a module, or a partial of one; what it raises is raised here.
        items: drawn as there is room for them.
        num_workers: processes.
        patient: where the iterator is closed early, wait for what is under way, not end it.
            A process that is ended while it hands over a large answer can leave the other end
            waiting for the rest of it; so for short pieces with large answers.
    """
    more, suspects = iter(items), list[T]()
    flying: dict[Future[R], T] = {}
    crew = _Crew(num_workers)
    try:
        while True:
            alone = bool(suspects)
            room = 2 * num_workers - len(flying)
            batch = [suspects.pop(0)] if alone else list(islice(more, room))
            lost = crew.submit(work, batch, flying)
            if not flying and not lost:
                return
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in done:
                item = flying.pop(future)
                try:
                    answer = future.result()
                except BrokenProcessPool:
                    lost.append(item)
                else:
                    yield item, answer
            if lost:
                lost += flying.values()
                flying.clear()
                crew.close()
                crew = _Crew(num_workers)
                if alone:
                    reason = "the process that worked on it died; is there enough memory?"
                    yield lost.pop(0), WorkerLostError(reason)
                suspects = lost + suspects
    finally:
        crew.close(patient=patient)


def spread_in_order(
    work: Callable[[T], R], items: Iterable[T], *, num_workers: int
) -> Generator[R, None, None]:
    """As `spread`, with the answers in the order of the items, and patient.

    Raises:
        WorkerLostError: a process died twice over one piece of work.
    """
    told = spread(
        partial(_with_number, work), enumerate(items), num_workers=num_workers, patient=True
    )
    waiting: dict[int, R] = {}
    turn = 0
    with closing(told):
        for (number, _), answer in told:
            if isinstance(answer, WorkerLostError):
                raise answer
            waiting[number] = answer
            while turn in waiting:
                yield waiting.pop(turn)
                turn += 1


def _with_number(work: Callable[[T], R], numbered: tuple[int, T]) -> R:
    return work(numbered[1])


class _Crew:
    """Processes that end when this one does, or when they are told to."""

    def __init__(self, num_workers: int) -> None:
        reader, self._alive = Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            num_workers, get_context("spawn"), initializer=_end_with, initargs=(reader,)
        )

    def submit(
        self, work: Callable[[T], R], batch: Iterable[T], flying: dict[Future[R], T]
    ) -> list[T]:
        """Begin pieces of work. Returns those that could not be begun, because a process died."""
        lost = []
        with _spawning():
            for item in batch:
                try:
                    flying[self._pool.submit(work, item)] = item
                except BrokenProcessPool:
                    lost.append(item)
        return lost

    def close(self, *, patient: bool = False) -> None:
        if not patient:
            self._alive.close()  # a worker that is busy would otherwise be waited for
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._alive.close()


def _end_with(parent: Connection) -> None:
    """In a worker: end as soon as the other end of the pipe is closed, by whatever death."""

    def watch() -> None:
        parent.poll(None)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def start_process(
    target: Callable[..., None], *arguments: object
) -> tuple[SpawnProcess, Connection]:
    """A new process, as those of `spread`, and this end of a pipe to it.

    Args:
        target: function of a module, called with the other end of the pipe and the arguments.
        arguments: further ones.
    """
    context = get_context("spawn")
    here, there = context.Pipe()
    with _spawning():
        process = context.Process(target=target, args=(there, *arguments))
        process.start()
    there.close()  # so that the process is the only one to hold it, and its death can be seen
    return process, here


@contextmanager
def _spawning() -> Iterator[None]:
    """Processes started inside have one thread for linear algebra and hear of no keyboard stop."""
    resource_tracker.ensure_running()  # its start would let such stops through again
    before = {name: os.environ.get(name) for name in _THREAD_COUNTS}
    # New processes have the signal mask of the thread that starts them.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(dict.fromkeys(_THREAD_COUNTS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
