"""Shots searched in processes of their own, several at once."""

from __future__ import annotations

import mmap
import os
import signal
import sys
import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing import Pipe, get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import DupFd
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from worldline.core.lanes import portable
from worldline.core.memory import keep_freed_memory
from worldline.core.processes import WorkerLostError, num_cores, start_process
from worldline.readout.opener import MAX_BUFFER, Opener, SmallFrame, make_ready
from worldline.readout.shot import MovingRegions

__all__ = ["search_elsewhere", "workers_for"]

_NUM_FLYING = 2 * MAX_BUFFER  # frames; a shot is opened after `MAX_BUFFER` of them at the latest
_PARCEL = 8  # answers that are sent at once
_END_S = 5.0
_WORTH_FRAMES = 200  # below, starting processes takes as long as they save
_MOST_WORKERS = 3  # more are not kept busy by one process that decodes and follows
_CAN_COPY = sys.platform.startswith("linux")  # elsewhere system libraries do not bear a fork

_Message = tuple[int, float, float, bool] | None
"""Number, time, scale and whether it is the first of its shot; None: the shot ends."""


def workers_for(num_frames: int) -> int:
    """How many processes pay for a video of so many frames; 0 where none does.

    None in a process that was itself started to share work out: the others have the other cores.
    """
    if parent_process() is not None or num_cores() < 2 or num_frames < _WORTH_FRAMES:
        return 0
    return min(num_cores(), _MOST_WORKERS)


def search_elsewhere(
    frames: Iterable[SmallFrame], opener: Opener, *, num_workers: int
) -> Generator[MovingRegions, None, None]:
    """One `MovingRegions` a frame, in order, as if the shots were searched one after another here.

    A shot is given to the process that has the least to do. On Linux one is started, imports what
    the search needs and makes copies of itself; where that is not safe another one is started when
    all are busy and a shot begins. Some 160 frames are held at most, in memory that all see.

    Args:
        frames: of one size.
        opener: as it is before the first frame.
        num_workers: processes at most.

    Raises:
        WorkerLostError: a process died.
        Exception: what the search raised, or what getting the frames did.
    """
    crew = _Crew(opener, num_workers)
    try:
        for small in frames:
            if small.new_shot:
                crew.end_shot()
            while crew.num_flying >= _NUM_FLYING:
                yield from crew.collect()
            crew.give(small)
            yield from crew.collect(patient=False)
        crew.end_shot()
        while crew.num_flying:
            yield from crew.collect()
    finally:
        crew.close()


