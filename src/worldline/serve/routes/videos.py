"""The videos of the library: list them, look at one, forget one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException

from worldline.serve import tasks
from worldline.serve.models import VideoList, VideoWithEvents
from worldline.serve.problems import problems
from worldline.serve.service import Here, Service

__all__ = ["VideoId", "find", "router"]

router = APIRouter(prefix="/v1/videos", tags=["library"])

VideoId = Annotated[
    str, Path(pattern="^[0-9a-f]{16}$", description="Id of a video, as in the list of videos.")
]
"""Parameter of routes about one video."""

Offset = Annotated[int, Query(ge=0, le=2**31, description="How many to pass over.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most to answer with.")]


async def find(here: Service, name: str) -> dict[str, Any]:
    """A video by its id or source. Raises `HTTPException` (404) where there is none."""
    video = await here.consult(tasks.find_video, name)
    if video is None:
        raise HTTPException(404, f"no video is called {name}; GET /v1/videos lists them")
    return video


@router.get("", response_model=VideoList, responses=problems(403, 409, 422, 503))
async def list_videos(here: Here, offset: Offset = 0, limit: Limit = 100) -> dict[str, Any]:
    """List videos by name."""
    total, videos = await here.consult(tasks.list_videos, offset, limit)
    shown = [{**video, "source": here.roots.show(video["uri"])} for video in videos]
    return {"total": total, "videos": shown}


@router.get("/{video}", response_model=VideoWithEvents, responses=problems(403, 404, 409, 422, 503))
async def show_video(here: Here, video: VideoId) -> dict[str, Any]:
    """Tell what is known of a video, with all events in it."""
    found = await find(here, video)
    return {**found, "source": here.roots.show(found["uri"])}


@router.delete("/{video}", status_code=204, responses=problems(403, 404, 409, 422, 503))
async def forget_video(here: Here, video: VideoId) -> None:
    """Remove a video from the library; its file stays where it is."""
    found = await find(here, video)
    await here.consult(tasks.forget_video, found["uri"])
