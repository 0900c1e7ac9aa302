"""Calibrate a world's monitor on held-out clips, and measure what it is judged by.

    python -m worldline.audit.monitoring WORLD [--clips N] [--filmed M] [--seed S]

writes the entries `monitor` and `monitor_video` into the calibration of a saved world (a folder, or
a bundled one by its name) and leaves everything else in it alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.special import expit

from worldline.audit.calibration import Gaussian
from worldline.audit.objects import ObjectProbe
from worldline.audit.video_watch import VideoWatch, draw_pairs
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.forecast import Forecast
from worldline.core.scene import Scene
from worldline.dynamics import ConstantVelocityWarp
from worldline.sim import FIRST_FAMILIES, Split, make_clips
from worldline.world import World
from worldline.world.monitor import LIMIT_PX, Watch, design, difficulty
from worldline.world.outlook import match_places
from worldline.world.prediction import predict_with_evidence
from worldline.world.signals import SIGNALS, Evidence, pool, read_signals

__all__ = [
    "Case",
    "calibrate_entries",
    "calibrate_monitor",
    "calibrate_video_watch",
    "find_calibration",
    "fit_watch",
    "match_tracks",
    "measure_case",
    "measure_errors",
    "store_entries",
]

HORIZON = 16
_NUM_FUTURES = 4
_QUANTILES = 33
_RIDGE = 30.0
_JUDGED = ("spread", "disagreement", "surprise", "parting", "doubt")
"""Signals that the risk goes by. Others are told, and have alarms, but on some hundred forecasts a
regression on all of them was no better than the spread alone."""
_VIDEO_SEED = 9001
NUM_FILMED = 32
LEAST_CLIPS = 20
"""Fewer held-out clips calibrate nothing."""


@dataclass(frozen=True, eq=False)
class Case:
    """One forecast with what became of it.

    Attributes:
        evidence: that the monitor has.
        error_px: `[H]` largest position error of a moving object shown in the first future; NaN
            where none can be judged.
        track_error_px: `[N, H]` distance of each object of the first scene from the true one; NaN
            where either is out of sight, or there is no such object.
    """

    evidence: Evidence
    error_px: Float[np.ndarray, " h"]
    track_error_px: Float[np.ndarray, "n h"]


def measure_errors(clip: Clip, frames: np.ndarray, context: int) -> Float[np.ndarray, " h"]:
    """Largest position error over the moving objects in each forecast frame, in pixels.

    See `worldline.audit.objects`; an object that is not found counts at least its match radius.
    """
    found = np.full(len(frames), np.nan)
    for h, frame in enumerate(frames):
        probe = ObjectProbe.prepare(clip, context_start=0, context_stop=context, frame=context + h)
        errors = [
            match.error_px if match.found else max(match.error_px, match.radius_px)
            for match in probe.measure(frame)
        ]
        if errors:
            found[h] = max(errors)
    return found


def match_tracks(scene: Scene, clip: Clip, context: int) -> Float[np.ndarray, "n h"]:
    """Position error of each object of a forecast's scene, in pixels; see `match_places`."""
    truth = clip.scene
    assert truth is not None
    span = slice(context, context + scene.visible.shape[1])
    return match_places(
        scene.center_px, scene.visible, truth.center_px[:, span], truth.visible[:, span]
    )


