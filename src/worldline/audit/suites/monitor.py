"""Suite `monitor`: does a world say when it is wrong, and does it see what is false in a video?

Two questions, never mixed:

- *Injected.* One body of a generated video vanishes, leaps, changes its colour, grows, falls too
  slowly or bounces too high (`worldline.audit.injection`). The watch over videos sees the true
  context and the generated frames, and scores them; untouched videos of the same generator are the
  negatives. Generators: the true paths ("lawful") and the world's own drawn futures ("own").
- *Natural.* The world forecasts simulated clips, of its training's ranges and beyond. A forecast
  has failed by a frame if a moving object was shown out of place by more than the limit in it or
  before it. The monitor's risk was given before anything of that was seen.

Areas under the curve are for one horizon each: telling late frames from early ones counts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from worldline.audit.monitoring import HORIZON, Case, measure_case
from worldline.audit.suites.monitor_tables import (
    Outcome,
    coverage_table,
    detection_tables,
    injected_table,
    natural_table,
    warnings_table,
)
from worldline.audit.suites.result import SuiteResult, hash_scenarios
from worldline.audit.suites.running import OnProgress, for_each, ignore_progress, part
from worldline.audit.suites.subject import MissingFunctionError, Subject
from worldline.audit.video_watch import Pair, VideoWatch, draw_pairs
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.forecast import Forecast
from worldline.dynamics import TrajectoryWarp
from worldline.sim import FIRST_FAMILIES, Split, make_clip
from worldline.world.monitor import Watch

__all__ = ["Settings", "run"]

_SEEDS = {"calibration": 9001, "evaluation": 70_000}
"""Clips that monitors are calibrated on have the seed 9001; those here begin far away."""


@dataclass(frozen=True)
class Settings:
    """What is asked.

    Attributes:
        seed: of clips, forecasts and hallucinations.
        quick: a handful, to see that all works.
        num_workers: threads.
        num_clips: clips to forecast of each split, and clips to put hallucinations into.
    """

    seed: int = 0
    quick: bool = False
    num_workers: int = 1
    num_clips: int = 26

    @property
    def number(self) -> int:
        """Clips of each kind."""
        return 4 if self.quick else self.num_clips


def run(
    subject: Subject, settings: Settings, on_progress: OnProgress = ignore_progress
) -> SuiteResult:
    """Judge a world's monitor.

    Raises:
        MissingFunctionError: the subject is no world that predicts pixels.
        InputError: its monitor was not calibrated.
    """
    world = subject.world
    if world is None or not world.tokenizer.can_decode:
        raise MissingFunctionError(
            f"{subject.name} is no world that predicts pictures; the suite monitor looks at what "
            "World.predict says of itself"
        )
    if not {"monitor", "monitor_video"} <= world.calibration.keys():
        raise InputError(
            f"the monitor of {world.name} has not been calibrated; see "
            "python -m worldline.audit.monitoring --help"
        )
    seed = _SEEDS["evaluation"] + settings.seed
    splits = {"in": Split.HELD_OUT, "out": Split.OUT_OF_DISTRIBUTION}
    clips = {
        name: [_clip(i, seed, split, world.size_px) for i in range(settings.number)]
        for name, split in splits.items()
    }

    def forecast(item: tuple[int, Clip]) -> Outcome:
        case, made = measure_case(world, item[1], item[0])
        return Outcome(case, made, _by_then(case, made), _change(made))

    outcomes = {
        name: for_each(
            forecast,
            list(enumerate(clips[name])),
            num_workers=settings.num_workers,
            on_progress=part(on_progress, 0.35 * k, 0.35 * (k + 1)),
        )
        for k, name in enumerate(splits)
    }
    generators: dict[str, TrajectoryWarp | None] = {"lawful": None}
    if isinstance(world.warp, TrajectoryWarp):
        generators["own"] = world.warp
    pairs: dict[str, list[Pair]] = {}
    for k, (name, warp) in enumerate(generators.items()):
        found = for_each(
            lambda item, warp=warp: list(draw_pairs(item[1], item[0], seed=seed, warp=warp)),
            list(enumerate(clips["in"])),
            num_workers=settings.num_workers,
            on_progress=part(on_progress, 0.7 + 0.15 * k, 0.85 + 0.15 * k),
        )
        pairs[name] = [pair for some in found for pair in some]
    known = Watch.from_json(world.calibration["monitor"])
    video = VideoWatch.from_json(world.calibration["monitor_video"])
    tables = [
        *(injected_table(some, video, name, settings.seed) for name, some in pairs.items()),
        *detection_tables(pairs, video),
        natural_table(outcomes, settings.seed),
        warnings_table(outcomes),
        coverage_table(outcomes, known),
    ]
    return SuiteResult(
        suite="monitor",
        subject=subject.name,
        tables=tuple(tables),
        scenarios=hash_scenarios([*clips["in"], *clips["out"]], HORIZON, settings.seed),
        num_scenarios=2 * settings.number,
        seed=settings.seed,
        facts={
            "limit_px": known.limit_px,
            "horizon": HORIZON,
            "calibration_clips": known.num_clips,
            "calibration_seed": _SEEDS["calibration"],
            "evaluation_seed": seed,
        },
        notes=(
            "Hallucinations are put in by drawing one lifted body otherwise; nothing else differs "
            "between a positive and its negative.",
            "Natural failures on real footage are not measured: nobody knows the true places.",
        ),
    )


def _clip(index: int, seed: int, split: Split, size_px: int) -> Clip:
    family = FIRST_FAMILIES[index % len(FIRST_FAMILIES)]
    return make_clip(family, index, seed=seed, split=split, size_px=size_px, events=False)


def _by_then(case: Case, made: Forecast) -> Float[np.ndarray, " h"]:
    assert made.monitor is not None
    error = case.error_px
    if not np.isfinite(error).any():
        return np.full(len(error), np.nan)
    wrong = np.where(np.isfinite(error), error > made.monitor.limit_px, 0.0)
    return np.maximum.accumulate(wrong.astype(np.float64))


def _change(made: Forecast) -> Float[np.ndarray, " h"]:
    last = made.context_frames[-1].astype(np.float64)
    return np.abs(made.frames[0] - last).mean((1, 2, 3))
