"""Worldline: an open world-foundation-model stack.

Public names load on first use, so that `import worldline` stays fast and does not import torch.
"""

import os
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worldline.core.clip import Clip
    from worldline.core.forecast import Forecast
    from worldline.core.scene import Scene
    from worldline.retrieval.library import Library
    from worldline.world.world import World

# Read by OpenMP when torch is loaded. Its threads would spin while they wait for each other, and on
# a busy machine take the time from the very thread that they wait for. Other wishes are kept.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__all__ = ["Clip", "Forecast", "Library", "Scene", "World", "__version__"]

try:
    __version__ = version("worldline")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0.0.0"

_HOMES = {
    "Clip": "worldline.core.clip",
    "Forecast": "worldline.core.forecast",
    "Library": "worldline.retrieval.library",
    "Scene": "worldline.core.scene",
    "World": "worldline.world.world",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'worldline' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
