"""Measurements on the truth of a clip that the families' self-tests share."""

from __future__ import annotations

import numpy as np

from worldline.core import STATIC, Outcome, Scene, Verdict

__all__ = ["fact", "free_runs", "gravity_verdict", "judge", "touch_free"]


def judge(law: str, errors: list[float], limit: float, what: str) -> Verdict:
    """PASS if the largest error is within the limit, UNTESTABLE if there is none."""
    if not errors:
        return Verdict(law, Outcome.UNTESTABLE, reason=f"no stretch of the clip shows {what}")
    worst = float(np.max(np.abs(errors)))
    outcome = Outcome.PASS if worst <= limit else Outcome.FAIL
    return Verdict(
        law,
        outcome,
        reason=f"{what}: largest error {worst:.3g}, limit {limit:.3g}",
        quantities={"error": worst, "limit": limit, "num_tests": float(len(errors))},
    )


def touch_free(scene: Scene, row: int, start_s: float, end_s: float) -> bool:
    """Whether an object touches nothing over an interval."""
    own = int(scene.ids[row])
    return not any(
        own in (c.a, c.b) and c.start_s <= end_s and c.end_s >= start_s for c in scene.contacts
    )


def free_runs(scene: Scene, row: int, min_frames: int = 3) -> list[slice]:
    """Longest runs of frames in which an object touches nothing."""
    runs, start = [], 0
    for t in range(1, scene.num_frames + 1):
        ended = t == scene.num_frames or not touch_free(
            scene, row, float(scene.time_s[t - 1]), float(scene.time_s[t])
        )
        if ended:
            if t - start >= min_frames:
                runs.append(slice(start, t))
            start = t
    return runs


def gravity_verdict(scene: Scene) -> Verdict:
    """Free fall: the acceleration fitted to positions while nothing is touched is g."""
    assert scene.position_m is not None and scene.gravity_mps2 is not None
    errors = []
    for row in range(scene.num_objects):
        for run in free_runs(scene, row, min_frames=4):
            time_s = scene.time_s[run] - scene.time_s[run.start]
            fit = np.polyfit(time_s, scene.position_m[row, run], 2)[0] * 2
            errors.append(float(np.abs(fit - scene.gravity_mps2).max()))
    g = float(np.linalg.norm(scene.gravity_mps2))
    return judge("gravity", errors, 0.01 * g, "free fall with acceleration g")


def floor_contacts(scene: Scene, row: int) -> list[tuple[float, float]]:
    """Intervals in which an object touches something static."""
    own = int(scene.ids[row])
    return [(c.start_s, c.end_s) for c in scene.contacts if c.a == own and c.b == STATIC]


def fact(scene: Scene, name: str) -> float:
    """A number that the stage of the scene was made with, kept in its provenance."""
    return float(dict(scene.provenance.details)[name])
