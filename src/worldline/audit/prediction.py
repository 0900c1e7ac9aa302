"""The prediction table: how well predictors continue held-out clips, in pixels and in objects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy.ndimage import binary_dilation

from worldline.audit.baselines import DrivenPredictor, Predictor, StateOracle
from worldline.audit.objects import ObjectProbe
from worldline.audit.visual import psnr, ssim
from worldline.core.clip import Clip
from worldline.core.errors import InputError

__all__ = ["ALL_FAMILIES", "CEILING", "Metric", "PredictionTable", "evaluate_predictors"]

ALL_FAMILIES = "all"
CEILING = "truth"
_NUM_RESAMPLES = 1000
_ACTION_REACH_PX = 2


class Metric(StrEnum):
    """What is measured at each horizon. Better is higher, but for errors."""

    PSNR = "psnr_db"
    """Mean over clips of the frame's PSNR in dB."""
    PSNR_ACTION = "psnr_action_db"
    """PSNR over the pixels where a moving object is, or was when last seen (and 2 px around)."""
    SSIM = "ssim"
    """Mean over clips."""
    RECALL = "recall"
    """Share of the moving objects that are found, within about their own width."""
    RECALL_IOU50 = "recall_iou50"
    """Share of the moving objects whose silhouette overlaps the true one: an IoU of at least .5."""
    RECALL_HOTA = "recall_hota"
    """As `RECALL_IOU50`, averaged over the IoU thresholds .05 to .95 (detection recall of HOTA)."""
    ERROR_FOUND = "error_found_px"
    """Mean position error of the moving objects that are found."""
    ERROR = "error_px"
    """Mean position error of the moving objects; a missed one counts its match radius."""
    RECALL_ALL = "recall_all"
    """As `RECALL`, resting objects included."""
    ERROR_ALL = "error_all_px"
    """As `ERROR`, resting objects included."""

    @property
    def unit(self) -> str:
        """Unit for a table's head."""
        return {"psnr_db": "dB", "psnr_action_db": "dB"}.get(self, "px" if "px" in self else "")


_METRICS = tuple(Metric)


