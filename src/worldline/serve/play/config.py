"""`PlayConfig`: which world is played, and how much of everything there may be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["PlayConfig"]


@dataclass(frozen=True)
class PlayConfig:
    """Everything that `create_play_app` needs to know.

    Attributes:
        world: name of a bundled world, or folder of a saved one.
        clip: video to begin with instead of the openings beside the world's weights.
        scene: file of a `Scene` to begin with.
        text: sentence to begin with.
        seed: of a player's first session; it picks the opening and the noise.
        token: what browsers must send; nothing where it is empty.
        hosts: names by which the server may be called besides this machine's own.
        fps: most frames per second; the world's own rate is not exceeded either.
        max_players: sessions at a time, those that wait for their player to come back among them.
        idle_s: a player who does nothing for so long is sent away.
        resume_s: a session waits so long for a lost connection.
        max_s: longest session.
        max_rewind: frames that one can go back.
        rewind_mb: memory for that, per player.
        max_film: frames of a recording.
        max_films: recordings that are kept, the newest.
    """

    world: str
    clip: Path | None = None
    scene: Path | None = None
    text: str | None = None
    seed: int = 0
    token: str = ""
    hosts: tuple[str, ...] = ()
    fps: float = 60.0
    max_players: int = 4
    idle_s: float = 300.0
    resume_s: float = 60.0
    max_s: float = 3600.0
    max_rewind: int = 600
    rewind_mb: int = 64
    max_film: int = 1800
    max_films: int = 16
