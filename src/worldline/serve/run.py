"""Running the app on a socket until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from worldline.core.errors import InputError
from worldline.serve.app import create_app
from worldline.serve.config import ServeConfig

__all__ = ["run_server"]

_MAX_CONNECTIONS = 256
_GRACE_S = 3
_HEADERS_S = 10.0


class _BriskProtocol(H11Protocol):
    """HTTP/1.1 that drops a client whose request line and headers do not come in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._due = self.loop.call_later(_HEADERS_S, self._drop)

    def handle_events(self) -> None:
        super().handle_events()
        idle = self.cycle is None or self.cycle.response_complete
        if not idle:
            self._due.cancel()
        elif self._due.cancelled():
            self._due = self.loop.call_later(_HEADERS_S, self._drop)

    def connection_lost(self, exc: Exception | None) -> None:
        self._due.cancel()
        super().connection_lost(exc)

    def _drop(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def run_server(
    config: ServeConfig, host: str, port: int, *, on_ready: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM, which then takes its usual course.

    Args:
        config: what to serve.
        host: address or name to listen at.
        port: 0 for any that is free.
        on_ready: called with the server's address as soon as it listens.

    Raises:
        InputError: a media folder is none, or the address cannot be listened at.
    """
    listener, address = _listen(host, port)
    with listener:
        app = create_app(replace(config, hosts=(*config.hosts, host)))
        settings: dict[str, Any] = {
            "http": _BriskProtocol,
            "log_level": "warning",
            "access_log": False,
            "server_header": False,
            "limit_concurrency": _MAX_CONNECTIONS,
            "timeout_graceful_shutdown": _GRACE_S,
        }
        # What is wrong with a body is told to who sent it.
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
        server = _Server(uvicorn.Config(app, **settings), lambda: on_ready(address))
        server.run(sockets=[listener])


def _listen(host: str, port: int) -> tuple[socket.socket, str]:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        reason = (getattr(error, "strerror", "") or "no such address").lower()
        raise InputError(f"--host {host}: cannot be listened at ({reason})") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(128)
    except OSError as error:
        listener.close()
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"--port {port}: cannot be listened at on {host} ({reason}); give another, or 0"
        ) from None
    name = f"[{host}]" if ":" in host else host
    return listener, f"http://{name}:{listener.getsockname()[1]}/"