@dataclass(frozen=True, eq=False)
class PredictionTable:
    """Sums per clip, from which every mean, ratio and interval follows.

    Attributes:
        predictors: names; the last is `CEILING`, the true frames through the same instruments.
        baselines: names of those that the others are compared to, clip by clip.
        horizons: frames after the context.
        clip_families: family of each clip.
        sums, counts: `[P, C, M, H]` numerator and denominator by predictor, clip, metric and
            horizon; a metric over several clips is the ratio of their sums.
        num_untestable: `[C, H]` visible objects that could not be judged even in the true frame.
        context: number of context frames.
        seed: seed given to the predictors, and of the bootstrap.
    """

    predictors: tuple[str, ...]
    baselines: tuple[str, ...]
    horizons: tuple[int, ...]
    clip_families: tuple[str, ...]
    sums: Float[np.ndarray, "p c m h"]
    counts: Int[np.ndarray, "p c m h"]
    num_untestable: Int[np.ndarray, "c h"]
    context: int
    seed: int

    @property
    def families(self) -> tuple[str, ...]:
        """`ALL_FAMILIES`, then each family."""
        return (ALL_FAMILIES, *sorted(set(self.clip_families)))

    def value(
        self, predictor: str, metric: Metric, horizon: int, family: str = ALL_FAMILIES
    ) -> float:
        """One number; NaN where nothing was there to be measured."""
        p, m, h = self._locate(predictor, metric, horizon)
        rows = self._rows(family)
        return _ratio(self.sums[p, rows, m, h], self.counts[p, rows, m, h])

    def count(
        self, predictor: str, metric: Metric, horizon: int, family: str = ALL_FAMILIES
    ) -> int:
        """Number of objects (or clips) behind `value`."""
        p, m, h = self._locate(predictor, metric, horizon)
        return int(self.counts[p, self._rows(family), m, h].sum())

    def interval(
        self, predictor: str, metric: Metric, horizon: int, family: str = ALL_FAMILIES
    ) -> tuple[float, float]:
        """95 % percentile bootstrap over clips (Efron and Tibshirani 1993, chapter 13)."""
        p, m, h = self._locate(predictor, metric, horizon)
        return _quantiles(self._resample(p, m, h, family))

    def difference(
        self,
        predictor: str,
        baseline: str,
        metric: Metric,
        horizon: int,
        family: str = ALL_FAMILIES,
    ) -> tuple[float, float, float]:
        """Predictor minus baseline with its 95 % interval, both on the same resampled clips."""
        p, m, h = self._locate(predictor, metric, horizon)
        b = self._locate(baseline, metric, horizon)[0]
        value = self.value(predictor, metric, horizon, family) - self.value(
            baseline, metric, horizon, family
        )
        gap = self._resample(p, m, h, family) - self._resample(b, m, h, family)
        return (value, *_quantiles(gap))

    @classmethod
    def join(cls, tables: Sequence[PredictionTable]) -> PredictionTable:
        """The table of all clips, of tables that measured the same on different clips.

        Raises:
            InputError: there are none, or they measured different things.
        """
        if not tables:
            raise InputError("there are no tables to join")
        first = tables[0]
        alike = ("predictors", "baselines", "horizons", "context", "seed")
        for other in tables:
            for name in alike:
                if getattr(other, name) != getattr(first, name):
                    raise InputError(
                        f"tables to join differ in {name}: {getattr(first, name)} and "
                        f"{getattr(other, name)}"
                    )
        return replace(
            first,
            clip_families=tuple(name for table in tables for name in table.clip_families),
            sums=np.concatenate([table.sums for table in tables], axis=1),
            counts=np.concatenate([table.counts for table in tables], axis=1),
            num_untestable=np.concatenate([table.num_untestable for table in tables]),
        )

    def to_json(self) -> dict[str, Any]:
        """Every number with its interval and count; NaN becomes null."""
        rows = [
            self._row_json(name, family) for name in self.predictors for family in self.families
        ]
        return {
            "version": 1,
            "context": self.context,
            "horizons": list(self.horizons),
            "seed": self.seed,
            "num_clips": len(self.clip_families),
            "num_untestable": dict(
                zip(map(str, self.horizons), self.num_untestable.sum(0).tolist(), strict=True)
            ),
            "rows": rows,
        }

    def to_markdown(self, families: Sequence[str] = (ALL_FAMILIES,)) -> str:
        """A table per family: a row per predictor, columns by metric and horizon.

        Brackets hold 95 % bootstrap intervals over clips.
        """
        shown = tuple(m for m in _METRICS if m not in (Metric.RECALL_ALL, Metric.ERROR_ALL))
        parts = []
        for family in families:
            lines = [
                f"**{family}**: {len(self._rows(family))} clips, {self.context} context frames",
                "",
            ]
            for metric in shown:
                lines += self._metric_lines(metric, family)
            parts.append("\n".join(lines))
        return "\n\n".join(parts) + "\n"

    def _metric_lines(self, metric: Metric, family: str) -> list[str]:
        head = [f"{metric.replace('_', ' ')}", *(f"+{h}" for h in self.horizons)]
        lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        for name in self.predictors:
            cells = [name]
            for horizon in self.horizons:
                low, high = self.interval(name, metric, horizon, family)
                value = self.value(name, metric, horizon, family)
                count = self.count(name, metric, horizon, family)
                cells.append(
                    f"{value:.2f} [{low:.2f}, {high:.2f}] (n={count})" if count else "none"
                )
            lines.append("| " + " | ".join(cells) + " |")
        return [*lines, ""]

    def _row_json(self, name: str, family: str) -> dict[str, Any]:
        row: dict[str, Any] = {"predictor": name, "family": family}
        for metric in _METRICS:
            cells = {}
            for horizon in self.horizons:
                low, high = self.interval(name, metric, horizon, family)
                cell: dict[str, Any] = {
                    "value": _number(self.value(name, metric, horizon, family)),
                    "low": _number(low),
                    "high": _number(high),
                    "n": self.count(name, metric, horizon, family),
                }
                versus = {
                    base: [_number(x) for x in self.difference(name, base, metric, horizon, family)]
                    for base in self.baselines
                    if base != name and name != CEILING
                }
                if versus:
                    cell["minus"] = versus
                cells[str(horizon)] = cell
            row[str(metric)] = cells
        return row

    def _locate(self, predictor: str, metric: Metric, horizon: int) -> tuple[int, int, int]:
        if predictor not in self.predictors or horizon not in self.horizons:
            raise InputError(
                f"the table has no {predictor} at +{horizon}; it has {', '.join(self.predictors)} "
                f"at {', '.join(f'+{h}' for h in self.horizons)}"
            )
        return (
            self.predictors.index(predictor),
            _METRICS.index(metric),
            self.horizons.index(horizon),
        )

    def _rows(self, family: str) -> np.ndarray:
        if family == ALL_FAMILIES:
            return np.arange(len(self.clip_families))
        rows = np.flatnonzero(np.array(self.clip_families) == family)
        if not len(rows):
            raise InputError(f"the table has no clips of {family}")
        return rows

    def _resample(self, p: int, m: int, h: int, family: str) -> np.ndarray:
        rows = self._rows(family)
        rng = np.random.default_rng((self.seed, len(rows)))  # the same clips for every predictor
        weights = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), _NUM_RESAMPLES)
        total = weights @ self.sums[p, rows, m, h]
        count = weights @ self.counts[p, rows, m, h]
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def evaluate_predictors(
    predictors: Mapping[str, Predictor],
    clips: Iterable[Clip],
    *,
    context: int = 8,
    horizons: tuple[int, ...] = (1, 4, 8, 16),
    seed: int = 0,
    baselines: Sequence[str] = ("copy-last", "flow-warp"),
    first: int = 0,
) -> PredictionTable:
    """Let predictors continue clips and measure them at chosen frames after the context.

    Each sees the first `context` frames of a clip. Only its first sample counts, never the best
    one. The true frames run through the same instruments as a last row, `CEILING`.

    Args:
        predictors: by name.
        clips: simulated clips with segmentation and background, taken one at a time; the family is
            `clip.provenance.source`.
        first: number of the first clip, where these are some out of many.
        context: frames shown.
        horizons: frames after the context at which to measure.
        seed: given to each predictor together with the clip's number, as `seed + number`.
        baselines: names to compare the others to; those not among `predictors` are left out.

    Raises:
        InputError: no clips, a clip too short or without truth, a prediction of the wrong shape, or
            a predictor called like the ceiling.
    """
    if CEILING in predictors or not predictors:
        raise InputError(f"give at least one predictor, and none called {CEILING!r}")
    if not horizons or min(horizons) < 1 or context < 1:
        raise InputError("context and horizons are numbers of frames, at least 1 each")
    names = (*predictors, CEILING)
    families, sums, counts, untestable = [], [], [], []
    for number, clip in enumerate(clips, first):
        need = context + max(horizons)
        if clip.num_frames < need:
            raise InputError(
                f"clip {number} ({clip.provenance.source}) has {clip.num_frames} frames, but "
                f"{context} of context and {max(horizons)} to predict need {need}"
            )
        views = [_View.prepare(clip, context, horizon) for horizon in horizons]
        everyone: dict[str, Predictor] = {**predictors, CEILING: StateOracle((clip,))}
        tables = []
        known: dict[tuple[int, bytes], list[tuple[float, int]]] = {}
        for name in names:
            futures = _ask(everyone[name], clip, context, max(horizons), seed + number)
            wanted = (max(horizons), *clip.frames.shape[1:])
            if futures.ndim != 5 or futures.shape[1:] != wanted or not len(futures):
                raise InputError(
                    f"{name} predicted frames of shape {futures.shape}, expected (S, "
                    f"{', '.join(map(str, wanted))})"
                )
            keys = [(h, futures[0, h - 1].tobytes()) for h in horizons]
            for key, view in zip(keys, views, strict=True):
                if key not in known:  # predictors that agree on a frame are measured once
                    known[key] = view.measure(futures[0])
            tables.append([known[key] for key in keys])
        array = np.array(tables, dtype=np.float64)  # [P, H, M, 2]
        sums.append(array[..., 0].swapaxes(1, 2))
        counts.append(array[..., 1].swapaxes(1, 2))
        untestable.append([view.probe.num_untestable for view in views])
        families.append(clip.provenance.source)
    if not families:
        raise InputError("there are no clips to evaluate on")
    return PredictionTable(
        predictors=names,
        baselines=tuple(name for name in baselines if name in predictors),
        horizons=tuple(horizons),
        clip_families=tuple(families),
        sums=np.stack(sums, axis=1),
        counts=np.stack(counts, axis=1).astype(np.int64),
        num_untestable=np.array(untestable, dtype=np.int64),
        context=context,
        seed=seed,
    )


