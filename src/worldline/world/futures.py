"""Several futures from one context, and what happens in each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from worldline.core.errors import InputError
from worldline.core.latents import Controls, Latents
from worldline.core.provenance import Provenance
from worldline.core.scene import Scene
from worldline.dynamics import Dynamics
from worldline.physics import detect_events
from worldline.readout.latent import LatentReadout
from worldline.readout.link import join_motion, link_detections
from worldline.world.arguments import require_positive

__all__ = [
    "MOST_FRAMES",
    "draw_futures",
    "plan_draws",
    "read_future",
    "read_scene",
]

_MIN_DRAWS = 4
"""Futures drawn at least, so that the spread between them means something."""

MOST_FRAMES = 4096
"""Most frames of all futures of a forecast together. All are in memory at once, with what they are
made of: `small` takes some 0.7 MB for each, so about 3 GB for so many."""


def plan_draws(context: int, horizon: int, samples: int) -> int:
    """How many futures to draw for a forecast of so many.

    Raises:
        InputError: a number is less than 1, or all need more memory than is sensible.
    """
    require_positive(context=context, horizon=horizon, samples=samples)
    draws = max(samples, _MIN_DRAWS)
    if horizon * draws > MOST_FRAMES:
        raise InputError(
            f"{draws} futures of {horizon} frames (at least {_MIN_DRAWS} are drawn, to see how far "
            f"they part) are too many for the memory; ask for at most {MOST_FRAMES} frames in all"
        )
    return draws


@torch.no_grad()
def draw_futures(
    dynamics: Dynamics[Any],
    latents: Latents,
    controls: Controls,
    *,
    horizon: int,
    samples: int,
    seed: int,
    noise: float,
) -> Latents:
    """Roll out `[S, H, N, C]` from context latents `[1, K, N, C]`.

    The first future starts from the context as it is, the others from slightly perturbed ones, as
    weather services do (Leith 1974): how far they part tells how well the context determines what
    follows.

    Args:
        dynamics: rolls out.
        latents: the context.
        controls: of K + H latent steps, for a batch of one.
        horizon, samples: H and S.
        seed: of all noise.
        noise: standard deviation of the perturbation.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (samples - 1, *latents.tokens.shape[1:])
    shifted = latents.tokens + noise * torch.randn(shape, generator=generator)
    repeated = Latents(torch.cat([latents.tokens, shifted]), latents.grid)
    return dynamics.rollout(repeated, controls.repeat(samples), generator, horizon=horizon)


def read_scene(
    readout: LatentReadout,
    latents: Latents,
    time_s: Float[np.ndarray, " t"],
    size_px: int,
    provenance: Provenance,
) -> Scene:
    """Objects and trajectories of one clip `[1, T, N, C]`, in the world's own pixels.

    The last latent step may reach beyond the frames at `time_s`; what is read there is left out.
    """
    scene = link_detections(
        readout.detect(latents)[: len(time_s)],
        time_s,
        size_px=size_px,
        provenance=provenance,
        touches=readout.detect_touches(latents),
    )
    camera = readout.read_camera(latents)
    if camera is None:
        return scene
    motion, std, ratio, ratio_std = camera
    path = (motion.double().numpy(), std.double().numpy(), ratio * size_px, ratio_std * size_px)
    return replace(scene, camera=join_motion(*path, size_px))


def read_future(
    readout: LatentReadout,
    latents: tuple[Latents, Latents],
    time_s: tuple[Float[np.ndarray, " k"], Float[np.ndarray, " h"]],
    size_px: int,
    provenance: Provenance,
) -> Scene:
    """Scene of one future, tracked from within the context so that identities carry over.

    Args:
        readout: reads latents.
        latents: of the context and of the future.
        time_s: of the same.
        size_px: side of the world's frames.
        provenance: of the future.
    """
    seen, future = latents
    whole = Latents(torch.cat([seen.tokens, future.tokens], dim=1), seen.grid)
    scene = read_scene(readout, whole, np.concatenate(time_s), size_px, provenance)
    scene = scene.after(len(time_s[0]))
    return scene.with_events(detect_events(scene))
