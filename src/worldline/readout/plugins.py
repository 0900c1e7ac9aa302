"""Detectors and depth estimators that plug in: what they are asked, and how they are found.

A package offers one through an entry point: a callable that takes one text (what follows the colon
in `NAME:ARGUMENT`, or an empty one) and gives an object with the method below. Detectors lie in the
group `worldline.detectors`, depth estimators in `worldline.depths`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from worldline.core.errors import InputError
from worldline.core.wording import printable

__all__ = [
    "DEPTHS",
    "DETECTORS",
    "DepthEstimator",
    "Detections",
    "Detector",
    "check_depths",
    "check_detections",
    "open_depth",
    "open_detector",
]

DETECTORS = "worldline.detectors"
"""Entry-point group of detectors."""

DEPTHS = "worldline.depths"
"""Entry-point group of depth estimators."""


@dataclass(frozen=True, eq=False)
class Detections:
    """What a detector sees in one frame.

    Attributes:
        boxes_px: `[K, 4]` left, top, right, bottom in pixels of the frame that it was given.
        labels: K words.
        scores: `[K]` from 0 to 1.

    Nothing is checked here: what a plug-in makes is checked where it is taken.
    """

    boxes_px: np.ndarray
    labels: tuple[str, ...]
    scores: np.ndarray


@runtime_checkable
class Detector(Protocol):
    """Finds things by what they look like, frame by frame."""

    def detect(self, frames: Sequence[UInt8[np.ndarray, "h w 3"]]) -> Sequence[Detections]:
        """What is seen in each of some equally large RGB frames."""
        ...


@runtime_checkable
class DepthEstimator(Protocol):
    """Says how far away each pixel is.

    Attributes:
        is_metric: the maps are distances along the optical axis in metres; otherwise they are
            nearness (inverse depth, larger is nearer) in a unit of each frame's own.
    """

    is_metric: bool

    def estimate(self, frames: Sequence[UInt8[np.ndarray, "h w 3"]]) -> Sequence[np.ndarray]:
        """A map `[y, x]` for each of some equally large RGB frames, in any resolution."""
        ...


def open_detector(name: str) -> Detector:
    """The detector `NAME` or `NAME:ARGUMENT`.

    Raises:
        InputError: there is none of that name, or it cannot be opened.
    """
    return _open(name, DETECTORS, "detector", "detect")


def open_depth(name: str) -> DepthEstimator:
    """The depth estimator `NAME` or `NAME:ARGUMENT`.

    Raises:
        InputError: there is none of that name, or it cannot be opened.
    """
    found = _open(name, DEPTHS, "depth estimator", "estimate")
    if not isinstance(getattr(found, "is_metric", None), bool):
        raise InputError(
            f"depth estimator {printable(name)} does not say whether it is metric; give it an "
            "attribute is_metric that is True or False"
        )
    return found


def _open(text: str, group: str, kind: str, method: str) -> Any:
    name, _, argument = text.partition(":")
    entries = {entry.name: entry for entry in entry_points(group=group)}
    if name not in entries:
        known = ", ".join(sorted(entries)) or "none"
        raise InputError(
            f"no {kind} is called {printable(repr(name))}; installed: {known} "
            f"(entry points in the group {group})"
        )
    try:
        found = entries[name].load()(argument)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{kind} {printable(text)} cannot be opened: {_told(error)}") from error
    if not callable(getattr(found, method, None)):
        raise InputError(f"{kind} {printable(text)} has no method {method}")
    return found


def _told(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return printable(f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)


def check_detections(
    detector: Detector, frames: Sequence[UInt8[np.ndarray, "h w 3"]], time_s: float
) -> list[Detections]:
    """Ask a detector, and take nothing from it that is not as promised.

    Args:
        detector: a plug-in.
        frames: of one size.
        time_s: of the first one, for messages.

    Raises:
        InputError: it raised, or its answer has a wrong number of entries, a wrong shape, a box
            that is not finite or inside out, or a score outside of 0 to 1.
    """
    answer = _ask(detector.detect, frames, "detector", time_s)
    checked = []
    for found in answer:
        try:
            boxes = np.asarray(found.boxes_px, dtype=np.float64)
            scores = np.asarray(found.scores, dtype=np.float64)
            labels = tuple(str(label) for label in found.labels)
        except (AttributeError, TypeError, ValueError) as error:
            raise _wrong("detector", time_s, f"gave what is no detections ({error})") from None
        if boxes.size == 0 and len(labels) == 0:
            boxes, scores = np.zeros((0, 4)), np.zeros(0)
        if boxes.ndim != 2 or boxes.shape != (len(labels), 4) or scores.shape != (len(labels),):
            told = f"boxes {boxes.shape}, {len(labels)} labels and scores {scores.shape}"
            raise _wrong("detector", time_s, f"gave {told}; expected [K, 4], K and [K]")
        if not np.isfinite(boxes).all() or np.any(boxes[:, 2:] < boxes[:, :2]):
            raise _wrong("detector", time_s, "gave a box that is not finite or inside out")
        if not np.all((scores >= 0) & (scores <= 1)):
            raise _wrong("detector", time_s, "gave a score that does not lie between 0 and 1")
        height, width = frames[0].shape[:2]
        boxes = np.clip(boxes, 0.0, np.array([width, height, width, height], dtype=np.float64))
        there = np.all(boxes[:, 2:] - boxes[:, :2] >= 1.0, axis=1)
        kept = tuple(label for label, inside in zip(labels, there, strict=True) if inside)
        checked.append(Detections(boxes[there], kept, scores[there]))
    return checked


def check_depths(
    estimator: DepthEstimator, frames: Sequence[UInt8[np.ndarray, "h w 3"]], time_s: float
) -> list[Float[np.ndarray, "y x"]]:
    """Ask a depth estimator; NaN where it says nothing.

    Raises:
        InputError: it raised, or its answer has a wrong number of entries or a wrong shape, is
            nowhere finite, or is negative in metres.
    """
    maps = []
    for found in _ask(estimator.estimate, frames, "depth estimator", time_s):
        try:
            depth = np.asarray(found, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise _wrong("depth estimator", time_s, f"gave what is no map ({error})") from None
        if depth.ndim != 2 or depth.size == 0:
            raise _wrong("depth estimator", time_s, f"gave {depth.shape}; expected a map [y, x]")
        depth = np.where(np.isfinite(depth), depth, np.nan)
        if np.isnan(depth).all():
            raise _wrong("depth estimator", time_s, "gave a map without a finite number")
        if estimator.is_metric and np.nanmin(depth) < 0:
            raise _wrong("depth estimator", time_s, "gave negative distances")
        maps.append(depth)
    return maps


def _ask(method: Any, frames: Sequence[np.ndarray], kind: str, time_s: float) -> list[Any]:
    try:
        answer = list(method(list(frames)))
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"the {kind} failed at {time_s:.2f} s: {_told(error)}") from error
    if len(answer) != len(frames):
        raise _wrong(kind, time_s, f"answered {len(answer)} times for {len(frames)} frames")
    return answer


def _wrong(kind: str, time_s: float, what: str) -> InputError:
    return InputError(f"the {kind} {printable(what)} at {time_s:.2f} s")
