"""Scenes read from pixels and from latents. Names load on first use: pixels need no torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worldline.readout.cuts import CutDetector, find_cuts
    from worldline.readout.overlay import draw_world_lines, line_color
    from worldline.readout.pixels import PixelReadout, PixelReadoutConfig

__all__ = [
    "CutDetector",
    "PixelReadout",
    "PixelReadoutConfig",
    "draw_world_lines",
    "find_cuts",
    "line_color",
]

_HOMES = {
    "CutDetector": "worldline.readout.cuts",
    "PixelReadout": "worldline.readout.pixels",
    "PixelReadoutConfig": "worldline.readout.pixels",
    "draw_world_lines": "worldline.readout.overlay",
    "find_cuts": "worldline.readout.cuts",
    "line_color": "worldline.readout.overlay",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'worldline.readout' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
