"""After training: calibrate a world on held-out clips, evaluate it on others, write its card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from scipy.optimize import nnls

from worldline.audit.baselines import ConstantVelocityWarp, CopyLast, Predictor
from worldline.audit.calibration import Gaussian, TrustCurve, auroc
from worldline.audit.card import write_card
from worldline.audit.control import seeded_untrained
from worldline.audit.firmness import choose_firmness
from worldline.audit.monitoring import LEAST_CLIPS, calibrate_entries
from worldline.audit.outside import make_outside_clips
from worldline.audit.prediction import PredictionTable, evaluate_predictors
from worldline.core.clip import Clip
from worldline.core.latents import Controls
from worldline.dynamics import TrajectoryWarp
from worldline.sim import Split, make_clips
from worldline.world import Trust, World
from worldline.world.expectation import weigh_evidence
from worldline.world.feed import of_training
from worldline.world.render import NEVER, make_reference, render
from worldline.world.surprise import grade

__all__ = [
    "WorldPredictor",
    "calibrate_on",
    "calibrate_world",
    "choose_mix",
    "choose_thresholds",
    "evaluate_world",
    "finish_world",
]

_HORIZON = 16
_MOST_CALIBRATION = 78
"""Clips to calibrate on at most; each is forecast some fifty times."""
_SHARES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
_FAR_PX = 1000.0
_GAPS_PX = (1.0, 2.0, 4.0, _FAR_PX)
"""With the last one the share alone counts, since nothing is so far away."""
_THRESHOLDS = (0.0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.45, NEVER)
"""With the last one no correction counts."""


@dataclass(frozen=True)
class WorldPredictor:
    """A world as a `Predictor`.

    Attributes:
        world: that predicts.
        samples: futures per call.
    """

    world: World
    samples: int = 1

    def predict(
        self, context_frames: UInt8[np.ndarray, "k h w 3"], horizon: int, seed: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """Futures of the world, without the readout and audit that `World.predict` adds."""
        return self._continue(context_frames, None, horizon, seed)

    def predict_driven(
        self, clip: Clip, context: int, horizon: int, seed: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """As `predict`, under what drives the clip; actions of another width are left out."""
        if clip.actions is not None and clip.actions.shape[1] != self.world.action_size:
            clip = replace(clip, actions=None)
        controls = self.world.feed(clip, clip.time_s[: context + horizon])
        return self._continue(clip.frames[:context], controls, horizon, seed)

    def _continue(
        self, frames: np.ndarray, controls: Controls | None, horizon: int, seed: int
    ) -> np.ndarray:
        return self.world.continue_frames(
            frames, horizon=horizon, samples=self.samples, seed=seed, controls=controls
        )


def finish_world(
    world: World,
    *,
    families: Sequence[str],
    num_clips: int,
    seed: int,
    facts: Mapping[str, Any],
    moving_camera: bool = False,
    on_progress: Callable[[float], None] = lambda share: None,
) -> tuple[World, PredictionTable]:
    """Calibrate, evaluate and describe a trained world.

    Calibration and evaluation use different held-out clips: the same ranges as training, seeds
    that training never saw.

    Args:
        world: trained.
        families: of the training data.
        num_clips: clips to evaluate on; as many again calibrate, up to 78.
        seed: of the training run.
        facts: command, recipe digest, numbers of training clips and ledgers, for the card.
        moving_camera: the held-out clips' camera moves.
        on_progress: told the share that is done.
    """
    num_calibration = min(num_clips, _MOST_CALIBRATION)
    filmed = {"families": families, "moving_camera": moving_camera}
    calibration = calibrate_world(
        world,
        **filmed,
        num_clips=num_calibration,
        seed=seed + 1,
        on_progress=lambda share: on_progress(0.4 * share),
    )
    calibration |= of_training(world.calibration) | {"ledgers": facts["ledgers"]}
    world = world.finished(calibration, "")
    clips = make_clips(
        families,
        num_clips=num_calibration,
        seed=seed + 3,
        split=Split.HELD_OUT,
        size_px=world.size_px,
        moving_camera=moving_camera,
    )
    if num_calibration >= LEAST_CLIPS:
        calibration |= calibrate_entries(world, list(clips), still=not moving_camera)
        world = world.finished(calibration, "")
    on_progress(0.5)
    table = evaluate_world(
        world,
        **filmed,
        num_clips=num_clips,
        seed=seed + 2,
        on_progress=lambda share: on_progress(0.5 + 0.5 * share),
    )
    return world.finished(calibration, write_card(world, table, facts, families)), table


def evaluate_world(
    world: World,
    *,
    families: Sequence[str],
    num_clips: int,
    seed: int,
    split: Split = Split.HELD_OUT,
    moving_camera: bool = False,
    first: int = 0,
    on_progress: Callable[[float], None] = lambda share: None,
) -> PredictionTable:
    """The prediction table: the world beside copy-last, flow warp and its untrained self.

    "network alone" is the world without trajectories to correct: its network's futures, with the
    detail of the last frame only. "trajectories alone" is what that corrects. A world that
    forecasts no trajectories has no such rows.

    Args:
        world: to evaluate.
        families: of the clips, in equal shares.
        num_clips: how many.
        seed: of clips and predictors.
        split: which ranges the clips come from.
        first: number of the first clip; `PredictionTable.join` puts tables together that several
            processes have made of some clips each.
        on_progress: told the share of the clips that is done.
    """
    untrained = seeded_untrained(world, seed).finished(of_training(world.calibration), "")
    parts: dict[str, Predictor] = {
        f"{world.name}, network alone": WorldPredictor(
            world.finished(of_training(world.calibration), "")
        ),
        f"{world.name}, trajectories alone": world.warp,
    }
    predictors: dict[str, Predictor] = {
        world.name: WorldPredictor(world),
        **(parts if world.trajectory is not None else {}),
        "copy-last": CopyLast(),
        "flow-warp": ConstantVelocityWarp(),
        "untrained": WorldPredictor(untrained),
    }
    clips = make_clips(
        families,
        num_clips=num_clips,
        seed=seed,
        split=split,
        size_px=world.size_px,
        moving_camera=moving_camera,
        first=first,
    )

    def told() -> Iterator[Clip]:
        for done, clip in enumerate(clips):
            yield clip
            on_progress((done + 1) / num_clips)

    return evaluate_predictors(predictors, told(), context=world.context, seed=seed, first=first)


def calibrate_world(
    world: World,
    *,
    families: Sequence[str],
    num_clips: int,
    seed: int,
    moving_camera: bool = False,
    on_progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """`calibrate_on` held-out clips of the simulator."""
    clips = make_clips(
        families,
        num_clips=num_clips,
        seed=seed,
        split=Split.HELD_OUT,
        size_px=world.size_px,
        moving_camera=moving_camera,
    )
    return calibrate_on(world, list(clips), seed=seed, on_progress=on_progress)


def calibrate_on(
    world: World,
    clips: Sequence[Clip],
    *,
    seed: int,
    on_progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Numbers that turn raw scores into calibrated ones; see `World` for their use.

    - trajectory share and gap, correction threshold: see `choose_mix` and `choose_thresholds`;
    - firm_px: see `choose_firmness`;
    - surprise: mean and quantiles over single held-out frames;
    - uncertainty: per forecast step, how the mean square error of the mean future grows with the
      mean square spread between futures, so that uncertainty is an expected error;
    - trust: mean and precision of the context evidence on held-out clips, and the curve from
      distance to the probability of being such a clip rather than outside material.

    Args:
        world: trained.
        clips: as the training clips are, but held out; of `world.context` + 16 frames at least.
        seed: of the world's noise.
    """
    chosen: dict[str, Any] = of_training(world.calibration)
    if world.trajectory is not None:
        share, gap_px = choose_mix(world, clips, horizon=_HORIZON)
        chosen["trajectory_share"], chosen["trajectory_gap_px"] = share, gap_px
        chosen["correction_threshold"] = choose_thresholds(
            world.finished(chosen, ""), clips, horizon=_HORIZON, seed=seed
        )
        chosen["firm_px"] = choose_firmness(
            world.finished(chosen, ""), clips, horizon=_HORIZON, seed=seed
        )
    world = world.finished(chosen, "")
    surprises, evidence, errors, spreads = [], [], [], []
    inside = []
    for i, clip in enumerate(clips):
        latents = world.encode(clip)
        controls = world.feed(clip)
        led = controls.frames(clip.num_frames - len(world.newest(clip.frames)))
        surprises.append(world.raw_surprise(latents, seed=seed + i, controls=led))
        evidence.append(weigh_evidence(world.newest(clip.frames)))
        inside.append(world.context_features(clip, seed=seed + i))
        truth = clip.frames[world.context : world.context + _HORIZON].astype(np.float64) / 255
        drawn = world.continue_frames(
            clip.frames[: world.context],
            horizon=len(truth),
            samples=4,
            seed=seed + i,
            controls=controls,
        ).astype(np.float64)
        errors.append(((drawn.mean(0) / 255 - truth) ** 2).mean((1, 2, 3)))
        spreads.append((drawn / 255).var(axis=0, ddof=1).mean((1, 2, 3)))
        on_progress((i + 1) / len(clips))
    raw = np.concatenate([steps[2:] for steps in surprises])
    mean = float(raw.mean())
    felt = [
        _grade_frames(world, steps, told, mean)
        for steps, told in zip(surprises, evidence, strict=True)
    ]
    scale, floor = _fit_spread(np.stack(errors), np.stack(spreads))
    outside = [
        world.context_features(clip, seed=seed + i)
        for i, clip in enumerate(
            make_outside_clips(
                len(clips),
                seed=seed,
                size_px=world.size_px,
                num_frames=world.context + _HORIZON,
                inside=clips,
            )
        )
    ]
    usual = Gaussian.fit(np.stack(inside))
    trust = Trust(usual.mean, np.linalg.inv(usual.covariance))
    inside_scores = np.array([trust.score(f) for f in inside])
    outside_scores = np.array([trust.score(f) for f in outside])
    trust = replace(trust, **TrustCurve.fit(inside_scores, outside_scores).to_json())
    return {
        "num_clips": len(clips),
        "seed": seed,
        **chosen,
        "surprise_mean": mean,
        "surprise_quantiles": np.quantile(np.concatenate(felt), np.linspace(0, 1, 201)).tolist(),
        "uncertainty_scale": scale,
        "uncertainty_floor": floor,
        "trust": trust.to_json(),
        "trust_auroc": auroc(inside_scores, outside_scores),
    }