@dataclass(frozen=True, eq=False)
class _View:
    """One clip at one horizon."""

    truth: UInt8[np.ndarray, "h w 3"]
    probe: ObjectProbe
    action: np.ndarray
    horizon: int

    @classmethod
    def prepare(cls, clip: Clip, context: int, horizon: int) -> _View:
        frame = context + horizon - 1
        probe = ObjectProbe.prepare(clip, context_start=0, context_stop=context, frame=frame)
        action = binary_dilation(probe.moving_region, iterations=_ACTION_REACH_PX)
        return cls(clip.frames[frame], probe, action, horizon)

    def measure(self, future: UInt8[np.ndarray, "t h w 3"]) -> list[tuple[float, int]]:
        """(sum, count) of each metric, in the order of `Metric`."""
        frame = future[self.horizon - 1]
        pair = frame[None], self.truth[None]
        busy = bool(self.action.any())
        action_db = float(psnr(*pair, self.action[None])[0]) if busy else 0.0
        everything = self.probe.measure(frame)
        moving = [match for match in everything if match.moving]
        found = [match for match in moving if match.found]
        return [
            (float(psnr(*pair)[0]), 1),
            (action_db, int(busy)),
            (float(ssim(*pair)[0]), 1),
            (float(len(found)), len(moving)),
            (float(sum(match.covered for match in moving)), len(moving)),
            (math.fsum(match.coverage for match in moving), len(moving)),
            (math.fsum(match.error_px for match in found), len(found)),
            (math.fsum(match.penalised_error_px for match in moving), len(moving)),
            (float(sum(match.found for match in everything)), len(everything)),
            (math.fsum(match.penalised_error_px for match in everything), len(everything)),
        ]


def _ask(
    predictor: Predictor, clip: Clip, context: int, horizon: int, seed: int
) -> UInt8[np.ndarray, "s t h w 3"]:
    """A clip's continuation; who can be driven is told what drives the clip."""
    if isinstance(predictor, DrivenPredictor):
        return predictor.predict_driven(clip, context, horizon, seed)
    return predictor.predict(clip.frames[:context], horizon, seed)


def _ratio(total: np.ndarray, count: np.ndarray) -> float:
    return float(total.sum() / count.sum()) if count.sum() else float("nan")


def _quantiles(values: np.ndarray) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def _number(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
