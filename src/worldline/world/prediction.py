"""Futures that follow a clip: context and controls in; pictures, scenes, audit, trust out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, UInt8

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.forecast import Forecast
from worldline.core.latents import Controls, Latents
from worldline.core.provenance import Origin, Provenance
from worldline.physics import check_laws
from worldline.world.arguments import require_seed
from worldline.world.bodies import foresee_bodies
from worldline.world.futures import plan_draws, read_future
from worldline.world.monitor import watch
from worldline.world.render import measure_spread, render_onto, worst_verdicts
from worldline.world.signals import Evidence, gather
from worldline.world.stream import encode_after, encode_long
from worldline.world.trust import judge

if TYPE_CHECKING:
    from worldline.world.world import World

__all__ = ["predict", "predict_with_evidence", "require_pictures"]


def require_pictures(world: World) -> None:
    """Raise `InputError` if the world cannot decode what it predicts."""
    if not world.tokenizer.can_decode:
        raise InputError(
            f"the world {world.name} predicts representations and has no decoder to show them; "
            "use its latents (encode, continue_latents, surprise) or train a decoder"
        )


def predict(
    world: World,
    clip: Clip,
    *,
    context: int,
    horizon: int,
    samples: int,
    seed: int,
    controls: Controls | None,
    guide: Clip | None,
) -> Forecast:
    """What `World.predict` does; see there."""
    numbers = {"context": context, "horizon": horizon, "samples": samples, "seed": seed}
    return predict_with_evidence(world, clip, **numbers, controls=controls, guide=guide)[0]


@torch.no_grad()
def predict_with_evidence(
    world: World,
    clip: Clip,
    *,
    context: int,
    horizon: int,
    samples: int,
    seed: int,
    controls: Controls | None = None,
    guide: Clip | None = None,
) -> tuple[Forecast, Evidence]:
    """As `predict`, and what the monitor is told of it."""
    require_pictures(world)
    draws = plan_draws(context, horizon, samples)
    seed = require_seed(seed)
    view = world.look(clip)
    if len(view.frames) < context:
        raise InputError(
            f"{clip.provenance.source or 'clip'}: the world needs {context} context frames, the "
            f"clip has {len(view.frames)} at the world's frame rate; give a longer one, or a "
            "smaller context"
        )
    seen = world.newest(view.frames[-context:])
    carry, latents = encode_long(world.tokenizer, torch.from_numpy(seen)[None])
    seen_s = view.time_s[-len(seen) :]
    time_s = view.time_s[-1] + view.step_s * np.arange(1, horizon + 1)
    if controls is None:
        controls = world.feed(clip if guide is None else guide, np.concatenate([seen_s, time_s]))
    else:
        controls = controls.frames(context - len(seen))
    futures = world.continue_latents(
        latents, horizon=horizon, samples=draws, seed=seed, controls=controls
    )
    if not torch.isfinite(futures.tokens).all():
        raise InputError(
            f"{clip.provenance.source or 'clip'}: actions or other controls drive the world beyond "
            "all numbers; they must be of the size and in the units of its training data"
        )
    foreseen = foresee_bodies(world, seen, horizon)
    drawn = render_onto(world, futures, seen, seed, horizon, foreseen)
    uncertainty, uncertainty_px = measure_spread(
        drawn,
        world.calibration.get("uncertainty_scale", (1.0,)),
        world.calibration.get("uncertainty_floor", (0.0,)),
    )
    provenance = Provenance(
        Origin.GENERATED, clip.provenance.source, f"worldline world {world.name}", seed
    )
    encoded = [
        encode_after(world.tokenizer, carry, torch.from_numpy(future)[None])
        for future in drawn[:samples]
    ]
    scenes = tuple(
        read_future(world.readout, (latents, future), (seen_s, time_s), world.size_px, provenance)
        for future in encoded
    )
    audits = [check_laws(scene) for scene in scenes]
    features = _weigh(world, latents, seen, seed, controls.frames(0, len(seen)))
    trust, reason = _judge(world, features, len(seen))
    told = (uncertainty, scenes, audits, time_s)
    doubt_px = np.zeros(horizon) if foreseen is None else foreseen.std_px[:, :horizon].max(axis=0)
    evidence = gather(world.tokenizer, latents, encoded, drawn[0], features, *told, doubt_px)
    forecast = Forecast(
        frames=drawn[:samples],
        time_s=time_s,
        uncertainty=uncertainty,
        uncertainty_px=uncertainty_px,
        scenes=scenes,
        audit=worst_verdicts(audits),
        trust=trust,
        trust_reason=reason,
        context_frames=seen,
        crop_px=view.crop_px,
        provenance=provenance,
        monitor=watch(world.calibration, evidence, world.size_px),
    )
    return forecast, evidence


def _weigh(
    world: World,
    latents: Latents,
    seen: UInt8[np.ndarray, "k h w 3"],
    seed: int,
    controls: Controls,
) -> Float[np.ndarray, " f"] | None:
    """Evidence about the context; None if it is too short for any of its frames to be expected."""
    if len(seen) < 1 + 2 * world.tokenizer.time_stride:
        return None
    return world.weigh(latents, seen, seed, controls)


def _judge(
    world: World, features: Float[np.ndarray, " f"] | None, num_seen: int
) -> tuple[float, str]:
    """Trust and its reason; a context in which no frame could be expected earns none."""
    if features is None:
        return 0.0, (
            f"No trust: too few context frames ({num_seen}) to tell whether their motion is "
            f"familiar; give at least {1 + 2 * world.tokenizer.time_stride}."
        )
    return judge(world.calibration, features)
