"""What shows a hit: a clip with world lines, parts and measured values, or a picture of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from worldline.serve import tasks
from worldline.serve.problems import problems
from worldline.serve.routes.videos import VideoId, find
from worldline.serve.service import Here, Service

__all__ = ["router"]

router = APIRouter(prefix="/v1/videos/{video}", tags=["search"])

_MAX_S = 1e7
Start = Annotated[float, Query(ge=0, le=_MAX_S, description="Begin of the hit in seconds.")]
End = Annotated[float, Query(ge=0, le=_MAX_S, description="End of the hit in seconds.")]
Moment = Annotated[
    float | None,
    Query(ge=0, le=_MAX_S, description="Moment to show; the middle of the first event if absent."),
]
Numbers = Annotated[
    tuple[Annotated[int, Query(ge=0, le=2**31)], ...],
    Query(
        max_length=tasks.MOST_EVENTS,
        description="Numbers of the events to explain; those in the interval if none is given.",
    ),
]
_ERRORS = problems(400, 403, 404, 409, 416, 422, 503)
_CACHE = {"Cache-Control": "private, max-age=600"}


def _file(kind: str, what: str) -> dict[int | str, dict[str, Any]]:
    content = {kind: {"schema": {"type": "string", "format": "binary"}}}
    part = {"description": "The part of it that was asked for.", "content": content}
    return {**_ERRORS, 200: {"description": what, "content": content}, 206: part}


async def _choose(
    here: Service, video: str, start_s: float, end_s: float, numbers: Sequence[int]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The video's record, and the events to explain."""
    if end_s < start_s:
        raise HTTPException(422, f"end_s: {end_s:g} is before start_s, {start_s:g}")
    found = await find(here, video)
    if not here.roots.holds(found["uri"]):
        shown = here.roots.show(found["uri"])
        raise HTTPException(422, f"{shown}: lies in no media folder, so it cannot be shown")
    events = {event["number"]: event for event in found["events"]}
    if unknown := [number for number in numbers if number not in events]:
        raise HTTPException(404, f"event: the video has no event {unknown[0]}; search again")
    if numbers:
        return found, [events[number] for number in dict.fromkeys(numbers)]
    inside = [e for e in events.values() if e["start_s"] <= end_s and e["end_s"] >= start_s]
    return found, inside[: tasks.MOST_EVENTS]


@router.get(
    "/overlay.mp4",
    response_class=FileResponse,
    responses=_file("video/mp4", "The clip, with half a second around the hit."),
)
async def show_clip(
    here: Here, video: VideoId, start_s: Start, end_s: End, event: Numbers = ()
) -> FileResponse:
    """Show a hit: its interval, at most 30 s, with the objects' ways, parts and measures drawn."""
    found, events = await _choose(here, video, start_s, end_s, event)
    path = await here.film("mp4", found, (start_s, end_s), events)
    return FileResponse(path, media_type="video/mp4", headers=_CACHE)


@router.get(
    "/overlay.jpg",
    response_class=FileResponse,
    responses=_file("image/jpeg", "The picture."),
)
async def show_still(
    here: Here,
    video: VideoId,
    start_s: Start,
    end_s: End,
    event: Numbers = (),
    at_s: Moment = None,
) -> FileResponse:
    """Show one moment of a hit, drawn like its clip."""
    found, events = await _choose(here, video, start_s, end_s, event)
    path = await here.film("jpg", found, (start_s, end_s), events, at_s)
    return FileResponse(path, media_type="image/jpeg", headers=_CACHE)
