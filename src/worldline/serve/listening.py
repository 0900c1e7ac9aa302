"""Running an app on a socket until a signal ends it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from worldline.core.errors import InputError

__all__ = ["Server", "listen"]

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
        if self.transport.get_protocol() is not self:
            return  # a web socket has taken over
        if not idle:
            self._due.cancel()
        elif self._due.cancelled():
            self._due = self.loop.call_later(_HEADERS_S, self._drop)

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._due.cancel()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._due.cancel()
        super().connection_lost(exc)

    def _drop(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


class Server(uvicorn.Server):
    """Serves an app, and tells when it listens.

    Args:
        app: to serve.
        on_ready: called as soon as it listens.
        settings: of uvicorn, beside those that all servers here share.
    """

    def __init__(self, app: ASGIApp, on_ready: Callable[[], None], **settings: Any) -> None:
        shared: dict[str, Any] = {
            "http": _BriskProtocol,
            "log_level": "warning",
            "access_log": False,
            "server_header": False,
            "limit_concurrency": _MAX_CONNECTIONS,
            "timeout_graceful_shutdown": _GRACE_S,
        }
        super().__init__(uvicorn.Config(app, **(shared | settings)))
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and tell."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def listen(host: str, port: int) -> tuple[socket.socket, str]:
    """A socket that listens, and its address as a URL.

    Args:
        host: address or name to listen at.
        port: 0 for any that is free.

    Raises:
        InputError: the address cannot be listened at.
    """
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
