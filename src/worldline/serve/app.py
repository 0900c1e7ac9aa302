"""`create_app`: the app, put together from one router per subject."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

import worldline
from worldline.serve.config import ServeConfig
from worldline.serve.guard import Guard
from worldline.serve.problems import PROBLEM_TYPE, add_handlers
from worldline.serve.routes import ROUTERS, UPLOADS
from worldline.serve.service import Service

__all__ = ["create_app"]

_MAX_JSON_BYTES = 2**20
_FORM_BYTES = 2**16
"""What the other fields of a form with an upload may take."""


def create_app(config: ServeConfig) -> FastAPI:
    """An app for a library. Its processes run from its startup to its shutdown.

    Args:
        config: what it gives access to.

    Raises:
        InputError: a media folder is none.
    """
    service = Service(config)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            service.stop()

    # The usual pages for OpenAPI load scripts from elsewhere, which a page here never does.
    app = FastAPI(
        title="Worldline",
        version=worldline.__version__,
        summary="Find clips by what physically happens in them.",
        lifespan=living,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    for router in ROUTERS:
        app.include_router(router)
    add_handlers(app)

    def max_bytes(path: str) -> int:
        upload = config.max_upload_mb * 2**20 + _FORM_BYTES
        return upload if path in UPLOADS else _MAX_JSON_BYTES

    app.add_middleware(
        Guard,
        hosts=config.hosts,
        token=config.token,
        timeout_s=config.timeout_s,
        max_bytes=max_bytes,
    )

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _describe(app, has_token=bool(config.token))
        return app.openapi_schema

    app.openapi = describe
    return app


def _describe(app: FastAPI, *, has_token: bool) -> dict[str, Any]:
    """The app's OpenAPI document, with errors as what they are: problem details."""
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes
    )
    for path, item in document["paths"].items():
        for operation in item.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if status >= "400" and "application/json" in content:
                    content[PROBLEM_TYPE] = content.pop("application/json")
            if has_token and path != "/v1/health":
                operation["security"] = [{"token": []}]
    if has_token:
        schemes = document["components"].setdefault("securitySchemes", {})
        schemes["token"] = {"type": "http", "scheme": "bearer"}
    return document
