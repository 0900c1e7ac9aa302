"""The suite `align`: eight scenes of rigid bodies, each filmed by four cameras, continued.

After the physics alignment of Cosmos (NVIDIA 2025, arXiv 2501.03575, section 5.3.2): from 1 or 9
frames, 33 are predicted and scored by PSNR, SSIM and the intersection over union (IoU) of every
body with its exact mask. There, bodies of 1080p videos were found by a segmentation model from
points of the first frame; here, by colour (`worldline.audit.silhouettes`) in the size that the
subject works in, with dyed bodies in grey scenes. So the published numbers tell what was reached
there, not what is hard here: baselines do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from worldline.audit.crowds import frechet_distance, kernel_distance, leave_one_out
from worldline.audit.doses import DOSES, Fault
from worldline.audit.perceptual import EYES, Eyes
from worldline.audit.suites.align_measure import (
    EMPTY,
    HORIZON,
    METRICS,
    SHOWN,
    TRUTH,
    Case,
    Measured,
    dose_curves,
    measure_case,
)
from worldline.audit.suites.align_scenes import SCENES
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
from worldline.audit.suites.running import OnProgress, for_each, ignore_progress, part
from worldline.audit.suites.subject import Subject, untrained
from worldline.core.errors import InputError

__all__ = ["Settings", "run"]

PUBLISHED_IOU = {1: 0.395, 9: 0.598}
"""Best of the paper's Cosmos models, for each number of frames."""

_QUICK_SCENES = ("free fall", "stable stack", "seesaw")
_SETS = 2
"""Stagings that are needed for distances between sets: predictions of one, truth of another."""
_DOSE_SCENES = ("free fall", "seesaw")
_LOOKS = {
    "psnr": ("peak signal-to-noise ratio", "dB", Better.HIGHER, ""),
    "ssim": ("structural similarity", "", Better.HIGHER, ""),
    "gmsd": ("gradient magnitude similarity deviation", "", Better.LOWER, ""),
    "deep": ("deep-feature distance", "", Better.LOWER, f"Feature network: {EYES}."),
}


@dataclass(frozen=True)
class Settings:
    """How much is looked at.

    Attributes:
        seed: of the stagings and of the subject's noise.
        quick: three scenes, one staging, one camera; nothing between sets of clips.
        num_workers: threads.
        num_stagings: of each scene; bodies, places, speeds and light are drawn anew.
        num_cameras: that film each staging. The subject's noise has another seed for each, so that
            four cameras are four seeds.
        all_untrained: the untrained row, which takes as long as the subject's, sees every camera
            and not the first alone.
    """

    seed: int = 0
    quick: bool = False
    num_workers: int = 1
    num_stagings: int = 2
    num_cameras: int = 4
    all_untrained: bool = False


