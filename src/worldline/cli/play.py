"""`worldline play`: a world that one steps into, in a browser."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import tyro

from worldline.cli.output import Answer, JsonFlag, Seed, WorldName, to_text
from worldline.cli.process import complain
from worldline.core.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Play"]

_MOST_PLAYERS = 64


@dataclass(frozen=True)
class Play:
    """Serve a page on which one plays in a world: press a key, and the world answers.

    A session begins with one of the openings beside the world's weights, or with --clip, --scene or
    --text. What is shown is generated, and recordings are marked so. The protocol is described in
    docs/play.md. Ctrl-C ends the server.

    Examples:

      worldline play

      worldline play runs/pusht/world --port 0

      worldline play small --clip drop.mp4

      worldline play --text "the plank on top of the box, the ball in the air"
    """

    world: Annotated[WorldName, tyro.conf.Positional] = "sandbox"
    clip: Annotated[
        Path | None, tyro.conf.arg(metavar="VIDEO", help="Begin with a piece of this video.")
    ] = None
    scene: Annotated[
        Path | None,
        tyro.conf.arg(
            metavar="SCENE.json", help="Begin where this scene has things; the sandbox can."
        ),
    ] = None
    text: Annotated[
        str | None,
        tyro.conf.arg(help="Begin as this sentence says; the sandbox can, and worlds of words."),
    ] = None
    host: Annotated[str, tyro.conf.arg(help="Address to listen at.")] = "127.0.0.1"
    port: Annotated[int, tyro.conf.arg(help="Port to listen at; 0 takes any free one.")] = 8432
    token: Annotated[
        str, tyro.conf.arg(help="What players must have to come in; none if empty.")
    ] = ""
    name: Annotated[
        tuple[str, ...],
        tyro.conf.arg(metavar="HOST...", help="Further names that browsers may call it by."),
    ] = ()
    max_players: Annotated[int, tyro.conf.arg(help="Most sessions at a time.")] = 4
    fps: Annotated[
        float, tyro.conf.arg(help="Most frames per second; a world's own rate is kept too.")
    ] = 60.0
    idle_s: Annotated[float, tyro.conf.arg(help="Who does nothing so long is sent away.")] = 300.0
    max_minutes: Annotated[float, tyro.conf.arg(help="Longest session.")] = 60.0
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Serve until a signal comes. Raises `InputError` where it cannot."""
        self._check()
        try:
            from worldline.serve.play.run import run_play
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("worldline"):
                raise
            raise InputError(
                f"playing needs {error.name}: pip install -e '.[serve]' in Worldline's folder"
            ) from None
        from worldline.serve.play.config import PlayConfig

        config = PlayConfig(
            world=self.world,
            clip=self.clip,
            scene=self.scene,
            text=self.text,
            seed=self.seed,
            token=self.token,
            hosts=self.name,
            fps=self.fps,
            max_players=self.max_players,
            idle_s=self.idle_s,
            max_s=60 * self.max_minutes,
        )
        run_play(config, self.host, self.port, on_ready=self._tell)
        return {}

    def show(self, answer: Answer, console: Console) -> None:
        """Nothing is left to say."""

    def _check(self) -> None:
        if not 0 <= self.port <= 65535:
            raise InputError(f"--port is {self.port}; it must be from 0 to 65535")
        if not 1 <= self.max_players <= _MOST_PLAYERS:
            raise InputError(
                f"--max-players is {self.max_players}; it must be from 1 to {_MOST_PLAYERS}"
            )
        for option in ("fps", "idle_s", "max_minutes"):
            value = getattr(self, option)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"--{option.replace('_', '-')} is {value}; give more than 0")
        if self.clip is not None and not self.clip.is_file():
            raise InputError(f"--clip {self.clip}: no such file; give a video")
        if self.scene is not None and not self.scene.is_file():
            raise InputError(f"--scene {self.scene}: no such file; give the JSON of a Scene")
        if sum(given is not None for given in (self.clip, self.scene, self.text)) > 1:
            raise InputError("--clip, --scene and --text are three ways to begin; give one")
        from worldline.world.folders import find_folder, find_openings

        # An address that is printed is an address at which one can play.
        begins = (self.clip, self.scene, self.text) != (None, None, None)
        (find_folder if begins else find_openings)(self.world)

    def _tell(self, address: str) -> None:
        # While a command runs its prints go to standard error; this one is what it has to say.
        page = f"{address}?token={quote(self.token, safe='')}" if self.token else address
        if self.json:
            print(to_text({"address": address, "page": page}), file=sys.__stdout__, flush=True)
        else:
            complain(f"worldline: play in {self.world} at {page} (Ctrl-C ends it)")
