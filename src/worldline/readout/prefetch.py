"""Work ahead on a thread of its own."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

__all__ = ["prefetch"]

T = TypeVar("T")

_PATIENCE_S = 0.05
_PARCEL = 8  # items handed over at once: each time, threads wait for the interpreter's lock


@contextmanager
def prefetch(items: Generator[T, None, None], *, ahead: int = 16) -> Iterator[Iterator[T]]:
    """Let a generator run on a thread, some `ahead` items ahead of whoever reads them.

    Items are handed over eight at a time, so there must be no hurry about any one of them. It pays
    where the generator's work leaves the interpreter free, as decoding and OpenCV's do. What it
    raises is raised here, at its place among the items. At the end of the block, however that is
    reached, it is closed on its own thread and the thread has ended.
    """
    queue = Queue[tuple[list[T], BaseException | None, bool]](max(2, ahead // _PARCEL))
    stop = Event()

    def put(parcel: list[T], error: BaseException | None = None, *, last: bool = False) -> None:
        while not stop.is_set():
            try:
                queue.put((parcel, error, last), timeout=_PATIENCE_S)
                return
            except Full:
                continue

    def work() -> None:
        error: BaseException | None = None
        parcel: list[T] = []
        try:
            for item in items:
                parcel.append(item)
                if len(parcel) == _PARCEL:
                    put(parcel)
                    parcel = []
                if stop.is_set():
                    break
        except BaseException as raised:  # whatever it is, it belongs to the reader
            error = raised
        finally:
            items.close()
        put(parcel, error, last=True)

    def read() -> Iterator[T]:
        while True:
            parcel, error, last = queue.get()
            yield from parcel
            if error is not None:
                raise error
            if last:
                return

    thread = Thread(target=work, name="worldline-prefetch", daemon=True)
    thread.start()
    try:
        yield read()
    finally:
        stop.set()
        while thread.is_alive():
            try:
                queue.get_nowait()
            except Empty:
                thread.join(_PATIENCE_S)
