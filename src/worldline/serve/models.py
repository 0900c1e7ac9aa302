"""What goes in and out as JSON, field by field."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from worldline.serve.jobs import Job, JobStatus

__all__ = [
    "Health",
    "Hit",
    "IngestRequest",
    "JobList",
    "JobReport",
    "LibraryReport",
    "SearchAnswer",
    "SearchRequest",
    "VideoList",
    "VideoRecord",
    "VideoWithEvents",
]

MAX_TEXT = 2000
_MAX_PATHS = 1000


def _check_query(value: Any) -> Any:
    """Text of limited length, or an object of what JSON proper can hold."""
    if not isinstance(value, str | dict):
        raise ValueError("give text, or a plan as an object")
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise ValueError(f"give at most {MAX_TEXT} characters")
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:  # halves of surrogate pairs
        raise ValueError("holds text that is not valid Unicode") from None
    except RecursionError:
        raise ValueError("is nested too deep") from None
    except ValueError:
        raise ValueError("holds NaN or infinity; give numbers") from None
    return value


class Health(BaseModel):
    """That the server is there."""

    status: str = Field(description='Always "ok".', examples=["ok"])
    version: str = Field(description="Version of Worldline.", examples=["0.1.0"])


class LibraryReport(BaseModel):
    """What the library holds."""

    num_videos: int = Field(description="Videos known.", ge=0)
    num_events: int = Field(description="Events found in them, guesses included.", ge=0)
    duration_s: float = Field(description="Length of all videos together, in seconds.", ge=0)
    origins: dict[str, int] = Field(
        description="Number of videos recorded, simulated and generated."
    )
    media: list[str] = Field(description="Folders whose videos may be ingested and shown.")
    event_types: list[str] = Field(description="Events that can be asked for (docs/events.md).")


class VideoRecord(BaseModel):
    """A video that the library knows."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(description="Its name in addresses.", pattern="^[0-9a-f]{16}$")
    source: str = Field(description="Its file; the name alone where no media folder holds it.")
    duration_s: float = Field(description="Length in seconds.")
    fps: float = Field(description="Frames per second.")
    width_px: int = Field(description="Width of its picture in pixels.")
    height_px: int = Field(description="Height of its picture in pixels.")
    origin: str = Field(description="recorded, simulated or generated.")
    evidence: str = Field(description="What its events rest on: truth, pixels or given.")
    damage: str = Field(description='Which part of the file could not be read; mostly "".')
    num_events: int = Field(description="Events found in it, guesses included.")
    num_segments: int = Field(description="Stretches whose motion can be compared.")
    ingested_at: str = Field(description="When it was looked at last, UTC.")


class VideoWithEvents(VideoRecord):
    """A video with everything that happens in it."""

    events: list[dict[str, Any]] = Field(
        description="Events with their number, type, interval, roles and quantities."
    )


class VideoList(BaseModel):
    """Some of the videos, by name."""

    total: int = Field(description="Videos in the library.", ge=0)
    videos: list[VideoRecord] = Field(description="Those asked for.")


class SearchRequest(BaseModel):
    """A question to the library: a query, a video to resemble, or both."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[
        Annotated[str, Field(max_length=MAX_TEXT)] | dict[str, Any], BeforeValidator(_check_query)
    ] = Field(
        default="",
        description="What happens, in words, or a plan as JSON (docs/search.md).",
        examples=["something falls from a height"],
    )
    like: str = Field(
        default="",
        max_length=4096,
        description="Id of a known video, or its path, that hits must resemble in motion.",
    )
    limit: int = Field(
        default=10, strict=True, ge=1, le=100, description="Most hits to answer with."
    )


class Hit(BaseModel):
    """A stretch of a video in which the plan holds, and why."""

    source: str = Field(description="The video's file, as in the list of videos.")
    video: str = Field(description="The video's id.")
    start_s: float = Field(description="Begin of the stretch in seconds.")
    end_s: float = Field(description="Its end.")
    score: float = Field(description="Probability that it happened as asked, times similarity.")
    why: dict[str, Any] = Field(
        description="Events with tracks, roles, quantities and margins; what is absent; evidence."
    )
    synthetic: bool = Field(description="Not recorded by a camera.")
    origin: str = Field(description="recorded, simulated or generated.")
    overlay: str | None = Field(description="Address of the clip that shows it (MP4), if it can.")
    still: str | None = Field(description="Address of a picture that shows it (JPEG), if it can.")


class SearchAnswer(BaseModel):
    """How the question was read, and where it holds. No hits is an answer."""

    plan: dict[str, Any] = Field(
        description="The plan: text, sentence, query, guesses, ignored words, like."
    )
    hits: list[Hit] = Field(description="Best first.")


class IngestRequest(BaseModel):
    """Videos to bring into the library."""

    model_config = ConfigDict(extra="forbid")

    paths: list[Annotated[str, Field(min_length=1, max_length=4096)]] = Field(
        min_length=1,
        max_length=_MAX_PATHS,
        description="Files, and folders with everything below them, inside a media folder.",
        examples=[["clips"]],
    )


class JobReport(BaseModel):
    """An ingest and how far it is."""

    id: str = Field(description="Its name in addresses.")
    status: JobStatus = Field(description="How far it is.")
    paths: list[str] = Field(description="What was asked for.")
    num_done: int = Field(description="Files done.", ge=0)
    num_files: int | None = Field(description="Files in all, once known.")
    counts: dict[str, int] = Field(
        description="Files done by what became of them: added, updated, unchanged, failed."
    )
    error: str | None = Field(description="Why the job failed as a whole.")
    made_at: str = Field(description="When it was asked for, UTC.")
    started_at: str | None = Field(description="When it began.")
    ended_at: str | None = Field(description="When it ended.")
    results: list[dict[str, Any]] = Field(
        description="What became of each file, as `worldline ingest --json` says it; a page of it."
    )

    @classmethod
    def of(cls, job: Job, *, offset: int = 0, limit: int = 0) -> JobReport:
        """A job as it stands, with some of its results."""
        return cls(
            id=job.id,
            status=job.status,
            paths=list(job.paths),
            num_done=job.num_done,
            num_files=job.num_files,
            counts=dict(job.counts),
            error=job.error,
            made_at=job.made_at,
            started_at=job.started_at,
            ended_at=job.ended_at,
            results=job.results[offset : offset + limit],
        )


class JobList(BaseModel):
    """Jobs, the newest first, without their results."""

    jobs: list[JobReport] = Field(description="Waiting, running, and the last ones that ended.")
