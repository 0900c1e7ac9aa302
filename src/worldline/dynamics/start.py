"""Starting from nothing: clips that only controls and noise determine."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.latents import Controls, Latents
from worldline.dynamics.flow import FlowDynamics

__all__ = ["sample_clips"]


@torch.no_grad()
def sample_clips(
    dynamics: FlowDynamics,
    controls: Controls,
    generator: torch.Generator,
    *,
    samples: int,
    horizon: int,
    first_steps: int,
    first_guidance: float = 1.0,
) -> Latents:
    """Sample clips `[S, H, N, C]` that a blank frame opens.

    Args:
        dynamics: a model that has learned to start.
        controls: of the blank frame and the H frames after it, for S clips.
        generator: of all noise.
        samples, horizon: S and H.
        first_steps: denoising steps of the first frame, which has more to decide than those after.
        first_guidance: scale of classifier-free guidance of the first frame. Those after it take
            the model's own, because exaggerated changes add up from frame to frame.

    Raises:
        ValueError: the model has not learned to start, or not by steps of such a size, or takes
            no controls that could guide it.
    """
    if not dynamics.can_start:
        raise ValueError("start_share is 0, so these dynamics have not learned to start a clip")
    config = dynamics.config
    grid = (config.rows, config.rows)
    shape = samples, 1, config.rows**2, config.channels
    blank: Float[Tensor, "s 1 n c"] = torch.zeros(shape, device=generator.device)
    # All of a first frame is news, so that nothing in it may be shrunk as noise.
    whole = {"shrinkage": 0.0, "onset": 0.0}
    opening = dynamics.sampled(num_steps=first_steps, guidance=first_guidance, **whole)
    first = opening.rollout(Latents(blank, grid), controls.frames(0, 2), generator, horizon=1)
    if horizon == 1:
        return first
    begun = Latents(torch.cat([blank, first.tokens], dim=1), grid)
    rest = dynamics.rollout(begun, controls, generator, horizon=horizon - 1)
    return Latents(torch.cat([first.tokens, rest.tokens], dim=1), grid)
