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


@contextmanager
def prefetch(items: Generator[T, None, None], *, ahead: int = 8) -> Iterator[Iterator[T]]:
    """Let a generator run on a thread, up to `ahead` items ahead of whoever reads them.

    It pays where the generator's work leaves the interpreter free, as decoding and OpenCV's do.
    What it raises is raised here, at its place among the items. At the end of the block, however
    that is reached, it is closed on its own thread and the thread has ended.
    """
    queue = Queue[tuple[T | None, BaseException | None, bool]](ahead)
    stop = Event()

    def put(item: T | None, error: BaseException | None, last: bool) -> None:
        while not stop.is_set():
            try:
                queue.put((item, error, last), timeout=_PATIENCE_S)
                return
            except Full:
                continue

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                put(item, None, False)
                if stop.is_set():
                    break
        except BaseException as raised:  # whatever it is, it belongs to the reader
            error = raised
        finally:
            items.close()
        put(None, error, True)

    def read() -> Iterator[T]:
        while True:
            item, error, last = queue.get()
            if error is not None:
                raise error
            if last:
                return
            yield item  # type: ignore[misc]

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
