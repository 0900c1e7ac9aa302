"""Somebody's model as `worldline eval` takes it; put your own in place of `their_model`.

worldline eval laws --model examples/their_model.py:Adapter --quick --out out/theirs
"""

import numpy as np


def their_model(video, n):
    """Any function from video to video. This one lets the last change go on and die out.

    video: float32 [T, 3, H, W] in 0..1; returns n more frames of the same kind.
    """
    change = video[-1] - video[-2] if len(video) > 1 else np.zeros_like(video[-1])
    return np.stack([video[-1] + change * (1 - 0.8**k) / 0.25 for k in range(1, n + 1)])


class Adapter:
    """Between Worldline's frames and the model's own."""

    name = "their model"  # for the tables
    size_px = 64  # side of the square frames that the model works in

    def predict(self, frames, n):
        """`n` frames that follow; `frames` and what is returned are uint8 [T, H, W, 3]."""
        video = np.moveaxis(frames.astype(np.float32) / 255, -1, 1)
        ahead = np.moveaxis(their_model(video, n), 1, -1)
        return np.rint(ahead.clip(0, 1) * 255).astype(np.uint8)

    # A model that knows more may also have, each optional and each of the past alone:
    #   surprise(frames) -> one number for each frame, larger for what is less expected
    #   encode(frames) -> one vector for each frame
