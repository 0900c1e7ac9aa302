"""Serve: the library over HTTP, with a page to search it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worldline.serve.app import create_app
    from worldline.serve.config import ServeConfig

__all__ = ["ServeConfig", "create_app"]

# Loaded on first use: the processes that search and draw need nothing of HTTP.
_HOMES = {"ServeConfig": "worldline.serve.config", "create_app": "worldline.serve.app"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'worldline.serve' has no attribute {name!r}")
