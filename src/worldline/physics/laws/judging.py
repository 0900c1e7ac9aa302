"""From deviations to a verdict: the statistics that all laws share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from worldline.core import Outcome, Scene, Verdict
from worldline.core.wording import write_number

__all__ = [
    "DRIVEN",
    "ROUND",
    "SELF_PROPELLED",
    "Deviation",
    "excess_of",
    "judge",
    "misfit_p",
    "one_sided_log_p",
    "restate",
    "tell",
    "tell_p",
    "two_sided_log_p",
    "untestable",
    "with_contacts_known",
]

MOST_BITS = 1e6
"""Surprise of what is certain, such as an object that the truth says is gone."""

ROUNDING = 1e-6
"""Smaller numbers of metres, pixels and seconds are rounding of the arithmetic."""

LEAST_P = 1e-4
"""Smaller p-values are told as "less than" in sentences: tails are not known so far out."""

SELF_PROPELLED = frozenset(
    [
        "person",
        "car",
        "truck",
        "bus",
        "van",
        "motorcycle",
        "bicycle",
        "dog",
        "cat",
        "bird",
        "horse",
        "animal",
        "hand",
        "robot",
    ]
)
"""Labels of things that push themselves."""

DRIVEN = SELF_PROPELLED | {"pusher", "cup", "gripper", "arm", "motor", "spring", "trampoline"}
"""Labels of things that push themselves, are moved from outside, or give energy to others."""

ROUND = frozenset({"ball", "sphere", "disc", "disk", "puck"})
"""Labels of bodies taken as balls."""


@dataclass(frozen=True)
class Deviation:
    """One test of a law on one object or pair over one interval.

    Attributes:
        log_p: natural logarithm of the probability of a deviation at least as large if the law
            holds; a logarithm, so that the plainest of many plain failures can be told.
        moment_s: when it is largest.
        objects: ids concerned.
        text: the measured numbers in words, as the middle of a sentence.
        quantities: the measured numbers.
        excess: the deviation over what is granted and two standard errors, see `excess_of`; None
            where a test has no such number. It grows on where a p-value is 1 or 0, so that films of
            lawful motion can say what is usual (`worldline.audit.tolerances`).
    """

    log_p: float
    moment_s: float
    objects: tuple[int, ...]
    text: str
    quantities: Mapping[str, float] = field(default_factory=dict)
    excess: float | None = None


def judge(law: str, deviations: Sequence[Deviation], alpha: float) -> Verdict:
    """Combine the tests of a law on a scene.

    The verdict is about the family of all tests: the smallest p-value times their number (the first
    step of Holm 1979), so that the chance of any false alarm in a scene is at most `alpha`.
    """
    worst = min(deviations, key=lambda d: (d.log_p, -(d.excess or 0.0)))
    excess = {} if worst.excess is None else {"excess": worst.excess}
    count = len(deviations)
    log_p = min(0.0, worst.log_p + math.log(count))
    p_value = math.exp(log_p)
    tests = "1 test" if count == 1 else f"{count} tests"
    text = worst.text[0].upper() + worst.text[1:]
    return Verdict(
        law,
        Outcome.FAIL if p_value < alpha else Outcome.PASS,
        p_value,
        worst.moment_s,
        worst.objects,
        f"{text} ({tell_p(p_value)}, worst of {tests}).",
        {
            **worst.quantities,
            **excess,
            "num_tests": float(count),
            "surprise_bits": min(MOST_BITS, max(0.0, -log_p / math.log(2))),
        },
    )


def restate(verdict: Verdict, *, outcome: Outcome, p_value: float | None, why: str) -> Verdict:
    """The same measurement with another p-value.

    Args:
        verdict: of `judge`.
        outcome, p_value: the new ones.
        why: what they rest on; takes the place of what stands in brackets.
    """
    told = verdict.reason.rpartition(" (p ")[0] or verdict.reason.rstrip(".")
    return replace(verdict, outcome=outcome, p_value=p_value, reason=f"{told} ({why}).")


def tell(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """A measured number in a sentence: no exponent, and 0 for what is nothing but rounding."""
    text = write_number(0.0 if abs(value) < ROUNDING else value, digits)
    return f"+{text}" if signed and value >= ROUNDING else text


def tell_p(p_value: float) -> str:
    """A p-value in a sentence, such as "p = 0.034" or "p < 0.0001"."""
    return f"p < {LEAST_P:.4f}" if p_value < LEAST_P else f"p = {write_number(p_value, 2)}"


def untestable(law: str, reason: str) -> Verdict:
    """The law says nothing about this scene."""
    return Verdict(law, Outcome.UNTESTABLE, reason=reason)


def two_sided_log_p(
    deviation: float, std: float, *, tolerance: float = 0.0, dof: int | None = None
) -> float:
    """Log of the p-value of a deviation beyond a tolerance: Student's t with `dof`, or normal.

    The tolerance is taken off first, which makes the test conservative.
    """
    return min(0.0, math.log(2) + one_sided_log_p(abs(deviation) - tolerance, std, dof=dof))


def one_sided_log_p(excess: float, std: float, *, dof: int | None = None) -> float:
    """Log of the p-value of an excess over what is granted; 0 where there is none."""
    if excess <= 0.0:
        return 0.0
    from scipy import stats  # takes long to load, and searches need no law

    z = excess / max(std, 1e-300)
    tail = stats.norm.logsf(z) if dof is None else stats.t.logsf(z, max(dof, 1))
    # Beyond what the library can tell, the normal tail is known: -z^2 / 2 is its leading term.
    return float(tail) if math.isfinite(tail) else -min(z * z / 2, MOST_BITS)


def excess_of(deviation: float, std: float, *, tolerance: float) -> float:
    """A deviation over what is granted and two standard errors; 0 for one the other way."""
    return max(deviation, 0.0) / max(tolerance + 2.0 * std, 1e-300)


def misfit_p(
    time_s: Float[np.ndarray, " k"],
    values: Float[np.ndarray, " k"],
    std: Float[np.ndarray, " k"],
    degree: int,
) -> tuple[float, int, float]:
    """Lack of fit of one polynomial to one coordinate, by chi-square against known noise.

    Returns:
        chi-square, degrees of freedom, and the time of the largest residual.
    """
    scale = max(float(np.ptp(time_s)), 1e-12)
    basis = ((time_s - time_s.mean()) / scale)[:, None] ** np.arange(degree + 1)
    design, right = basis / std[:, None], values / std
    solution = np.linalg.lstsq(design, right, rcond=None)[0]
    residual = right - design @ solution
    worst = float(time_s[int(np.argmax(np.abs(residual)))])
    return float(residual @ residual), len(time_s) - degree - 1, worst


def with_contacts_known(scene: Scene) -> bool:
    """Whether the absence of a contact means that nothing touched.

    True for simulated scenes and for scenes that record some contacts; otherwise a jump in velocity
    may well be a contact that nobody wrote down.
    """
    return bool(scene.contacts) or scene.provenance.origin.value == "simulated"
