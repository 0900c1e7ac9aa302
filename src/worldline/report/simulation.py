"""The library's simulated clips, made by other processes while the footage is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from types import TracebackType

from worldline.core import Clip, Scene
from worldline.report.answers import simulate_clips
from worldline.sim import FIRST_FAMILIES, Split, make_clips

__all__ = ["SimulationBeside"]

_NUM_WORKERS = 2


class SimulationBeside:
    """Makes and writes clips from the moment on when it is entered; leaving it early stops it.

    Looking at footage keeps one core and a third of another busy, and the clips do not depend on
    it. A thread of this process takes them from the others and writes the files.

    Args:
        folder: where the files go.
        num_clips: how many.
        seed: of the clips, which are the held-out ones of the first families in turn.
    """

    def __init__(self, folder: Path, *, num_clips: int, seed: int) -> None:
        self._folder, self._num_clips, self._seed = folder, num_clips, seed
        self._stopped = Event()
        self._thread = ThreadPoolExecutor(max_workers=1)

    def __enter__(self) -> SimulationBeside:
        self._written = self._thread.submit(self._make)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.shutdown()

    def result(self) -> dict[Path, Scene]:
        """Wait for the clips: file to scene.

        Raises:
            InputError: a number is out of range.
        """
        return self._written.result()

    def _make(self) -> dict[Path, Scene]:
        return simulate_clips(self._until_stopped(), self._folder, seed=self._seed)

    def _until_stopped(self) -> Iterator[Clip]:
        clips = make_clips(
            FIRST_FAMILIES,
            num_clips=self._num_clips,
            seed=self._seed,
            split=Split.HELD_OUT,
            num_workers=_NUM_WORKERS,
        )
        with closing(clips):  # ends the processes
            for clip in clips:
                if self._stopped.is_set():
                    return
                yield clip
