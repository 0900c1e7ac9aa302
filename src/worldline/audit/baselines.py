"""Predictors that know nothing of the world: what a learned one has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.dynamics.extrapolate import ConstantVelocityWarp

__all__ = [
    "ConstantVelocityWarp",
    "CopyLast",
    "DrivenPredictor",
    "FrozenMean",
    "Predictor",
    "StateOracle",
]


@runtime_checkable
class Predictor(Protocol):
    """Anything that continues a video."""

    def predict(
        self, context_frames: UInt8[np.ndarray, "k h w 3"], horizon: int, seed: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """S possible continuations of `horizon` frames, S >= 1."""
        ...


@runtime_checkable
class DrivenPredictor(Protocol):
    """A predictor that can be told what will be done."""

    def predict_driven(
        self, clip: Clip, context: int, horizon: int, seed: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """Continuations of the clip's first `context` frames, under its actions, camera, state and
        maps; of the pictures after the context nothing may be used but their edges."""
        ...


@dataclass(frozen=True)
class CopyLast:
    """Nothing moves any more."""

    def predict(
        self, context_frames: UInt8[np.ndarray, "k h w 3"], horizon: int, seed: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """The last frame, `horizon` times."""
        return np.repeat(context_frames[-1:], horizon, axis=0)[None]


@dataclass(frozen=True)
class FrozenMean:
    """The temporal median of the context: the background, with whatever moves erased.

    It scores well in PSNR and finds next to nothing: a reminder of what PSNR does not see.
    """

    def predict(
        self, context_frames: UInt8[np.ndarray, "k h w 3"], horizon: int, seed: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """The median frame, `horizon` times."""
        median = np.median(context_frames, axis=0).round().astype(np.uint8)
        return np.repeat(median[None], horizon, axis=0)[None]


@dataclass(frozen=True, eq=False)
class StateOracle:
    """The truth itself: the ceiling, and a check on the instruments.

    Attributes:
        clips: clips whose frames it may be asked to continue.
    """

    clips: Sequence[Clip]

    def predict(
        self, context_frames: UInt8[np.ndarray, "k h w 3"], horizon: int, seed: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """The true continuation.

        Raises:
            InputError: the context, with enough frames after it, is in none of its clips.
        """
        k = len(context_frames)
        for clip in self.clips:
            if clip.frames.shape[1:] != context_frames.shape[1:]:
                continue
            for start in range(clip.num_frames - k - horizon + 1):
                if np.array_equal(clip.frames[start : start + k], context_frames):
                    return clip.frames[start + k : start + k + horizon][None]
        raise InputError(f"no clip of the oracle holds this context and {horizon} frames after it")
