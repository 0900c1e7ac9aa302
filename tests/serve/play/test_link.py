"""What is sent never waits for a slow client."""

from __future__ import annotations

import asyncio
import json

from worldline.serve.play import link as module
from worldline.serve.play.link import REFUSED, Link


class Slow:
    """A socket that takes a message only when it is let."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.taken: list[object] = []

    async def _take(self, what: object) -> None:
        await self.open.wait()
        self.taken.append(what)

    async def send_text(self, text: str) -> None:
        await self._take(json.loads(text))

    async def send_bytes(self, data: bytes) -> None:
        await self._take(data)

    async def close(self, code: int, reason: str) -> None:
        await self._take((code, reason))


def play(script) -> list[object]:
    async def run() -> list[object]:
        socket = Slow()
        link = Link(socket)
        writer = asyncio.create_task(link.write())
        await script(link, socket)
        socket.open.set()
        await writer
        return socket.taken

    return asyncio.run(run())


def test_of_frames_only_the_newest_is_sent(as_users_run):
    async def script(link: Link, socket: Slow) -> None:
        link.offer(b"1")
        await asyncio.sleep(0)  # it is on its way
        for frame in (b"2", b"3", b"4"):
            link.offer(frame)
        link.say("state", frame=4)
        assert link.num_dropped == 2
        link.close(1000, "done")
        link.close(4000, "too late to be the reason")

    assert play(script) == [b"1", {"type": "state", "frame": 4}, b"4", (1000, "done")]


def test_a_client_that_takes_nothing_is_stuck(as_users_run, monkeypatch):
    monkeypatch.setattr(module, "_STUCK_S", 0.0)

    async def script(link: Link, socket: Slow) -> None:
        link.offer(b"1")
        await asyncio.sleep(0)  # it is on its way
        assert not link.is_stuck
        link.offer(b"2")
        await asyncio.sleep(0.01)
        assert link.is_stuck
        socket.open.set()
        while link.is_stuck:
            await asyncio.sleep(0)
        link.close(1000, "done")

    assert play(script)[:2] == [b"1", b"2"]


def test_who_reads_nothing_is_closed(as_users_run):
    async def script(link: Link, socket: Slow) -> None:
        for number in range(100):
            link.say("pong", sent=number)

    taken = play(script)
    assert len(taken) == 65
    assert taken[-1] == (REFUSED, "you do not read what is sent")
