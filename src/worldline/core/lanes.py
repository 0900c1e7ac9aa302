"""Work side by side in processes, with progress; what a process needs is carried there once.

Threads take turns at the interpreter's lock, which what is Python holds most of the time.
"""

from __future__ import annotations

import pickle
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

from worldline.core.processes import WorkerLostError, start_process

__all__ = ["Work", "pack", "portable", "side_by_side"]

T = TypeVar("T")
R = TypeVar("R")

Work = Callable[[T, Callable[[float], None]], R]
"""Does one item, and tells the share of it that is done."""

_END_S = 5.0


def pack(work: object) -> bytes | None:
    """Work as it travels to other processes; None where it cannot: then it has to be done here."""
    try:
        return pickle.dumps(work)
    except (pickle.PicklingError, TypeError, AttributeError):
        return None


def side_by_side(
    packed: bytes,
    items: Sequence[T],
    *,
    num_lanes: int,
    on_progress: Callable[[int, float], None] = lambda index, share: None,
) -> Iterator[tuple[int, Any]]:
    """Do the items in several new processes; gives index and result of each as it is done.

    Processes have one thread for linear algebra each. They end with the iterator, and those that
    are idle with this process. An item whose process dies (out of memory, a fault in somebody's
    library) gives a `WorkerLostError`; the others go on.

    Args:
        packed: a `Work` by `pack`.
        items: begun in this order.
        num_lanes: processes.
        on_progress: told the index of an item and the share of it that is done.

    Raises:
        Exception: what the work raised.
    """
    waiting = list(enumerate(items))[::-1]
    lanes = _Lanes(packed)
    try:
        for _ in range(min(num_lanes, len(items))):
            lanes.begin(*waiting.pop())
        while lanes.busy:
            for pipe in lanes.heard():
                index = lanes.busy[pipe]
                value: Any = None
                try:
                    kind, value = pipe.recv()
                except (EOFError, OSError):
                    lanes.drop(pipe)
                    kind = "died"
                if kind == "part":
                    on_progress(index, value)
                    continue
                if kind == "raised":
                    raise value
                if waiting:
                    lanes.begin(*waiting.pop(), pipe=pipe)
                else:
                    lanes.drop(pipe)
                reason = "the process died; is there enough memory?"
                yield index, WorkerLostError(reason) if kind == "died" else value
    finally:
        lanes.close()


class _Lanes:
    """The processes, by their pipes, with the index of what each is busy with."""

    def __init__(self, packed: bytes) -> None:
        self.busy: dict[Connection, int] = {}
        self._packed = packed
        self._processes: dict[Connection, SpawnProcess] = {}

    def begin(self, index: int, item: object, pipe: Connection | None = None) -> None:
        """Give an item to a process: to this one if it lives, else to a new one."""
        if pipe is not None:
            with suppress(OSError):
                if pipe in self._processes:
                    pipe.send((item,))
                    self.busy[pipe] = index
                    return
            self.drop(pipe)
        process, fresh = start_process(_serve, self._packed)
        self._processes[fresh] = process
        self.busy[fresh] = index
        with suppress(OSError):  # its death is heard of when it is listened to
            fresh.send((item,))

    def heard(self) -> list[Connection]:
        """Pipes that something has come through."""
        return [pipe for pipe in wait(list(self.busy)) if isinstance(pipe, Connection)]

    def drop(self, pipe: Connection) -> None:
        """End a process."""
        self.busy.pop(pipe, None)
        process = self._processes.pop(pipe, None)
        if process is None:
            return
        pipe.close()
        process.terminate()
        process.join(_END_S)
        if process.is_alive():
            process.kill()
            process.join()

    def close(self) -> None:
        """End all."""
        for pipe in list(self._processes):
            self.drop(pipe)


def _serve(pipe: Connection, packed: bytes) -> None:
    """What runs in a lane."""
    import cv2

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    cv2.setNumThreads(1)  # the other lanes have the other cores
    with suppress(EOFError, OSError):  # nobody listens any more
        work, problem = _try(lambda: pickle.loads(packed))
        while problem is None:
            (item,) = pipe.recv()
            done, problem = _try(partial(work, item, partial(_tell, pipe)))
            if problem is None:
                pipe.send(("done", done))
        pipe.send(("raised", problem))


def _tell(pipe: Connection, share: float) -> None:
    """Progress; who does not listen any more gets no result either."""
    with suppress(OSError):
        pipe.send(("part", share))


def _try(work: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return work(), None
    except Exception as error:
        return None, portable(error)


def portable(error: Exception) -> Exception:
    """An error as it can be sent; with its lines, which do not travel."""
    told = "".join(traceback.format_exception(error))
    try:
        again = pickle.loads(pickle.dumps(error))
    except Exception:
        again = RuntimeError(f"{type(error).__name__}: {error}")
    again.add_note(told)
    return again
