"""How well a body's path must be known for the body to be carried along it as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from worldline.core.clip import Clip
from worldline.world import World

__all__ = ["choose_firmness"]

_LIMITS_PX = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 5.0)
"""With the first one no body is carried."""


def choose_firmness(world: World, clips: Sequence[Clip], *, horizon: int, seed: int) -> float:
    """The largest doubt, in pixels and 16 frames ahead, at which a body is carried.

    The one of `_LIMITS_PX` with the best mean PSNR of forecasts of held-out clips; see
    `worldline.world.bodies`.

    Args:
        world: with trajectories and corrections calibrated.
        clips: held out.
        horizon: frames to forecast.
        seed: of the futures.
    """
    if world.bodies is None:
        return 0.0
    worlds = [world.finished({**world.calibration, "firm_px": limit}, "") for limit in _LIMITS_PX]
    quality = np.zeros(len(_LIMITS_PX))
    for i, clip in enumerate(clips):
        seen = world.newest(clip.frames[: world.context])
        controls = world.feed(clip).frames(world.context - len(seen))
        futures = world.continue_latents(
            world.encode_frames(seen), horizon=horizon, samples=1, seed=seed + i, controls=controls
        )
        truth = clip.frames[world.context : world.context + horizon].astype(np.float64)
        for k, candidate in enumerate(worlds):
            drawn = candidate.render_forecast(futures, seen, seed + i, horizon=len(truth))[0]
            error = np.square((drawn - truth) / 255).mean((1, 2, 3))
            quality[k] += float((-10 * np.log10(np.maximum(error, 1e-6))).mean())
    return _LIMITS_PX[int(quality.argmax())]
