"""Whether the server is there, and what its library holds."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

import worldline
from worldline.serve import tasks
from worldline.serve.models import Health, LibraryReport
from worldline.serve.problems import problems
from worldline.serve.service import Here

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["library"])


@router.get("/health", response_model=Health, responses=problems(403))
async def check_health() -> dict[str, str]:
    """Tell that the server is there; needs no token."""
    return {"status": "ok", "version": worldline.__version__}


@router.get("/library", response_model=LibraryReport, responses=problems(403, 409, 503))
async def describe_library(here: Here) -> dict[str, Any]:
    """Tell how much the library holds, and which folders can be ingested."""
    facts = await here.consult(tasks.describe_library)
    return {**facts, "media": [str(folder) for folder in here.roots.folders]}