def _grade_frames(
    world: World,
    steps: Float[np.ndarray, " s"],
    told: Float[np.ndarray, " t"],
    mean: float,
) -> Float[np.ndarray, " k"]:
    """Surprise of those frames of a clip that can be surprising."""
    stride, time_s = world.tokenizer.time_stride, np.arange(len(told), dtype=np.float64)
    graded = grade(time_s, steps, {"surprise_mean": mean}, stride=stride, evidence=told)
    return graded.per_frame[len(told) - stride * len(steps[2:]) :]


def choose_mix(
    world: World, clips: Sequence[Clip], *, horizon: int
) -> tuple[list[float], list[float]]:
    """How much of a displacement comes from the forecaster, the rest from constant velocity.

    Forecasts are combined by how good each has been (Bates and Granger 1969): per step ahead, the
    share of `_SHARES` and the gap of `_GAPS_PX` with the best mean PSNR on these clips; see
    `worldline.dynamics.warp.mix`.

    Returns:
        shares and gaps in pixels, one per step.
    """
    assert world.trajectory is not None
    warp = TrajectoryWarp(world.trajectory)
    mixes = [(share, gap) for share in _SHARES for gap in (_GAPS_PX if share < 1 else (_FAR_PX,))]
    quality = np.zeros((len(mixes), horizon))
    for clip in clips:
        drawn = warp.compare(clip.frames[: world.context], horizon, mixes)
        quality += np.stack([_psnr_of(world, clip, frames) for frames in drawn])
    chosen = [mixes[int(k)] for k in quality.argmax(axis=0)]
    return [share for share, _ in chosen], [gap_px for _, gap_px in chosen]


