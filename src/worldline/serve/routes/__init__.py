"""Routes of the server, one module per subject."""

from __future__ import annotations

from worldline.serve.routes.health import router as health
from worldline.serve.routes.jobs import router as jobs
from worldline.serve.routes.overlays import router as overlays
from worldline.serve.routes.page import router as page
from worldline.serve.routes.search import UPLOAD
from worldline.serve.routes.search import router as search
from worldline.serve.routes.videos import router as videos

__all__ = ["ROUTERS", "UPLOADS"]

ROUTERS = (health, videos, search, overlays, jobs, page)
"""What `create_app` includes; adding a subject is adding its router."""

UPLOADS = frozenset({UPLOAD})
"""Paths whose bodies may be as large as a video."""
