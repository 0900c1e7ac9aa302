"""Continue a video without having learned anything: every moving pixel keeps its velocity.

The strongest of the simple baselines.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from worldline.dynamics.lift import Lifted, Lifter

__all__ = ["ConstantVelocityWarp", "extrapolate_velocity"]


@dataclass(frozen=True)
class ConstantVelocityWarp:
    """Every moving pixel keeps its velocity on the image plane.

    Moving pixels are lifted off the last frame (see `Lifter`) and pushed forward along n times
    their velocity, the faster over the slower; still pixels stay exactly as they were.

    Attributes:
        lifter: tells what moves.
    """

    lifter: Lifter = Lifter()

    def predict(
        self, context_frames: UInt8[np.ndarray, "k h w 3"], horizon: int, seed: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """One continuation.

        Raises:
            InputError: fewer than two context frames.
        """
        lifted = self.lifter.lift(context_frames)
        steps = range(1, horizon + 1)
        frames = [lifted.lay_down(extrapolate_velocity(lifted, step)) for step in steps]
        return np.stack(frames)[None]


def extrapolate_velocity(
    lifted: Lifted, step: int, *, smoothing_px: float = 2.0, growth: float = 0.5
) -> Float[np.ndarray, "p 2"]:
    """Displacement of each point of the front after `step` frames at constant velocity.

    Args:
        lifted: the last frame.
        step: frames ahead.
        smoothing_px, growth: velocities are averaged among the surely moving pixels of the same
            body over `smoothing_px * step ** growth`, so that bodies do not tear when the noise of
            their flow is multiplied by the number of steps.

    Returns:
        (x, y) in fine pixels.
    """
    height, width = lifted.front.shape
    velocity = np.zeros_like(lifted.velocity)
    for body, sums in zip(lifted.bodies, lifted.sums, strict=True):
        coarse = cv2.GaussianBlur(sums, (0, 0), smoothing_px * step**growth)
        total = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)[body]
        velocity[body] = total[:, :2] / np.maximum(total[:, 2:], 1e-12)
    return step * velocity[lifted.y, lifted.x]