def run(
    subject: Subject,
    settings: Settings | None = None,
    on_progress: OnProgress = ignore_progress,
) -> SuiteResult:
    """Let the subject continue every scene.

    Raises:
        InputError: the subject cannot predict, or a setting is less than 1.
    """
    settings = settings or Settings()
    subject.need("predict", "align")
    if min(settings.num_stagings, settings.num_cameras, settings.num_workers) < 1:
        raise InputError("align needs at least one staging, one camera and one worker")
    scenes = _QUICK_SCENES if settings.quick else tuple(SCENES)
    stagings = 1 if settings.quick else settings.num_stagings
    cases = [Case(scene, number) for number in range(stagings) for scene in scenes]
    cameras = 1 if settings.quick else settings.num_cameras
    eyes = Eyes.open()
    work = partial(
        measure_case,
        subject=subject,
        fresh=None if subject.world is None else untrained(subject.world),
        eyes=eyes,
        seed=settings.seed,
        num_cameras=cameras,
        all_untrained=settings.all_untrained,
    )
    measured = for_each(
        work,
        cases,
        num_workers=settings.num_workers,
        on_progress=part(on_progress, 0.0, 0.95),
    )
    systems = _systems(subject, measured)
    tables = _tables(systems, measured, scenes)
    if not settings.quick:
        curves = dose_curves(_DOSE_SCENES, eyes=eyes, seed=settings.seed, size_px=subject.size_px)
        tables += [_dose_table(metric, curves) for metric in METRICS]
    notes = [
        "IoU, PSNR, SSIM and the distances of pictures are means over the scored frames (and "
        "bodies), then over cameras; intervals are over stagings, of which all cameras see one.",
        f"The feature network of the deep distance and of distances between sets is the encoder of "
        f"{EYES}, trained on this simulator's clips: no number of it compares with published ones.",
    ]
    if subject.world is not None and subject.world.context > 1:
        notes.append(
            f"A world is shown its usual {subject.world.context} frames: where only one is given, "
            "it is repeated, and then says that nothing has moved so far. Who repeats that frame "
            "gets the overlap of the copy-last row, whatever the published number is."
        )
    elif subject.world is None:
        notes.append("A model that refuses a single frame is shown it twice.")
    if subject.world is not None and not settings.all_untrained:
        notes.append("The untrained row sees the first camera of each staging alone.")
    on_progress(1.0)
    return SuiteResult(
        suite="align",
        subject=subject.name,
        tables=tuple(tables),
        scenarios=hash_scenarios([], *(m.digest for m in measured), SHOWN, HORIZON),
        num_scenarios=len(cases),
        seed=settings.seed,
        facts={
            "scenes": ", ".join(scenes),
            "stagings": stagings,
            "cameras": cameras,
            "seeds": cameras,
            "size_px": subject.size_px,
            "horizon": HORIZON,
            "feature_network": EYES,
        },
        notes=tuple(notes),
    )


def _systems(subject: Subject, measured: Sequence[Measured]) -> list[tuple[str, RowKind]]:
    kinds = {subject.name: RowKind.SUBJECT, EMPTY: RowKind.FLOOR, TRUTH: RowKind.CEILING}
    names = list(dict.fromkeys(name for name, _ in measured[0].values))
    return [(name, kinds.get(name, RowKind.BASELINE)) for name in names]


def _tables(
    systems: Sequence[tuple[str, RowKind]], measured: Sequence[Measured], scenes: Sequence[str]
) -> list[Table]:
    columns = {shown: f"{shown} frame{'s' if shown > 1 else ''}" for shown in SHOWN}

    def rows(metric: str, leave_out: tuple[str, ...] = ()) -> tuple[Row, ...]:
        index = METRICS.index(metric)
        return tuple(
            Row(
                name,
                kind,
                {
                    column: mean_cell(
                        [float(np.nanmean(m.values[name, shown][:, index])) for m in measured]
                    )
                    for shown, column in columns.items()
                },
            )
            for name, kind in systems
            if name not in leave_out
        )

    cosmos = Row(
        "Cosmos, best model",
        RowKind.PUBLISHED,
        {column: Cell(PUBLISHED_IOU[shown]) for shown, column in columns.items()},
    )
    shared: dict[str, Any] = {"columns": tuple(columns.values())}
    found = [
        Table(
            name="iou",
            title="overlap of every body with its exact mask",
            report=Report.PHYSICAL,
            unit="",
            better=Better.HIGHER,
            rows=(*rows("iou"), cosmos),
            goals={column: PUBLISHED_IOU[shown] for shown, column in columns.items()},
            note="Mean over 33 frames of each body, then over bodies. The truth is less than 1 "
            "because bodies are found by colour. The stable stack asks for nothing but that "
            "nothing moves.",
            **shared,
        ),
        _by_scene(systems, measured, scenes),
    ]
    for name, (title, unit, better, note) in _LOOKS.items():
        found.append(
            Table(
                name=name,
                title=title,
                report=Report.VISUAL,
                unit=unit,
                better=better,
                rows=rows(name),
                note=note or "Says nothing of whether bodies are where they should be.",
                **shared,
            )
        )
    if len({m.case.number for m in measured}) >= _SETS:
        found += _between_sets(systems, measured, columns)
    return found


