"""`worldline ingest`: videos into a library."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from worldline.cli.files import nearby
from worldline.cli.output import Answer, JsonFlag, Seed, progress, require_text
from worldline.cli.places import make_folder
from worldline.cli.process import complain
from worldline.core.errors import InputError
from worldline.core.wording import printable

if TYPE_CHECKING:
    from rich.console import Console

    from worldline.retrieval import IngestResult, Library
    from worldline.retrieval.ingest import Look
    from worldline.retrieval.library import Spread

__all__ = ["Ingest"]

Paths = Annotated[
    tuple[Path, ...],
    tyro.conf.Positional,
    tyro.conf.arg(metavar="PATH...", help="Video files, and folders with videos below them."),
]


@dataclass(frozen=True)
class Ingest:
    """Bring videos into a library: what happens in them, where and when, never their bytes.

    Files that the library knows already are passed over, changed ones are read again. It may be
    stopped at any moment, and goes on where it was when it is started again.
    """

    paths: Paths
    library: Annotated[str, tyro.conf.arg(metavar="URI", help="Folder, or s3://BUCKET/FOLDER.")]
    workers: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Processes that look at videos; as many as there are processors if absent."""
    ray: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS")] = None
    """Look at videos through Ray: local, auto, or HOST:PORT of a cluster."""
    detector: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Names what is seen: a plug-in, such as transformers:FOLDER of a model. Files that are known
    already are shown to it with --again alone."""
    world: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Adds what this world sees and motion does not show, where its trust in the footage is high:
    small, or the folder of a world. Known files as with --detector."""
    again: bool = False
    """Look at files whose content has not changed, too."""
    forget: bool = False
    """Remove these videos, and those below these folders, from the library instead."""
    upgrade: bool = False
    """Bring a library of an older version up to date; needs no PATH."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Read what is new. Raises `ArtifactError` where no library can be."""
        from worldline.core.processes import num_cores
        from worldline.retrieval import Library
        from worldline.retrieval.place import local_folder

        if not self.paths and not self.upgrade:
            raise InputError("no video given; name at least one file or folder")
        if self.workers is not None and self.workers < 1:
            raise InputError(f"--workers is {self.workers}; it must be at least 1")
        if self.forget and (self.again or self.ray is not None):
            raise InputError("--forget reads no video; leave out --again and --ray")
        look = self._look()  # nothing is made where that fails
        if "://" not in self.library:
            require_text(f"--library {self.library}")
            make_folder("--library", local_folder(self.library))
        library = Library.open(self.library, look=look)
        before = library.store.exists
        if self.upgrade:
            library.upgrade()
        if self.forget:
            return {"library": self.library, **_forget(library, self.paths)}
        workers = self.workers or num_cores()
        with progress("ingesting", 1.0) as set_done, self._spread(workers) as spread_by:

            def report(done: int, total: int, result: IngestResult) -> None:
                set_done(done / total)
                if result.error is not None:
                    complain(f"worldline: error: {printable(result.error)}")

            answer = library.ingest(
                self.paths,
                num_workers=workers,
                spread_by=spread_by,
                again=self.again,
                on_progress=report,
            ).to_json()
        if not before and not library.store.exists and "://" not in self.library:
            _drop_if_empty(local_folder(self.library))
        return {"library": self.library, **answer}

    def _look(self) -> Look:
        from worldline.readout import open_detector
        from worldline.retrieval.ingest import look_at

        if self.detector is None and self.world is None:
            return look_at
        # Better now than once for each file.
        if self.detector is not None:
            open_detector(self.detector)
        if self.world is not None:
            from worldline.world import World

            World.from_pretrained(self.world)
        return partial(look_at, detector=self.detector, world=self.world)

    @contextmanager
    def _spread(self, num_workers: int) -> Iterator[Spread | None]:
        if self.ray is None:
            yield None
            return
        from worldline.scale import ray_session, spread_by_ray

        # How many a cluster has is the cluster's; here they are started.
        asked = num_workers if self.ray == "local" else self.workers or 1
        with ray_session(self.ray, num_workers=asked):
            yield spread_by_ray

    def show(self, answer: Answer, console: Console) -> None:
        """Print one line per file that is new or forgotten, and the counts."""
        from rich.table import Table

        table = Table("video", "", "events", "segments", box=None)
        for result in answer["results"]:
            if result["status"] != "unchanged":
                counts = [str(result.get(name, "")) for name in ("num_events", "num_segments")]
                table.add_row(nearby(result["source"]), result["status"], *counts)
        if table.row_count:
            console.print(table)
        for result in answer["results"]:
            if (twin := result.get("same_as")) is not None:
                console.print(f"  {_tell_same(result['source'], twin)}", style="yellow")
        names = ("added", "updated", "unchanged", "forgotten", "failed")
        counts = [f"{answer[name]} {name}" for name in names if name in answer]
        console.print(f"{answer['library']}: {', '.join(counts)}")


def _tell_same(source: str, twin: str) -> str:
    """That two videos are one, and what to do where the older one was moved."""
    said = f"{nearby(source)} has the same content as {nearby(twin)}"
    if os.path.lexists(twin):
        return f"{said}: both will be found"
    return f"{said}, which is gone; remove that with --forget {shlex.quote(twin)}"


def _drop_if_empty(folder: Path) -> None:
    """Take back a folder that was made for a library that did not come to be."""
    with suppress(OSError):
        folder.rmdir()


def _forget(library: Library, paths: tuple[Path, ...]) -> Answer:
    """One result per video that is forgotten, and one per path that named none."""
    results: list[Answer] = []
    for path in dict.fromkeys(paths):
        gone = library.forget([path])
        results += [{"source": uri, "status": "forgotten"} for uri in gone]
        if not gone:
            error = f"{path}: the library knows no such video, and none below it"
            complain(f"worldline: error: {printable(error)}")
            results.append({"source": str(path), "status": "failed", "error": error})
    failed = sum(result["status"] == "failed" for result in results)
    return {"results": results, "forgotten": len(results) - failed, "failed": failed}
