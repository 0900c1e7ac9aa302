"""The suite `laws`: are uniform motion, collision and free fall continued as the laws say?

After PhyWorld (Kang et al. 2024, "How Far is Video Generation from World Model: A Physical Law
Perspective", arXiv 2411.02385): three frames are shown, 29 are asked for, and the velocities of the
discs in them are held against the true ones. See `disc_scenes` for the scenarios and for the two
ways in which each of them is drawn.

*As published*: pixel i of W stands for the coordinate i / (W - 1) (so a width of W pixels is
taken for W - 1), and the error is the mean over all discs and frames of all clips at once.
*Corrected*: pixel i stands for (i + 1/2) / W, and every clip counts once. Both take the frames in
which the true disc is whole in view, now and a frame earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from worldline.audit.suites.disc_readings import LawReadings, read_discs
from worldline.audit.suites.disc_scenes import (
    CONTEXT,
    LAWS,
    NUM_FRAMES,
    STEP_S,
    Law,
    Range,
    Twice,
    draw_scene,
    film,
)
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
    ratio_cell,
)
from worldline.audit.suites.running import OnProgress, for_each, ignore_progress, part
from worldline.audit.suites.subject import Subject, of_baseline, untrained
from worldline.audit.visual import psnr, ssim

__all__ = ["COLUMNS", "GOAL", "PUBLISHED", "Settings", "run"]

COLUMNS = tuple(f"{law} {where}" for law in LAWS for where in Range)
GOAL = 0.1
"""Velocity error out of distribution that a world should stay below."""

PUBLISHED = dict(zip(COLUMNS, (0.012, 0.288, 0.015, 0.153, 0.033, 0.285), strict=True))
"""Best of the paper's learned models, from pixels (its table of scaling)."""


@dataclass(frozen=True)
class Settings:
    """How much is asked.

    Attributes:
        seed: of the scenarios.
        quick: a few scenarios, to see that all works.
        num_workers: threads.
        num_scenarios: of each law and range.
        num_untrained: of these, how many the untrained world is asked for too; it is slow, and by
            construction the same as repeating the last frame.
    """

    seed: int = 0
    quick: bool = False
    num_workers: int = 1
    num_scenarios: int = 32
    num_untrained: int = 4

    @property
    def number(self) -> int:
        """Scenarios of each law and range."""
        return 3 if self.quick else self.num_scenarios


@dataclass(frozen=True, eq=False)
class _Scenario:
    law: Law
    where: Range
    corrected: Twice
    published: Twice
    radius_m: Float[np.ndarray, " n"]

    @property
    def column(self) -> str:
        return f"{self.law} {self.where}"


@dataclass(frozen=True, eq=False)
class _Score:
    """One system on one scenario."""

    published: tuple[float, int]
    readings: LawReadings | None
    psnr_db: float
    ssim: float

    def read(self, name: str) -> float:
        """One of the readings; NaN where none was asked for."""
        return float("nan") if self.readings is None else getattr(self.readings, name)


_UNASKED = _Score((0.0, 0), None, float("nan"), float("nan"))


_Measure = Callable[[list[_Score]], Cell]


