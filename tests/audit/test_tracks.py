from __future__ import annotations

import numpy as np
import pytest

from worldline.audit.tracks import TrackScore, compare_tracks, moves_away
from worldline.core import Scene


def scene(*paths: list[tuple[float, float] | None], side: float = 10.0) -> Scene:
    n, t = len(paths), len(paths[0])
    center = np.array(
        [[(np.nan, np.nan) if p is None else p for p in path] for path in paths], dtype=float
    )
    seen = np.isfinite(center).all(-1)
    return Scene(
        time_s=np.arange(t) / 10,
        width_px=200,
        height_px=200,
        ids=np.arange(n),
        labels=("object",) * n,
        present=seen,
        visible=seen,
        center_px=center,
        size_px=np.where(seen[..., None], side, np.full((n, t, 2), np.nan)),
        center_px_std=np.zeros((n, t, 2)),
    )


def line(x: float, y: float, step: float, num: int = 10) -> list[tuple[float, float] | None]:
    return [(x + step * k, y) for k in range(num)]


def test_the_truth_itself_scores_one():
    truth = scene(line(10, 10, 3), line(10, 100, 0))
    score = compare_tracks(truth, truth)
    for name in ("hota", "detection_recall", "detection_precision", "association_accuracy", "idf1"):
        assert getattr(score, name) == pytest.approx(1.0)
    assert (score.num_switches, score.num_true_tracks, score.num_tracks) == (0, 2, 2)


def test_a_broken_track_costs_association_and_no_detection():
    truth = scene(line(10, 10, 3))
    path = line(10, 10, 3)
    broken = scene([*path[:5], *[None] * 5], [*[None] * 5, *path[5:]])
    score = compare_tracks(broken, truth)
    assert score.detection_recall == score.detection_precision == pytest.approx(1.0)
    # Each half has 5 of 10 frames in common with the truth and none besides: 5 / (10 + 5 - 5).
    assert score.association_accuracy == pytest.approx(0.5)
    assert score.hota == pytest.approx(np.sqrt(0.5))
    assert score.num_switches == 1
    # One identity: 5 right, 5 missed, 5 too many.
    assert score.idf1 == pytest.approx(2 * 5 / 20)


def test_an_overlap_counts_for_the_thresholds_that_it_reaches():
    truth = scene(line(50, 50, 0))
    # Boxes of 10 px, 2.5 px apart: 75 / 125, an overlap of .6, reaches .05 to .60.
    score = compare_tracks(scene(line(52.5, 50, 0)), truth)
    assert score.detection_recall == pytest.approx(12 / 19)
    assert score.association_accuracy == pytest.approx(12 / 19)


def test_nothing_found_and_nothing_there():
    nobody = scene([None] * 10)
    truth = scene(line(10, 10, 3))
    missed, invented = compare_tracks(nobody, truth), compare_tracks(truth, nobody)
    assert (missed.detection_recall, missed.hota, missed.idf1) == (0.0, 0.0, 0.0)
    assert (invented.detection_precision, invented.num_tracks) == (0.0, 1)
    both = missed + compare_tracks(truth, truth)
    assert both.detection_recall == pytest.approx(0.5)
    assert (TrackScore() + both).to_json() == both.to_json()


def test_objects_that_are_not_asked_for_count_neither_way():
    truth = scene(line(10, 10, 3), line(10, 100, 0))
    assert moves_away(truth).tolist() == [True, False]
    score = compare_tracks(truth, truth, counted=moves_away(truth))
    assert score.detection_precision == score.detection_recall == pytest.approx(1.0)
    assert score.num_true_tracks == 1
    alone = compare_tracks(scene(line(10, 10, 3)), truth, counted=moves_away(truth))
    assert alone.hota == pytest.approx(1.0)


def test_scenes_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="10 and 9 frames"):
        compare_tracks(scene(line(0, 0, 1)), scene(line(0, 0, 1, 9)))
