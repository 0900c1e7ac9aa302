"""Search: in words, by a plan, by a video of the library or one that is sent."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path, PurePath
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, File, Form, Query, UploadFile
from starlette.exceptions import HTTPException

from worldline.core.wording import printable
from worldline.serve.models import MAX_TEXT, SearchAnswer, SearchRequest
from worldline.serve.problems import problems
from worldline.serve.routes.videos import find
from worldline.serve.service import Here, Service

__all__ = ["UPLOAD", "router"]

UPLOAD = "/v1/search/like"
"""Where a video is sent to."""

router = APIRouter(prefix="/v1/search", tags=["search"])

Words = Annotated[str, Query(min_length=1, max_length=MAX_TEXT, description="What happens.")]
Limit = Annotated[int, Query(ge=1, le=100, description="Most hits to answer with.")]


@router.get("", response_model=SearchAnswer, responses=problems(403, 409, 422, 503))
async def search_words(here: Here, q: Words, limit: Limit = 10) -> dict[str, Any]:
    """Find where something happens, asked in words such as "something falls from a height"."""
    return await here.search(q, limit)


@router.post(
    "", response_model=SearchAnswer, responses=problems(400, 403, 404, 408, 409, 413, 422, 503)
)
async def search_request(here: Here, asked: SearchRequest) -> dict[str, Any]:
    """Find where something happens, asked in words or by a plan, or like in a known video."""
    if not asked.like:
        return await here.search(asked.query, asked.limit)
    video = await _find_like(here, asked.like)
    source, shown = video["uri"], here.roots.show(video["uri"])
    if not here.roots.holds(source):
        raise HTTPException(
            422,
            f"like: {shown} lies in no media folder, so it cannot be looked at; name another, "
            f"or send this one to POST {UPLOAD}",
        )
    scene = await here.look(Path(source), shown)
    return await here.search(asked.query, asked.limit, scene, shown)


async def _find_like(here: Service, name: str) -> dict[str, Any]:
    """The video that hits must resemble. Raises `HTTPException` (404) where it is not known."""
    try:
        return await find(here, here.roots.spell(name))
    except HTTPException as error:
        if error.status_code != 404:
            raise
        said = (
            f"like: the library has no video called {printable(name)}; give the id or path of one "
            f"that GET /v1/videos lists, or send the video itself to POST {UPLOAD}"
        )
        raise HTTPException(404, said) from None


@router.post(
    "/like", response_model=SearchAnswer, responses=problems(400, 403, 408, 409, 413, 422, 503)
)
async def search_like_upload(
    here: Here,
    video: Annotated[UploadFile, File(description="Video whose motion hits must resemble.")],
    query: Annotated[str, Form(max_length=MAX_TEXT, description="What happens besides.")] = "",
    limit: Annotated[int, Form(ge=1, le=100, description="Most hits to answer with.")] = 10,
) -> dict[str, Any]:
    """Find where things move as in a video that is sent; it is not kept."""
    name = printable(PurePath(video.filename or "video").name)[:100]
    # Named by us: a name from elsewhere could be a path.
    descriptor, path = tempfile.mkstemp(prefix="worldline-", suffix=".video")
    try:
        with os.fdopen(descriptor, "wb") as file:
            while chunk := await video.read(2**20):
                await anyio.to_thread.run_sync(file.write, chunk)
        scene = await here.look(Path(path), name)
    finally:
        Path(path).unlink(missing_ok=True)
    return await here.search(query, limit, scene, name)