def fit_watch(cases: Sequence[Case], limit_px: float) -> Watch:
    """Tables, weights and radii from held-out forecasts.

    The p-values that the regression is fitted on are those of each clip among all clips, itself
    included, which makes a difference of 1 / n.

    Raises:
        InputError: fewer than `LEAST_CLIPS` forecasts, or none of them fails, or all do.
    """
    if len(cases) < LEAST_CLIPS:
        raise InputError(
            f"{len(cases)} forecasts are too few to calibrate a monitor; give {LEAST_CLIPS}"
        )
    context = np.stack([pool(case.evidence.context).mean(axis=0) for case in cases])
    ahead = np.concatenate([pool(case.evidence.futures[0]) for case in cases])
    gaussians = [Gaussian.fit(rows) for rows in (context, ahead)]
    known = [(g.mean, np.linalg.inv(g.covariance)) for g in gaussians]
    horizon = len(cases[0].error_px)
    blank = Watch(
        limit_px=limit_px,
        num_clips=len(cases),
        context=known[0],
        forecast=known[1],
        tables=np.zeros((horizon, 1, 2)),
        weights=np.zeros(1),
        radii=np.zeros((horizon, 2)),
        num_tracks=np.zeros(horizon),
    )
    signals = np.stack([read_signals(c.evidence, blank.distances(c.evidence)) for c in cases])
    tables = np.quantile(signals, np.linspace(0, 1, _QUANTILES), axis=0)
    tabled = Watch(**{**vars(blank), "tables": np.moveaxis(tables, 0, -1)})
    columns = np.stack([design(tabled.p_values(rows), horizon) for rows in signals])
    errors = np.stack([case.error_px for case in cases])
    failed = np.where(np.isfinite(errors), errors > limit_px, np.nan)
    by_then = np.fmax.accumulate(np.where(np.isnan(failed), 0.0, failed), axis=1)
    by_then[np.isnan(failed).all(axis=1)] = np.nan
    weights = _regress(columns, by_then)
    radii, num_tracks = _fit_radii(cases, horizon)
    return Watch(**{**vars(tabled), "weights": weights, "radii": radii, "num_tracks": num_tracks})


def _regress(
    columns: Float[np.ndarray, "n h w"], failed: Float[np.ndarray, "n h"]
) -> Float[np.ndarray, " w"]:
    """Logistic regression on `_JUDGED`, with a ridge on all but the cubic of the frame.

    In the middle of the horizon a signal can only raise the risk: each is made so that large
    values speak against a forecast.
    """
    known = np.isfinite(failed)
    x, y = columns[known], failed[known]
    if not len(y) or y.min() == y.max():
        raise InputError("to calibrate a monitor some forecasts have to fail and others not")
    ridge = np.full(x.shape[1], _RIDGE)
    ridge[:4] = 1e-2
    judged = [name in _JUDGED for name in SIGNALS]
    bounds = [(None, None)] * 4 + [(0, None) if yes else (0, 0) for yes in judged]
    bounds += [(None, None) if yes else (0, 0) for yes in judged]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logit = x @ weights
        value = (np.logaddexp(0, logit) - y * logit).sum() + 0.5 * (ridge * weights**2).sum()
        return float(value), x.T @ (expit(logit) - y) + ridge * weights

    start = np.zeros(x.shape[1])
    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x


def _fit_radii(
    cases: Sequence[Case], horizon: int
) -> tuple[Float[np.ndarray, "h r"], Float[np.ndarray, " h"]]:
    """Quantiles of position error over `difficulty`, frame by frame."""
    ratios: list[list[float]] = [[] for _ in range(horizon)]
    for case in cases:
        hardness = difficulty(case.evidence)
        for error, hard in zip(case.track_error_px, hardness, strict=True):
            for h in np.flatnonzero(np.isfinite(error)):
                ratios[h].append(float(error[h] / hard[h]))
    grid = np.linspace(0, 1, 2 * _QUANTILES - 1)
    radii = [
        np.quantile(row, grid, method="higher") if row else np.zeros(len(grid)) for row in ratios
    ]
    return np.array(radii), np.array([float(len(row)) for row in ratios])


def measure_case(
    world: World, clip: Clip, seed: int, horizon: int = HORIZON
) -> tuple[Case, Forecast]:
    """Forecast a simulated clip from its first frames and see what becomes of it."""
    forecast, evidence = predict_with_evidence(
        world,
        clip.slice(0, world.context),
        context=world.context,
        horizon=horizon,
        samples=_NUM_FUTURES,
        seed=seed,
    )
    case = Case(
        evidence,
        measure_errors(clip, forecast.frames[0], world.context),
        match_tracks(forecast.scene, clip, world.context),
    )
    return case, forecast