def run(
    subject: Subject, settings: Settings, on_progress: OnProgress = ignore_progress
) -> SuiteResult:
    """Ask a subject, and those beside it.

    Raises:
        InputError: the subject cannot predict.
    """
    subject.need("predict", "laws")
    scenarios = _draw(settings, subject.size_px)
    systems: list[tuple[Subject, RowKind]] = [(subject, RowKind.SUBJECT)]
    if subject.world is not None and subject.world.tokenizer.can_decode:
        systems.append((untrained(subject.world), RowKind.BASELINE))
    systems += [(of_baseline(name), RowKind.BASELINE) for name in ("copy-last", "flow-warp")]
    scores: dict[str, tuple[RowKind, list[_Score]]] = {}
    for number, (system, kind) in enumerate(systems):
        heard = part(on_progress, number / len(systems), (number + 1) / len(systems))
        few = system.name == "untrained" and number > 0
        asked = [
            s
            for k, s in enumerate(scenarios)
            if not few or k % settings.number < settings.num_untrained
        ]
        scores[system.name] = (
            kind,
            for_each(
                lambda scenario, system=system: _score(system, scenario, settings.seed),
                asked,
                num_workers=settings.num_workers,
                on_progress=heard,
            ),
        )
        if few:
            told = iter(scores[system.name][1])
            scores[system.name] = kind, [next(told) if s in asked else _UNASKED for s in scenarios]
    steady = [_score(_steady(scenario), scenario, 0) for scenario in scenarios]
    scores["constant velocity of the true state"] = RowKind.BASELINE, steady
    oracle = [_score(_oracle(scenario), scenario, 0) for scenario in scenarios]
    scores["state oracle (noise of the instrument)"] = RowKind.CEILING, oracle
    clips = [twice.clip for s in scenarios for twice in (s.corrected, s.published)]
    return SuiteResult(
        suite="laws",
        subject=subject.name,
        tables=_tables([s.column for s in scenarios], scores, settings.seed),
        scenarios=hash_scenarios(clips, CONTEXT, NUM_FRAMES),
        num_scenarios=len(scenarios),
        seed=settings.seed,
        facts={"context": CONTEXT, "horizon": NUM_FRAMES - CONTEXT, "size_px": subject.size_px},
    )


def _draw(settings: Settings, size_px: int) -> list[_Scenario]:
    scenarios = []
    for k, law in enumerate(LAWS):
        for j, where in enumerate(Range):
            for index in range(settings.number):
                rng = np.random.default_rng((settings.seed, 71, k, j, index))
                scene = draw_scene(law, where, rng)
                corrected, published = (
                    film(scene, size_px, published=published) for published in (False, True)
                )
                scenarios.append(_Scenario(law, where, corrected, published, scene.radius_m))
    return scenarios


def _steady(scenario: _Scenario) -> Subject:
    """Goes on as the true state did over the last step that is shown."""
    return _of_states(scenario, "steady")


def _oracle(scenario: _Scenario) -> Subject:
    return _of_states(scenario, "oracle")


def _of_states(scenario: _Scenario, name: str) -> Subject:
    """Draws known states, as the scenario itself was drawn."""

    def predict(
        frames: UInt8[np.ndarray, "t h w 3"], horizon: int, seed: int
    ) -> UInt8[np.ndarray, "n h w 3"]:
        is_published = np.array_equal(frames, scenario.published.frames[:CONTEXT])
        twice = scenario.published if is_published else scenario.corrected
        if name == "oracle":
            return twice.frames[CONTEXT:]
        return twice.at_constant_velocity(CONTEXT, horizon, published=is_published)

    return Subject(name, predict=predict, size_px=scenario.corrected.frames.shape[1])


def _score(system: Subject, scenario: _Scenario, seed: int) -> _Score:
    predict = system.need("predict", "laws")
    horizon = NUM_FRAMES - CONTEXT

    def continued(twice: Twice) -> UInt8[np.ndarray, "t h w 3"]:
        shown = twice.frames[:CONTEXT]
        return np.concatenate([shown, predict(shown, horizon, seed)])

    corrected = continued(scenario.corrected)
    readings = _read(corrected, scenario, published=False)
    published = _read(continued(scenario.published), scenario, published=True)
    ahead, truth = corrected[CONTEXT:], scenario.corrected.frames[CONTEXT:]
    return _Score(
        published=(float(np.nansum(published.errors)), int(np.isfinite(published.errors).sum())),
        readings=readings,
        psnr_db=float(psnr(ahead, truth).mean()),
        ssim=float(ssim(ahead, truth).mean()),
    )


