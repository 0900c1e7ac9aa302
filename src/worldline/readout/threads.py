"""OpenCV without threads of its own, where the callers' threads keep all cores busy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import cv2

__all__ = ["one_thread_each"]

_lock = Lock()
_num_inside = 0
_num_before = 1


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let OpenCV's functions run on the threads that call them, and on no others.

    Its own wait for work by spinning, which takes up to a tenth of the processor time of a search
    and makes nothing faster where other stages run beside it. The setting is the whole process's:
    the last one who leaves puts back what the first one found.
    """
    global _num_inside, _num_before
    with _lock:
        if not _num_inside:
            _num_before = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _num_inside += 1
    try:
        yield
    finally:
        with _lock:
            _num_inside -= 1
            if not _num_inside:
                cv2.setNumThreads(_num_before)
