"""Scenes read from pixels and from latents. Names load on first use: pixels need no torch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worldline.readout.cuts import CutDetector, find_cuts
    from worldline.readout.elsewhere import workers_for
    from worldline.readout.overlay import draw_world_lines, line_color
    from worldline.readout.pixels import PixelReadout, PixelReadoutConfig
    from worldline.readout.plugins import (
        DepthEstimator,
        Detections,
        Detector,
        open_depth,
        open_detector,
    )

__all__ = [
    "CutDetector",
    "DepthEstimator",
    "Detections",
    "Detector",
    "PixelReadout",
    "PixelReadoutConfig",
    "draw_world_lines",
    "find_cuts",
    "line_color",
    "open_depth",
    "open_detector",
    "workers_for",
]

_HOMES = {
    "CutDetector": "worldline.readout.cuts",
    "DepthEstimator": "worldline.readout.plugins",
    "Detections": "worldline.readout.plugins",
    "Detector": "worldline.readout.plugins",
    "PixelReadout": "worldline.readout.pixels",
    "PixelReadoutConfig": "worldline.readout.pixels",
    "draw_world_lines": "worldline.readout.overlay",
    "find_cuts": "worldline.readout.cuts",
    "line_color": "worldline.readout.overlay",
    "open_depth": "worldline.readout.plugins",
    "open_detector": "worldline.readout.plugins",
    "workers_for": "worldline.readout.elsewhere",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'worldline.readout' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
