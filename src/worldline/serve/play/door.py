"""The web socket: who comes in, and what is done with each message."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from worldline.core.errors import InputError
from worldline.core.wording import printable
from worldline.serve.play.bucket import Bucket
from worldline.serve.play.link import BUG, FULL, LEFT, REFUSED, TOO_LARGE, Link
from worldline.serve.play.messages import MAX_BYTES, Message, parse

if TYPE_CHECKING:
    from worldline.serve.play.hall import Hall
    from worldline.serve.play.seat import Seat

__all__ = ["welcome"]

_LOG = logging.getLogger(__name__)

_RATE, _BURST = 120.0, 240.0
"""Messages per second, and at once; a screen draws 60 times a second, and a pointer moves as
often."""

_MOST_EXCESS, _MOST_BAD = 1000, 100
"""So many messages beyond the rate, or that make no sense, end the connection."""

_OPEN_S = 10.0
"""The first message has to come so soon."""

_PROGRESS_S = 1.0


async def welcome(socket: WebSocket, hall: Hall) -> None:
    """Serve one connection until it ends."""
    await socket.accept()
    link = Link(socket)
    writer = asyncio.create_task(link.write())
    seat: Seat | None = None
    try:
        reader = asyncio.create_task(_first(socket))
        await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
        message = await reader
        early = asyncio.create_task(_receive(socket))
        try:
            seat = await _seat_unless_gone(hall, link, message, early)
            if seat is not None:
                talk = asyncio.create_task(_listen(socket, link, seat, early))
                # The writer ends when the connection is closed from here, or its client takes
                # nothing.
                await asyncio.wait({talk, writer}, return_when=asyncio.FIRST_COMPLETED)
                await _end(talk)
        finally:
            await _end(early)
    except WebSocketDisconnect:
        pass
    except InputError as error:
        link.say("error", reason=str(error))
        link.close(REFUSED, str(error))
    except Exception:
        _LOG.exception("a connection failed")
        link.close(BUG, "the connection failed; please report this")
    finally:
        if seat is not None:
            seat.part(link)
        link.close(LEFT, "")
        await asyncio.gather(writer, return_exceptions=True)


async def _end(task: asyncio.Task[Any]) -> None:
    """Stop a task; what it failed with before is raised here."""
    task.cancel()
    await asyncio.wait({task})
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, WebSocketDisconnect):
        raise error


async def _seat_unless_gone(
    hall: Hall, link: Link, message: Message, early: asyncio.Task[str | bytes]
) -> Seat | None:
    """A seat, if the client is still there when the world is open: pages that were left while it
    was being opened would else hold their places until nobody expects them back.

    Args:
        hall: where.
        link: to the client.
        message: its first.
        early: receives the next one.
    """
    seating = asyncio.create_task(_seat(hall, link, message))
    await asyncio.wait({seating, early}, return_when=asyncio.FIRST_COMPLETED)
    is_gone = early.done() and early.exception() is not None
    if is_gone and not seating.done():
        await _end(seating)
        return None
    return await seating


async def _first(socket: WebSocket) -> Message:
    try:
        async with asyncio.timeout(_OPEN_S):
            message = parse(await _receive(socket))
    except TimeoutError:
        raise InputError(f'say {{"type": "open"}} within {_OPEN_S:g} s') from None
    if message.kind != "open":
        raise InputError('the first message must be {"type": "open"}')
    return message


async def _receive(socket: WebSocket) -> str | bytes:
    """The next message. Raises `WebSocketDisconnect` when there is none."""
    event = await socket.receive()
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event.get("code", 1005))
    text = event.get("text")
    return event.get("bytes", b"") if text is None else text


async def _seat(hall: Hall, link: Link, message: Message) -> Seat | None:
    """The seat that somebody left, or a new one where there is room."""
    resume = message.fields["resume"]
    seat = hall.seats.get(resume) if resume is not None else None
    if seat is None:
        try:
            while hall.state == "loading":
                link.say("loading")
                try:
                    async with asyncio.timeout(_PROGRESS_S):
                        await hall.opened()
                except TimeoutError:
                    continue
            await hall.opened()
        except Exception as error:
            reason = str(error) if isinstance(error, InputError | OSError) else repr(error)
            raise InputError(f"the world cannot be opened: {printable(reason)}") from None
        seat = await _sit_down(hall, link, message.fields["seed"])
        if seat is None:
            return None
    is_resumed = seat.token == resume
    link.say("hello", token=seat.token, resumed=is_resumed, **seat.describe())
    seat.join(link)
    return seat


async def _sit_down(hall: Hall, link: Link, seed: int | None) -> Seat | None:
    from worldline.serve.play.player import Player
    from worldline.serve.play.seat import Seat

    most, world = hall.config.max_players, hall.world
    if hall.num_taken >= most:
        reason = f"{most} of {most} places are taken; try again in a minute"
        link.say("full", reason=reason)
        link.close(FULL, reason)
        return None
    assert world is not None
    chosen = hall.config.seed if seed is None else seed
    with hall.reserved():
        player = await hall.step(lambda: Player(world, hall.openings, hall.config, chosen))
        seat = Seat(hall, player)
        hall.seats[seat.token] = seat
    return seat


async def _listen(
    socket: WebSocket, link: Link, seat: Seat, first: asyncio.Task[str | bytes] | None
) -> None:
    """Take messages until the connection ends, or too many of them are of no use. `first` receives
    the first one already."""
    clock = asyncio.get_running_loop().time
    bucket = Bucket(_RATE, _BURST, clock())
    excess = bad = 0
    told_s = -math.inf
    while True:
        try:
            text = await (_receive(socket) if first is None else first)
        except WebSocketDisconnect:
            return
        first = None
        if len(text) > MAX_BYTES:
            link.close(TOO_LARGE, f"a message may have {MAX_BYTES} bytes")
            return
        now_s = clock()
        if not bucket.take(now_s):
            excess += 1
            if now_s - told_s >= 1:
                told_s = now_s
                link.say("error", reason=f"more than {_RATE:g} messages a second; send fewer")
            if excess > _MOST_EXCESS:
                link.close(REFUSED, "too many messages; send fewer")
                return
            await asyncio.sleep(0)  # whoever floods does not keep others waiting
            continue
        try:
            message = parse(text)
            if message.kind == "ping":
                link.say("pong", sent=message.fields["sent"])
            elif message.kind == "leave":
                seat.leave(link)
                return
            else:
                seat.hear(message)
        except InputError as error:
            bad += 1
            link.say("error", reason=str(error))
            if bad > _MOST_BAD:
                link.close(REFUSED, "too many messages that make no sense")
                return
