"""`Service`: what the routes share: the library, its processes, jobs, and clips that were made."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import anyio.to_thread
from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from worldline.core.errors import ArtifactError, InputError
from worldline.core.scene import Scene
from worldline.serve import tasks
from worldline.serve.config import ServeConfig
from worldline.serve.jobs import JobQueue
from worldline.serve.roots import MediaRoots
from worldline.serve.workshop import BusyError, OverdueError, WorkError, Workshop

__all__ = ["Here", "Service"]

_MAX_WAITING = 32
_MAX_THREADS = 2 * _MAX_WAITING + 16
RETRY_S = "2"


class Service:
    """What stands behind the routes of one app.

    Attributes:
        config: what is open to clients, and how much of it.
        roots: folders whose videos may be read.
        jobs: ingests.
    """

    def __init__(self, config: ServeConfig) -> None:
        """Start nothing yet. Raises `InputError` for a media folder that is none."""
        self.config = config
        self.roots = MediaRoots.check(config.media)
        self.jobs = JobQueue(
            tasks.ingest_files, max_waiting=config.max_jobs, max_kept=config.max_kept_jobs
        )
        self._searchers: Workshop | None = None
        self._artists: Workshop | None = None
        self._folder: Path | None = None
        self._films: OrderedDict[str, int] = OrderedDict()
        self._making: dict[str, asyncio.Lock] = {}
        self._threads: anyio.CapacityLimiter | None = None

    def start(self) -> None:
        """Start the processes."""
        config = self.config
        self._folder = Path(tempfile.mkdtemp(prefix="worldline-serve-"))
        self._threads = anyio.CapacityLimiter(_MAX_THREADS)
        self._searchers = Workshop(
            config.num_searchers, max_waiting=_MAX_WAITING, warm_up=tasks.prepare_search
        )
        self._artists = Workshop(1, max_waiting=_MAX_WAITING, warm_up=tasks.prepare_drawing)
        if config.warm:
            self._searchers.start()
            self._artists.start()
        self.jobs.open(config.library, self.roots)

    def stop(self) -> None:
        """End the processes; what a job has done so far is in the library."""
        self.jobs.close()
        for workshop in (self._searchers, self._artists):
            if workshop is not None:
                workshop.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def consult(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Ask the library; the function gets its URI first. Raises `HTTPException`."""
        assert self._searchers is not None
        return await self._have(self._searchers, function, (self.config.library, *arguments), {})

    async def look(self, path: Path, name: str) -> Scene:
        """What moves in a video, which is called by a name. Raises `HTTPException`."""
        assert self._artists is not None
        arguments = str(path), self.config.max_video_s
        return await self._have(
            self._artists, tasks.look_at_video, arguments, {str(path): name, path.name: name}
        )

    async def search(
        self,
        query: str | Mapping[str, Any],
        limit: int,
        like: Scene | None = None,
        like_name: str = "",
    ) -> dict[str, Any]:
        """What `worldline search --json` answers, with the addresses of what shows each hit."""
        answer = await self.consult(tasks.search_library, query, limit, like, like_name)
        for hit in answer["hits"]:
            hit["overlay"] = hit["still"] = None
            if self.roots.holds(hit["source"]):
                place = f"/v1/videos/{hit['video']}/overlay"
                events = [("event", event["number"]) for event in hit["why"]["events"]]
                span = [("start_s", f"{hit['start_s']:.4f}"), ("end_s", f"{hit['end_s']:.4f}")]
                asked = urlencode([*span, *events[: tasks.MOST_EVENTS]])
                hit["overlay"], hit["still"] = f"{place}.mp4?{asked}", f"{place}.jpg?{asked}"
            hit["source"] = self.roots.show(hit["source"])
        return answer

    async def film(
        self,
        kind: str,
        video: Mapping[str, Any],
        span_s: tuple[float, float],
        events: Sequence[Mapping[str, Any]],
        at_s: float | None = None,
    ) -> Path:
        """A file with the clip (`mp4`) or picture (`jpg`) of a hit, made where it is not there yet.

        Raises:
            HTTPException: the video cannot be read, or it takes too long.
        """
        assert self._artists is not None
        assert self._folder is not None
        numbers = [event["number"] for event in events]
        facts = (video["uri"], video["ingest_id"], span_s, numbers, at_s)
        name = f"{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}.{kind}"
        target = self._folder / name
        async with self._making.setdefault(name, asyncio.Lock()):
            if not target.is_file():
                drawn: tuple[Any, ...] = (video["uri"], *span_s, list(events))
                function: Callable[..., None] = tasks.draw_clip
                if kind == "jpg":
                    function, drawn = tasks.draw_still, (*drawn, at_s)
                await self._have(self._artists, function, (*drawn, str(target)), {})
                self._films[name] = target.stat().st_size
                self._forget_films()
        self._making.pop(name, None)
        if name in self._films:
            self._films.move_to_end(name)
        return target

    def _forget_films(self) -> None:
        """Drop the clips that were asked for longest ago, until the rest fits."""
        assert self._folder is not None
        while len(self._films) > 1 and sum(self._films.values()) > self.config.cache_mb * 2**20:
            name, _ = self._films.popitem(last=False)
            (self._folder / name).unlink(missing_ok=True)

    async def _have(
        self,
        workshop: Workshop,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        names: Mapping[str, str],
    ) -> Any:
        def work() -> Any:
            return workshop.call(function, *arguments, timeout_s=self.config.timeout_s)

        try:
            return await anyio.to_thread.run_sync(work, limiter=self._threads)
        except ArtifactError as error:
            raise HTTPException(409, self.clean(str(error), names)) from None
        except InputError as error:
            status = 409 if "no library here yet" in str(error) else 422
            raise HTTPException(status, self.clean(str(error), names)) from None
        except BusyError:
            said = "too many requests wait already; try again in a moment"
            raise HTTPException(503, said, {"Retry-After": RETRY_S}) from None
        except OverdueError:
            said = f"this takes longer than {self.config.timeout_s:g} s; ask for less"
            raise HTTPException(503, said, {"Retry-After": RETRY_S}) from None
        except WorkError:
            said = "the work failed in a way that it should not; please report this"
            raise HTTPException(500, said) from None

    def clean(self, text: str, names: Mapping[str, str] | None = None) -> str:
        """A sentence without places of this machine that are not open to clients."""
        library = self.config.library
        own = {library: "the library", str(Path(library).absolute()): "the library"}
        return self.roots.clean(text, {**own, **(names or {})})


def _service(request: Request) -> Service:
    return request.app.state.service


Here = Annotated[Service, Depends(_service)]
"""Parameter of a route that wants the service."""