def _by_scene(
    systems: Sequence[tuple[str, RowKind]], measured: Sequence[Measured], scenes: Sequence[str]
) -> Table:
    shown = SHOWN[-1]
    return Table(
        name="iou_by_scene",
        title=f"overlap by scene, from {shown} frames",
        report=Report.PHYSICAL,
        unit="",
        better=Better.HIGHER,
        columns=tuple(scenes),
        rows=tuple(
            Row(
                name,
                kind,
                {
                    scene: mean_cell(
                        [
                            float(np.nanmean(m.values[name, shown][:, 0]))
                            for m in measured
                            if m.case.scene == scene
                        ]
                    )
                    for scene in scenes
                },
            )
            for name, kind in systems
        ),
        note="Few stagings each: an interval here only shows how far they lie apart.",
    )


def _between_sets(
    systems: Sequence[tuple[str, RowKind]],
    measured: Sequence[Measured],
    columns: Mapping[int, str],
) -> list[Table]:
    """Distances between predicted clips of some stagings and true clips of the others."""
    distances = (
        ("kvd", "kernel distance between sets of clips", kernel_distance, "Unbiased; may be < 0."),
        (
            "fvd_like",
            "Frechet distance between sets of clips",
            frechet_distance,
            "Too large for so few clips, by about what the truth row shows.",
        ),
    )
    tables = []
    for table, title, measure, note in distances:
        rows = []
        for name, kind in systems:
            cells = {}
            for shown, column in columns.items():
                cells[column] = _set_cell(measure, measured, name, shown)
            rows.append(Row(name, kind, cells))
        tables.append(
            Table(
                name=table,
                title=title,
                report=Report.VISUAL,
                unit="",
                better=Better.LOWER,
                columns=tuple(columns.values()),
                rows=tuple(rows),
                note=f"Feature network: {EYES}. Predicted clips of even stagings beside true "
                f"clips of odd ones; the truth row compares true clips with true clips. {note}",
            )
        )
    return tables


def _set_cell(
    measure: Callable[[Any, Any], float], measured: Sequence[Measured], name: str, shown: int
) -> Cell:
    """Predictions of even stagings beside the truth of odd ones; scenes are left out in turn."""
    scenes = sorted({m.case.scene for m in measured})
    drawn, true, groups = [], [], []
    for m in measured:
        found = m.vectors[name, shown]
        if m.case.number % 2 == 0:
            drawn.append(found)
            groups += [scenes.index(m.case.scene)] * len(found)
        else:
            true.append(m.vectors[TRUTH, shown][: len(found)])
    every = np.concatenate([m.vectors[TRUTH, shown] for m in measured])
    mean, std = every.mean(0), np.maximum(every.std(0), 1e-6)
    x, y = ((np.concatenate(part) - mean) / std for part in (drawn, true))
    low = high = float("nan")
    if len(x) == len(y):
        low, high = leave_one_out(measure, x, y, np.array(groups))
    return Cell(measure(x, y), low, high, len(x))


def _dose_table(metric: str, curves: Mapping[Fault, np.ndarray]) -> Table:
    """How a metric answers to faults of known size; the instrument's own check."""
    index = METRICS.index(metric)
    columns = tuple(f"{100 * dose:.0f} %" for dose in (0.0, *DOSES))
    title, unit, better, _ = _LOOKS.get(metric, ("overlap", "", Better.HIGHER, ""))
    return Table(
        name=f"dose_{metric}",
        title=f"{title} of true frames spoilt by so much",
        report=Report.PHYSICAL if metric == "iou" else Report.VISUAL,
        unit=unit,
        better=better,
        columns=columns,
        rows=tuple(
            Row(
                str(fault),
                RowKind.FLOOR,
                {
                    column: mean_cell(values[:, k, index].tolist())
                    for k, column in enumerate(columns)
                },
            )
            for fault, values in curves.items()
        ),
        note="Says nothing of the subject. Overlap should fall with displaced, erased and frozen "
        "bodies and stay under blur and recolouring."
        if metric == "iou"
        else "Says nothing of the subject.",
    )
