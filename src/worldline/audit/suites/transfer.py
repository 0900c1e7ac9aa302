"""The suite `transfer`: where a world is narrow.

Held-out clips of every domain of the simulator, those that a world learned from and others, are
continued by 8 frames. Measured are the position error and the recall of what moves, in predicted
pixels (`worldline.audit.objects`), beside copying, constant velocity and the untrained world. A
domain is narrow where the world does not beat the better of the two trivial baselines for certain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, UInt8

from worldline.audit.baselines import ConstantVelocityWarp, CopyLast, Predictor
from worldline.audit.prediction import CEILING, Metric, PredictionTable, evaluate_predictors
from worldline.audit.suites.domains import DOMAINS, domains_of
from worldline.audit.suites.result import (
    Better,
    Cell,
    Report,
    Row,
    RowKind,
    SuiteResult,
    Table,
    hash_scenarios,
    mean_cell,
)
from worldline.audit.suites.running import OnProgress, for_each, ignore_progress
from worldline.audit.suites.subject import Predict, Subject, untrained
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.sim import FAMILIES, Split, make_clips
from worldline.world import World

__all__ = ["HORIZON", "Settings", "Standing", "learned_from", "run", "standing"]

CONTEXT, HORIZON = 8, 8
_COPY, _WARP, _UNTRAINED = "copy-last", "flow-warp", "untrained"
_QUICK = ("falling", "swinging and spinning", "flat discs")
_LEARNED = re.compile(r"in equal shares of: ([a-z0-9_, ]+)\.")


@dataclass(frozen=True)
class Settings:
    """How much is looked at.

    Attributes:
        seed: of clips and noise.
        quick: three domains, two clips each.
        num_workers: processes that make clips, and threads that continue them.
        num_clips: of each domain, its families in turn.
        domains: out of `DOMAINS`, all of them unless told otherwise.
    """

    seed: int = 0
    quick: bool = False
    num_workers: int = 1
    num_clips: int = 10
    domains: tuple[str, ...] = tuple(DOMAINS)


@dataclass(frozen=True)
class Standing:
    """How a world stands in a domain.

    Attributes:
        baseline: trivial one with the smaller mean error there.
        gain: by how much less the world errs, in pixels, per clip.
        verdict: "good" where the whole interval is above 0, "narrow" where all of it is below,
            "open" where it holds 0, and "unmeasured" where fewer than two clips have a moving
            object that the instruments find in the true frames.
    """

    baseline: str
    gain: Cell
    verdict: str


def run(
    subject: Subject,
    settings: Settings | None = None,
    on_progress: OnProgress = ignore_progress,
) -> SuiteResult:
    """Let the subject continue clips of every domain.

    Raises:
        InputError: the subject cannot predict, a setting is less than 1, or a domain is unknown.
    """
    settings = settings or Settings()
    predictors: dict[str, Predictor] = {
        subject.name: _Predicts(subject.need("predict", "transfer"))
    }
    if min(settings.num_clips, settings.num_workers) < 1:
        raise InputError("transfer needs at least one clip of each domain, and one worker")
    if subject.world is not None:
        predictors[_UNTRAINED] = _Predicts(untrained(subject.world).need("predict", "transfer"))
    predictors |= {_COPY: CopyLast(), _WARP: ConstantVelocityWarp()}
    unknown = set(settings.domains) - set(DOMAINS)
    if unknown or not settings.domains:
        raise InputError(
            f"transfer knows no domain {', '.join(sorted(unknown)) or 'at all'}; there are "
            f"{', '.join(DOMAINS)}"
        )
    names = _QUICK if settings.quick else settings.domains
    count = 2 if settings.quick else settings.num_clips
    clips = {name: _clips(name, count, settings, subject.size_px) for name in names}
    cases = [(number, clip) for number, clip in enumerate(_joined(clips))]
    measured = for_each(
        partial(_measure, predictors=predictors, seed=settings.seed),
        cases,
        num_workers=settings.num_workers,
        on_progress=on_progress,
    )
    tables = {
        name: measured[index * count : (index + 1) * count] for index, name in enumerate(names)
    }
    systems = [*predictors, CEILING]
    stands = {name: standing(found, subject.name) for name, found in tables.items()}
    learned = None if subject.world is None else learned_from(subject.world)
    found = [
        _table(Metric.ERROR, "position error of what moves, 8 frames on", "px", systems, tables),
        _table(
            Metric.RECALL, "share of what moves that is found, 8 frames on", "", systems, tables
        ),
        _gains(subject.name, stands),
    ]
    facts: dict[str, object] = {
        "clips_per_domain": count,
        "size_px": subject.size_px,
        "horizon": HORIZON,
        **{
            verdict: ", ".join(n for n, s in stands.items() if s.verdict == verdict) or "none"
            for verdict in ("good", "open", "narrow", "unmeasured")
        },
    }
    if learned is not None:
        facts["learned_from"] = ", ".join(learned) or "not told by the card"
        facts["never_seen"] = ", ".join(n for n, own in domains_of(learned).items() if not own)
    return SuiteResult(
        suite="transfer",
        subject=subject.name,
        tables=tuple(found),
        scenarios=hash_scenarios([clip for _, clip in cases], CONTEXT, HORIZON),
        num_scenarios=len(cases),
        seed=settings.seed,
        facts=facts,
        notes=(
            "Narrow: the whole 95 % interval of the gain over the better of copying and constant "
            "velocity, clip by clip, is below 0. Open: it holds 0. Good: it is above 0. "
            "Unmeasured: bodies that change their shape as fluids do are not found by their shape.",
            "Actions and other controls are not told to the subject.",
        ),
    )


def standing(tables: Sequence[PredictionTable], subject: str) -> Standing:
    """How a subject stands against the better trivial baseline on these clips."""
    errors = {name: _values(tables, name, Metric.ERROR) for name in (subject, _COPY, _WARP)}
    trivial = {name: _mean(errors[name]) for name in (_COPY, _WARP)}
    better = min(trivial, key=trivial.__getitem__)
    gain = mean_cell((errors[better] - errors[subject]).tolist())
    verdict = "open" if gain.n > 1 else "unmeasured"
    if gain.low > 0:
        verdict = "good"
    elif gain.high < 0:
        verdict = "narrow"
    return Standing(better, gain, verdict)


def learned_from(world: World) -> tuple[str, ...]:
    """Families of the simulator that a world's card names as its training data."""
    found = _LEARNED.search(world.card)
    names = found.group(1).split(", ") if found else []
    return tuple(name for name in names if name in FAMILIES)


