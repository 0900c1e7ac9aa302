"""`Seat`: a player in the hall: the loop that makes frames, and how long all this may last."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from worldline.core.errors import InputError
from worldline.core.wording import counted
from worldline.serve.play.link import BUG, OVER, REFUSED, TAKEN, Link
from worldline.serve.play.messages import Message
from worldline.serve.play.pictures import Shown, pack

if TYPE_CHECKING:
    from worldline.serve.play.hall import Hall
    from worldline.serve.play.player import Player

__all__ = ["Seat"]

_LOG = logging.getLogger(__name__)
_MOST_COMMANDS = 32
_LOOK_EVERY_S = 0.5
_LOOK_SHARE = 4.0
"""After a look back at the last frames, as many times longer as it took passes until the next."""

_PATIENCE_S = 0.25
"""How often deadlines are looked at while nothing happens."""


class Seat:
    """Frames are made as often as the world's time asks for, with the newest action, while a
    connection is there and nobody has paused. Commands are done between frames, in order.

    Args:
        hall: where it stands.
        player: that sits in it.
    """

    def __init__(self, hall: Hall, player: Player) -> None:
        self.token = secrets.token_urlsafe(16)
        self._hall, self._player = hall, player
        self._commands: deque[Message] = deque()
        self._stir = asyncio.Event()
        self._link: Link | None = None
        self._is_paused, self._is_watching = False, True
        self._act, self._act_s, self._counted_act = 0, math.nan, 0
        self._trust = math.nan
        self._look: asyncio.Task[None] | None = None
        self._next_look_s = 0.0
        self._era, self._owes_look = 0, False  # what was looked at before a cut says nothing after
        self._shown: Shown | None = None
        now_s = self._now_s()
        self._born_s = self._active_s = self._alone_s = now_s
        self._films: set[asyncio.Task[None]] = set()
        assert hall.world is not None
        self._period_s = max(hall.world.step_s, 1 / hall.config.fps)
        self._loop = asyncio.create_task(self._run())

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()

    def describe(self) -> dict[str, Any]:
        """What the page has to know of the world and of the limits."""
        world, config = self._hall.world, self._hall.config
        assert world is not None
        return {
            "world": world.name,
            "size": world.size_px,
            "fps": 1 / self._period_s,
            "pad": self._player.pad.describe(),
            "seed": self._player.seed,
            "frame": self._player.frame,
            "forked": self._player.is_forked,
            "recording": self._player.is_recording,
            "limits": {
                "idle_s": config.idle_s,
                "resume_s": config.resume_s,
                "max_s": config.max_s,
                "max_film": config.max_film,
            },
        }

    def join(self, link: Link) -> None:
        """A connection arrives; one that was there before goes."""
        if self._link is not None:
            self._link.close(TAKEN, "another connection went on with this session")
        self._link = link
        self._active_s = self._now_s()
        self._is_paused = False
        self._stir.set()
        self._send(self._shown or self._player.show(is_cut=True))

    def part(self, link: Link) -> None:
        """A connection is lost. The session stands still and waits for it."""
        if self._link is link:
            self._link, self._alone_s = None, self._now_s()
            self._player.action = self._player.rest
            self._stir.set()

    def hear(self, message: Message) -> None:
        """Do what a client says, or say what is wrong with it.

        Raises:
            InputError: of an action that the world does not take, or of too many commands.
        """
        self._active_s = self._now_s()
        fields = message.fields
        if message.kind == "act":
            self._player.action = self._player.pad.read(fields["action"])
            self._act, self._act_s = fields["number"], self._now_s()
        elif message.kind == "pause":
            self._is_paused = fields["on"]
            if self._is_paused and self._shown is not None:
                # The last frame again, so that one that was under way does not say otherwise.
                self._send(replace(self._shown, is_cut=False))
        elif message.kind == "watch":
            self._is_watching = fields["on"]
        elif len(self._commands) >= _MOST_COMMANDS:
            raise InputError(f"{_MOST_COMMANDS} commands wait already; send fewer")
        else:
            self._commands.append(message)
        self._stir.set()

    async def _run(self) -> None:
        """Make frames until the session is over."""
        due_s = self._now_s()
        try:
            while not (reason := self._why_over()):
                self._stir.clear()
                if self._owes_look:
                    self._look_back()
                if self._commands:
                    await self._obey(self._commands.popleft())
                    continue
                wait_s = _PATIENCE_S
                link = self._link
                if link is not None and not self._is_paused and not link.is_stuck:
                    wait_s = due_s - self._now_s()
                    if wait_s <= 0:
                        due_s = max(due_s + self._period_s, self._now_s())
                        await self._advance()
                        continue
                try:
                    async with asyncio.timeout(min(wait_s, _PATIENCE_S)):
                        await self._stir.wait()
                except TimeoutError:
                    pass
            self._end(reason)
        except asyncio.CancelledError:
            self._end("the server ends")
            raise
        except Exception:
            _LOG.exception("a session failed")
            self._end("the session failed; please report this", is_bug=True)

    def _why_over(self) -> str:
        now_s, config = self._now_s(), self._hall.config
        if now_s - self._born_s >= config.max_s:
            return f"a session lasts {_minutes(config.max_s)} at most; open another"
        if self._link is None:
            return "lost" if now_s - self._alone_s >= config.resume_s else ""
        if now_s - self._active_s >= config.idle_s:
            return f"nothing was done for {_minutes(config.idle_s)}; open another session to go on"
        return ""

    def _end(self, reason: str, *, is_bug: bool = False) -> None:
        self._hall.seats.pop(self.token, None)
        if self._look is not None:
            self._look.cancel()
        self._player.close()
        if self._link is not None:
            self._link.say("over", reason=reason)
            self._link.close(BUG if is_bug else OVER, reason)

    async def _advance(self) -> None:
        act, act_s = self._act, self._act_s
        shown = await self._hall.step(self._player.advance)
        is_new = act != self._counted_act
        self._counted_act = act
        self._send(shown, act, self._now_s() - act_s if is_new else math.nan)
        if self._player.is_film_full:
            self._cut_film("a recording can be no longer")
        self._look_back()

    def _send(self, shown: Shown, act: int | None = None, waited_s: float = math.nan) -> None:
        self._shown = shown
        if self._link is not None:
            number = self._counted_act if act is None else act
            told = {"act": number, "waited_s": waited_s, "trust": self._trust}
            self._link.offer(pack(shown, is_paused=self._is_paused, **told))

    async def _obey(self, message: Message) -> None:
        player, fields = self._player, message.fields
        was_forked = player.is_forked
        call: Callable[[], Shown | None]
        match message.kind:
            case "step":
                self._is_paused = True
                call = player.advance
            case "rewind":
                self._is_paused = True
                call = lambda: player.rewind(fields["frames"])  # noqa: E731
            case "fork":
                call = lambda: player.fork(fields["other"])  # noqa: E731
            case "join":
                call = player.join
            case "restart":
                self._is_paused = False
                call = lambda: player.restart(fields["seed"])  # noqa: E731
            case "record":
                self._record(on=fields["on"])
                self._tell_state("record")
                return
            case _:
                self._say("error", reason=f"{message.kind} means nothing here")
                return
        will_fork = message.kind == "fork"
        if was_forked != will_fork and message.kind != "step":
            self._cut_film("the number of pictures changed")
        shown = await self._hall.step(call)
        if message.kind in ("rewind", "restart"):
            self._era += 1
            self._trust = math.nan
        self._send(player.show() if shown is None else shown)
        self._tell_state(message.kind)
        self._next_look_s = 0.0
        self._owes_look = True
        self._look_back()

    def _tell_state(self, after: str) -> None:
        player = self._player
        state = {"frame": player.frame, "seed": player.seed, "paused": self._is_paused}
        told = {"forked": player.is_forked, "recording": player.is_recording}
        self._say("state", after=after, **state, **told)

    def _record(self, *, on: bool) -> None:
        if not on:
            self._cut_film("")
            return
        try:
            self._player.record()
        except InputError as error:
            self._say("error", reason=str(error))

    def _cut_film(self, reason: str) -> None:
        """End the recording, if there is one, and offer it when it is written."""
        if not self._player.is_recording:
            return
        film = self._player.cut()
        if film is None:
            self._say("error", reason="nothing moved on while it was recorded")
            return

        async def keep() -> None:
            try:
                name = await self._hall.keep(film)
            except (InputError, OSError) as error:
                self._say("error", reason=f"the recording cannot be written ({error})")
                return
            facts = {"frames": len(film.frames), "seconds": len(film.frames) / film.fps}
            self._say("recorded", href=f"/v1/recordings/{name}", reason=reason, **facts)

        task = asyncio.create_task(keep())
        self._films.add(task)
        task.add_done_callback(self._films.discard)

    def _look_back(self) -> None:
        """Look at the last frames beside the loop, now and then."""
        busy = self._look is not None and not self._look.done()
        if busy or not self._is_watching or self._link is None:
            return
        started_s = self._now_s()
        if started_s < self._next_look_s:
            return
        self._owes_look = False
        session, era = self._player.glance(), self._era

        async def look() -> None:
            from worldline.serve.play.player import look_back

            try:
                found = await self._hall.look(lambda: look_back(session))
            except Exception:
                _LOG.exception("the last frames could not be looked at")
                self._is_watching = False
                return
            if era != self._era:
                self._next_look_s, self._owes_look = 0.0, True
                return
            took_s = self._now_s() - started_s
            self._next_look_s = self._now_s() + max(_LOOK_EVERY_S, _LOOK_SHARE * took_s)
            self._trust = found["trust"]
            self._say("look", **found)

        self._look = asyncio.create_task(look())

    def _say(self, kind: str, **fields: Any) -> None:
        if self._link is not None:
            self._link.say(kind, **fields)

    async def stop(self) -> None:
        """End the session now."""
        self._loop.cancel()
        await asyncio.gather(self._loop, return_exceptions=True)

    def leave(self, link: Link) -> None:
        """The player goes for good, and the seat is free."""
        if self._link is link:
            link.close(1000, "you left")
            self._link, self._alone_s = None, -math.inf
            self._hall.seats.pop(self.token, None)
            self._stir.set()

    def refuse(self, reason: str) -> None:
        """Send the player away for what was sent."""
        if self._link is not None:
            self._link.close(REFUSED, reason)


def _minutes(seconds: float) -> str:
    return counted(round(seconds / 60), "minute") if seconds >= 60 else f"{seconds:g} s"
