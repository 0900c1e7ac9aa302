"""`ServeConfig`: what a server gives access to, and how much of it at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ServeConfig"]


@dataclass(frozen=True)
class ServeConfig:
    """Everything that `create_app` needs to know.

    Attributes:
        library: URI of the library; the first ingest makes it.
        media: folders whose videos may be read; nothing outside of them is opened or named.
        token: what clients must send as `Authorization: Bearer TOKEN`; nothing where it is empty.
        hosts: names by which the server may be called besides this machine's own ("Host" header).
        max_upload_mb: largest uploaded video.
        max_video_s: longest uploaded video.
        max_jobs: ingest jobs that may wait.
        max_kept_jobs: finished jobs that are remembered.
        timeout_s: longest time for one request.
        cache_mb: disk space for overlay clips.
        num_searchers: processes that search at the same time.
        warm: start the processes with the app, not when they are first needed.
    """

    library: str
    media: tuple[Path, ...] = ()
    token: str = ""
    hosts: tuple[str, ...] = ()
    max_upload_mb: int = 256
    max_video_s: float = 120.0
    max_jobs: int = 16
    max_kept_jobs: int = 100
    timeout_s: float = 60.0
    cache_mb: int = 512
    num_searchers: int = 2
    warm: bool = False
