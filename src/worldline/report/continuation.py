"""A forecast beside what really happened and beside two guesses that need no model."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from worldline.audit import ConstantVelocityWarp, CopyLast, Predictor, psnr
from worldline.core import Clip, Forecast, InputError, Origin, Provenance
from worldline.core.wording import counted
from worldline.data import resample
from worldline.report.facts import Curve, Film, ForecastFacts, Panel
from worldline.report.media import color_map, encode_film, encode_strip
from worldline.report.stopwatch import Stopwatch

if TYPE_CHECKING:
    from worldline.world import World

__all__ = ["HORIZON", "Case", "continue_clip", "window_length_s"]

HORIZON = 16
SAMPLES = 3
_SHOWN_PX = 192
_STRIP_STEPS = (1, 4, 7, 10, 13, 16)

_BASELINES: tuple[tuple[str, str, Predictor], ...] = (
    ("copying the last frame", "Guess without a model: nothing moves any more.", CopyLast()),
    (
        "constant velocity",
        "Guess without a model: every pixel goes on as it last moved.",
        ConstantVelocityWarp(),
    ),
)


@dataclass(frozen=True, eq=False)
class Case:
    """What to forecast, and how to speak of it.

    Attributes:
        clip: context and true continuation, in one.
        title, source, why_here: as in `ForecastFacts`.
        familiar: of the kind that the world was trained on.
    """

    clip: Clip
    title: str
    source: str
    why_here: str
    familiar: bool


def window_length_s(world: World, fps: float) -> float:
    """Time that context and continuation take at a frame rate."""
    step_s = 1 / max(fps, 1e-6)
    return (world.context + HORIZON) * step_s * _thinning(world, step_s)


def _thinning(world: World, step_s: float, num_frames: int | None = None) -> int:
    """Every how many frames one is shown: so that the spacing is near the middle of what the world
    knows and more than an instant is forecast, but not more than a clip of `num_frames` has."""
    every = max(1, round(world.step_s / step_s))
    if num_frames is None:
        return every
    return max(1, min(every, num_frames // (world.context + HORIZON)))


def continue_clip(world: World, case: Case, *, seed: int, watch: Stopwatch) -> ForecastFacts:
    """Let a world and the baselines continue a clip from its first frames.

    Raises:
        InputError: the clip is too short.
    """
    step_s = float(np.median(np.diff(case.clip.time_s)))
    clip = resample(case.clip, step_s * _thinning(world, step_s, case.clip.num_frames))
    context = world.context
    horizon = min(HORIZON, clip.num_frames - context)
    if horizon < 1:
        raise InputError(
            f"{case.source}: has {counted(clip.num_frames, 'frame')} at the world's rate; "
            f"at least {context + 1} are needed, {context} to be given and one to follow"
        )
    with watch.stage("Forecast"):
        began_s = time.perf_counter()
        forecast = world.predict(
            clip.slice(0, context), context=context, horizon=horizon, samples=SAMPLES, seed=seed
        )
        predict_s = time.perf_counter() - began_s
    with watch.stage("Baselines"):
        seen = forecast.context_frames
        truth = world.look(clip).frames[context : context + horizon]
        guesses = [(*b[:2], b[2].predict(seen, horizon, seed)[0]) for b in _BASELINES]
    with watch.stage("Draw"):
        return _assemble(world, case, clip, forecast, truth, guesses, predict_s)


def _assemble(
    world: World,
    case: Case,
    clip: Clip,
    forecast: Forecast,
    truth: UInt8[np.ndarray, "t h w 3"],
    guesses: list[tuple[str, str, np.ndarray]],
    predict_s: float,
) -> ForecastFacts:
    horizon = len(forecast.time_s)
    num_seen = len(forecast.context_frames)
    times_s = np.concatenate([clip.time_s[:num_seen], forecast.time_s])
    steps = tuple(k for k in _STRIP_STEPS if k <= horizon)

    def panel(name: str, note: str, frames: np.ndarray, provenance: Provenance) -> Panel:
        alt = f"{name}: {num_seen} frames given, then {horizon} frames of continuation"
        film = _film(np.concatenate([forecast.context_frames, frames]), times_s, alt, provenance)
        shown = ", ".join(f"+{k}" for k in steps)
        strip = encode_strip(frames[[k - 1 for k in steps]], alt=f"{name}: frames {shown}")
        return Panel(name=name, note=note, film=film, strip=strip)

    panels = [panel("What happened", "The true continuation.", truth, clip.provenance)]
    panels += [
        panel(f"Future {k}", "", frames, forecast.provenance)
        for k, frames in enumerate(forecast.frames, start=1)
    ]
    for name, note, frames in guesses:
        provenance = Provenance(Origin.GENERATED, case.source, f"baseline “{name}”")
        panels.append(panel(name.capitalize(), note, frames, provenance))
    scale = float(max(forecast.uncertainty_px.max(), 0.02))
    spread = color_map(forecast.uncertainty_px, scale)
    blank = np.zeros((num_seen, *spread.shape[1:]), dtype=np.uint8)
    spread_film = _film(
        np.concatenate([blank, spread]),
        times_s,
        "Where the sampled futures differ, dark for not at all",
        forecast.provenance,
    )
    measured = [(world.name, forecast.frames[0]), *((name, f) for name, _, f in guesses)]
    errors = tuple(
        Curve(name=name, values=tuple(float(v) for v in psnr(frames, truth)))
        for name, frames in measured
    )
    return ForecastFacts(
        title=case.title,
        source=case.source,
        familiar=case.familiar,
        start_s=float(clip.time_s[num_seen - 1]),
        why_here=case.why_here,
        forecast=forecast,
        panels=tuple(panels),
        context_s=float(forecast.time_s[0] - clip.time_s[0]),
        strip_steps=steps,
        spread_film=spread_film,
        spread_strip=encode_strip(
            spread[[k - 1 for k in steps]], alt="Where the futures differ, at the same moments"
        ),
        spread_scale=scale,
        errors=errors,
        predict_s=predict_s,
    )


def _film(frames: np.ndarray, times_s: np.ndarray, alt: str, provenance: Provenance) -> Film:
    return encode_film(
        frames,
        times_s,
        alt=alt,
        provenance=replace(provenance, details=(*provenance.details, ("shown", "excerpt"))),
        scale=max(1, _SHOWN_PX // max(frames.shape[1:3])),
        poster=len(frames) - 1,
    )
