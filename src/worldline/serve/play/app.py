"""`create_play_app`: the page, the socket, and recordings to take home."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, WebSocket
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response

import worldline
from worldline.serve.guard import Guard
from worldline.serve.icon import ICON
from worldline.serve.play.config import PlayConfig
from worldline.serve.play.door import welcome
from worldline.serve.play.files import FILES, POLICY, read_file
from worldline.serve.play.hall import Hall
from worldline.serve.problems import add_handlers

__all__ = ["create_play_app"]

_TIMEOUT_S = 30.0
_MAX_BODY = 2**10
_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


def create_play_app(config: PlayConfig) -> FastAPI:
    """An app for playing in a world. The world is opened when the app starts.

    Args:
        config: which world, and the limits. `app.state.hall` is what all players share.
    """
    hall = Hall(config)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        hall.start()
        try:
            yield
        finally:
            await hall.stop()

    app = FastAPI(
        title="Worldline play",
        version=worldline.__version__,
        lifespan=living,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.hall = hall
    add_handlers(app)

    @app.get("/v1/health")
    async def check_health() -> dict[str, Any]:
        players = {"players": len(hall.seats), "max_players": config.max_players}
        return {"status": "ok", "version": worldline.__version__, "state": hall.state, **players}

    @app.get("/")
    async def show_page() -> Response:
        headers = {**_SAFE, "Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return HTMLResponse(read_file("play.html"), headers=headers)

    @app.get("/icon.svg")
    async def show_icon() -> Response:
        return Response(ICON, media_type="image/svg+xml", headers=_SAFE)

    @app.get("/play/{name}")
    async def show_file(name: str) -> Response:
        if name not in FILES:
            raise HTTPException(404)
        # A page and its scripts are of one version, so browsers ask each time.
        headers = {**_SAFE, "Cache-Control": "no-cache"}
        return Response(read_file(name), media_type=FILES[name], headers=headers)

    @app.get("/v1/recordings/{name}")
    async def fetch_recording(name: str) -> Response:
        file = hall.find_film(name)
        if file is None:
            raise HTTPException(404, "no such recording; only the newest ones are kept")
        return FileResponse(file, media_type="video/mp4", filename="worldline.mp4", headers=_SAFE)

    @app.websocket("/v1/play")
    async def play(socket: WebSocket) -> None:
        await welcome(socket, hall)

    app.add_middleware(
        Guard,
        hosts=config.hosts,
        token=config.token,
        timeout_s=_TIMEOUT_S,
        max_bytes=lambda _: _MAX_BODY,
    )
    return app