def calibrate_monitor(
    world: World,
    clips: Iterable[Clip],
    *,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Watch:
    """A monitor for a world out of forecasts of held-out clips; the seed of each is its number.

    Args:
        world: to be watched; it has to predict pixels.
        clips: simulated, of the world's size and not seen in training, with room for the horizon.
        on_progress: told how many clips are done.
    """
    cases = []
    for i, clip in enumerate(clips):
        cases.append(measure_case(world, clip, i)[0])
        on_progress(i + 1)
    return fit_watch(cases, LIMIT_PX * world.size_px / 64)


def calibrate_entries(
    world: World,
    clips: Sequence[Clip],
    *,
    still: bool = True,
    num_filmed: int = NUM_FILMED,
    on_progress: Callable[[int], None] = lambda done: None,
) -> dict[str, Any]:
    """What a world's calibration keeps for its monitor, by name.

    Empty for a world that predicts no pixels, and for too few clips: such a world says that its
    monitor was not calibrated.

    Args:
        world: to be watched.
        clips: see `calibrate_monitor`.
        still: the camera of the clips stands still; else the watch over videos is left out.
        num_filmed: clips out of which sound videos are made, the first ones.
        on_progress: see `calibrate_monitor`.
    """
    if not world.tokenizer.can_decode or len(clips) < LEAST_CLIPS:
        return {}
    try:
        entries = {"monitor": calibrate_monitor(world, clips, on_progress=on_progress).to_json()}
    except InputError:  # every forecast fails, or none: there is nothing to tell apart
        return {}
    if still:
        entries["monitor_video"] = calibrate_video_watch(world, clips[:num_filmed]).to_json()
    return entries


def calibrate_video_watch(world: World, clips: Iterable[Clip]) -> VideoWatch:
    """The watch over videos, out of sound ones: carried along true paths and as forecast."""
    sound: dict[tuple[int, str, int], Float[np.ndarray, "t s"]] = {}
    for i, clip in enumerate(clips):
        for warp in (None, world.warp):
            if isinstance(warp, ConstantVelocityWarp):
                continue
            for pair in draw_pairs(clip, i, seed=_VIDEO_SEED, warp=warp, sound_only=True):
                sound[(i, str(type(warp)), id(pair.sound))] = pair.sound
    return VideoWatch.fit(list(sound.values()))


@dataclass(frozen=True)
class _Command:
    """Calibrate the monitor of a world on held-out clips, and keep it with the world."""

    world: tyro.conf.Positional[str]
    """Name of a bundled world, or folder of a saved one."""
    clips: int = 130
    """Held-out clips to calibrate on."""
    filmed: int = NUM_FILMED
    """The first of them, out of which sound videos are made."""
    seed: int = 9001
    """Of clips and forecasts; evaluations use others."""

    def run(self) -> None:
        world = World.from_pretrained(self.world)
        clips = make_clips(
            FIRST_FAMILIES,
            num_clips=self.clips,
            seed=self.seed,
            split=Split.HELD_OUT,
            size_px=world.size_px,
            events=False,
        )
        entries = calibrate_entries(
            world,
            list(clips),
            num_filmed=self.filmed,
            on_progress=lambda done: print(f"{done} of {self.clips}", file=sys.stderr),
        )
        if not entries:
            raise InputError(
                f"{self.world}: predicts no pixels, or {self.clips} clips tell nothing apart"
            )
        store_entries(entries, find_calibration(self.world))


def find_calibration(name_or_folder: str) -> Path:
    """The file that holds a world's calibration. Raises `InputError` if there is none."""
    bundled = Path(str(files("worldline.world"))) / "pretrained" / name_or_folder
    folder = bundled if bundled.is_dir() else Path(name_or_folder)
    file = folder / "calibration.json"
    if not file.is_file():
        raise InputError(f"{name_or_folder}: there is no world with a calibration")
    return file


def store_entries(entries: Mapping[str, Any], file: Path) -> None:
    """Write entries into a calibration file; all others stay as they are."""
    record = json.loads(file.read_text()) | dict(entries)
    file.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    tyro.cli(_Command).run()
