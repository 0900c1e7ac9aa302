"""The gate for generated clips: let in what agrees with ground truth, turn away what does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from worldline.audit.gate import audit_scene
from worldline.audit.joint import GATE_ALPHA
from worldline.audit.stillness import judge_stillness, load_still_runs, measure_stillness
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.scene import Scene
from worldline.core.verdict import Outcome, Verdict
from worldline.core.wording import counted, plain
from worldline.readout import PixelReadout

__all__ = [
    "Validation",
    "judge",
    "judge_clip",
    "name_missing",
    "validate",
    "validate_many",
]

_GRANTED_STEPS = 1.5
"""Frames that a clip may begin later or end earlier than its reference."""


@dataclass(frozen=True)
class Validation:
    """Whether a clip may be used.

    Attributes:
        accepted: no law is broken that could be tested.
        law: the one that broke first; "" for none.
        moment_s: when it did; None where the law names no moment.
        p_value: of its deviation, if the law held, corrected for the number of laws.
        verdicts: of all laws.
        reason: one sentence.
        error: why the clip could not be looked at; "" where it could.
    """

    accepted: bool
    law: str = ""
    moment_s: float | None = None
    p_value: float | None = None
    verdicts: tuple[Verdict, ...] = ()
    reason: str = ""
    error: str = ""

    @property
    def num_tested(self) -> int:
        """Laws that could be tested; with none of them a clip is accepted for want of evidence."""
        return sum(verdict.outcome is not Outcome.UNTESTABLE for verdict in self.verdicts)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        record = {
            "accepted": self.accepted,
            "law": self.law,
            "moment_s": self.moment_s,
            "p_value": self.p_value,
            "num_tested": self.num_tested,
            "reason": self.reason,
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
        }
        return record | ({"error": self.error} if self.error else {})


def judge(verdicts: Sequence[Verdict], missing: str = "") -> Validation:
    """What verdicts amount to: accepted where none is a failure and no part of the time is missing.

    Args:
        verdicts: of all laws.
        missing: which part of the reference the clip does not show, see `name_missing`.
    """
    if missing:
        return Validation(False, verdicts=tuple(verdicts), reason=f"Rejected: {missing}.")
    failed = [verdict for verdict in verdicts if verdict.outcome is Outcome.FAIL]
    tested = [verdict for verdict in verdicts if verdict.outcome is not Outcome.UNTESTABLE]
    if not failed:
        reason = (
            f"Accepted: {counted(len(tested), 'law')} of {len(verdicts)} could be tested, and "
            "none is broken."
            if tested
            else "Accepted for want of evidence: no law could be tested."
        )
        return Validation(True, verdicts=tuple(verdicts), reason=reason)
    first = min(failed, key=lambda v: float("inf") if v.moment_s is None else v.moment_s)
    when = "" if first.moment_s is None else f" at {first.moment_s:.2f} s"
    chance = "" if first.p_value is None else f" (p = {first.p_value:.2g})"
    more = f"; {counted(len(failed) - 1, 'more law')} later" if len(failed) > 1 else ""
    return Validation(
        False,
        first.law,
        first.moment_s,
        first.p_value,
        tuple(verdicts),
        f"Rejected: {plain(first.law)} is broken{when}{chance}{more}. {first.reason}",
    )


def name_missing(time_s: Float[np.ndarray, " t"], reference_s: Float[np.ndarray, " r"]) -> str:
    """What a clip does not show of the time of its reference, in words; "" where it shows all.

    Args:
        time_s, reference_s: times of the frames of both.
    """
    step_s = max(_typical_step(time_s), _typical_step(reference_s))
    early, late = time_s[0] - reference_s[0], reference_s[-1] - time_s[-1]
    if max(early, late) <= _GRANTED_STEPS * step_s:
        return ""
    return (
        f"the clip shows {time_s[0]:.2f} s to {time_s[-1]:.2f} s of a reference from "
        f"{reference_s[0]:.2f} s to {reference_s[-1]:.2f} s; cut the reference if a part is meant"
    )


def _typical_step(time_s: Float[np.ndarray, " t"]) -> float:
    return float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0


def validate(generated: Clip, reference: Scene | Clip, *, alpha: float = GATE_ALPHA) -> Validation:
    """Accept or reject a generated clip against ground truth, before it is used for training.

    The clip's own scene, if it has one, is not believed: objects are found in its pixels. A clip
    that does not show all of the reference's time is rejected: who means a part cuts the reference.

    Args:
        generated: pixels under test.
        reference: what truly happened at the same times, on the same clock: the simulator's or the
            sensors' scene, a clip that carries one, or recorded pixels, which are then perceived in
            the same way. Rate, picture size (of the same shape) and ids may differ.
        alpha: chance that a good clip is rejected, over all laws together. It holds for clips
            like the films of `audit.joint`, beside their simulated truth.

    Raises:
        InputError: the two do not overlap in time, their pictures have different shapes, one of
            them is something else, or alpha is no chance.
    """
    if not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha}; it must be between 0 and 1")
    if not isinstance(generated, Clip):
        raise InputError(f"generated is a {type(generated).__name__}, expected a Clip (Clip.read)")
    if not isinstance(reference, Scene | Clip):
        kind = type(reference).__name__
        raise InputError(f"reference is a {kind}, expected a Scene or a Clip (Clip.read)")
    truth = reference if isinstance(reference, Scene) else reference.scene or _perceive(reference)
    return judge_clip(generated, _perceive(generated), truth, alpha=alpha)


def judge_clip(clip: Clip, seen: Scene, truth: Scene, *, alpha: float = GATE_ALPHA) -> Validation:
    """Accept or reject a clip with what was perceived in it.

    Of alpha, the laws get what lawful films leave of it that are asked whether anything changes
    where a body moves (`audit.stillness`).

    Args:
        clip: pixels under test.
        seen: what was perceived in them.
        truth: what truly happened.
        alpha: chance that a good clip is rejected.

    Raises:
        InputError: as `validate`.
    """
    runs = load_still_runs()
    cost = 1 / (len(runs) + 1)
    still = None
    if cost < alpha:
        still, alpha = judge_stillness(measure_stillness(clip, truth), runs), alpha - cost
    verdicts = audit_scene(seen, truth, alpha=alpha, tracked=True)
    if still is not None:  # tracks that fail tell the moment better
        verdicts = tuple(
            still if own.law == still.law and own.outcome is not Outcome.FAIL else own
            for own in verdicts
        )
    return judge(verdicts, name_missing(clip.time_s, truth.time_s))


def validate_many(
    pairs: Iterable[tuple[Clip | str | Path, Scene | Clip]], *, alpha: float = GATE_ALPHA
) -> Iterator[Validation]:
    """`validate` for clips or video files, one at a time and in order.

    What cannot be looked at is rejected with an `error`, and the next one is taken.

    Args:
        pairs: (generated, reference).
        alpha: as for `validate`.

    Raises:
        InputError: alpha is no chance.
    """
    if not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha}; it must be between 0 and 1")
    for generated, reference in pairs:
        try:
            clip = Clip.read(generated) if isinstance(generated, str | Path) else generated
            yield validate(clip, reference, alpha=alpha)
        except (InputError, OSError) as error:
            reason = " ".join(str(error).split())
            yield Validation(False, reason=f"Rejected: {reason}", error=reason)


def _perceive(clip: Clip) -> Scene:
    pairs = zip(clip.time_s.tolist(), clip.frames, strict=True)
    return PixelReadout.Config().build().read(pairs, provenance=clip.provenance)