@dataclass(frozen=True)
class _Predicts:
    """A subject's function as a `Predictor`."""

    function: Predict

    def predict(
        self, context_frames: UInt8[np.ndarray, "k h w 3"], horizon: int, seed: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        return self.function(context_frames, horizon, seed)[None]


def _clips(domain: str, count: int, settings: Settings, size_px: int) -> list[Clip]:
    return list(
        make_clips(
            DOMAINS[domain],
            num_clips=count,
            seed=settings.seed,
            split=Split.HELD_OUT,
            size_px=size_px,
            num_workers=min(settings.num_workers, count),
            events=False,
        )
    )


def _joined(clips: Mapping[str, Sequence[Clip]]) -> list[Clip]:
    return [clip for part in clips.values() for clip in part]


def _measure(
    case: tuple[int, Clip], *, predictors: Mapping[str, Predictor], seed: int
) -> PredictionTable:
    number, clip = case
    return evaluate_predictors(
        predictors, [clip], context=CONTEXT, horizons=(HORIZON,), seed=seed, first=number
    )


def _values(
    tables: Sequence[PredictionTable], name: str, metric: Metric
) -> Float[np.ndarray, " c"]:
    """One number for each clip; NaN where nothing moves."""
    return np.array([table.value(name, metric, HORIZON) for table in tables])


def _mean(values: Float[np.ndarray, " c"]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("inf")


def _table(
    metric: Metric,
    title: str,
    unit: str,
    systems: Sequence[str],
    tables: Mapping[str, Sequence[PredictionTable]],
) -> Table:
    kinds = {systems[0]: RowKind.SUBJECT, CEILING: RowKind.CEILING}
    return Table(
        name="position_error" if metric is Metric.ERROR else "recall",
        title=title,
        report=Report.PHYSICAL,
        unit=unit,
        better=Better.LOWER if metric is Metric.ERROR else Better.HIGHER,
        columns=tuple(tables),
        rows=tuple(
            Row(
                name,
                kinds.get(name, RowKind.BASELINE),
                {
                    domain: mean_cell(_values(found, name, metric).tolist())
                    for domain, found in tables.items()
                },
            )
            for name in systems
        ),
        note="Mean over the moving objects of a clip, then over clips; what is not found counts "
        "its search radius."
        if metric is Metric.ERROR
        else "Within about an object's own width.",
    )


def _gains(name: str, stands: Mapping[str, Standing]) -> Table:
    return Table(
        name="gain",
        title="pixels by which the better trivial baseline errs more",
        report=Report.PHYSICAL,
        unit="px",
        better=Better.HIGHER,
        columns=tuple(stands),
        rows=(Row(name, RowKind.SUBJECT, {d: stand.gain for d, stand in stands.items()}),),
        goals=dict.fromkeys(stands, 0.0),
        note="Against "
        + ", ".join(f"{stand.baseline} ({domain})" for domain, stand in stands.items())
        + ".",
    )
