"""Running the app to play in on a socket, until a signal ends it or its world cannot be opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from worldline.core.errors import InputError
from worldline.serve.listening import Server, listen
from worldline.serve.play.app import create_play_app
from worldline.serve.play.config import PlayConfig
from worldline.serve.play.messages import MAX_BYTES

__all__ = ["run_play"]

_BEAT_S = 20.0
"""Between signs of life; a client that answers none for as long is lost."""


def run_play(config: PlayConfig, host: str, port: int, *, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, which then takes its usual course.

    Args:
        config: which world, and the limits.
        host: address or name to listen at.
        port: 0 for any that is free.
        on_ready: called with the server's address as soon as it listens, which is before the world
            is open.

    Raises:
        InputError: the address cannot be listened at, or the world cannot be opened.
    """
    listener, address = listen(host, port)
    with listener:
        app = create_play_app(replace(config, hosts=(*config.hosts, host)))
        sockets = {
            "ws": "websockets-sansio",
            "ws_max_size": MAX_BYTES,
            "ws_ping_interval": _BEAT_S,
            "ws_ping_timeout": _BEAT_S,
            "ws_per_message_deflate": False,  # pictures are compressed already
        }
        server = Server(app, lambda: on_ready(address), **sockets)
        hall = app.state.hall

        def give_up() -> None:
            server.should_exit = True

        hall.on_failure(give_up)
        server.run(sockets=[listener])
    if hall.failure is not None:
        if isinstance(hall.failure, InputError | OSError):
            raise hall.failure
        raise RuntimeError("the world could not be opened") from hall.failure
