"""Work over many scenarios, in order and with progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["OnProgress", "for_each", "ignore_progress", "part"]

T = TypeVar("T")
R = TypeVar("R")

OnProgress = Callable[[float], None]
"""Hears the share of the work that is done."""


def ignore_progress(share: float) -> None:
    """For who does not want to know."""


def part(on_progress: OnProgress, start: float, stop: float) -> OnProgress:
    """Progress within a part of the whole."""
    return lambda share: on_progress(start + (stop - start) * share)


def for_each(
    work: Callable[[T], R],
    items: Sequence[T],
    *,
    num_workers: int = 1,
    on_progress: OnProgress = ignore_progress,
) -> list[R]:
    """`[work(item) for item in items]`, several at a time.

    In threads: what takes the time (networks, image functions) lets go of the interpreter's lock,
    and subjects need not be carried into other processes.
    """
    found: list[R] = []
    with ThreadPoolExecutor(max(1, num_workers)) as pool:
        for result in pool.map(work, items):
            found.append(result)
            on_progress(len(found) / len(items))
    return found