def _read(
    frames: UInt8[np.ndarray, "t h w 3"], scenario: _Scenario, *, published: bool
) -> LawReadings:
    twice = scenario.published if published else scenario.corrected
    found = read_discs(frames, len(scenario.radius_m), scenario.radius_m, published=published)
    return LawReadings.of(found, twice.position_m, scenario.radius_m, scenario.law, CONTEXT, STEP_S)


def _tables(
    columns: Sequence[str], scores: dict[str, tuple[RowKind, list[_Score]]], seed: int
) -> tuple[Table, ...]:
    own = np.array(columns)
    goals = {c: GOAL for c in COLUMNS if c.endswith(Range.OUT)}
    paper = Row(
        "PhyWorld, best learned", RowKind.PUBLISHED, {c: Cell(v) for c, v in PUBLISHED.items()}
    )

    def rows(get: _Measure, kept: Sequence[str] = COLUMNS) -> tuple[Row, ...]:
        return tuple(
            Row(
                name,
                kind,
                {c: get([found[i] for i in np.flatnonzero(own == c)]) for c in kept},
            )
            for name, (kind, found) in scores.items()
        )

    def mean(name: str) -> _Measure:
        return lambda found: mean_cell([s.read(name) for s in found], seed=seed)

    free = tuple(c for c in COLUMNS if not c.startswith(Law.COLLISION))
    met = tuple(c for c in COLUMNS if c.startswith(Law.COLLISION))
    physical = {"report": Report.PHYSICAL, "better": Better.LOWER}
    visual = {"report": Report.VISUAL, "better": Better.HIGHER, "columns": COLUMNS}
    return (
        Table(
            "velocity_error",
            "error of velocity, corrected",
            unit="units/s",
            columns=COLUMNS,
            rows=(*rows(mean("velocity_error")), paper),
            goals=goals,
            note="A disc that is not found counts as standing still. The world is 10 units wide; "
            "the paper's numbers were measured with its own scale and averaging.",
            **physical,
        ),
        Table(
            "velocity_error_published",
            "error of velocity, as published",
            unit="units/s",
            columns=COLUMNS,
            rows=(*rows(lambda f: ratio_cell(*zip(*(s.published for s in f), strict=True))), paper),
            goals=goals,
            note="The last row of ours shows what the published scale costs a perfect prediction.",
            **physical,
        ),
        Table(
            "form",
            "form of the motion: misfit of one parabola",
            unit="units",
            columns=free,
            rows=rows(mean("form_m"), free),
            note="What stands still fits any parabola: read it beside the errors of velocity.",
            **physical,
        ),
        Table(
            "parameter",
            "parameter of the motion: error of its acceleration",
            unit="units/s^2",
            columns=free,
            rows=rows(mean("parameter_mps2"), free),
            note="True are 0 (uniform) and 2.5 (parabola); what stands still has 0.",
            **physical,
        ),
        Table(
            "momentum",
            "momentum lost or gained over a collision, as a share of all that moves",
            unit="",
            columns=met,
            rows=rows(mean("momentum_share"), met),
            note="Mass goes with the true area. Clips without three frames before and after the "
            "collision, or with a lost disc, say nothing.",
            **physical,
        ),
        Table(
            "energy_gain",
            "energy gained over a collision, as a share",
            unit="",
            columns=met,
            rows=rows(mean("energy_gain"), met),
            note="Only gains count; a loss is legal in general, though these discs are elastic. "
            "What stands still gains none: read it beside the errors of velocity.",
            **physical,
        ),
        Table(
            "found",
            "stability: share of the true discs in view that are found",
            report=Report.PHYSICAL,
            unit="",
            better=Better.HIGHER,
            columns=COLUMNS,
            rows=rows(mean("found_share")),
        ),
        Table(
            "psnr",
            "PSNR over all frames",
            unit="dB",
            rows=rows(lambda f: mean_cell([s.psnr_db for s in f], seed=seed)),
            **visual,
        ),
        Table(
            "ssim",
            "SSIM over all frames",
            unit="",
            rows=rows(lambda f: mean_cell([s.ssim for s in f], seed=seed)),
            **visual,
        ),
    )
