"""`run_benchmark`: clips, perception, answers, baselines, and how good each of them is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from worldline.core.errors import InputError
from worldline.retrieval.benchmark.baselines import (
    Describe,
    MissingPackageError,
    describe_flow,
    describe_frames,
    features_of,
    score_by_caption,
    score_by_example,
)
from worldline.retrieval.benchmark.clips import SIZE_PX, ClipFile, make_clips
from worldline.retrieval.benchmark.looking import Sight, library_of, look_at_clips, spot_clips
from worldline.retrieval.benchmark.precision import (
    average_precision,
    bootstrap_interval,
    mean_of,
)
from worldline.retrieval.benchmark.queries import Question, questions
from worldline.retrieval.benchmark.recipes import FPS, Part
from worldline.retrieval.benchmark.relevance import grade, happenings_of
from worldline.retrieval.benchmark.reliability import learn_chances, measure_reliability, store
from worldline.retrieval.library import Library

__all__ = ["OURS", "Settings", "grades_of", "run_benchmark", "score_library"]

OURS, CEILING = "worldline", "worldline from truth"
"""Names of the systems that are the library itself."""

OnStage = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done."""


@dataclass(frozen=True)
class Settings:
    """How to run.

    Attributes:
        cache: folder for clips and what is computed of them.
        seed: of clips and of the intervals.
        quick: a few clips, to see that all works; its numbers mean little.
        num_workers: processes.
        calibrate: learn the table of chances anew from the development part, and keep it.
    """

    cache: Path
    seed: int = 0
    quick: bool = False
    num_workers: int = 2
    calibrate: bool = False


def run_benchmark(settings: Settings, on_stage: OnStage | None = None) -> dict[str, Any]:
    """Run it all: the answer to `worldline eval retrieval`.

    Raises:
        InputError: the cache cannot be written, or a quick run is to calibrate.
    """
    if settings.calibrate and settings.quick:
        raise InputError("a quick run has too few clips to calibrate by; leave out --quick")
    say = on_stage or (lambda *_: None)
    asked = questions()
    sights = {part: _sights(settings, part, say) for part in (Part.DEVELOPMENT, Part.TEST)}
    grades = {part: grades_of(asked, sights[part]) for part in (Part.DEVELOPMENT, Part.TEST)}
    test = sights[Part.TEST]
    if settings.calibrate:
        say("learning chances", 0.0)
        store(learn_chances(sights[Part.DEVELOPMENT]))
    say("searching", 0.0)
    scores: dict[str, np.ndarray | str] = {
        OURS: score_library(library_of(test), asked, test),
        CEILING: score_library(library_of(test, of_truth=True), asked, test),
    }
    scores |= _baselines(settings, asked, sights, grades[Part.DEVELOPMENT], say)
    scores["random"] = np.zeros(grades[Part.TEST].shape)
    answer = _summary(settings, asked, grades[Part.TEST], scores)
    return {**answer, "reliability": measure_reliability(test)}


def _sights(settings: Settings, part: Part, say: OnStage) -> list[Sight]:
    files = make_clips(
        settings.cache,
        part,
        seed=settings.seed,
        quick=settings.quick,
        num_workers=settings.num_workers,
        on_done=lambda done, of: say(f"simulating {part} clips", done / of),
    )
    sights = look_at_clips(
        files,
        num_workers=settings.num_workers,
        on_done=lambda done, of: say(f"perceiving {part} clips", done / of),
    )
    return spot_clips(
        sights,
        num_workers=settings.num_workers,
        on_done=lambda done, of: say(f"spotting in {part} clips", done / of),
    )


def grades_of(asked: Sequence[Question], sights: Sequence[Sight]) -> Float[np.ndarray, "q n"]:
    """1 relevant, 0 not, NaN unclear."""
    known = [happenings_of(sight.truth) for sight in sights]
    return np.array([[grade(question.need, h) for h in known] for question in asked])


def score_library(
    library: Library, asked: Sequence[Question], sights: Sequence[Sight]
) -> Float[np.ndarray, "q n"]:
    """The best hit's score in each clip; 0 where there is none."""
    column = {str(sight.file.video): i for i, sight in enumerate(sights)}
    scores = np.zeros((len(asked), len(sights)))
    for row, question in enumerate(asked):
        for hit in library.search(question.text, limit=100 * len(sights)).hits:
            i = column[hit.source]
            scores[row, i] = max(scores[row, i], hit.score)
    return scores


def _baselines(
    settings: Settings,
    asked: Sequence[Question],
    sights: Mapping[Part, list[Sight]],
    examples: Float[np.ndarray, "q m"],
    say: OnStage,
) -> dict[str, np.ndarray | str]:
    """Scores of each, or why there are none."""
    found: dict[str, np.ndarray | str] = {}
    by_pixels: dict[str, Describe] = {
        "pictures (MobileNetV2 mean)": describe_frames,
        "optical-flow histogram": describe_flow,
    }
    for name, describe in by_pixels.items():
        try:
            vectors = {
                part: features_of(
                    describe,
                    [sight.file.video for sight in own],
                    own[0].file.truth.parent.with_name(f"{describe.__name__}.npy"),
                    num_workers=settings.num_workers,
                    on_done=lambda done, of, name=name: say(f"describing by {name}", done / of),
                )
                for part, own in sights.items()
            }
            found[name] = score_by_example(vectors[Part.TEST], vectors[Part.DEVELOPMENT], examples)
        except MissingPackageError as error:
            found[name] = str(error)
    try:
        captions = [_caption(sight.file) for sight in sights[Part.TEST]]
        found["captions (MiniLM)"] = score_by_caption([q.text for q in asked], captions)
    except MissingPackageError as error:
        found["captions (MiniLM)"] = str(error)
    return found


def _caption(file: ClipFile) -> str:
    return json.loads(file.truth.read_text())["caption"]


def _summary(
    settings: Settings,
    asked: Sequence[Question],
    grades: Float[np.ndarray, "q n"],
    scores: Mapping[str, np.ndarray | str],
) -> dict[str, Any]:
    real = {name: value for name, value in scores.items() if isinstance(value, np.ndarray)}
    rows = []
    for i, question in enumerate(asked):
        known = np.isfinite(grades[i])
        relevant = grades[i][known] > 0
        rows.append(
            {
                "text": question.text,
                "group": question.group,
                "num_relevant": int(relevant.sum()),
                "num_unclear": int((~known).sum()),
                "average_precision": {
                    name: average_precision(score[i][known], relevant)
                    for name, score in real.items()
                },
            }
        )
    systems: dict[str, Any] = {}
    for name, value in scores.items():
        if isinstance(value, str):
            systems[name] = {"missing": value}
            continue
        systems[name] = {
            "mean_average_precision": mean_of([r["average_precision"][name] for r in rows]),
            "interval": bootstrap_interval(value, grades, seed=settings.seed),
            "by_group": {
                group: mean_of([r["average_precision"][name] for r in rows if r["group"] == group])
                for group in dict.fromkeys(r["group"] for r in rows)
            },
        }
    return {
        "suite": "retrieval",
        "seed": settings.seed,
        "quick": settings.quick,
        "num_clips": grades.shape[1],
        "frames_per_s": FPS,
        "size_px": SIZE_PX,
        "num_queries": len(asked),
        "without_relevant": [r["text"] for r in rows if not r["num_relevant"]],
        "unclear_share": float(np.isnan(grades).mean()),
        "systems": systems,
        "queries": rows,
    }
