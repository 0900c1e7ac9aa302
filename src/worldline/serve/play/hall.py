"""`Hall`: the world, the threads that step it, and the seats of those who play."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from worldline.core.errors import InputError
from worldline.serve.play.config import PlayConfig

if TYPE_CHECKING:
    from worldline.core.clip import Clip
    from worldline.serve.play.player import Film
    from worldline.serve.play.seat import Seat
    from worldline.world import World

__all__ = ["Hall"]

_LOG = logging.getLogger(__name__)
_SHOWN_PX = 512
"""Recordings are enlarged to about this size."""

T = TypeVar("T")


class Hall:
    """What all players share. It opens the world in a thread, so that the page is there at once.

    Attributes:
        config: what it was made with.
        world: once it is open.
        openings: where sessions begin.
        failure: why the world could not be opened.
        seats: of the players, by token.
    """

    def __init__(self, config: PlayConfig) -> None:
        self.config = config
        self.world: World | None = None
        self.openings: list[Clip] = []
        self.failure: Exception | None = None
        self.seats: dict[str, Seat] = {}
        self._num_reserved = 0
        self._films: list[str] = []
        self._opened = asyncio.Event()
        self._on_failure: Callable[[], None] = lambda: None

    @property
    def state(self) -> str:
        """`loading`, `ready` or `failed`."""
        if self.failure is not None:
            return "failed"
        return "loading" if self.world is None else "ready"

    @property
    def num_taken(self) -> int:
        """Seats that are taken, or will be in a moment."""
        return len(self.seats) + self._num_reserved

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Hold a seat free while its session is opened."""
        self._num_reserved += 1
        try:
            yield
        finally:
            self._num_reserved -= 1

    def on_failure(self, call: Callable[[], None]) -> None:
        """Have something called, in the event loop, when the world cannot be opened."""
        self._on_failure = call

    def start(self) -> None:
        """Open the world, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._folder = tempfile.TemporaryDirectory(prefix="worldline-play-")
        workers = max(1, min(self.config.max_players, os.cpu_count() or 1))
        self._steppers = ThreadPoolExecutor(workers, "step", initializer=_use_one_thread)
        # Looking back and writing films takes long, and must not keep a frame from being made.
        self._lookers = ThreadPoolExecutor(1, "look", initializer=_use_one_thread)
        threading.Thread(target=self._open, name="open-world", daemon=True).start()

    def _open(self) -> None:
        try:
            from worldline.serve.play.stage import open_stage

            world, openings = open_stage(self.config)
        except Exception as error:
            if not isinstance(error, InputError | OSError):
                _LOG.exception("the world could not be opened")
            self._tell(None, [], error)
        else:
            self._tell(world, openings, None)

    def _tell(self, world: World | None, openings: list[Clip], failure: Exception | None) -> None:
        def arrive() -> None:
            self.world, self.openings, self.failure = world, openings, failure
            self._opened.set()
            if failure is not None:
                self._on_failure()

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(arrive)

    async def opened(self) -> None:
        """Wait until the world is open. Raises what kept it from being so."""
        await self._opened.wait()
        if self.failure is not None:
            raise self.failure

    async def step(self, work: Callable[[], T]) -> T:
        """Do something with a player's session in a thread, when one is free."""
        return await self._loop.run_in_executor(self._steppers, work)

    async def look(self, work: Callable[[], T]) -> T:
        """Do something that takes long and that nobody waits for."""
        return await self._loop.run_in_executor(self._lookers, work)

    async def keep(self, film: Film) -> str:
        """Write a recording, and return its name. The oldest is forgotten where there are many."""
        name = f"{secrets.token_urlsafe(12)}.mp4"
        await self.look(lambda: self._write(film, name))
        self._films.append(name)
        while len(self._films) > self.config.max_films:
            (Path(self._folder.name) / self._films.pop(0)).unlink(missing_ok=True)
        return name

    def _write(self, film: Film, name: str) -> None:
        from worldline.data.encode import write_video

        scale = max(1, _SHOWN_PX // film.frames[0].shape[0])
        place = Path(self._folder.name) / name
        write_video(place, film.frames, fps=film.fps, provenance=film.provenance, scale=scale)

    def find_film(self, name: str) -> Path | None:
        """The file of a recording, if it is still there."""
        return Path(self._folder.name) / name if name in self._films else None

    async def stop(self) -> None:
        """End all sessions and threads."""
        for seat in list(self.seats.values()):
            await seat.stop()
        self._steppers.shutdown(wait=False, cancel_futures=True)
        self._lookers.shutdown(wait=False, cancel_futures=True)
        self._folder.cleanup()


def _use_one_thread() -> None:
    import torch

    # Players share the cores; several threads for one step would wait for each other.
    torch.set_num_threads(1)
