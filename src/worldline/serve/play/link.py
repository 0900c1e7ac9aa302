"""`Link`: one connection. What it sends never waits for a slow client."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

__all__ = ["BUG", "FULL", "LEFT", "OVER", "REFUSED", "TAKEN", "TOO_LARGE", "Link"]

LEFT, REFUSED, TOO_LARGE, BUG, FULL, OVER, TAKEN = 1000, 1008, 1009, 1011, 1013, 4000, 4001
"""Why a connection is closed: the player leaves; too much nonsense or too many messages; a message
is too large; something failed here; no place is free; the session is over; another connection went
on with it. The last two are this protocol's own, the others are those of RFC 6455."""

_SEND_S = 10.0
"""A client that does not take a message within this time is gone."""

_STUCK_S = 1.0

_MOST_WAITING = 64


class Link:
    """Sends to one client: messages in order, and of frames the newest alone.

    Whoever offers a frame while the one before it has not gone out yet replaces it. So a slow
    client sees fewer frames, and nobody waits for it.

    Args:
        socket: accepted.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._frame: bytes | None = None
        self._words: deque[str] = deque()
        self._closing: tuple[int, str] | None = None
        self._stir = asyncio.Event()
        self._since_s = 0.0
        self.num_dropped = 0

    def offer(self, frame: bytes) -> None:
        """Send a frame, unless a newer one comes before there is room for it."""
        if self._frame is None:
            self._since_s = asyncio.get_running_loop().time()
        else:
            self.num_dropped += 1
        self._frame = frame
        self._stir.set()

    @property
    def is_stuck(self) -> bool:
        """No frame has gone out for a while, so that making more would be for nobody."""
        waited_s = asyncio.get_running_loop().time() - self._since_s
        return self._frame is not None and waited_s > _STUCK_S

    def say(self, kind: str, **fields: Any) -> None:
        """Send a message. A client that does not read them is closed."""
        if len(self._words) >= _MOST_WAITING:
            self.close(REFUSED, "you do not read what is sent")
            return
        self._words.append(json.dumps({"type": kind, **fields}, allow_nan=False))
        self._stir.set()

    def close(self, code: int, reason: str) -> None:
        """Close the connection after what waits; the first reason counts."""
        if self._closing is None:
            self._closing = code, reason
            self._stir.set()

    async def write(self) -> None:
        """Send until the connection is closed or lost."""
        try:
            while True:
                await self._stir.wait()
                self._stir.clear()
                while self._words or self._frame is not None:
                    async with asyncio.timeout(_SEND_S):
                        await self._send_one()
                if self._closing is not None:
                    async with asyncio.timeout(_SEND_S):
                        # A reason has 123 bytes at most (RFC 6455, 5.5).
                        await self._socket.close(self._closing[0], self._closing[1][:120])
                    return
        except (TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            return  # lost; whoever reads finds out too

    async def _send_one(self) -> None:
        if self._words:
            await self._socket.send_text(self._words.popleft())
            return
        frame, self._frame = self._frame, None
        assert frame is not None
        await self._socket.send_bytes(frame)