class _Worker:
    """The pipe to a process, and how many frames it still has to answer for."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.num_flying = 0

    def tell(self, message: object) -> None:
        with suppress(OSError):  # its death is heard of when it is listened to
            self.pipe.send(message)


class _Crew:
    """The processes, and what is under way."""

    def __init__(self, opener: Opener, num_workers: int) -> None:
        self.num_flying = 0
        self._opener = opener
        self._num_workers = num_workers
        self._processes: list[SpawnProcess] = []  # those that were started; they end their copies
        self._workers: list[_Worker] = []
        self._busy: _Worker | None = None  # the one that has the shot which is being read
        self._shelf: _Shelf | None = None
        self._answers: dict[int, MovingRegions] = {}
        self._turn = 0

    def give(self, small: SmallFrame) -> None:
        """A frame of the shot that is being read; the first one of a video opens that."""
        if self._shelf is None:
            self._shelf = _Shelf(_NUM_FLYING, small.frame.shape)
        if self._busy is None:
            self._busy = self._choose(self._shelf)
        self._shelf[small.index] = small.frame
        self._busy.tell((small.index, small.time_s, small.scale, small.new_shot))
        self._busy.num_flying += 1
        self.num_flying += 1

    def end_shot(self) -> None:
        """No frame of the shot that is being read follows."""
        if self._busy is not None:
            self._busy.tell(None)
        self._busy = None

    def collect(self, *, patient: bool = True) -> Iterator[MovingRegions]:
        """Answers that are next in order; waits for one where nothing has come, if patient."""
        pipes = {worker.pipe: worker for worker in self._workers if worker.num_flying}
        for pipe in wait(list(pipes), timeout=None if patient else 0):
            assert isinstance(pipe, Connection)
            try:
                answers = pipe.recv()
            except (EOFError, OSError):
                reason = "a process that searched for motion died; is there enough memory?"
                raise WorkerLostError(reason) from None
            if isinstance(answers, Exception):
                raise answers
            pipes[pipe].num_flying -= len(answers)
            self._answers.update((answer.index, answer) for answer in answers)
        while self._turn in self._answers:
            assert self._shelf is not None
            answer = _with_pixels(self._answers.pop(self._turn), self._shelf)
            self._turn += 1
            self.num_flying -= 1  # its place on the shelf may be taken
            yield answer

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.pipe.close()
        for process in self._processes:
            process.terminate()
            process.join(_END_S)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self._workers, self._processes = [], []

    def _choose(self, shelf: _Shelf) -> _Worker:
        idlest = min(self._workers, key=lambda worker: worker.num_flying, default=None)
        if idlest is not None and (
            not idlest.num_flying or len(self._workers) == self._num_workers
        ):
            return idlest
        num_copies = self._num_workers - 1 if _CAN_COPY else 0
        pairs = [Pipe() for _ in range(num_copies)]
        theirs = [there for _, there in pairs]
        process, pipe = start_process(_search, theirs, shelf, self._opener)
        for there in theirs:  # so that its death can be seen
            there.close()
        self._processes.append(process)
        hired = [_Worker(end) for end in (pipe, *(here for here, _ in pairs))]
        self._workers += hired
        return hired[0]


class _Shelf:
    """Places for frames in memory that other processes see, which are given it when they start.

    It has no name, so nothing is left behind however they end.
    """

    def __init__(self, num: int, shape: tuple[int, ...]) -> None:
        self._num, self._shape = num, shape
        size = num * int(np.prod(shape))
        if hasattr(os, "memfd_create"):
            self._file = os.memfd_create("worldline-frames")
        else:
            with tempfile.TemporaryFile() as unnamed:
                self._file = os.dup(unnamed.fileno())
        os.ftruncate(self._file, size)
        self._open()

    def _open(self) -> None:
        memory = mmap.mmap(self._file, self._num * int(np.prod(self._shape)))
        self._frames = np.frombuffer(memory, np.uint8).reshape(self._num, *self._shape)

    def __getstate__(self) -> dict[str, Any]:
        return {"num": self._num, "shape": self._shape, "file": DupFd(self._file)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._num, self._shape, self._file = state["num"], state["shape"], state["file"].detach()
        self._open()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    def __setitem__(self, index: int, frame: UInt8[np.ndarray, "h w 3"]) -> None:
        self._frames[index % self._num] = frame

    def __getitem__(self, index: int) -> UInt8[np.ndarray, "h w 3"]:
        return self._frames[index % self._num]


_NO_PIXELS = np.zeros((0, 0, 3), np.uint8)


def _without_pixels(answer: MovingRegions) -> MovingRegions:
    """To be sent: pixels, which are most of it, travel on the shelf."""
    bare = tuple(replace(region, pixels=_NO_PIXELS) for region in answer.regions)
    return replace(answer, regions=bare)


def _with_pixels(answer: MovingRegions, shelf: _Shelf) -> MovingRegions:
    if not answer.regions:
        return answer
    image = shelf[answer.index].copy()
    whole = tuple(replace(region, pixels=image[region.window]) for region in answer.regions)
    return replace(answer, regions=whole)


def _search(pipe: Connection, others: Sequence[Connection], shelf: _Shelf, opener: Opener) -> None:
    """What runs in a process that was started; it makes a copy of itself for each further pipe.

    There is no thread yet, so a copy lacks nothing, and half of the time of a start is imports.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    keep_freed_memory()
    cv2.setNumThreads(1)  # the others have the other cores
    copies = []
    for own in others:
        rest = [pipe, *(other for other in others if other is not own)]
        copies.append(get_context("fork").Process(target=_copy, args=(own, rest, shelf, opener)))
        copies[-1].start()
    for other in others:
        other.close()

    def end(*_: object) -> None:
        for copy in copies:
            copy.terminate()
        for copy in copies:  # so that nothing is left, and their time is counted
            copy.join()
        os._exit(1)

    signal.signal(signal.SIGTERM, end)
    _serve(pipe, shelf, opener)


def _copy(own: Connection, rest: Sequence[Connection], shelf: _Shelf, opener: Opener) -> None:
    """What runs in a copy, which holds one pipe, so that it hears when nobody listens any more."""
    for other in rest:
        if not other.closed:
            other.close()
    _serve(own, shelf, opener)


def _serve(pipe: Connection, shelf: _Shelf, opener: Opener) -> None:
    with suppress(EOFError, OSError):  # nobody listens any more
        try:
            _answer(pipe, shelf, opener)
        except (EOFError, OSError):
            raise
        except Exception as error:
            pipe.send(portable(error))


def _answer(pipe: Connection, shelf: _Shelf, opener: Opener) -> None:
    line = _Line(pipe)
    while True:
        told = line.hear()
        if told is None:
            opened = opener.end()
        else:
            index, time_s, scale, new_shot = told
            small = SmallFrame(index, time_s, shelf[index], scale, new_shot)
            opened = opener.take(make_ready(small))
        for shot, picture in opened:
            answer = shot.step(picture)
            if answer.regions:
                shelf[answer.index] = shot.seen
            line.say(_without_pixels(answer))
        if told is None:
            line.flush()


class _Line:
    """A worker's end of its pipe.

    All is heard before anything is said, else both ends could wait for the other one to listen.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._heard = deque[_Message]()
        self._unsaid: list[MovingRegions] = []

    def hear(self) -> _Message:
        """The next frame, or None where a shot ends."""
        while not self._heard or self._pipe.poll():
            self._heard.append(self._pipe.recv())
        return self._heard.popleft()

    def say(self, answer: MovingRegions) -> None:
        """Answers are sent a few at a time."""
        self._unsaid.append(answer)
        if len(self._unsaid) == _PARCEL:
            self.flush()

    def flush(self) -> None:
        """Send what has not been sent."""
        while self._pipe.poll():
            self._heard.append(self._pipe.recv())
        if self._unsaid:
            self._pipe.send(self._unsaid)
            self._unsaid = []
