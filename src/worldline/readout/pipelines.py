"""Detectors and depth estimators out of `transformers` pipelines, from a local folder.

The entry points `transformers` in `worldline.detectors` and `worldline.depths`:
`--detector transformers:FOLDER`, `--depth transformers:FOLDER` and, for a model whose maps are in
metres, `--depth transformers-metric:FOLDER`. FOLDER holds a model as `save_pretrained` writes it,
with its image processor. Nothing is ever downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from worldline.core.errors import InputError
from worldline.core.wording import printable
from worldline.readout.plugins import Detections

__all__ = ["PipelineDepth", "PipelineDetector", "open_depth", "open_detector", "open_metric_depth"]


class PipelineDetector:
    """A `transformers` object-detection pipeline as a `Detector`."""

    def __init__(self, pipeline: Any, *, least_score: float = 0.3) -> None:
        self._pipeline = pipeline
        self._least_score = least_score

    def detect(self, frames: Sequence[UInt8[np.ndarray, "h w 3"]]) -> list[Detections]:
        """See `worldline.readout.plugins.Detector`."""
        found = self._pipeline(_images(frames), threshold=self._least_score)
        sides = ("xmin", "ymin", "xmax", "ymax")
        return [
            Detections(
                np.array([[d["box"][s] for s in sides] for d in seen], dtype=float).reshape(-1, 4),
                tuple(str(d["label"]) for d in seen),
                np.array([d["score"] for d in seen], dtype=float),
            )
            for seen in found
        ]


class PipelineDepth:
    """A `transformers` depth-estimation pipeline as a `DepthEstimator`."""

    def __init__(self, pipeline: Any, *, is_metric: bool) -> None:
        self._pipeline = pipeline
        self.is_metric = is_metric

    def estimate(self, frames: Sequence[UInt8[np.ndarray, "h w 3"]]) -> list[np.ndarray]:
        """See `worldline.readout.plugins.DepthEstimator`."""
        found = self._pipeline(_images(frames))
        return [np.asarray(d["predicted_depth"].float().cpu().numpy()).squeeze() for d in found]


def _images(frames: Sequence[np.ndarray]) -> list[Any]:
    from PIL import Image

    return [Image.fromarray(frame) for frame in frames]


def open_detector(folder: str) -> PipelineDetector:
    """The detector in a folder; raises `InputError` where there is none."""
    return PipelineDetector(_pipeline("object-detection", folder))


def open_depth(folder: str) -> PipelineDepth:
    """The depth estimator in a folder, whose maps are relative."""
    return PipelineDepth(_pipeline("depth-estimation", folder), is_metric=False)


def open_metric_depth(folder: str) -> PipelineDepth:
    """The depth estimator in a folder, whose maps are in metres."""
    return PipelineDepth(_pipeline("depth-estimation", folder), is_metric=True)


def _pipeline(task: str, folder: str) -> Any:
    if not folder:
        raise InputError("transformers needs a model's folder; write transformers:FOLDER")
    if not (Path(folder) / "config.json").is_file():
        raise InputError(
            f"{printable(folder)} holds no model: there is no config.json; name the folder that "
            "save_pretrained wrote (nothing is downloaded)"
        )
    # A folder may name parts that lie elsewhere: they are not fetched either.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from transformers import pipeline
    except ImportError:
        raise InputError(
            "detectors and depths of transformers need it; install the extra: pip install "
            "'worldline[detect]'"
        ) from None
    make: Any = pipeline
    return make(task, model=folder, device="cpu")
