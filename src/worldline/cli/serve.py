"""`worldline serve`: a library over HTTP, with a page to search it."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import tyro

from worldline.cli.output import Answer, JsonFlag, Seed, require_text, to_text
from worldline.cli.process import complain
from worldline.core.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Serve"]

Media = Annotated[
    tuple[Path, ...],
    tyro.conf.arg(metavar="FOLDER...", help="Folders whose videos may be ingested and shown."),
]


@dataclass(frozen=True)
class Serve:
    """Answer searches over HTTP, ingest videos as jobs, and show hits on a page.

    Nothing outside of the media folders is read or named. The API is described at /openapi.json
    and in docs/serve.md. Ctrl-C ends the server; a job that runs is stopped, and the same job goes
    on where it was when it is asked for again.

    Examples:

      worldline serve --library out/library --media out/clips

      worldline serve --library out/library --media out/clips --host 0.0.0.0 --token "$TOKEN"
    """

    library: Annotated[str, tyro.conf.arg(metavar="URI", help="Library made by ingest, or to be.")]
    media: Media = ()
    host: Annotated[str, tyro.conf.arg(help="Address to listen at.")] = "127.0.0.1"
    port: Annotated[int, tyro.conf.arg(help="Port to listen at; 0 takes any free one.")] = 8431
    token: Annotated[
        str, tyro.conf.arg(help="What clients must send as a bearer token; none if empty.")
    ] = ""
    name: Annotated[
        tuple[str, ...],
        tyro.conf.arg(metavar="HOST...", help="Further names that clients may call it by."),
    ] = ()
    max_upload_mb: Annotated[int, tyro.conf.arg(help="Largest video that can be sent.")] = 256
    max_video_s: Annotated[float, tyro.conf.arg(help="Longest video that can be sent.")] = 120.0
    max_jobs: Annotated[int, tyro.conf.arg(help="Most ingest jobs that can wait.")] = 16
    timeout_s: Annotated[float, tyro.conf.arg(help="Longest time for one request.")] = 60.0
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Serve until a signal comes. Raises `InputError` where it cannot."""
        self._check()
        from worldline.retrieval import Library

        if "://" not in self.library:
            require_text(f"--library {self.library}")
        Library.open(self.library)  # what cannot be opened is told now, not to the first client
        try:
            from worldline.serve.run import run_server
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("worldline"):
                raise
            raise InputError(
                f"serving needs {error.name}: pip install -e '.[serve]' in Worldline's folder"
            ) from None
        from worldline.serve.config import ServeConfig

        config = ServeConfig(
            library=self.library,
            media=self.media,
            token=self.token,
            hosts=self.name,
            max_upload_mb=self.max_upload_mb,
            max_video_s=self.max_video_s,
            max_jobs=self.max_jobs,
            timeout_s=self.timeout_s,
            warm=True,
        )
        run_server(config, self.host, self.port, on_ready=self._tell)
        return {}

    def show(self, answer: Answer, console: Console) -> None:
        """Nothing is left to say."""

    def _check(self) -> None:
        if not 0 <= self.port <= 65535:
            raise InputError(f"--port is {self.port}; it must be from 0 to 65535")
        for option in ("max_upload_mb", "max_video_s", "max_jobs", "timeout_s"):
            value = getattr(self, option)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"--{option.replace('_', '-')} is {value}; give more than 0")

    def _tell(self, address: str) -> None:
        # While a command runs its prints go to standard error; this one is what it has to say.
        page = f"{address}?token={quote(self.token, safe='')}" if self.token else address
        if self.json:
            print(to_text({"address": address, "page": page}), file=sys.__stdout__, flush=True)
        else:
            complain(f"worldline: serving {self.library} at {page} (Ctrl-C ends it)")
