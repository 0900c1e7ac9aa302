"""How alike two pictures look: by their edges, and in the eyes of a network.

`gmsd` is a published formula. `Eyes` compares what a network sees; which network is part of the
number, so it has to be stated with it. The usual ones (AlexNet or VGG of LPIPS, DreamSim) are not
among this package's weights. By default it is the encoder of the bundled `small-jepa`, which
learned from simulated clips of solid bodies without ever drawing one, and shares nothing with the
worlds that draw: numbers compare with other numbers of the same eyes, and with no published ones.
None of these says whether physics is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from scipy.ndimage import correlate1d, uniform_filter1d

from worldline.core.errors import InputError
from worldline.world import World

__all__ = ["EYES", "Eyes", "feature_distance", "gmsd", "summarise"]

EYES = "small-jepa"
"""The bundled world whose encoder is the feature network."""

_LUMA = np.array([0.299, 0.587, 0.114])
_GMSD_C = 170.0
_PARTS = 2  # a clip's vector keeps this many parts of the picture apart in each direction


def gmsd(
    predicted: UInt8[np.ndarray, "t h w 3"], truth: UInt8[np.ndarray, "_ _ _ 3"]
) -> Float[np.ndarray, " t"]:
    """Gradient magnitude similarity deviation of each frame, on luma; 0 for equal pictures.

    Xue, Zhang, Mou and Bovik (2014), "Gradient magnitude similarity deviation", equations 4 and 6
    with c = 170 for intensities up to 255, Prewitt gradients (divided by 3) and their 2 x 2 mean
    with every second pixel beforehand.

    Raises:
        InputError: the shapes differ.
    """
    _require_same_shape(predicted, truth)
    x, y = (_gradients(frames) for frames in (predicted, truth))
    alike = (2 * x * y + _GMSD_C) / (x * x + y * y + _GMSD_C)
    return alike.std(axis=(1, 2))


@dataclass(frozen=True, eq=False)
class Eyes:
    """A feature network that looks at pictures and clips.

    Attributes:
        world: whose encoder it is.
    """

    world: World

    @classmethod
    def open(cls, name: str = EYES) -> Eyes:
        """The encoder of a bundled world."""
        return cls(World.from_pretrained(name))

    @torch.no_grad()
    def see(self, frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, "t n c"]:
        """Features of each frame and place, from frames brought to the network's size."""
        side = self.world.size_px
        if frames.shape[1:3] != (side, side):
            shrinks = frames.shape[1] > side
            how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            frames = np.stack(
                [cv2.resize(frame, (side, side), interpolation=how) for frame in frames]
            )
        return self.world.encode_frames(frames).tokens[0].double().numpy()

    def distance(
        self, predicted: UInt8[np.ndarray, "t h w 3"], truth: UInt8[np.ndarray, "_ _ _ 3"]
    ) -> Float[np.ndarray, " t"]:
        """Deep-feature distance of each frame; 0 for equal pictures.

        As in Zhang et al. (2018, arXiv 1801.03924, equation 1) with one layer and equal weights:
        features of unit length at each place, squared difference, mean over places.

        Raises:
            InputError: the shapes differ.
        """
        _require_same_shape(predicted, truth)
        return feature_distance(self.see(predicted), self.see(truth))

    def describe(self, frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, " d"]:
        """A clip as one vector, for distances between sets of clips.

        For each part of the picture and each feature: its mean over the clip, and the mean size of
        its change from frame to frame. What moves at all, how much and where is in it; the order
        of what happens is not.

        Raises:
            InputError: fewer than two frames.
        """
        return summarise(self.see(frames))


def feature_distance(
    x: Float[np.ndarray, "t n c"], y: Float[np.ndarray, "t n c"]
) -> Float[np.ndarray, " t"]:
    """`Eyes.distance` of what was seen."""
    return ((_unit(x) - _unit(y)) ** 2).sum(-1).mean(-1)


def summarise(seen: Float[np.ndarray, "t n c"]) -> Float[np.ndarray, " d"]:
    """`Eyes.describe` of what was seen. Raises `InputError` for fewer than two frames."""
    if len(seen) < 2:
        raise InputError(f"a clip's vector needs at least 2 frames, there is {len(seen)}")
    rows = int(np.sqrt(seen.shape[1]))
    step = rows // _PARTS
    grid = seen.reshape(len(seen), _PARTS, step, _PARTS, step, -1).mean(axis=(2, 4))
    flat = grid.reshape(len(seen), -1)
    return np.concatenate([flat.mean(0), np.abs(np.diff(flat, axis=0)).mean(0)])


def _gradients(frames: np.ndarray) -> np.ndarray:
    luma = frames.astype(np.float64) @ _LUMA
    half = luma[:, : luma.shape[1] // 2 * 2, : luma.shape[2] // 2 * 2]
    small = half.reshape(len(half), half.shape[1] // 2, 2, -1, 2).mean(axis=(2, 4))
    along = (correlate1d(small, [-1, 0, 1], axis=axis) for axis in (1, 2))
    return np.hypot(*(uniform_filter1d(x, 3, axis=3 - k) for k, x in enumerate(along, 1)))


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)


def _require_same_shape(predicted: np.ndarray, truth: np.ndarray) -> None:
    if predicted.shape != truth.shape:
        raise InputError(
            f"predicted frames are {predicted.shape} but the true ones {truth.shape}; "
            "bring both to the same number of frames and size"
        )
