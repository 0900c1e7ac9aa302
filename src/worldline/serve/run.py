"""Running the library's app on a socket until a signal ends it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from worldline.serve.app import create_app
from worldline.serve.config import ServeConfig
from worldline.serve.listening import Server, listen

__all__ = ["run_server"]


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
    listener, address = listen(host, port)
    with listener:
        app = create_app(replace(config, hosts=(*config.hosts, host)))
        # What is wrong with a body is told to who sent it.
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
        Server(app, lambda: on_ready(address)).run(sockets=[listener])
