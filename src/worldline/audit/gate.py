"""The gate: what is wrong with a scene, by the laws and, where there is one, by a reference."""

from __future__ import annotations

import numpy as np

from worldline.audit.alignment import Alignment, align, longest_run
from worldline.audit.joint import GATE_ALPHA, correct_holm, load_gate_films
from worldline.audit.tolerances import DEFAULT_ALPHA, is_calibrated_kind, load_tolerances
from worldline.core.scene import Scene
from worldline.core.verdict import Outcome, Verdict
from worldline.core.wording import counted
from worldline.physics import check_laws
from worldline.physics.laws.judging import tell_p

__all__ = ["audit_scene", "compare_count", "compare_permanence", "compare_position"]

_MISS_PROBABILITY = 0.2
"""Chance that a detector overlooks a visible object in one frame though it is there. Runs of misses
are judged by it; with fewer than about five frames in a row nothing is claimed."""

_CENTER_TOLERANCE = 0.1
"""Share of an object's size by which two ways of measuring may place its middle differently."""

_MIN_STD_PX = 0.5


def audit_scene(
    scene: Scene,
    reference: Scene | None = None,
    *,
    alpha: float | None = None,
    tracked: bool | None = None,
) -> tuple[Verdict, ...]:
    """Check a scene against the laws, and against what is known to have happened.

    Args:
        scene: what is under audit: perceived, predicted or simulated.
        reference: the truth about the same moments, on the same clock. It may have another frame
            rate, picture size (of the same shape) and other object ids.
        alpha: chance of a false alarm: without a reference for each verdict
            (`tolerances.DEFAULT_ALPHA`), with one for all of them together (`joint.GATE_ALPHA`).
        tracked: whether the scene was tracked in pixels; by default that is told from its errors,
            which a scene without objects does not have.

    Returns:
        the verdicts of `physics.check_laws`, then with a reference `reference_permanence`,
        `reference_position` and `reference_count`, whose ids are the reference's. For a video
        tracked in pixels all are settled by how far lawful films go after the same chain
        (`audit.tolerances`, with a reference `audit.joint`); p-values are then corrected for the
        number of laws. `moment_s` is that of the first significant departure, or the largest one.

    Raises:
        InputError: the two do not overlap in time, or their pictures have different shapes.
    """
    tracked = is_calibrated_kind(scene) if tracked is None else tracked
    if reference is None:
        alpha = DEFAULT_ALPHA if alpha is None else alpha
        verdicts = check_laws(scene, alpha=alpha)
        if not tracked:
            return verdicts
        films = load_tolerances()
        return tuple(films.settle(v, alpha, num_frames=scene.num_frames) for v in verdicts)
    alpha = GATE_ALPHA if alpha is None else alpha
    aligned = align(scene, reference)
    verdicts = (
        *check_laws(scene, alpha=alpha),
        compare_permanence(aligned, alpha),
        compare_position(aligned, alpha),
        compare_count(aligned, alpha),
    )
    if not tracked:
        return correct_holm(verdicts, alpha)
    return load_gate_films().settle(verdicts, scene, reference, alpha)


def compare_permanence(aligned: Alignment, alpha: float) -> Verdict:
    """Is every object that the reference shows still there?

    The longest run of frames in which a plainly visible object of the reference has no counterpart,
    against the chance of so many misses in a row. A resting object that the scene never had is not
    judged: finding things by their motion cannot show it.
    """
    law = "reference_permanence"
    tests = []
    for row, object_id in enumerate(aligned.ids):
        frames = aligned.plain[row]
        known = aligned.matched[row] or aligned.covered[row].any()
        if not frames.any() or (aligned.resting[row] and not known):
            continue
        missing = frames & ~aligned.covered[row]
        length, start = longest_run(missing[frames])
        moment_s = float(aligned.time_s[frames][start])
        p_value = _run_p(length, int(frames.sum()))
        tests.append((p_value, moment_s, object_id, length, int(frames.sum())))
    if not tests:
        return _untestable(law, "the reference shows no moving object while the two overlap")
    count = len(tests)
    failed = [test for test in tests if test[0] * count < alpha]
    first = min(failed, key=lambda t: t[1]) if failed else min(tests, key=lambda t: t[0])
    worst_p = min(1.0, min(test[0] for test in tests) * count)
    _, moment_s, object_id, length, num_frames = first
    return Verdict(
        law,
        Outcome.FAIL if failed else Outcome.PASS,
        worst_p,
        moment_s,
        tuple(test[2] for test in failed) or (object_id,),
        f"Object {object_id} has no counterpart in {counted(length, 'frame')} in a row of the "
        f"{num_frames} in which the reference plainly shows it, from {moment_s:.2f} s "
        f"({tell_p(worst_p)})."
        if length
        else f"Object {object_id} has a counterpart in all {counted(num_frames, 'frame')} in which "
        "the reference plainly shows it.",
        {
            "num_missing_frames": float(length),
            "num_objects": float(count),
            "num_unmatched": float((~aligned.matched & aligned.plain.any(1)).sum()),
        },
    )


