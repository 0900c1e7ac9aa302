"""Worlds: trained models that predict, perceive, are surprised and can be stepped into.

Names load on first use: where a world lies is known without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worldline.world.session import Session, Snapshot
    from worldline.world.surprise import Surprise
    from worldline.world.trust import Trust
    from worldline.world.world import World

__all__ = ["Session", "Snapshot", "Surprise", "Trust", "World"]

_HOMES = {
    "Session": "worldline.world.session",
    "Snapshot": "worldline.world.session",
    "Surprise": "worldline.world.surprise",
    "Trust": "worldline.world.trust",
    "World": "worldline.world.world",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'worldline.world' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
