"""`Guard`: what is refused before the app sees it, so that nothing is unbounded."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worldline.serve.problems import PROBLEM_TYPE, problem

__all__ = ["COOKIE", "Guard"]

COOKIE = "worldline_token"
_OPEN = ("/v1/health", "/openapi.json")
_LOCAL = ("localhost", "127.0.0.1", "::1")
_SAFE = ("GET", "HEAD", "OPTIONS")
_SEND_FACTOR = 10
"""A slow reader may take so many times longer than an answer may take to begin."""


class Guard:
    """An ASGI app around another that bounds requests and checks where they come from.

    - The name by which the server is called must be known, or a page elsewhere could have a
      browser call it by a name of its own (DNS rebinding). Calls that change something must not
      come from pages elsewhere.
    - The token, where there is one, in the header or in the cookie of the page.
    - Bodies are of limited size and must come in within a limited time.
    - Errors that a library says in plain text become problem details.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: tuple[str, ...],
        token: str,
        timeout_s: float,
        max_bytes: Callable[[str], int],
    ) -> None:
        """Put a guard around an app.

        Args:
            app: to be guarded.
            hosts: names by which it may be called, besides this machine's own.
            token: that is needed; none where empty.
            timeout_s: how long a body may take.
            max_bytes: largest body for a path.
        """
        self._app = app
        self._hosts = {name.lower() for name in (*_LOCAL, *hosts)}
        self._token = token
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["type"] != "http":
            if self._stranger(headers, changes=True) or not self._allowed(scope, headers):
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        refusal = self._refuse(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        try:
            async with asyncio.timeout(_SEND_FACTOR * self._timeout_s):
                await self._app(scope, self._bounded(scope, receive), _Speaker(send))
        except TimeoutError:
            return  # the connection ends without the rest of its answer

    def _refuse(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        if reason := self._stranger(headers, changes=scope["method"] not in _SAFE):
            return problem(403, reason)
        if not self._allowed(scope, headers):
            given = QueryParams(scope["query_string"]).get("token", "")
            if scope["path"] == "/" and self._is_token(given):
                answer = RedirectResponse("/", status_code=303)
                answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
                return answer
            said = "send the server's token as `Authorization: Bearer TOKEN`"
            return problem(401, said, {"WWW-Authenticate": "Bearer"})
        limit = self._max_bytes(scope["path"])
        if int(headers.get("content-length") or 0) > limit:
            return problem(413, _too_large(limit))
        return None

    def _stranger(self, headers: Headers, *, changes: bool) -> str:
        """Why the caller's host or origin is refused, or ""."""
        host = _host_name(headers.get("host", ""))
        if host not in self._hosts:
            return "this server is not called by that name; `--name` gives it further ones"
        origin = headers.get("origin")
        if changes and origin is not None and _authority(origin) != headers.get("host"):
            return "a page of another origin cannot change anything here"
        return ""

    def _allowed(self, scope: Scope, headers: Headers) -> bool:
        if not self._token or scope["path"] in _OPEN:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_token(given.strip()):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._is_token(cookie.value)

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(
            given.encode("utf-8", "replace"), self._token.encode("utf-8", "replace")
        )

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """The same messages, until the body becomes too large or too slow."""
        limit, size, is_whole = self._max_bytes(scope["path"]), 0, False
        end_s = asyncio.get_running_loop().time() + self._timeout_s

        async def bounded() -> Message:
            nonlocal size, is_whole
            if is_whole:
                return await receive()
            try:
                async with asyncio.timeout_at(end_s):
                    message = await receive()
            except TimeoutError:
                said = f"the body did not come within {self._timeout_s:g} s; send it faster"
                raise HTTPException(408, said, {"Connection": "close"}) from None
            size += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if size > limit:
                raise HTTPException(413, _too_large(limit), {"Connection": "close"})
            return message

        return bounded


class _Speaker:
    """Sends on; errors in plain text as problem details."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._said = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            kind = Headers(raw=message["headers"]).get("content-type", "text/plain")
            if kind.startswith("text/plain"):
                self._start = message
                return
        if self._start is None:
            await self._send(message)
            return
        self._said += message.get("body", b"")
        if message.get("more_body", False):
            return
        status = self._start["status"]
        said = self._said.decode("utf-8", "replace").strip() or HTTPStatus(status).phrase
        keep = [(k, v) for k, v in self._start["headers"] if not k.startswith(b"content-")]
        ranges = [(k, v) for k, v in self._start["headers"] if k == b"content-range"]
        body = problem(status, said).body
        assert isinstance(body, bytes)
        headers = [*keep, *ranges, (b"content-type", PROBLEM_TYPE.encode())]
        headers.append((b"content-length", str(len(body)).encode()))
        start = {"type": "http.response.start", "status": status, "headers": headers}
        self._start = None
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _too_large(limit: int) -> str:
    size = f"{limit / 2**20:g} MiB" if limit >= 2**20 else f"{limit} bytes"
    return f"the body is larger than {size}; send less"


def _host_name(host: str) -> str:
    """Without the port; an IPv6 address without its brackets."""
    found = re.fullmatch(r"(?:\[([^\]]*)\]|([^:]*))(?::\d*)?", host.strip().lower())
    return (found[1] or found[2] or "") if found else ""


def _authority(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
