"""A suite of a moment: does a bright square go on at its speed?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from worldline.audit.suites import (
    Better,
    Report,
    Row,
    RowKind,
    Subject,
    SuiteResult,
    Table,
    hash_scenarios,
    mean_cell,
    of_baseline,
)
from worldline.core import Clip, Origin, Provenance

HORIZON = 3


@dataclass(frozen=True)
class Settings:
    seed: int = 0
    quick: bool = False
    num_workers: int = 1


def make_clips(seed: int, num_clips: int) -> list[Clip]:
    """Squares of 6 pixels that go to the right at one to three pixels a frame."""
    rng = np.random.default_rng(seed)
    clips = []
    for row in range(4, 4 + num_clips):  # each clip is one of its kind
        speed, start = int(rng.integers(1, 4)), int(rng.integers(0, 8))
        frames = np.full((4 + HORIZON, 32, 32, 3), 40, dtype=np.uint8)
        for t, frame in enumerate(frames):
            frame[row : row + 6, start + speed * t : start + speed * t + 6] = 220
        here = Provenance(Origin.SIMULATED, "square")
        clips.append(Clip(frames=frames, time_s=np.arange(len(frames)) * 0.1, provenance=here))
    return clips


def middle_px(frame: np.ndarray) -> float:
    weight = frame[..., 0].astype(float) - 40
    return float((weight.sum(0) * np.arange(32)).sum() / max(weight.sum(), 1e-9))


def run(
    subject: Subject,
    settings: Settings,
    on_progress: Callable[[float], None] = lambda share: None,
) -> SuiteResult:
    clips = make_clips(settings.seed, 4 if settings.quick else 12)
    rows_of: dict[str, list[Row]] = {"place": [], "pixels": []}
    systems = ((subject, RowKind.SUBJECT), (of_baseline("copy-last"), RowKind.BASELINE))
    for number, (one, kind) in enumerate(systems):
        predict = one.need("predict", "tiny")
        place, pixels = [], []
        for index, clip in enumerate(clips):
            found = predict(clip.frames[:4], HORIZON, settings.seed)
            truth = clip.frames[4:]
            place.append(abs(middle_px(found[-1]) - middle_px(truth[-1])))
            pixels.append(float(np.abs(found.astype(float) - truth).mean()))
            on_progress((number + (index + 1) / len(clips)) / 2)
        rows_of["place"].append(Row(one.name, kind, {"+3": mean_cell(place)}))
        rows_of["pixels"].append(Row(one.name, kind, {"+3": mean_cell(pixels)}))
    place = Table(
        "place_error",
        "error of the middle",
        Report.PHYSICAL,
        "px",
        Better.LOWER,
        ("+3",),
        tuple(rows_of["place"]),
        goals={"+3": 0.5},
    )
    pixels = Table(
        "pixel_error",
        "error of the pixels",
        Report.VISUAL,
        "levels",
        Better.LOWER,
        ("+3",),
        tuple(rows_of["pixels"]),
    )
    digest = hash_scenarios(clips, HORIZON)
    return SuiteResult(
        "tiny", subject.name, (place, pixels), digest, len(clips), settings.seed, {"horizon": 3}
    )