def choose_thresholds(
    world: World, clips: Sequence[Clip], *, horizon: int, seed: int
) -> list[float]:
    """How large a correction to the trajectories must be to count, for each step ahead.

    Per step, the threshold of `_THRESHOLDS` with the best mean PSNR on these clips.
    """
    quality = np.zeros((len(_THRESHOLDS), horizon))
    for i, clip in enumerate(clips):
        seen = clip.frames[: world.context]
        newest = world.newest(seen)
        futures = world.continue_latents(
            world.encode_frames(newest),
            horizon=horizon,
            samples=1,
            seed=seed + i,
            controls=world.feed(clip).frames(len(seen) - len(newest)),
        )
        moved = world.warp.predict(seen, horizon, seed + i)
        reference = make_reference(world.tokenizer, moved, newest)
        for k, limit in enumerate(_THRESHOLDS):
            drawn = render(world.tokenizer, futures, reference, (limit,), horizon)[0]
            quality[k] += _psnr_of(world, clip, drawn)
    return [_THRESHOLDS[int(k)] for k in quality.argmax(axis=0)]


def _psnr_of(
    world: World, clip: Clip, drawn: UInt8[np.ndarray, "t h w 3"]
) -> Float[np.ndarray, " t"]:
    truth = clip.frames[world.context : world.context + len(drawn)]
    error = ((drawn.astype(np.float64) - truth) / 255) ** 2
    return -10 * np.log10(np.maximum(error.mean((1, 2, 3)), 1e-6))


def _fit_spread(errors: np.ndarray, spreads: np.ndarray) -> tuple[list[float], list[float]]:
    """Per step, `error^2 = floor^2 + scale^2 spread^2`, neither negative (Gneiting et al. 2005).

    Args:
        errors, spreads: `[C, H]` mean squares per clip and step.
    """
    scale, floor = [], []
    for error, spread in zip(errors.T, spreads.T, strict=True):
        unit = max(float(spread.mean()), 1e-12)
        (slope, least), _ = nnls(np.stack([spread / unit, np.ones_like(spread)], axis=1), error)
        scale.append(float(np.sqrt(slope / unit)))
        floor.append(float(np.sqrt(least)))
    return scale, floor
