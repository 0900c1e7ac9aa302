"""The page for people, and what it is drawn with."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from worldline.serve import tasks
from worldline.serve.icon import ICON
from worldline.serve.page import POLICY, build_page, read_style
from worldline.serve.service import Here

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_NUM_HITS = 12
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_KEPT = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}


@router.get("/")
async def show_page(here: Here, q: Annotated[str, Query()] = "") -> Response:
    """The page, with an answer where something is asked."""
    library, answer, reason, status = None, None, "", 200
    started_s = time.perf_counter()
    try:
        if len(q) > 2000:
            raise HTTPException(422, "the question is too long; ask in fewer words")
        answer = await here.search(q, _NUM_HITS) if q.strip() else None
    except HTTPException as error:
        reason, status = str(error.detail), error.status_code
    seconds = time.perf_counter() - started_s
    try:
        library = await here.consult(tasks.describe_library)
    except HTTPException as error:
        reason, status = reason or str(error.detail), max(status, error.status_code)
    html = build_page(library, query=q, answer=answer, problem=reason, seconds=seconds)
    content = html.encode("utf-8", "backslashreplace")
    return HTMLResponse(content, status, _HEADERS)


@router.get("/style.css")
async def show_style() -> Response:
    """The page's style sheet."""
    return Response(read_style(), media_type="text/css", headers=_KEPT)


@router.get("/icon.svg")
async def show_icon() -> Response:
    """The page's icon."""
    return Response(ICON, media_type="image/svg+xml", headers=_KEPT)