def compare_position(aligned: Alignment, alpha: float) -> Verdict:
    """Is every object where the reference has it?

    Distance of the middles, less a pixel and a tenth of the object's size, against the stated
    standard deviations (at least half a pixel); corrected for the number of frames and objects
    (Bonferroni).
    """
    law = "reference_position"
    both = aligned.plain & aligned.seen
    if not both.any():
        return _untestable(law, "no object of the scene has a counterpart in the reference")
    tolerance_px = aligned.coarse_px + _CENTER_TOLERANCE * aligned.size_px
    excess_px = (aligned.distance_px - tolerance_px).clip(min=0)
    std_px = aligned.std_px.clip(min=_MIN_STD_PX)
    # Rayleigh: how far two independent normal errors reach together.
    p_values = _rayleigh_p(excess_px / std_px)
    p_values[~both] = 1.0
    num_tests = int(both.sum())
    corrected = (p_values * num_tests).clip(max=1.0)
    departed = corrected < alpha
    excess_px[~both] = -1
    if departed.any():
        frame = int(departed.any(0).argmax())
        row = int(corrected[:, frame].argmin())
        ids = tuple(aligned.ids[k] for k in range(len(aligned.ids)) if departed[k].any())
    else:
        row, frame = divmod(int(excess_px.argmax()), excess_px.shape[1])
        ids = (aligned.ids[row],)
    distance_px = float(aligned.distance_px[row, frame])
    worst_p = float(corrected.min())
    moment_s = float(aligned.time_s[frame])
    return Verdict(
        law,
        Outcome.FAIL if departed.any() else Outcome.PASS,
        worst_p,
        moment_s,
        ids,
        f"Object {aligned.ids[row]} is {distance_px:.1f} px from where the reference has it at "
        f"{moment_s:.2f} s; {tolerance_px[row, frame]:.1f} px are granted ({tell_p(worst_p)}).",
        {
            "distance_px": distance_px,
            "mean_distance_px": float(aligned.distance_px[both].mean()),
            "max_distance_px": float(aligned.distance_px[both].max()),
            "num_tests": float(num_tests),
        },
    )


def compare_count(aligned: Alignment, alpha: float) -> Verdict:
    """Does the scene show as many objects as the reference?

    The longest run of frames with too many, or with too few, against the chance that so many frames
    in a row are miscounted. Resting objects without a counterpart are left out.
    """
    law = "reference_count"
    judged = aligned.matched | ~aligned.resting
    expected = aligned.visible[judged].sum(0)
    least = aligned.plain[judged].sum(0)
    shown = aligned.num_seen
    if not judged.any() and not shown.any():
        return _untestable(law, "neither the scene nor the reference shows a moving object")
    num_frames = len(aligned.time_s)
    runs = [
        (*longest_run(shown > expected), "more"),
        (*longest_run(shown < least), "fewer"),
    ]
    # Two tests, too many and too few.
    p_values = [min(1.0, 2 * _run_p(run[0], num_frames)) for run in runs]
    p_value = min(p_values)
    failed = [run for run, p in zip(runs, p_values, strict=True) if p < alpha]
    length, start, word = (
        min(failed, key=lambda run: run[1]) if failed else max(runs, key=lambda run: run[0])
    )
    moment_s = float(aligned.time_s[start])
    if length:
        reason = (
            f"The scene shows {counted(int(shown[start]), 'object')} and the reference "
            f"{int(expected[start])} at {moment_s:.2f} s; it shows {word} than the reference for "
            f"{length} of {counted(num_frames, 'frame')} in a row ({tell_p(p_value)})."
        )
    else:
        reason = f"The scene shows as many objects as the reference in all {num_frames} frames."
    return Verdict(
        law,
        Outcome.FAIL if failed else Outcome.PASS,
        p_value,
        moment_s if length else None,
        (),
        reason,
        {
            "mean_count": float(shown.mean()),
            "mean_reference_count": float(expected.mean()),
            "num_wrong_frames": float(length),
        },
    )


def _untestable(law: str, reason: str) -> Verdict:
    return Verdict(law, Outcome.UNTESTABLE, reason=reason[0].upper() + reason[1:] + ".")


def _run_p(length: int, num_frames: int) -> float:
    """Bound on the chance of a run of misses as long as this among so many frames."""
    if length == 0:
        return 1.0
    return float(min(1.0, (num_frames - length + 1) * _MISS_PROBABILITY**length))


def _rayleigh_p(ratio: np.ndarray) -> np.ndarray:
    return np.exp(-(ratio**2) / 2)
