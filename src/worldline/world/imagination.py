"""Clips from a sentence alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from worldline.core.errors import InputError
from worldline.core.imagined import Imagined
from worldline.core.latents import Controls
from worldline.core.provenance import Origin, Provenance
from worldline.data.text import SentenceEncoder, TextEncoder
from worldline.dynamics import FlowDynamics, sample_clips
from worldline.physics import check_laws, detect_events
from worldline.world.arguments import require_positive, require_seed
from worldline.world.futures import read_scene
from worldline.world.render import worst_verdicts
from worldline.world.stream import count_ahead

if TYPE_CHECKING:
    from worldline.world.world import World

__all__ = ["GUIDANCE", "imagine"]

GUIDANCE = 2.0
"""How far a first frame goes by default toward what the words change."""

_FIRST_STEPS = 8
"""Denoising steps of a first frame, in a world that knows no step sizes."""

_NO_TRUST = (
    "No trust: trust is not calibrated for text, because nothing was seen that it could be judged "
    "by. These clips show what the world makes of the words, not what is or will be."
)


@torch.no_grad()
def imagine(
    world: World,
    text: str,
    *,
    horizon: int,
    samples: int,
    seed: int,
    guidance: float,
    num_steps: int | None,
    encoder: SentenceEncoder | None,
) -> Imagined:
    """Create clips that a sentence describes, from noise.

    Args:
        world: has learned from captions, and to start from nothing.
        text: the sentence.
        horizon, samples: frames of each clip, and how many clips.
        seed: of the noise; the same seed gives the same clips.
        guidance: scale of classifier-free guidance of the first frame; 1 for none, more to follow
            the words more closely, with less variety.
        num_steps: denoising steps of the first frame; the finest that the world has learned if
            absent. Later frames take steps and guidance as in forecasts.
        encoder: the sentence model that the world learned with.

    Raises:
        InputError: the world cannot start from nothing, takes no text or has no decoder; the
            sentence is empty; the extra `text` is missing; or a number is of no use.
    """
    dynamics = world.dynamics
    if not isinstance(dynamics, FlowDynamics) or not dynamics.can_start:
        raise InputError(
            f"the world {world.name} has not learned to start from nothing; train one that has, as "
            "recipes/imagine.py does"
        )
    text_size = dynamics.config.controls.text_size
    encoder = encoder or TextEncoder()
    if text_size != encoder.size:
        raise InputError(
            f"the world {world.name} takes {text_size} numbers of text, but the sentence model "
            f"{encoder.name} gives {encoder.size}"
        )
    if not world.tokenizer.can_decode:
        raise InputError(f"the world {world.name} has no decoder to show what it imagines")
    if not text.strip():
        raise InputError("the text is empty; say in a sentence what should happen")
    require_positive(horizon=horizon, samples=samples)
    seed = require_seed(seed)
    if not np.isfinite(guidance) or guidance < 0:
        raise InputError(f"guidance is {guidance}, must be a number of at least 0")
    doublings = dynamics.config.shortcut_doublings
    finest = 2**doublings if doublings else _FIRST_STEPS
    first_steps = finest if num_steps is None else num_steps
    try:
        dynamics.sampled(num_steps=first_steps)
    except ValueError as error:
        raise InputError(f"{error} in the world {world.name}") from None
    latents = sample_clips(
        dynamics,
        Controls(text=encoder.encode([text]).expand(samples, -1)),
        torch.Generator().manual_seed(seed),
        samples=samples,
        horizon=1 + count_ahead(world.tokenizer, horizon - 1),
        first_steps=first_steps,
        first_guidance=guidance,
    )
    whole = world.decode(latents)
    time_s = world.step_s * np.arange(horizon)
    provenance = Provenance(
        Origin.GENERATED,
        "text",
        f"worldline world {world.name}",
        seed,
        details=(("caption", text),),
    )
    scenes = []
    for clip in whole:
        read = world.encode_frames(clip)
        scene = read_scene(world.readout, read, time_s, world.size_px, provenance)
        scenes.append(replace(scene.with_events(detect_events(scene)), caption=text))
    return Imagined(
        caption=text,
        frames=whole[:, :horizon],
        time_s=time_s,
        scenes=tuple(scenes),
        audit=worst_verdicts([check_laws(scene) for scene in scenes]),
        trust=0.0,
        trust_reason=_NO_TRUST,
        provenance=provenance,
    )
