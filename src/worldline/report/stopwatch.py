"""Where the time of a run goes, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from worldline.report.facts import Stage

__all__ = ["Stopwatch"]

T = TypeVar("T")


class Stopwatch:
    """Every second between start and end of a run belongs to exactly one stage.

    Stages may be nested, as decoding is inside perceiving that pulls frame after frame: the inner
    one's time is not the outer one's.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        on_enter: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._clock = clock
        self._on_enter = on_enter
        self._stack: list[str] = []
        self._since_s = clock()
        self._spent_s: dict[str, float] = {}
        self._what: dict[str, str] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time inside the block for a stage."""
        self._settle()
        self._stack.append(name)
        self._spent_s.setdefault(name, 0.0)
        self._on_enter(name)
        try:
            yield
        finally:
            self._settle()
            self._stack.pop()

    def pull(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """Go through items, counting the time that they take to come for a stage."""
        source = iter(items)
        self._spent_s.setdefault(name, 0.0)
        while True:
            self._settle()
            self._stack.append(name)
            try:
                item = next(source)
            except StopIteration:
                return
            finally:
                self._settle()
                self._stack.pop()
            yield item

    def describe(self, name: str, what: str) -> None:
        """Say what a stage did."""
        self._what[name] = what

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Finished and running stages, in order of their first start."""
        self._settle()
        return tuple(
            Stage(name=name, seconds=spent_s, what=self._what.get(name, ""))
            for name, spent_s in self._spent_s.items()
        )

    def _settle(self) -> None:
        now_s = self._clock()
        if self._stack:
            self._spent_s[self._stack[-1]] += now_s - self._since_s
        self._since_s = now_s
