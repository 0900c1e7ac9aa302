"""Tables of the suite `monitor`, out of forecasts with their outcomes and videos in pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from worldline.audit.calibration import auroc
from worldline.audit.monitoring import HORIZON, Case
from worldline.audit.suites.result import (
    Better,
    Cell,
    Report,
    Row,
    RowKind,
    Table,
    mean_cell,
    share_cell,
)
from worldline.audit.video_watch import Hallucination, Pair, VideoWatch
from worldline.core.forecast import Forecast
from worldline.world.monitor import AdaptiveRadius, Watch, difficulty

__all__ = [
    "Outcome",
    "coverage_table",
    "detection_tables",
    "injected_table",
    "natural_table",
    "warnings_table",
]

_SHOWN = (4, 8, 16)
_RECALL = 0.95
_ALARM = 0.05
_WARNED = 0.5
_NUM_RESAMPLES = 1000


@dataclass(frozen=True, eq=False)
class Outcome:
    """A forecast and what became of it.

    Attributes:
        case, forecast: of a clip.
        failed: `[H]` by then; NaN where nothing could ever be judged.
        change: `[H]` mean absolute change of the forecast's pixels since the context.
    """

    case: Case
    forecast: Forecast
    failed: Float[np.ndarray, " h"]
    change: Float[np.ndarray, " h"]


def _area(
    sound: Sequence[tuple[int, float]], false: Sequence[tuple[int, float]], seed: int
) -> Cell:
    """AUROC of scores, each with the number of its clip; clips are drawn again for the interval."""
    if not sound or not false:
        return Cell(float("nan"))
    negative, positive = np.array(sound, dtype=float), np.array(false, dtype=float)
    value = auroc(negative[:, 1], positive[:, 1])
    numbers = np.unique(np.concatenate([negative[:, 0], positive[:, 0]]))
    rng = np.random.default_rng((seed, len(numbers)))
    drawn = np.stack([rng.choice(numbers, len(numbers)) for _ in range(_NUM_RESAMPLES)])
    count = (drawn[..., None] == numbers).sum(axis=1)  # how often each clip was drawn
    weight = [count[:, np.searchsorted(numbers, rows[:, 0])] for rows in (negative, positive)]
    ahead = positive[:, 1] - negative[:, 1, None]
    wins = ((weight[0] @ (0.5 + 0.5 * np.sign(ahead))) * weight[1]).sum(axis=1)
    pairs = weight[0].sum(axis=1) * weight[1].sum(axis=1)
    areas = wins[pairs > 0] / pairs[pairs > 0]
    low, high = np.quantile(areas, (0.025, 0.975)) if len(areas) else (np.nan, np.nan)
    return Cell(value, float(low), float(high), len(false))


_Score = Callable[[Pair, bool], float]


def _scores(video: VideoWatch) -> dict[str, tuple[RowKind, _Score]]:
    def risk(pair: Pair, false: bool) -> float:
        return -float(np.log(_together(video, pair, false)[-1]))

    def change(pair: Pair, false: bool) -> float:
        return float(pair.change[int(false)].max())

    def jerk(pair: Pair, false: bool) -> float:
        return float(np.abs(np.diff(pair.change[int(false)])).max())

    def chance(pair: Pair, false: bool) -> float:
        rng = np.random.default_rng((pair.clip, list(Hallucination).index(pair.kind), int(false)))
        return float(rng.random())

    return {
        "monitor": (RowKind.SUBJECT, risk),
        "largest pixel change": (RowKind.BASELINE, change),
        "largest change of pixel change": (RowKind.BASELINE, jerk),
        "random": (RowKind.BASELINE, chance),
    }


def _together(video: VideoWatch, pair: Pair, false: bool) -> Float[np.ndarray, " t"]:
    """Least p-value over the signals, frame by frame, before it is multiplied by their number."""
    return video.p_values(pair.false if false else pair.sound).min(axis=1)


def injected_table(pairs: Sequence[Pair], video: VideoWatch, generator: str, seed: int) -> Table:
    """Are untouched and touched videos told apart? One column per hallucination."""
    rows = []
    for name, (kind, score) in _scores(video).items():
        cells = {}
        for what in Hallucination:
            some = [pair for pair in pairs if pair.kind is what]
            cells[str(what)] = _area(
                [(pair.clip, score(pair, False)) for pair in some],
                [(pair.clip, score(pair, True)) for pair in some],
                seed,
            )
        rows.append(Row(name, kind, cells))
    return Table(
        name=f"injected_{generator}",
        title=f"Injected hallucinations, {generator} paths: area under the curve",
        report=Report.PHYSICAL,
        unit="",
        better=Better.HIGHER,
        columns=tuple(str(what) for what in Hallucination),
        rows=tuple(rows),
        goals={str(what): 0.95 for what in Hallucination},
        note="Against the same videos untouched; 1/2 is chance.",
    )


def detection_tables(pairs: dict[str, list[Pair]], video: VideoWatch) -> list[Table]:
    """False alarms at 95 % recall, and how many frames after its onset a hallucination is seen."""
    false_alarms, delays = [], []
    for generator, some in pairs.items():
        alarm_cells, delay_cells = {}, {}
        sound = list(some)
        for what in Hallucination:
            here = [pair for pair in sound if pair.kind is what]
            positive = np.array([-np.log(_together(video, pair, True)[-1]) for pair in here])
            negative = np.array([-np.log(_together(video, pair, False)[-1]) for pair in here])
            if len(here):
                limit = np.quantile(positive, 1 - _RECALL, method="lower")
                alarm_cells[str(what)] = share_cell((negative >= limit).astype(float))
            else:
                alarm_cells[str(what)] = Cell(float("nan"))
            late = []
            for pair in here:
                seen = np.flatnonzero(_together(video, pair, True) <= _ALARM)
                seen = seen[seen >= pair.target.onset]
                before = _together(video, pair, False).min() <= _ALARM
                late.append(
                    float(seen[0] - pair.target.onset) if len(seen) and not before else np.nan
                )
            delay_cells[str(what)] = mean_cell(late)
        false_alarms.append(Row(f"monitor, {generator} paths", RowKind.SUBJECT, alarm_cells))
        delays.append(Row(f"monitor, {generator} paths", RowKind.SUBJECT, delay_cells))
    columns = tuple(str(what) for what in Hallucination)
    return [
        Table(
            name="false_alarms",
            title="Share of untouched videos with an alarm where 95 % of the false ones have one",
            report=Report.PHYSICAL,
            unit="",
            better=Better.LOWER,
            columns=columns,
            rows=tuple(false_alarms),
            goals={},
            note="Chance is 0.95.",
        ),
        Table(
            name="delay",
            title="Frames from the onset to the alarm, where there is one",
            report=Report.PHYSICAL,
            unit="frames",
            better=Better.LOWER,
            columns=columns,
            rows=tuple(delays),
            goals={},
            note="Alarm: the p-value of a signal is at most 5 %; videos whose untouched twin "
            "alarms as well, and those without an alarm, say nothing here.",
        ),
    ]


def natural_table(outcomes: dict[str, list[Outcome]], seed: int) -> Table:
    """Is the risk higher where a forecast fails? Per split and horizon."""

    def risk(o: Outcome, h: int) -> float:
        assert o.forecast.monitor is not None
        assert o.forecast.monitor.risk is not None
        return float(o.forecast.monitor.risk[h])

    def chance(o: Outcome, h: int) -> float:
        return float(np.random.default_rng((seed, int(1e6 * o.change.sum()), h)).random())

    scores: dict[str, tuple[RowKind, Callable[[Outcome, int], float]]] = {
        "monitor": (RowKind.SUBJECT, risk),
        "spread alone": (RowKind.BASELINE, lambda o, h: float(o.forecast.uncertainty[h])),
        "trust alone": (RowKind.BASELINE, lambda o, h: -o.forecast.trust),
        "pixel change": (RowKind.BASELINE, lambda o, h: float(o.change[h])),
        "random": (RowKind.BASELINE, chance),
    }
    columns = tuple(f"{name} +{h}" for name in outcomes for h in _SHOWN)
    rows = []
    for name, (kind, score) in scores.items():
        cells = {}
        for split, some in outcomes.items():
            for h in _SHOWN:
                known = [(i, o) for i, o in enumerate(some) if np.isfinite(o.failed[h - 1])]
                cells[f"{split} +{h}"] = _area(
                    [(i, score(o, h - 1)) for i, o in known if not o.failed[h - 1]],
                    [(i, score(o, h - 1)) for i, o in known if o.failed[h - 1]],
                    seed,
                )
        rows.append(Row(name, kind, cells))
    return Table(
        name="natural",
        title="Natural failures, in and out of distribution: area under the curve",
        report=Report.PHYSICAL,
        unit="",
        better=Better.HIGHER,
        columns=columns,
        rows=tuple(rows),
        goals=dict.fromkeys(columns, 0.85),
        note="Failed: a moving object out of place by more than the limit by that frame.",
    )


def warnings_table(outcomes: dict[str, list[Outcome]]) -> Table:
    """Of the forecasts that fail: those warned of, and how many frames before the failure."""
    cells: dict[str, Cell] = {}
    for split, some in outcomes.items():
        warned, lead, alarm = [], [], []
        for o in some:
            assert o.forecast.monitor is not None
            assert o.forecast.monitor.risk is not None
            over = np.flatnonzero(o.forecast.monitor.risk >= _WARNED)
            if not np.isfinite(o.failed[-1]):
                continue
            if o.failed[-1]:
                first = int(np.flatnonzero(o.failed)[0])
                warned.append(float(len(over) > 0))
                lead.append(float(first + 1) if len(over) else np.nan)
            else:
                alarm.append(float(len(over) > 0))
        cells[f"{split} warned"] = share_cell(warned)
        cells[f"{split} false alarms"] = share_cell(alarm)
        cells[f"{split} lead (frames)"] = mean_cell(lead)
    return Table(
        name="warned",
        title="Warnings: risk of at least 1/2 somewhere in the forecast",
        report=Report.PHYSICAL,
        unit="",
        better=Better.NEITHER,
        columns=tuple(cells),
        rows=(Row("monitor", RowKind.SUBJECT, cells),),
        goals={},
        note="Warnings come with the forecast, so the lead is the number of frames to the failure.",
    )


def coverage_table(outcomes: dict[str, list[Outcome]], known: Watch) -> Table:
    """Are the objects where the radii promise it?"""

    def fixed(o: Outcome, state: AdaptiveRadius) -> Float[np.ndarray, "n h"]:
        return known.radius(difficulty(o.case.evidence), state.coverage)

    def adaptive(o: Outcome, state: AdaptiveRadius) -> Float[np.ndarray, "n h"]:
        return state.radius(known, difficulty(o.case.evidence))

    def spread(o: Outcome, state: AdaptiveRadius) -> Float[np.ndarray, "n h"]:
        del state
        std = o.forecast.scene.center_px_std.max(axis=-1)
        return np.sqrt(-2 * np.log(1 - 0.9)) * std  # Rayleigh: both coordinates alike

    shown = (1, *_SHOWN)
    columns = (
        *(f"{split} +{h}" for split in outcomes for h in shown),
        *(f"{s} all" for s in outcomes),
    )
    rows = []
    for name, kind, rule in (
        ("monitor", RowKind.SUBJECT, fixed),
        ("monitor, adaptive", RowKind.SUBJECT, adaptive),
        ("what the readout states", RowKind.BASELINE, spread),
    ):
        cells = {}
        for split, some in outcomes.items():
            hits = _hits(some, rule)
            for h in shown:
                cells[f"{split} +{h}"] = mean_cell(hits[:, h - 1])
            with np.errstate(invalid="ignore"):
                count = np.isfinite(hits).sum(axis=1)
                cells[f"{split} all"] = mean_cell(
                    np.where(count, np.nansum(hits, axis=1) / np.maximum(count, 1), np.nan)
                )
        rows.append(Row(name, kind, cells))
    return Table(
        name="coverage",
        title="Share of objects inside their 90 % radius, mean over clips",
        report=Report.PHYSICAL,
        unit="",
        better=Better.NEITHER,
        columns=columns,
        rows=tuple(rows),
        goals={},
        note="The goal is .88 to .92 in distribution. Adaptive: after each clip the level follows "
        "what came true (Gibbs and Candes 2021), first through `in`, then, afresh, through `out`.",
    )


def _hits(
    some: Sequence[Outcome],
    rule: Callable[[Outcome, AdaptiveRadius], Float[np.ndarray, "n h"]],
) -> Float[np.ndarray, "c h"]:
    """Share of the objects of each clip inside their radius, frame by frame."""
    states = [AdaptiveRadius() for _ in range(HORIZON)]
    hits = np.full((len(some), HORIZON), np.nan)
    for i, o in enumerate(some):
        error = o.case.track_error_px
        for h in range(HORIZON):
            known = np.isfinite(error[:, h])
            if known.any():
                inside = error[known, h] <= rule(o, states[h])[known, h]
                hits[i, h] = inside.mean()
                states[h] = states[h].seen(float(1 - inside.mean()))
    return hits
