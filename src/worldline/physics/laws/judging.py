"""From deviations to a verdict: the statistics that all laws share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from worldline.core import Outcome, Scene, Verdict

__all__ = ["Deviation", "judge", "misfit_p", "two_sided_p", "untestable", "with_contacts_known"]


@dataclass(frozen=True)
class Deviation:
    """One test of a law on one object or pair over one interval.

    Attributes:
        p_value: probability of a deviation at least as large if the law holds.
        moment_s: when it is largest.
        objects: ids concerned.
        text: the measured numbers in words, as the middle of a sentence.
        quantities: the measured numbers.
    """

    p_value: float
    moment_s: float
    objects: tuple[int, ...]
    text: str
    quantities: Mapping[str, float] = field(default_factory=dict)


def judge(law: str, deviations: Sequence[Deviation], alpha: float) -> Verdict:
    """Combine the tests of a law on a scene.

    The verdict is about the family of all tests: the smallest p-value times their number (the first
    step of Holm 1979), so that the chance of any false alarm in a scene is at most `alpha`.
    """
    worst = min(deviations, key=lambda d: d.p_value)
    count = len(deviations)
    p_value = min(1.0, worst.p_value * count)
    tests = "1 test" if count == 1 else f"{count} tests"
    return Verdict(
        law,
        Outcome.FAIL if p_value < alpha else Outcome.PASS,
        p_value,
        worst.moment_s,
        worst.objects,
        f"{worst.text} (p = {p_value:.2g}, worst of {tests}).",
        {**worst.quantities, "num_tests": float(count)},
    )


def untestable(law: str, reason: str) -> Verdict:
    """The law says nothing about this scene."""
    return Verdict(law, Outcome.UNTESTABLE, reason=reason)


def two_sided_p(
    deviation: float, std: float, *, tolerance: float = 0.0, dof: int | None = None
) -> float:
    """P-value of a deviation beyond a tolerance: Student's t with `dof`, or normal without.

    The tolerance is taken off first, which makes the test conservative.
    """
    excess = max(abs(deviation) - tolerance, 0.0)
    if excess == 0.0:
        return 1.0
    from scipy import stats  # takes long to load, and searches need no law

    z = excess / max(std, 1e-300)
    tail = stats.norm.sf(z) if dof is None else stats.t.sf(z, max(dof, 1))
    return float(min(1.0, 2.0 * tail))


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
