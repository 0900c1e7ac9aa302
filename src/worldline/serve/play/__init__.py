"""Play: a world that one steps into, in a browser."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worldline.serve.play.app import create_play_app
    from worldline.serve.play.config import PlayConfig

__all__ = ["PlayConfig", "create_play_app"]

_HOMES = {
    "PlayConfig": "worldline.serve.play.config",
    "create_play_app": "worldline.serve.play.app",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'worldline.serve.play' has no attribute {name!r}")
